"""Bitstamp v2, simulated: an HMAC over the key, the whole request, a nonce and a time; errors carry API codes."""

from datetime import datetime, timedelta
from typing import Final

from alertd.demo.exchanges.shape import Account, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import hex_hmac, minting, same, within

WINDOW: Final = timedelta(seconds=150)
SCHEME: Final = "BITSTAMP "
NONCE_LENGTH: Final = 36


def key_of(request: Request) -> str:
    return request.headers.get("X-Auth", "").removeprefix(SCHEME)


def verify(request: Request, account: Account, now: datetime) -> State:
    headers = request.headers
    nonce, time = headers.get("X-Auth-Nonce", ""), headers.get("X-Auth-Timestamp", "")
    if not within(time, now, past=WINDOW, future=WINDOW) or len(nonce) != NONCE_LENGTH:
        return State.BAD_TIME
    query = f"?{request.query}" if request.query else ""
    said_what = f"{request.method}{request.host}{request.path}{query}{headers.get('Content-Type', '')}"
    message = f"{SCHEME}{account.key}{said_what}{nonce}{time}{headers.get('X-Auth-Version', '')}{request.body}"
    ours = hex_hmac(account.secret, message)
    return State.GOOD if same(ours, headers.get("X-Auth-Signature", "").lower()) else State.BAD_SIGNATURE


def balances(_request: Request, _account: Account) -> Reply:
    held = {"total": "100.00", "available": "100.00", "reserved": "0.00"}
    return Reply(200, [{"currency": "usd", **held}, {"currency": "btc", **held}])


def said(code: str, reason: str, *, status: int = 403) -> Reply:
    return Reply(status, {"status": "error", "reason": reason, "code": code})


BITSTAMP: Final = Simulated(
    id="bitstamp",
    hosts=("www.bitstamp.net",),
    mint=minting("bitstamp", key=32, secret=32),
    key_of=key_of,
    verify=verify,
    answers={"POST /api/v2/account_balances/": balances},
    refusals={
        State.REVOKED: said("API0001", "API key not found"),
        State.IP_BLOCKED: said("API0002", "IP address not allowed"),
        State.NO_RIGHT: said("API0003", "No permission found"),
        State.FROZEN: said("API0006", "Your account is frozen"),
        State.THROTTLED: Reply(
            429, {"status": "error", "reason": "Request rate limit exceeded.", "response_code": "400.002"}
        ),
        State.UNHEARD_OF: said("API7777", "Something that nobody has documented"),
        State.BAD_SIGNATURE: said("API0005", "Invalid signature"),
        State.BAD_TIME: said("API0017", "Timestamp out of range"),
        State.MAINTENANCE: Reply(503, {"error": "Bitstamp.net is under scheduled maintenance. We'll be back soon."}),
    },
    unknown_path=Reply(404, {"status": "error", "reason": "Not found", "code": "404.001"}),
)

SIMULATED: Final = (BITSTAMP,)
