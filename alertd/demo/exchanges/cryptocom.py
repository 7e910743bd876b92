"""Crypto.com Exchange v1, simulated: the JSON body carries key, nonce and an HMAC over all that it says."""

import json
from datetime import datetime, timedelta
from typing import Any, Final

from alertd.demo.exchanges.shape import Account, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import hex_hmac, minting, same, within

TESTNET: Final = "uat-api.3ona.co"
WINDOW: Final = timedelta(seconds=60)


def sent(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(request.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def key_of(request: Request) -> str:
    return str(sent(request).get("api_key", ""))


def verify(request: Request, account: Account, now: datetime) -> State:
    body = sent(request)
    method, nonce, params = str(body.get("method")), str(body.get("nonce")), body.get("params", {})
    if not within(nonce, now, past=WINDOW, future=WINDOW):
        return State.BAD_TIME
    told = "".join(f"{name}{params[name]}" for name in sorted(params))
    ours = hex_hmac(account.secret, f"{method}{body.get('id')}{account.key}{told}{nonce}")
    right = request.path.endswith(f"/{method}") and same(ours, str(body.get("sig", "")))
    return State.GOOD if right else State.BAD_SIGNATURE


def balance(request: Request, account: Account) -> Reply:
    wallet = {
        "total_available_balance": "4721.05",
        "total_margin_balance": "4725.42",
        "total_cash_balance": "5000.00",
        "instrument_name": "USD",
        "position_balances": [{"instrument_name": "USD", "quantity": "5000.00", "market_value": "5000.00"}],
        "credit_limits": [],
        "user_uuid": f"{account.number:032x}",
    }
    return Reply(
        200, {"id": sent(request).get("id"), "method": "private/user-balance", "code": 0, "result": {"data": [wallet]}}
    )


def said(code: int, message: str, *, status: int = 400) -> Reply:
    return Reply(status, {"id": 1767614400000, "method": "private/user-balance", "code": code, "message": message})


def on_testnet(request: Request) -> bool:
    return request.host == TESTNET


UNAUTHORIZED: Final = said(40101, "UNAUTHORIZED", status=401)

CRYPTOCOM: Final = Simulated(
    id="cryptocom",
    hosts=("api.crypto.com", TESTNET),
    mint=minting("cryptocom", key=22, secret=28),
    key_of=key_of,
    verify=verify,
    answers={"POST /exchange/v1/private/user-balance": balance},
    refusals={
        State.REVOKED: UNAUTHORIZED,
        State.WRONG_SITE: UNAUTHORIZED,
        State.BAD_SIGNATURE: UNAUTHORIZED,
        State.NO_RIGHT: UNAUTHORIZED,
        State.IP_BLOCKED: said(40103, "IP_ILLEGAL", status=401),
        State.FROZEN: said(202, "ACCOUNT_IS_SUSPENDED"),
        State.THROTTLED: said(42901, "RATE_LIMIT", status=429),
        State.UNHEARD_OF: said(77777, "SOMETHING_UNDOCUMENTED"),
        State.BAD_TIME: said(40102, "INVALID_NONCE"),
        State.MAINTENANCE: Reply(
            503,
            {
                "code": 9010001,
                "message": "SYSTEM_MAINTENANCE",
                "details": "Crypto.com Exchange is currently under maintenance.",
            },
        ),
    },
    on_testnet=on_testnet,
)

SIMULATED: Final = (CRYPTOCOM,)
