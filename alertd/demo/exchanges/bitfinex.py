"""Bitfinex v2, simulated: SHA-384 over path, nonce and body, nonces that must rise, errors as lists under HTTP 500."""

from datetime import datetime
from typing import Final

from alertd.demo.exchanges.shape import Account, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import hex_hmac, minting, same


def key_of(request: Request) -> str:
    return request.headers.get("bfx-apikey", "")


def verify(request: Request, account: Account, _now: datetime) -> State:
    nonce = request.headers.get("bfx-nonce", "")
    ours = hex_hmac(account.secret, f"/api{request.path}{nonce}{request.body}", "sha384")
    if not same(ours, request.headers.get("bfx-signature", "")):
        return State.BAD_SIGNATURE
    if not nonce.isdigit() or int(nonce) <= account.last_nonce:
        return State.BAD_TIME
    account.last_nonce = int(nonce)
    return State.GOOD


def permissions(_request: Request, account: Account) -> Reply:
    rights = account.rights
    read, trade = int(rights.read), int(rights.trade)
    return Reply(
        200,
        [
            ["account", read, 0],
            ["orders", read, trade],
            ["funding", read, trade],
            ["settings", read, 0],
            ["wallets", read, int(rights.transfer)],
            ["withdraw", 0, int(rights.withdraw)],
            ["positions", read, trade],
        ],
    )


def user(_request: Request, account: Account) -> Reply:
    return Reply(200, [123456 + account.number, "somebody@example.com", "somebody", 1527691729000, 0, 2, None, "UTC"])


def said(code: int, message: str) -> Reply:
    return Reply(500, ["error", code, message])


BITFINEX: Final = Simulated(
    id="bitfinex",
    hosts=("api.bitfinex.com",),
    mint=minting("bitfinex", key=43, secret=43),
    key_of=key_of,
    verify=verify,
    answers={"POST /v2/auth/r/permissions": permissions, "POST /v2/auth/r/info/user": user},
    refusals={
        State.REVOKED: said(10100, "apikey: invalid"),
        State.IP_BLOCKED: said(10100, "apikey: invalid"),
        State.NO_RIGHT: said(10001, "api_key: permission invalid"),
        State.THROTTLED: Reply(429, ["error", 11010, "ratelimit: error"]),
        State.UNHEARD_OF: said(77777, "something that nobody has documented"),
        State.BAD_SIGNATURE: said(10100, "apikey: digest invalid"),
        State.BAD_TIME: said(10114, "nonce: small"),
        State.MAINTENANCE: said(20060, "maintenance"),
    },
    unknown_path=Reply(404, ["error", 10020, "path: invalid"]),
)

SIMULATED: Final = (BITFINEX,)
