"""Bitget, simulated: one HMAC for classic and unified accounts (`variant`), and a header for the demo environment."""

from datetime import datetime, timedelta
from typing import Any, Final

from alertd.demo.exchanges.shape import Account, Minted, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import base64_hmac, hex_text, letters, same, within

WINDOW: Final = timedelta(seconds=30)
UNIFIED: Final = "unified"


def mint(number: int) -> Minted:
    return Minted(
        "bg_" + hex_text("bitget key", number, 32),
        hex_text("bitget secret", number, 64),
        letters("bitget passphrase", number, 12),
    )


def key_of(request: Request) -> str:
    return request.headers.get("ACCESS-KEY", "")


def verify(request: Request, account: Account, now: datetime) -> State:
    time = request.headers.get("ACCESS-TIMESTAMP", "")
    path = request.path + (f"?{request.query}" if request.query else "")
    if not within(time, now, past=WINDOW, future=WINDOW):
        return State.BAD_TIME
    ours = base64_hmac(account.secret.encode(), (time + request.method + path + request.body).encode())
    if not same(ours, request.headers.get("ACCESS-SIGN", "")):
        return State.BAD_SIGNATURE
    good = same(request.headers.get("ACCESS-PASSPHRASE", ""), account.passphrase)
    return State.GOOD if good else State.BAD_PASSPHRASE


def classic(_request: Request, account: Account) -> Reply:
    if account.variant == UNIFIED:
        return NOT_CLASSIC
    rights = account.rights
    names = {"readonly": rights.read, "trade": rights.trade, "withdraw": rights.withdraw, "transfer": rights.transfer}
    return said(
        "00000",
        "success",
        {
            "userId": str(4782693000 + account.number),
            "inviterId": "4782690001",
            "channelCode": "0q5m",
            "channel": "official",
            "ips": ",".join(rights.addresses),
            "authorities": [name for name, has in names.items() if has],
            "parentId": 4782693000 + account.number,
            "traderType": "not_trader",
            "regisTime": "1704067200000",
        },
    )


def unified(_request: Request, account: Account) -> Reply:
    if account.variant != UNIFIED:
        return said("25245", "The current account is not a unified account")
    rights = account.rights
    writes = rights.trade or rights.withdraw or rights.transfer
    names = {"uta_mgt": True, "uta_trade": rights.trade or not writes, "withdraw": rights.withdraw}
    return said(
        "00000",
        "success",
        {
            "userId": str(4782693000 + account.number),
            "inviterId": "4782690001",
            "parentId": "",
            "channelCode": "0q5m",
            "channel": "official",
            "ips": ",".join(rights.addresses),
            "permType": "read-and-write" if writes else "read-only",
            "permissions": [name for name, has in names.items() if has],
            "regisTime": "1704067200000",
        },
    )


def assets(_request: Request, account: Account) -> Reply:
    if account.variant == UNIFIED:
        return NOT_CLASSIC
    return said("00000", "success", [{"coin": "btc", "available": "0.1", "frozen": "0", "locked": "0"}])


def said(code: str, message: str, data: Any = None) -> Reply:
    status = 200 if code == "00000" else 429 if code == "429" else 400
    return Reply(status, {"code": code, "msg": message, "requestTime": 1767614400000, "data": data})


def on_testnet(request: Request) -> bool:
    return request.headers.get("PAPTRADING") == "1"


NOT_CLASSIC: Final = said(
    "40085", "You are in Unified Account mode, and the Classic Account API is not supported at this time"
)

BITGET: Final = Simulated(
    id="bitget",
    hosts=("api.bitget.com",),
    mint=mint,
    key_of=key_of,
    verify=verify,
    answers={
        "GET /api/v2/spot/account/info": classic,
        "GET /api/v3/account/info": unified,
        "GET /api/v2/spot/account/assets": assets,
    },
    refusals={
        State.REVOKED: said("40006", "Invalid ACCESS_KEY"),
        State.EXPIRED: said("40037", "Apikey does not exist"),
        State.WRONG_SITE: said("40099", "exchange environment is incorrect"),
        State.IP_BLOCKED: said("40018", "Invalid IP"),
        State.NO_RIGHT: said("40014", "Incorrect permissions"),
        State.FROZEN: said("40026", "User is disabled"),
        State.THROTTLED: said("429", "Too Many Requests"),
        State.UNHEARD_OF: said("77777", "Something that nobody has documented."),
        State.BAD_SIGNATURE: said("40009", "sign signature error"),
        State.BAD_PASSPHRASE: said("40012", "apikey/password is incorrect"),
        State.BAD_TIME: said("40008", "Request timestamp expired"),
        State.MAINTENANCE: said("40200", "Server upgrade, please try again later"),
    },
    on_testnet=on_testnet,
    unknown_path=Reply(404, {"code": "40404", "msg": "Request URL NOT FOUND", "requestTime": 0, "data": None}),
)

SIMULATED: Final = (BITGET,)
