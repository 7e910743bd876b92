"""Keys that a person hands in: the exchange is asked first, and what it refuses is not stored."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from alertd.credentials.look import Ask
from alertd.model import CheckResult, CredentialRef, Reason, Secret

PATIENCE: Final = timedelta(seconds=30)  # somebody waits for the answer


async def asked(ref: CredentialRef, secret: Secret, ask: Ask, *, patience: timedelta = PATIENCE) -> CheckResult:
    """What the exchange says about a key before it is stored. Raises Transient, as `ask` does."""
    try:
        async with asyncio.timeout(patience.total_seconds()):
            return await ask(ref, secret)
    except TimeoutError:
        return CheckResult(Reason.NETWORK, code="timeout")


def stored_fields(secret: Secret) -> Mapping[str, object]:
    """As they are stored: under their first names, and without what is empty."""
    fields = {
        "api_key": secret.api_key,
        "api_secret": secret.api_secret,
        "passphrase": secret.passphrase,
        "testnet": secret.testnet,
        "metadata": dict(secret.metadata),
    }
    return {name: value for name, value in fields.items() if value}
