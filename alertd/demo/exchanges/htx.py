"""HTX, simulated: the sorted query is signed together with method, host and path; nearly all errors share a code."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

from alertd.demo.exchanges.shape import Account, Minted, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import base64_hmac, hex_text, same

WINDOW: Final = timedelta(minutes=5)


def mint(number: int) -> Minted:
    return Minted(_dashed("htx key", number), _dashed("htx secret", number))


def _dashed(name: str, number: int) -> str:
    text = hex_text(name, number, 29)
    return f"{text[:8]}-{text[8:16]}-{text[16:24]}-{text[24:]}"


def key_of(request: Request) -> str:
    return request.params.get("AccessKeyId", "")


def sent_at(request: Request) -> datetime:
    return datetime.fromisoformat(request.params.get("Timestamp", "1970-01-01T00:00:00")).replace(tzinfo=UTC)


def verify(request: Request, account: Account, now: datetime) -> State:
    params = request.params
    signature = params.pop("Signature", "")
    if abs(sent_at(request) - now) > WINDOW:
        return State.BAD_TIME
    query = urlencode(sorted(params.items()), quote_via=quote, safe="")
    ours = base64_hmac(account.secret.encode(), "\n".join((request.method, request.host, request.path, query)).encode())
    return State.GOOD if same(ours, signature) else State.BAD_SIGNATURE


def uid(_request: Request, account: Account) -> Reply:
    return Reply(200, {"code": 200, "data": 63628520 + account.number})


def api_key(request: Request, account: Account) -> Reply:
    """Days are counted from the time of the request, so a key shows fewer each day."""
    rights = account.rights
    if request.params.get("uid") != str(63628520 + account.number):
        return Reply(200, {"code": 2002, "message": "invalid field value in `uid`"})
    names = {"readOnly": rights.read, "trade": rights.trade, "withdraw": rights.withdraw}
    left = -1 if rights.expires_at is None else (rights.expires_at - sent_at(request)).days
    other = {"accessKey": "5000d371-0000-0000-0000", "status": "normal", "permission": "readOnly,trade,withdraw"}
    ours = {
        "accessKey": account.key,
        "status": "normal",
        "note": "strategy",
        "permission": ",".join(name for name, has in names.items() if has),
        "ipAddresses": ",".join(rights.addresses),
        "validDays": left,
        "createTime": 1615192704000,
        "updateTime": 1623030338000,
    }
    return Reply(200, {"code": 200, "message": "success", "data": [other, ours], "ok": True})


def accounts(_request: Request, account: Account) -> Reply:
    return Reply(200, {"status": "ok", "data": [{"id": 100009 + account.number, "type": "spot", "state": "working"}]})


def said(message: str, *, code: str = "api-signature-not-valid", status: int = 200) -> Reply:
    body: dict[str, Any] = {"status": "error", "err-code": code, "err-msg": message, "data": None}
    return Reply(status, body)


HTX: Final = Simulated(
    id="htx",
    hosts=("api.huobi.pro",),
    mint=mint,
    key_of=key_of,
    verify=verify,
    answers={
        "GET /v2/user/uid": uid,
        "GET /v2/user/api-key": api_key,
        "GET /v1/account/accounts": accounts,
    },
    refusals={
        State.REVOKED: said("Signature not valid: Incorrect Access key [Access key错误]"),
        State.EXPIRED: said("Signature not valid: API key has expired [API Key已过期]"),
        State.IP_BLOCKED: said("Signature not valid: Incorrect IP address [IP地址错误]:198.51.100.4"),
        State.NO_RIGHT: said("Signature not valid: API key has no permission [API Key没有权限]"),
        State.THROTTLED: said("exceeded rate limit", code="rate-too-many-requests", status=429),
        State.UNHEARD_OF: said("Something that nobody has documented."),
        State.BAD_SIGNATURE: said("Signature not valid: Verification failure [校验失败]"),
        State.BAD_TIME: said("Signature not valid: Invalid submission time or incorrect time format [无效的提交时间]"),
        State.MAINTENANCE: said("System is in maintenance!", code="system-maintenance"),
    },
    unknown_path=Reply(404, {"code": 404, "message": "not found"}),
)

SIMULATED: Final = (HTX,)
