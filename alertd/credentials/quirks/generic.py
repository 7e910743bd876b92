"""Exchanges without an entry: asked for the balance through ccxt's own classes. Pure."""

from collections.abc import Mapping
from typing import Final

from alertd.credentials.quirks.reading import at, said, table, word
from alertd.credentials.quirks.shape import Call, Quirks, Said
from alertd.model import Permissions

FIELDS: Final[Mapping[str, str]] = {"apiKey": "api_key", "secret": "api_secret", "password": "passphrase"}
CODES: Final = ("code", "retCode", "ret_code", "error_code", "errorCode", "errcode", "err-code", "err_code")
# Codes that come with success.
FINE: Final = frozenset({"", "0", "00000", "1", "200", "200000", "ok", "OK", "success", "SUCCESS"})
MESSAGES: Final = ("msg", "message", "retMsg", "error_message", "errorMessage", "err-msg", "error")


def generic(exchange: str, required: frozenset[str]) -> Quirks | None:
    """An entry from what ccxt requires; None where a balance is no proof of a key, or a field is one we have not.

    Exchanges that want a wallet's private key show balances to anybody.
    """
    if not required or not required <= FIELDS.keys():
        return None
    return Quirks(
        id=exchange,
        # several requests on most exchanges
        ask=(Call(method="fetch_balance", good=balance, cost=2.0),),
        read=refusal,
        needs=tuple(FIELDS[name] for name in sorted(required)),
    )


def balance(body: object) -> Permissions | None:
    """ccxt's unified balance. It makes an empty one of anything, so an empty one must not carry an error code."""
    info = at(body, "info")
    if not isinstance(info, dict | list) or table(body, "total") is None:
        return None
    empty_handed = not table(body, "total") and refusal(info).code not in FINE
    return None if empty_handed else Permissions(read=True)


def refusal(body: object) -> Said:
    inner = table(body, "error") or table(body, "errors", 0) or table(body, 0)
    return said(_first((body, inner), CODES), _first((body, inner), MESSAGES))


def _first(places: tuple[object, ...], names: tuple[str, ...]) -> str:
    return next((text for place in places for name in names if (text := word(place, name))), "")
