"""Kraken Futures, simulated: SHA-512 over a hash of query and path; one word under HTTP 200 for most refusals."""

import hashlib
from base64 import b64encode
from datetime import datetime
from typing import Any, Final

from alertd.demo.exchanges.shape import Account, Minted, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import base64_hmac, letters, random_bytes, same, unbase64

TESTNET: Final = "demo-futures.kraken.com"


def mint(number: int) -> Minted:
    secret = b64encode(random_bytes("krakenfutures secret", number, 64)).decode()
    return Minted(letters("krakenfutures key", number, 56), secret)


def key_of(request: Request) -> str:
    return request.headers.get("APIKey", "")


def verify(request: Request, account: Account, _now: datetime) -> State:
    """A nonce may be sent, and then must rise."""
    nonce = request.headers.get("Nonce", "")
    data = request.query + request.body + nonce + request.path.removeprefix("/derivatives")
    digest = hashlib.sha256(data.encode()).digest()
    ours = base64_hmac(unbase64(account.secret), digest, "sha512")
    if not same(ours, request.headers.get("Authent", "")):
        return State.BAD_SIGNATURE
    if nonce and int(nonce) <= account.last_nonce:
        return State.BAD_TIME
    account.last_nonce = int(nonce or account.last_nonce)
    return State.GOOD


def accounts(_request: Request, account: Account) -> Reply:
    cash = {"type": "cashAccount", "balances": {"xbt": 141.31 + account.number, "usd": 0.0}}
    return told({"accounts": {"cash": cash}})


def told(more: dict[str, Any]) -> Reply:
    return Reply(200, {"result": "success", **more, "serverTime": "2026-01-05T12:00:00.000Z"})


def said(word: str, *, status: int = 200) -> Reply:
    return Reply(status, {"result": "error", "error": word, "serverTime": "2026-01-05T12:00:00.000Z"})


def on_testnet(request: Request) -> bool:
    return request.host == TESTNET


UNAUTHENTIC: Final = said("authenticationError")

KRAKENFUTURES: Final = Simulated(
    id="krakenfutures",
    hosts=("futures.kraken.com", TESTNET),
    mint=mint,
    key_of=key_of,
    verify=verify,
    answers={"GET /derivatives/api/v3/accounts": accounts},
    refusals={
        State.REVOKED: UNAUTHENTIC,
        State.WRONG_SITE: UNAUTHENTIC,
        State.IP_BLOCKED: UNAUTHENTIC,
        State.NO_RIGHT: UNAUTHENTIC,
        State.BAD_SIGNATURE: UNAUTHENTIC,
        State.BAD_TIME: said("nonceBelowThreshold"),
        State.THROTTLED: said("apiLimitExceeded"),
        State.UNHEARD_OF: said("somethingThatNobodyHasDocumented"),
        State.MAINTENANCE: said("Unavailable"),
    },
    on_testnet=on_testnet,
    unknown_path=Reply(404, {"result": "error", "error": "notFound"}),
)

SIMULATED: Final = (KRAKENFUTURES,)
