"""What is risky about a key that works, and when its expiry is worth a word. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from alertd.model import CredentialType, Permissions, Warn


def warnings(
    permissions: Permissions,
    credential_type: CredentialType,
    *,
    now: datetime,
    expiry_warning_days: Iterable[int],
) -> tuple[Warn, ...]:
    """In a fixed order. What the exchange does not say is never warned about."""
    found = []
    if permissions.withdraw is True:
        found.append(Warn.CAN_WITHDRAW)
    if credential_type is CredentialType.READONLY and permissions.trade is True:
        found.append(Warn.READONLY_CAN_TRADE)
    if expiry_threshold(permissions.expires_at, now, expiry_warning_days) is not None:
        found.append(Warn.EXPIRES_SOON)
    if permissions.ip_restricted is False:
        found.append(Warn.NO_IP_RESTRICTION)
    return tuple(found)


def trading_cannot_trade(credential_type: CredentialType, permissions: Permissions) -> bool:
    """A key stored for trading of which the exchange says that it may not trade."""
    return credential_type is CredentialType.TRADING and permissions.trade is False


def expiry_threshold(expires_at: datetime | None, now: datetime, days: Iterable[int]) -> int | None:
    """The smallest of `days` within which the key expires; None: it does not, or not soon."""
    if expires_at is None:
        return None
    return min((limit for limit in days if expires_at - now <= timedelta(days=limit)), default=None)
