"""BingX, simulated: an HMAC over the query; the rights of a key in the three shapes that have been seen."""

from datetime import datetime, timedelta
from typing import Any, Final

from alertd.demo.exchanges.shape import Account, Reply, Request, Rights, Simulated, State
from alertd.demo.exchanges.signing import hex_hmac, minting, same, within

WINDOW: Final = timedelta(seconds=5)

# Variants of an account: how its key's rights are told; the usual way is numbers in an envelope.
BARE: Final = "bare"
SWITCHES: Final = "switches"


def key_of(request: Request) -> str:
    return request.headers.get("X-BX-APIKEY", "")


def verify(request: Request, account: Account, now: datetime) -> State:
    payload, _, signature = request.query.partition("&signature=")
    if not within(request.params.get("timestamp", ""), now, past=WINDOW, future=WINDOW):
        return State.BAD_TIME
    return State.GOOD if same(hex_hmac(account.secret, payload), signature) else State.BAD_SIGNATURE


def api_permissions(_request: Request, account: Account) -> Reply:
    if account.variant == SWITCHES:
        return enveloped(switches(account.rights))
    key = {
        "apiKey": account.key,
        "permissions": numbers(account.rights),
        "ipAddresses": list(account.rights.addresses) or [""],
        "note": "strategy",
    }
    return Reply(200, key) if account.variant == BARE else enveloped(key)


def numbers(rights: Rights) -> list[int]:
    granted = {2: rights.read, 1: rights.trade, 3: rights.trade, 5: rights.withdraw, 4: rights.transfer}
    return [number for number, has in granted.items() if has]


def switches(rights: Rights) -> dict[str, Any]:
    return {
        "ipRestrict": bool(rights.addresses),
        "createTime": 1702289687211,
        "enableReading": rights.read,
        "enableSpotAndMarginTrading": rights.trade,
        "enableWithdrawals": rights.withdraw,
        "enableInternalTransfer": rights.transfer,
        "enableFutures": rights.trade,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
    }


def balance(_request: Request, _account: Account) -> Reply:
    return enveloped({"balances": [{"asset": "USDT", "free": "566773.193402631", "locked": "244.35"}]})


def enveloped(data: dict[str, Any]) -> Reply:
    return Reply(200, {"code": 0, "timestamp": 1767614400000, "msg": "", "debugMsg": "", "data": data})


def said(code: int, message: str) -> Reply:
    return Reply(200, {"code": code, "msg": message, "timestamp": 1767614400000})


BINGX: Final = Simulated(
    id="bingx",
    hosts=("open-api.bingx.com",),
    mint=minting("bingx", key=82, secret=80),
    key_of=key_of,
    verify=verify,
    answers={
        "GET /openApi/v1/account/apiPermissions": api_permissions,
        "GET /openApi/spot/v1/account/balance": balance,
    },
    refusals={
        State.REVOKED: said(100413, "Incorrect apiKey"),
        State.IP_BLOCKED: said(
            100419, "your current request IP is 203.0.113.50 does not match IP whitelist , please go to the API page"
        ),
        State.NO_RIGHT: said(
            100004, "Permission denied as the API key was created without the permission, this api need Read"
        ),
        State.FROZEN: said(100414, "Code: 100414, Msg: risk control check fail,code(1)"),
        State.THROTTLED: said(100410, "The endpoint trigger frequency limit rule is currently in the disabled period"),
        State.UNHEARD_OF: said(177777, "Something that nobody has documented."),
        State.BAD_SIGNATURE: said(100001, "Signature verification failed"),
        State.BAD_TIME: said(100421, "Null timestamp or timestamp mismatch"),
        State.MAINTENANCE: said(100500, "The current system is busy, please try again later"),
    },
    unknown_path=said(100400, "this api is not exist, please refer to the API docs"),
)

SIMULATED: Final = (BINGX,)
