"""Phemex, simulated: an HMAC over path, bare query, and the second at which the request expires."""

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from alertd.demo.exchanges.shape import Account, Minted, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import hex_hmac, letters, random_bytes, same

TESTNET: Final = "testnet-api.phemex.com"
LONGEST: Final = timedelta(minutes=2)


def mint(number: int) -> Minted:
    return Minted(str(UUID(bytes=random_bytes("phemex key", number, 16))), letters("phemex secret", number, 86))


def key_of(request: Request) -> str:
    return request.headers.get("x-phemex-access-token", "")


def verify(request: Request, account: Account, now: datetime) -> State:
    expiry = request.headers.get("x-phemex-request-expiry", "")
    if not expiry.isdigit() or not 0 <= int(expiry) - now.timestamp() <= LONGEST.total_seconds():
        return State.BAD_TIME
    ours = hex_hmac(account.secret, request.path + request.query + expiry + request.body)
    theirs = request.headers.get("x-phemex-request-signature", "")
    return State.GOOD if same(ours, theirs) else State.BAD_SIGNATURE


def wallets(_request: Request, account: Account) -> Reply:
    return said(
        0,
        "",
        [{"userID": 4200013 + account.number, "currency": "USDT", "balanceEv": 116701333, "lockedTradingBalanceEv": 0}],
    )


def said(code: int, message: str, data: list[dict[str, Any]] | None = None, *, status: int = 200) -> Reply:
    return Reply(status, {"code": code, "msg": message, "data": data})


def on_testnet(request: Request) -> bool:
    return request.host == TESTNET


PHEMEX: Final = Simulated(
    id="phemex",
    hosts=("api.phemex.com", TESTNET),
    mint=mint,
    key_of=key_of,
    verify=verify,
    answers={"GET /spot/wallets": wallets},
    refusals={
        State.REVOKED: said(401, "401 Failed to load API KEY.", status=401),
        State.WRONG_SITE: said(401, "401 Failed to load API KEY.", status=401),
        State.IP_BLOCKED: said(401, "401 Request IP mismatch.", status=401),
        State.NO_RIGHT: said(401, "401 Insufficient privilege.", status=401),
        State.FROZEN: said(11022, "TE_REJECT_DUE_TO_BANNED"),
        State.THROTTLED: said(39995, "Too many requests.", status=429),
        State.UNHEARD_OF: said(77777, "Something that nobody has documented."),
        State.BAD_SIGNATURE: said(10500, "API Signature verification failed."),
        State.BAD_TIME: said(401, "401 Request Expired at 1618547919", status=401),
        State.MAINTENANCE: said(500, "Service unavailable", status=503),
    },
    on_testnet=on_testnet,
)

SIMULATED: Final = (PHEMEX,)
