"""Kraken, simulated: SHA-512 over path and a hash of the form, nonces that must rise, errors under HTTP 200."""

import hashlib
from base64 import b64encode
from datetime import datetime
from typing import Final

from alertd.demo.exchanges.shape import Account, Minted, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import base64_hmac, letters, random_bytes, same, unbase64


def mint(number: int) -> Minted:
    secret = b64encode(random_bytes("kraken secret", number, 64)).decode()
    return Minted(letters("kraken key", number, 56), secret)


def key_of(request: Request) -> str:
    return request.headers.get("API-Key", "")


def verify(request: Request, account: Account, _now: datetime) -> State:
    nonce = request.form.get("nonce", "")
    digest = hashlib.sha256((nonce + request.body).encode()).digest()
    ours = base64_hmac(unbase64(account.secret), request.path.encode() + digest, "sha512")
    if not same(ours, request.headers.get("API-Sign", "")):
        return State.BAD_SIGNATURE
    if not nonce.isdigit() or int(nonce) <= account.last_nonce:
        return State.BAD_TIME
    account.last_nonce = int(nonce)
    return State.GOOD


def key_info(_request: Request, account: Account) -> Reply:
    rights = account.rights
    names = {
        "query-funds": rights.read,
        "query-open-trades": rights.read,
        "modify-trades": rights.trade,
        "close-trades": rights.trade,
        "withdraw-funds": rights.withdraw,
    }
    expires = rights.expires_at
    result = {
        "apiKeyName": "strategy",
        "apiKey": account.key,
        "nonce": str(account.last_nonce),
        "nonceWindow": 0,
        "permissions": [name for name, has in names.items() if has],
        "iban": "AA00 N84G 0000 0000",
        "validUntil": "0",
        "valid_until": "0" if expires is None else str(int(expires.timestamp())),
        "query_from": "0",
        "query_to": "0",
        "created_time": "1735689600",
        "modified_time": "1735689600",
        "ip_allowlist": list(rights.addresses) or [""],
        "last_used": "1767614400",
    }
    return Reply(200, {"error": [], "result": result})


def balance(_request: Request, _account: Account) -> Reply:
    return Reply(200, {"error": [], "result": {"ZUSD": "171288.6158", "XXBT": "0.0011"}})


def trade_balance(_request: Request, _account: Account) -> Reply:
    """`eb` is everything, `tb` what serves as collateral, `n` the unrealised result, `e` collateral with it."""
    figures = {"eb": "9100.0000", "tb": "4000.0000", "m": "500.0000", "n": "-100.0000", "e": "3900.0000"}
    return Reply(200, {"error": [], "result": figures})


def said(phrase: str, *, status: int = 200) -> Reply:
    return Reply(status, {"error": [phrase]})


KRAKEN: Final = Simulated(
    id="kraken",
    hosts=("api.kraken.com",),
    mint=mint,
    key_of=key_of,
    verify=verify,
    answers={
        "POST /0/private/GetApiKeyInfo": key_info,
        "POST /0/private/Balance": balance,
        "POST /0/private/TradeBalance": trade_balance,
    },
    refusals={
        State.REVOKED: said("EAPI:Invalid key"),
        State.EXPIRED: said("EAPI:Invalid key"),
        State.NO_RIGHT: said("EGeneral:Permission denied"),
        State.IP_BLOCKED: said("EGeneral:Permission denied"),
        State.FROZEN: said("EAuth:Account temporary disabled"),
        State.THROTTLED: said("EAPI:Rate limit exceeded"),
        State.UNHEARD_OF: said("EThing:Nobody has documented this"),
        State.BAD_SIGNATURE: said("EAPI:Invalid signature"),
        State.BAD_TIME: said("EAPI:Invalid nonce"),
        State.MAINTENANCE: said("EService:Unavailable"),
    },
    unknown_path=said("EGeneral:Unknown method"),
)

SIMULATED: Final = (KRAKEN,)
