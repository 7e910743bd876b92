"""Bybit v5, simulated: headers carry time, window and an HMAC over them, the key and the query."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from alertd.demo.exchanges.shape import Account, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import hex_hmac, minting, same, within

NEVER: Final = "1970-01-01T00:00:00Z"


def key_of(request: Request) -> str:
    return request.headers.get("X-BAPI-API-KEY", "")


def verify(request: Request, account: Account, now: datetime) -> State:
    time = request.headers.get("X-BAPI-TIMESTAMP", "")
    window = request.headers.get("X-BAPI-RECV-WINDOW", "5000")
    payload = time + account.key + window + (request.query or request.body)
    if not within(time, now, past=timedelta(milliseconds=int(window)), future=timedelta(seconds=1)):
        return State.BAD_TIME
    ours = hex_hmac(account.secret, payload)
    return State.GOOD if same(ours, request.headers.get("X-BAPI-SIGN", "")) else State.BAD_SIGNATURE


def query_api(_request: Request, account: Account) -> Reply:
    rights = account.rights
    wallet = ["AccountTransfer", "SubMemberTransfer"] if rights.transfer else []
    wallet += ["Withdraw"] if rights.withdraw else []
    expires = rights.expires_at
    return said(
        0,
        "",
        {
            "id": str(13770661 + account.number),
            "note": "strategy",
            "apiKey": account.key,
            "readOnly": 0 if rights.trade or rights.withdraw or rights.transfer else 1,
            "secret": "",
            "permissions": {
                "ContractTrade": [],
                "Spot": ["SpotTrade"] if rights.trade else [],
                "Wallet": wallet,
                "Options": [],
                "Derivatives": [],
                "CopyTrading": [],
                "BlockTrade": [],
                "Exchange": [],
                "NFT": [],
            },
            "ips": list(rights.addresses) or ["*"],
            "type": 1,
            "deadlineDay": -2 if expires is None else 30,
            "expiredAt": NEVER if expires is None else expires.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "createdAt": "2025-10-16T02:24:40Z",
            "unified": 0,
            "uta": 1,
            "userID": 24617703 + account.number,
            "vipLevel": "No VIP",
            "isMaster": True,
        },
    )


def wallet(_request: Request, _account: Account) -> Reply:
    coins = [{"coin": "BTC", "equity": "0.1", "walletBalance": "0.1"}]
    return said(0, "OK", {"list": [{"accountType": "UNIFIED", "totalEquity": "9000", "coin": coins}]})


def said(code: int, message: str, result: dict[str, Any] | None = None, *, status: int = 200) -> Reply:
    return Reply(
        status,
        {"retCode": code, "retMsg": message, "result": result or {}, "retExtInfo": {}, "time": 1767614400000},
    )


def on_testnet(request: Request) -> bool:
    return request.host.startswith("api-testnet.")


BYBIT: Final = Simulated(
    id="bybit",
    hosts=("api.bybit.com", "api-testnet.bybit.com"),
    mint=minting("bybit", key=18, secret=36),
    key_of=key_of,
    verify=verify,
    answers={"GET /v5/user/query-api": query_api, "GET /v5/account/wallet-balance": wallet},
    refusals={
        State.REVOKED: said(10003, "API key is invalid."),
        State.WRONG_SITE: said(10003, "API key is invalid."),
        State.EXPIRED: said(33004, "Your api key has expired."),
        State.IP_BLOCKED: said(10010, "Unmatched IP, please check your API key's bound IP addresses."),
        State.NO_RIGHT: said(10005, "Permission denied, please check your API key permissions."),
        State.FROZEN: said(10008, "User has been banned."),
        State.THROTTLED: said(10018, "Exceeded the IP Rate Limit."),
        State.UNHEARD_OF: said(77777, "Something that nobody has documented."),
        State.BAD_SIGNATURE: said(
            10004, "error sign! origin_string[1767614400000XXXXXXXXXX5000], please check your signature."
        ),
        State.BAD_TIME: said(
            10002,
            "invalid request, please check your server timestamp or recv_window param. "
            "req_timestamp[1767614400000],server_timestamp[1767614410000],recv_window[5000]",
        ),
        State.MAINTENANCE: said(10016, "Server error."),
    },
    on_testnet=on_testnet,
)

SIMULATED: Final = (
    BYBIT,
    replace(
        BYBIT, id="bybiteu", hosts=("api.bybit.eu", "api-testnet.bybit.eu"), mint=minting("bybiteu", key=18, secret=36)
    ),
    replace(BYBIT, id="bybitid", hosts=("api.bybit.id",), mint=minting("bybitid", key=18, secret=36)),
)
