"""Binance and Binance.US: one cheap call tells all rights; -2015 is key, address or permission, nobody knows which."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from alertd.credentials.quirks.reading import at, flag, listed, moment_ms, said, table, truth, word
from alertd.credentials.quirks.shape import HTML, Call, Quirks, Said, on
from alertd.model import Permissions, Reason, Secret

SWITCHES: Final = ("enable", "permits")
TRANSFERS: Final = frozenset({"enableInternalTransfer", "permitsUniversalTransfer"})
NOT_TRADES: Final = TRANSFERS | {"enableReading", "enableFixReadOnly", "enableWithdrawals"}


def restrictions(body: object) -> Permissions | None:
    """Flags of the key itself. Those that are not known yet count as trading, so that none slips through."""
    flags = table(body) or {}
    if truth(flags.get("enableReading")) is None:
        return None
    switches = {name for name in flags if name.startswith(SWITCHES)}
    given = {name for name in switches if truth(flags[name])}
    return Permissions(
        read="enableReading" in given,
        trade=bool(given - NOT_TRADES) if switches - NOT_TRADES else None,
        withdraw=truth(flags.get("enableWithdrawals")),
        transfer=bool(given & TRANSFERS) if switches & TRANSFERS else None,
        ip_restricted=flag(body, "ipRestrict"),
        expires_at=moment_ms(body, "tradingAuthorityExpirationTime"),
    )


def account(body: object) -> Permissions | None:
    """An account that answers; its canTrade and canWithdraw speak of the account, not of the key."""
    return None if listed(body, "balances") is None else Permissions(read=True)


def few_balances(_secret: Secret, _earlier: tuple[object, ...]) -> Mapping[str, object]:
    return {"omitZeroBalances": "true"}


def refusal(body: object) -> Said:
    first = at(body, 0) if isinstance(body, list) else body
    return said(word(first, "code"), word(first, "msg"))


ERRORS: Final = (
    on(Reason.REGION_BLOCKED, status=451),
    on(Reason.RATE_LIMITED, status=418, stay_away=timedelta(minutes=2)),
    on(Reason.RATE_LIMITED, status=429),
    on(Reason.RATE_LIMITED, "-1003", "-1015"),
    # the firewall's answer to too many requests
    on(Reason.RATE_LIMITED, HTML, status=403, stay_away=timedelta(minutes=5)),
    on(Reason.INVALID_KEY, "-2015", "-2014", "-2008", "-1099", "-4056", "-4057"),
    on(Reason.BAD_SECRET, "-1022"),
    on(Reason.CLOCK_SKEW, "-1021"),
    on(Reason.PERMISSION, "-1002"),
    on(Reason.ACCOUNT_DISABLED, "-2017"),
    on(Reason.EXCHANGE_DOWN, "-1000", "-1001", "-1006", "-1007", "-1008", "-1016"),
)

RESTRICTIONS: Final = Call(method="sapiGetAccountApiRestrictions", good=restrictions)
ACCOUNT: Final = Call(method="privateGetAccount", good=account, params=few_balances)

BINANCE: Final = Quirks(
    id="binance",
    ask=(RESTRICTIONS, ACCOUNT),
    errors=ERRORS,
    read=refusal,
    testnet_ask=(ACCOUNT,),
)

# Binance.US has no look-up of rights.
ENTRIES: Final = (BINANCE, replace(BINANCE, id="binanceus", ask=(ACCOUNT,), testnet_ask=()))
