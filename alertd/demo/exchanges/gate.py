"""Gate v4, simulated: an HMAC over five lines, one of them a hash of the body; keys are listed with masked ids."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from alertd.demo.exchanges.shape import Account, Minted, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import hex_hmac, hex_text, same, within

TESTNET: Final = "api-testnet.gateapi.io"
WINDOW: Final = timedelta(seconds=60)
# Kinds of account: one gets an entry instead of a list, of one the list does not hold the key that asks.
SINGLE: Final = "single"
SUB_ACCOUNT: Final = "sub-account"


def mint(number: int) -> Minted:
    return Minted(hex_text("gate key", number, 32), hex_text("gate secret", number, 64))


def mint_eu(number: int) -> Minted:
    return Minted(hex_text("gateeu key", number, 32), hex_text("gateeu secret", number, 64))


def key_of(request: Request) -> str:
    return request.headers.get("KEY", "")


def verify(request: Request, account: Account, now: datetime) -> State:
    time = request.headers.get("Timestamp", "")
    if not within(f"{time}000", now, past=WINDOW, future=WINDOW):
        return State.BAD_TIME
    body = hashlib.sha512(request.body.encode()).hexdigest()
    ours = hex_hmac(account.secret, "\n".join((request.method, request.path, request.query, body, time)), "sha512")
    return State.GOOD if same(ours, request.headers.get("SIGN", "")) else State.BAD_SIGNATURE


def entry(key: str, account: Account) -> dict[str, Any]:
    rights = account.rights
    may_write = {"spot": rights.trade, "futures": rights.trade, "account": False}
    wallet = rights.withdraw or rights.transfer
    perms = [{"name": name, "read_only": not writes} for name, writes in may_write.items()]
    return {
        "state": 1,
        "mode": 1,
        "name": "strategy",
        "user_id": 1667201 + account.number,
        "perms": [*perms, {"name": "wallet", "read_only": False}] if wallet else perms,
        "ip_whitelist": list(rights.addresses),
        "currency_pairs": [],
        "key": f"{key[:12]}*****",
        "created_at": 1753030929,
        "update_at": 1756300567,
        "last_access": 1767614400,
    }


def main_keys(_request: Request, account: Account) -> Reply:
    other = {**entry("52fd0035f6650000", account), "perms": [{"name": "wallet", "read_only": False}]}
    if account.variant == SINGLE:
        return Reply(200, {**entry(account.key, account), "key": {"mode": 1}})
    return Reply(200, [other] if account.variant == SUB_ACCOUNT else [other, entry(account.key, account)])


def detail(_request: Request, account: Account) -> Reply:
    return Reply(
        200,
        {
            "user_id": 1667201 + account.number,
            "ip_whitelist": list(account.rights.addresses),
            "currency_pairs": [],
            "tier": 2,
            "key": {"mode": 1},
            "copy_trading_role": 0,
        },
    )


def said(label: str, message: str, *, status: int) -> Reply:
    return Reply(status, {"label": label, "message": message})


def on_testnet(request: Request) -> bool:
    return request.host == TESTNET


GATE: Final = Simulated(
    id="gate",
    hosts=("api.gateio.ws", TESTNET),
    mint=mint,
    key_of=key_of,
    verify=verify,
    answers={"GET /api/v4/account/main_keys": main_keys, "GET /api/v4/account/detail": detail},
    refusals={
        State.REVOKED: said("INVALID_KEY", "Invalid key provided", status=401),
        State.WRONG_SITE: said("INVALID_KEY", "Invalid key provided", status=401),
        State.IP_BLOCKED: said("FORBIDDEN", "Request IP not in whitelist: 198.51.100.4", status=403),
        State.NO_RIGHT: said("FORBIDDEN", "Request API key does not have account permission", status=403),
        State.FROZEN: said("ACCOUNT_LOCKED", "Account is locked", status=403),
        State.THROTTLED: said("TOO_MANY_REQUESTS", "Request Rate limit Exceeded (1000)", status=429),
        State.UNHEARD_OF: said("SOMETHING_UNDOCUMENTED", "Something that nobody has documented.", status=400),
        State.BAD_SIGNATURE: said("INVALID_SIGNATURE", "Signature mismatch", status=401),
        State.BAD_TIME: said("REQUEST_EXPIRED", "gap between request Timestamp and server time exceeds 60", status=403),
        State.MAINTENANCE: said("SERVER_ERROR", "Internal server error", status=500),
    },
    on_testnet=on_testnet,
    unknown_path=said("NOT_FOUND", "Request URL not exists", status=404),
)

SIMULATED: Final = (
    GATE,
    replace(GATE, id="gateeu", hosts=("api.gateeu.com",), mint=mint_eu),
)
