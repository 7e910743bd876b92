"""WhiteBIT v4, simulated: a header repeats the JSON body in base64, and its HMAC is the signature."""

import json
from base64 import b64decode
from datetime import datetime, timedelta
from typing import Final

from alertd.demo.exchanges.shape import Account, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import hex_hmac, minting, same, within

WINDOW: Final = timedelta(seconds=5)


def key_of(request: Request) -> str:
    return request.headers.get("X-TXC-APIKEY", "")


def verify(request: Request, account: Account, now: datetime) -> State:
    payload = request.headers.get("X-TXC-PAYLOAD", "")
    ours = hex_hmac(account.secret, payload, "sha512")
    if not same(ours, request.headers.get("X-TXC-SIGNATURE", "")) or b64decode(payload).decode() != request.body:
        return State.BAD_SIGNATURE
    said = json.loads(request.body)
    if said["request"] != request.path:
        return State.BAD_SIGNATURE
    nonce = str(said["nonce"])
    if said.get("nonceWindow"):
        return State.GOOD if within(nonce, now, past=WINDOW, future=WINDOW) else State.BAD_TIME
    if int(nonce) <= account.last_nonce:
        return State.BAD_TIME
    account.last_nonce = int(nonce)
    return State.GOOD


def balance(_request: Request, _account: Account) -> Reply:
    return Reply(200, {"available": "16.0011", "freeze": "0"})


def said(code: int, message: str, *, status: int) -> Reply:
    return Reply(status, {"code": code, "message": message, "errors": {"message": [message]}})


DISABLED: Final = said(2, "This action is unauthorized. Enable your key in API settings", status=401)

WHITEBIT: Final = Simulated(
    id="whitebit",
    hosts=("whitebit.com",),
    mint=minting("whitebit", key=32, secret=32),
    key_of=key_of,
    verify=verify,
    answers={"POST /api/v4/trade-account/balance": balance},
    refusals={
        State.REVOKED: DISABLED,
        State.IP_BLOCKED: DISABLED,
        State.FROZEN: DISABLED,
        State.NO_RIGHT: said(4, "This API Key is not authorized to perform this action.", status=403),
        State.THROTTLED: Reply(429, {"code": 0, "message": "Too Many Attempts."}, {"Retry-After": "5"}),
        State.UNHEARD_OF: said(777, "Something that nobody has documented.", status=422),
        State.BAD_SIGNATURE: said(10, "Unauthorized request.", status=401),
        State.BAD_TIME: said(0, "Your nonce is more than 5 seconds lesser than the current nonce", status=400),
        State.MAINTENANCE: Reply(
            503, {"response": None, "status": 503, "errors": {"message": [""]}, "notification": None, "warning": None}
        ),
    },
)

SIMULATED: Final = (WHITEBIT,)
