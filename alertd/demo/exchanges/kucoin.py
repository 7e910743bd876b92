"""KuCoin, simulated: an HMAC over time, method and path, and a passphrase that is itself sent as an HMAC."""

from datetime import datetime, timedelta
from typing import Any, Final

from alertd.demo.exchanges.shape import Account, Minted, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import base64_hmac, hex_text, letters, same, within

WINDOW: Final = timedelta(seconds=5)


def mint(number: int) -> Minted:
    secret = "-".join(hex_text(f"kucoin secret {part}", number, size) for part, size in enumerate((8, 4, 4, 4, 12)))
    return Minted(hex_text("kucoin key", number, 24), secret, letters("kucoin passphrase", number, 10))


def key_of(request: Request) -> str:
    return request.headers.get("KC-API-KEY", "")


def verify(request: Request, account: Account, now: datetime) -> State:
    time = request.headers.get("KC-API-TIMESTAMP", "")
    path = request.path + (f"?{request.query}" if request.query else "")
    if not within(time, now, past=WINDOW, future=WINDOW):
        return State.BAD_TIME
    secret = account.secret.encode()
    ours = base64_hmac(secret, (time + request.method + path + request.body).encode())
    if not same(ours, request.headers.get("KC-API-SIGN", "")):
        return State.BAD_SIGNATURE
    passphrase = account.passphrase
    if request.headers.get("KC-API-KEY-VERSION") in {"2", "3"}:
        passphrase = base64_hmac(secret, passphrase.encode())
    good = same(passphrase, request.headers.get("KC-API-PASSPHRASE", ""))
    return State.GOOD if good else State.BAD_PASSPHRASE


def api_key(_request: Request, account: Account) -> Reply:
    rights = account.rights
    names = {
        "General": rights.read,
        "Futures": rights.trade,
        "Spot": rights.trade,
        "InnerTransfer": rights.transfer,
        "Transfer": rights.withdraw,
        "Margin": rights.trade,
    }
    return said(
        "200000",
        data={
            "remark": "strategy",
            "apiKey": account.key,
            "apiVersion": 3,
            "permission": ",".join(name for name, has in names.items() if has),
            "ipWhitelist": ",".join(rights.addresses),
            "createdAt": 1728443843000,
            "uid": 165111215 + account.number,
            "isMaster": True,
        },
    )


def accounts(_request: Request, _account: Account) -> Reply:
    held = {"currency": "USDT", "balance": "26.6", "available": "26.6", "holds": "0"}
    return said("200000", data=[{"id": "548674591753", "type": "trade", **held}])


def said(code: str, message: str = "", *, data: Any = None, status: int = 200) -> Reply:
    return Reply(status, {"code": code, "msg": message} if data is None else {"code": code, "data": data})


KUCOIN: Final = Simulated(
    id="kucoin",
    hosts=("api.kucoin.com",),
    mint=mint,
    key_of=key_of,
    verify=verify,
    answers={"GET /api/v1/user/api-key": api_key, "GET /api/v1/accounts": accounts},
    refusals={
        State.REVOKED: said("400003", "The API key does not exist or site mismatch.", status=401),
        State.EXPIRED: said("400003", "The API key does not exist or site mismatch.", status=401),
        State.IP_BLOCKED: said(
            "400006",
            "The requested ip address is not in the api whitelist. Current ip: 198.51.100.4",
            status=401,
        ),
        State.NO_RIGHT: said("400007", "Access denied, require more permission.", status=403),
        State.FROZEN: said("411100", "User is frozen, please contact us via support center"),
        State.THROTTLED: said("429000", "Too many requests. System-level rate limit exceeded.", status=429),
        State.UNHEARD_OF: said("777777", "Something that nobody has documented.", status=400),
        State.BAD_SIGNATURE: said("400005", "Invalid KC-API-SIGN", status=401),
        State.BAD_PASSPHRASE: said("400004", "Invalid KC-API-PASSPHRASE", status=401),
        State.BAD_TIME: said("400002", "KC-API-TIMESTAMP Invalid", status=401),
        State.MAINTENANCE: said("500000", "Internal Server Error", status=500),
    },
    unknown_path=said("404000", "Not Found", status=404),
)

SIMULATED: Final = (KUCOIN,)
