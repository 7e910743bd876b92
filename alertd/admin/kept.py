"""The admin port's own secret: made once, sealed in the database, the same for all daemons that share it."""

import base64
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from alertd.admin import store
from alertd.cipher import Cipher
from alertd.db import Db
from alertd.errors import ConfigError, Refused

NAME: Final = "admin_secret"

_BYTES: Final = 32
_CONTEXT: Final = f"value:{NAME}"


@dataclass(frozen=True, slots=True)
class AdminSecret:
    """One secret, from which each use has its own."""

    _root: bytes = field(repr=False)

    @property
    def pepper(self) -> bytes:
        """Keys the digests of API keys."""
        return self._derived("api keys")

    @property
    def tokens(self) -> bytes:
        """Signs tokens where the settings have no secret for it."""
        return self._derived("tokens")

    @property
    def cursors(self) -> bytes:
        return self._derived("cursors")

    def _derived(self, use: str) -> bytes:
        """64 bytes: enough for the longest of our signatures."""
        return hmac.digest(self._root, use.encode(), "sha512")


async def reseal_admin_secret(db: Db, cipher: Cipher, now: datetime) -> bool:
    """Seal it with the newest encryption key; whether that was needed. Raises Refused if no key of ours opens it."""
    async with db.transaction() as tx:
        kept = await store.value_of(tx, NAME)
        if kept is None or cipher.is_current(kept):
            return False
        await store.replace_value(tx, NAME, cipher.seal(cipher.unseal(kept, _CONTEXT), _CONTEXT), now)
    return True


async def admin_secret(db: Db, cipher: Cipher, now: datetime) -> AdminSecret:
    """Raises ConfigError when it was sealed with an encryption key that is not among ours."""
    fresh = cipher.seal(base64.b64encode(secrets.token_bytes(_BYTES)), _CONTEXT)
    async with db.transaction() as tx:
        kept = await store.keep_value(tx, NAME, fresh, now)
    try:
        return AdminSecret(base64.b64decode(cipher.unseal(kept, _CONTEXT)))
    except Refused as exc:
        raise ConfigError([f"secrets.encryption_key: cannot open the admin port's secret: {exc}"]) from None
