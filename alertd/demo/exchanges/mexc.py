"""MEXC spot v3, simulated: the query is signed as Binance's is; an expired key fails as a bad signature does."""

from datetime import UTC, datetime, timedelta
from typing import Final

from alertd.demo.exchanges.shape import Account, Minted, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import hex_hmac, hex_text, letters, same, within


def mint(number: int) -> Minted:
    return Minted("mx0v" + letters("mexc key", number, 14), hex_text("mexc secret", number, 32))


def key_of(request: Request) -> str:
    return request.headers.get("X-MEXC-APIKEY", "")


def verify(request: Request, account: Account, now: datetime) -> State:
    payload, _, signature = request.query.partition("&signature=")
    window = timedelta(milliseconds=int(request.params.get("recvWindow", "5000")))
    if not within(request.params.get("timestamp", ""), now, past=window, future=timedelta(seconds=1)):
        return State.BAD_TIME
    return State.GOOD if same(hex_hmac(account.secret, payload), signature) else State.BAD_SIGNATURE


def key_info(request: Request, account: Account) -> Reply:
    """Days are counted from the time of the request, so a key shows fewer each day."""
    rights = account.rights
    if request.params.get("accessKey") != account.key:
        return said(730706, "API KEY information does not exist")
    names = {
        "SPOT_ACCOUNT_READ": rights.read,
        "SPOT_DEAL_READ": rights.read,
        "SPOT_DEAL_WRITE": rights.trade,
        "SPOT_WITHDRAW_READ": rights.read,
        "SPOT_WITHDRAW_WRITE": rights.withdraw,
        "SPOT_TRANSFER_READ": rights.read,
        "SPOT_TRANSFER_WRITE": rights.transfer,
        "CONTRACT_DEAL_WRITE": rights.trade,
    }
    at = datetime.fromtimestamp(int(request.params["timestamp"]) / 1000, UTC)
    left = None if rights.expires_at is None else (rights.expires_at - at).days
    return Reply(
        200,
        {
            "note": "strategy",
            "accessKey": account.key,
            "createTime": "2025-10-14T18:53:36.000+00:00",
            "permissions": ",".join(name for name, has in names.items() if has),
            "remainingValidity": left,
            "ipWhiteList": ",".join(rights.addresses),
            "status": "VALID",
        },
    )


def uid(_request: Request, account: Account) -> Reply:
    return Reply(200, {"uid": str(209302839 + account.number)})


def said(code: int, message: str, *, status: int = 400) -> Reply:
    return Reply(status, {"code": code, "msg": message})


MEXC: Final = Simulated(
    id="mexc",
    hosts=("api.mexc.com",),
    mint=mint,
    key_of=key_of,
    verify=verify,
    answers={"GET /api/v3/apiKeyInfo": key_info, "GET /api/v3/uid": uid},
    refusals={
        State.REVOKED: said(10072, "Api key info invalid"),
        State.EXPIRED: said(700002, "Signature for this request is not valid."),
        State.IP_BLOCKED: said(700006, "IP [198.51.100.4] not in the ip white list", status=403),
        State.NO_RIGHT: said(700007, "No permission to access the endpoint."),
        State.FROZEN: said(730100, "Unusual user status"),
        State.THROTTLED: said(429, "Too Many Requests", status=429),
        State.UNHEARD_OF: said(777777, "Something that nobody has documented."),
        State.BAD_SIGNATURE: said(700002, "Signature for this request is not valid."),
        State.BAD_TIME: said(700003, "Timestamp for this request is outside of the recvWindow."),
        State.MAINTENANCE: said(500, "Under maintenance, please try again later", status=200),
    },
    unknown_path=Reply(404, {"timestamp": "2026-01-05T12:00:00.000+00:00", "status": 404, "error": "Not Found"}),
)

SIMULATED: Final = (MEXC,)
