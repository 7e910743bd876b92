"""Signed tokens that stand for a key for some hours; the only importer of PyJWT.

A token says which key it was made from and nothing of what that key may do.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import uuid4

import jwt
from jwt.algorithms import HMACAlgorithm
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from alertd.admin.access import Identity
from alertd.errors import ConfigError

ISSUER: Final = "alertd"
SKEW: Final = timedelta(seconds=30)  # between the clocks of two daemons

Algorithm = Literal["HS256", "HS384", "HS512"]
_HASHES: Final = {"HS256": HMACAlgorithm.SHA256, "HS384": HMACAlgorithm.SHA384, "HS512": HMACAlgorithm.SHA512}
_SHAPE: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_UNFIT: Final = "admin.jwt_secret: is not fit to sign with; set random text (openssl rand -base64 32)"


class Claims(BaseModel):
    """What a token says. `key` names the key behind it, as `Identity.key_ref` does."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    iss: Literal["alertd"]
    sub: str
    iat: int
    exp: int
    jti: str = Field(min_length=1)
    key: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token, and for how many seconds it is good."""

    token: str
    expires_in: int


class Tokens:
    """Makes and reads tokens of one algorithm. Raises ConfigError for a secret that cannot sign."""

    def __init__(self, secret: bytes, *, algorithm: Algorithm, lifetime: timedelta) -> None:
        self._secret = secret
        self._algorithm = algorithm
        self._lifetime = lifetime
        self._jws = jwt.PyJWS(algorithms=[algorithm])
        self._jws.unregister_algorithm(algorithm)
        self._jws.register_algorithm(algorithm, _OfAnyLength(_HASHES[algorithm]))
        try:
            self._header = self._signed(b"{}").partition(".")[0]
        except jwt.InvalidKeyError:
            raise ConfigError([_UNFIT]) from None

    def issue(self, who: Identity, now: datetime) -> Issued:
        if who.key_ref is None:
            raise ValueError("a token stands for a key")
        issued_at = int(now.timestamp())
        expires_in = max(1, int(self._lifetime.total_seconds()))
        claims = Claims(
            iss=ISSUER, sub=who.user_id, iat=issued_at, exp=issued_at + expires_in, jti=uuid4().hex, key=who.key_ref
        )
        return Issued(self._signed(claims.model_dump_json().encode()), expires_in)

    def read(self, token: str, now: datetime) -> Claims | None:
        """What a token of ours says while it is good; None for anything else, whatever it is."""
        # Another header means another algorithm, or none: such a token is not even looked at.
        if _SHAPE.fullmatch(token) is None or token.partition(".")[0] != self._header:
            return None
        try:
            payload: bytes = self._jws.decode(token, self._secret, algorithms=[self._algorithm])
            claims = Claims.model_validate_json(payload)
        except (jwt.PyJWTError, ValidationError):
            return None
        good = claims.iat <= (now + SKEW).timestamp() and now.timestamp() < claims.exp
        return claims if good and claims.exp - claims.iat <= self._lifetime.total_seconds() + 1 else None

    def _signed(self, payload: bytes) -> str:
        return self._jws.encode(payload, self._secret, algorithm=self._algorithm)


class _OfAnyLength(HMACAlgorithm):
    """Says nothing of short secrets: the settings have refused them, or warned, already."""

    def check_key_length(self, key: bytes) -> str | None:  # noqa: ARG002
        return None
