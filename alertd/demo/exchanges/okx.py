"""OKX v5, simulated: an HMAC over time, method and path, a passphrase, and a header for the demo environment."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from alertd.demo.exchanges.shape import Account, Minted, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import base64_hmac, hex_text, letters, random_bytes, same

WINDOW: Final = timedelta(seconds=30)


def mint(number: int) -> Minted:
    key = str(UUID(bytes=random_bytes("okx key", number, 16)))
    return Minted(key, hex_text("okx secret", number, 32).upper(), letters("okx passphrase", number, 12))


def key_of(request: Request) -> str:
    return request.headers.get("OK-ACCESS-KEY", "")


def verify(request: Request, account: Account, now: datetime) -> State:
    time = request.headers.get("OK-ACCESS-TIMESTAMP", "")
    path = request.path + (f"?{request.query}" if request.query else "")
    if abs(datetime.fromisoformat(time) - now) > WINDOW:
        return State.BAD_TIME
    if not same(request.headers.get("OK-ACCESS-PASSPHRASE", ""), account.passphrase):
        return State.BAD_PASSPHRASE
    ours = base64_hmac(account.secret.encode(), (time + request.method + path + request.body).encode())
    return State.GOOD if same(ours, request.headers.get("OK-ACCESS-SIGN", "")) else State.BAD_SIGNATURE


def config(_request: Request, account: Account) -> Reply:
    rights = account.rights
    names = {"read_only": rights.read, "withdraw": rights.withdraw, "trade": rights.trade}
    return said(
        "0",
        "",
        [
            {
                "acctLv": "2",
                "autoLoan": False,
                "ip": ",".join(rights.addresses),
                "kycLv": "2",
                "label": "strategy",
                "level": "Lv1",
                "mainUid": str(44705892343619584 + account.number),
                "perm": ",".join(name for name, has in names.items() if has),
                "posMode": "net_mode",
                "roleType": "0",
                "type": "0",
                "uid": str(44705892343619584 + account.number),
            }
        ],
    )


def balance(_request: Request, _account: Account) -> Reply:
    return said("0", "", [{"totalEq": "9000", "details": [{"ccy": "BTC", "eq": "0.1"}], "uTime": "1767614400000"}])


def said(code: str, message: str, data: list[dict[str, Any]] | None = None, *, status: int = 200) -> Reply:
    return Reply(status, {"code": code, "data": data or [], "msg": message})


def on_testnet(request: Request) -> bool:
    return request.headers.get("x-simulated-trading") == "1"


OKX: Final = Simulated(
    id="okx",
    hosts=("www.okx.com",),
    mint=mint,
    key_of=key_of,
    verify=verify,
    answers={"GET /api/v5/account/config": config, "GET /api/v5/account/balance": balance},
    refusals={
        State.REVOKED: said("50111", "Invalid OK-ACCESS-KEY", status=401),
        State.EXPIRED: said("50119", "API key doesn't exist", status=401),
        State.WRONG_SITE: said("50101", "APIKey does not match current environment.", status=401),
        State.IP_BLOCKED: said(
            "50110",
            "Your IP 198.51.100.4 is not included in your API key's 8a7c31b3 IP whitelist.",
            status=401,
        ),
        State.NO_RIGHT: said("50120", "This API key doesn't have permission to use this function", status=401),
        State.FROZEN: said("50100", "API frozen, please contact customer service", status=400),
        State.THROTTLED: said("50011", "Too Many Requests", status=429),
        State.UNHEARD_OF: said("57777", "Something that nobody has documented.", status=400),
        State.BAD_SIGNATURE: said("50113", "Invalid Sign", status=401),
        State.BAD_PASSPHRASE: said("50105", "Request header OK-ACCESS-PASSPHRASE incorrect.", status=401),
        State.BAD_TIME: said("50102", "Timestamp request expired", status=401),
        State.MAINTENANCE: said("50001", "Service temporarily unavailable. Please try again later.", status=503),
    },
    on_testnet=on_testnet,
)

SIMULATED: Final = (
    OKX,
    replace(OKX, id="myokx", hosts=("eea.okx.com",)),
    replace(OKX, id="okxus", hosts=("us.okx.com",)),
)
