"""Deribit, simulated: an HMAC over time, nonce, method and URI; a list of keys that holds all their secrets."""

from datetime import datetime, timedelta
from typing import Any, Final

from alertd.demo.exchanges.shape import Account, Minted, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import hex_hmac, letters, same, within

SCHEME: Final = "deri-hmac-sha256 "
TESTNET: Final = "test.deribit.com"
OTHERS: Final = ("TiA4AyLPq3", "aD-KFx-H")
EVERYTHING: Final = "account:read_write block_trade:read_write trade:read_write wallet:read_write"


def mint(number: int) -> Minted:
    return Minted(letters("deribit key", number, 8), letters("deribit secret", number, 43))


def signed(request: Request) -> dict[str, str]:
    """The parts of the header: `id`, `ts`, `sig` and `nonce`."""
    header = request.headers.get("Authorization", "")
    pairs = [part.partition("=") for part in header.removeprefix(SCHEME).split(",")]
    return {name: value for name, _, value in pairs} if header.startswith(SCHEME) else {}


def key_of(request: Request) -> str:
    return signed(request).get("id", "")


def verify(request: Request, account: Account, now: datetime) -> State:
    parts = signed(request)
    time, nonce = parts.get("ts", ""), parts.get("nonce", "")
    if not nonce or not within(time, now, past=timedelta(seconds=60), future=timedelta(seconds=60)):
        return State.BAD_TIME
    uri = request.path + (f"?{request.query}" if request.query else "")
    ours = hex_hmac(account.secret, f"{time}\n{nonce}\n{request.method}\n{uri}\n{request.body}\n")
    return State.GOOD if same(ours, parts.get("sig", "")) else State.BAD_SIGNATURE


def list_api_keys(_request: Request, account: Account) -> Reply:
    """Ours between two others, whose rights are not ours."""
    ours = {
        "timestamp": 1560236287708,
        "max_scope": scope(account),
        "id": 2,
        "enabled": True,
        "default": False,
        "client_secret": account.secret,
        "client_id": account.key,
        "name": "strategy",
        "enabled_features": [],
        "ip_whitelist": list(account.rights.addresses),
    }
    others = ({**ours, "max_scope": EVERYTHING, "client_id": name, "client_secret": name * 5} for name in OTHERS)
    return told([next(others), ours, next(others)])


def scope(account: Account) -> str:
    rights = account.rights
    trade = "read_write" if rights.trade else "read"
    wallet = "read_write" if rights.withdraw else "read"
    return f"account:read block_trade:read trade:{trade} wallet:{wallet}"


def account_summaries(_request: Request, account: Account) -> Reply:
    worth = [("BTC", 0.1, 0.08), ("ETH", 0.5, 0.5), ("USDC", 500.0, 500.0), ("SOL", 0.0, 0.0)]
    summaries = [{"currency": name, "balance": held, "equity": equity} for name, held, equity in worth]
    return told({"id": 10 + account.number, "email": "x@example.com", "summaries": summaries})


def index_price(request: Request) -> Reply:
    prices = {"btc_usd": 90_000.0, "eth_usd": 2_600.0}
    price = prices.get(request.params["index_name"])
    return refused(-32602, "Invalid params") if price is None else told({"index_price": price})


def told(result: Any) -> Reply:
    return Reply(200, {"jsonrpc": "2.0", "result": result, "usIn": 1, "usOut": 2, "usDiff": 1, "testnet": False})


def refused(code: int, message: str, *, status: int = 400, reason: str = "") -> Reply:
    error = {"code": code, "message": message, **({"data": {"reason": reason}} if reason else {})}
    return Reply(status, {"jsonrpc": "2.0", "error": error, "usIn": 1, "usOut": 2, "usDiff": 1, "testnet": False})


def on_testnet(request: Request) -> bool:
    return request.host == TESTNET


UNAUTHORIZED: Final = refused(13009, "unauthorized", status=401)

DERIBIT: Final = Simulated(
    id="deribit",
    hosts=("www.deribit.com", TESTNET),
    mint=mint,
    key_of=key_of,
    verify=verify,
    answers={
        "GET /api/v2/private/list_api_keys": list_api_keys,
        "GET /api/v2/private/get_account_summaries": account_summaries,
    },
    public={"GET /api/v2/public/get_index_price": index_price},
    refusals={
        State.REVOKED: refused(13004, "invalid_credentials"),
        State.WRONG_SITE: refused(13004, "invalid_credentials"),
        State.IP_BLOCKED: UNAUTHORIZED,
        State.BAD_SIGNATURE: UNAUTHORIZED,
        State.BAD_TIME: UNAUTHORIZED,
        State.NO_RIGHT: refused(13021, "forbidden", status=403, reason="account:read"),
        State.FROZEN: refused(13002, "account_blocked"),
        State.THROTTLED: refused(10028, "too_many_requests", status=429),
        State.UNHEARD_OF: refused(17777, "something_that_nobody_has_documented"),
        State.MAINTENANCE: refused(11051, "system_maintenance", status=503),
    },
    on_testnet=on_testnet,
    unknown_path=refused(-32601, "Method not found"),
)

SIMULATED: Final = (DERIBIT,)
