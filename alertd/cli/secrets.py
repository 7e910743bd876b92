"""Opens the secret store to look at it, beside a daemon or without one; nothing is made."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from alertd.cipher import KEY_FILE, Cipher, load_or_create_key
from alertd.config import Settings
from alertd.config.keys import KEY_BYTES
from alertd.secretstore import SecretStore, ciphertext_exists, open_store


@asynccontextmanager
async def open_secrets(settings: Settings) -> AsyncIterator[SecretStore]:
    """The configured store. Raises ConfigError, as the daemon would."""
    async with open_store(settings, _cipher(settings)) as store:
        yield store


def _cipher(settings: Settings) -> Cipher:
    if settings.secrets.backend == "file" and (_has_key(settings) or ciphertext_exists(settings.state_dir)):
        return load_or_create_key(settings.secrets.encryption_key, settings.state_dir, ciphertext_exists=True)
    return Cipher([secrets.token_bytes(KEY_BYTES)])  # there is nothing for us to open


def _has_key(settings: Settings) -> bool:
    """Without an opinion on a folder that we may not enter: opening the store says more."""
    return settings.secrets.encryption_key is not None or os.path.lexists(settings.state_dir / KEY_FILE)
