"""Exchanges without an entry: asked for the balance through ccxt's own classes. Pure."""

from collections.abc import Mapping
from typing import Final

from alertd.credentials.quirks.reading import at, said, table, word
from alertd.credentials.quirks.shape import Call, Quirks, Said
from alertd.model import Permissions

FIELDS: Final[Mapping[str, str]] = {"apiKey": "api_key", "secret": "api_secret", "password": "passphrase"}
CODES: Final = ("code", "retCode", "ret_code", "error_code", "errorCode", "errcode", "err-code", "err_code")
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
    """ccxt's unified balance; it always carries the raw answer."""
    return None if at(body, "info") is None or table(body, "total") is None else Permissions(read=True)


def refusal(body: object) -> Said:
    return said(_first(body, CODES), _first(body, MESSAGES))


def _first(body: object, names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := word(body, name))), "")
