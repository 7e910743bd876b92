"""Binance, simulated: the query is signed, by HMAC or with a private key; see the spot API's documentation."""

from base64 import b64decode
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from alertd.demo.exchanges.shape import Account, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import hex_hmac, minting, same, within

TESTNET: Final = "testnet.binance.vision"


def key_of(request: Request) -> str:
    return request.headers.get("X-MBX-APIKEY", "")


def verify(request: Request, account: Account, now: datetime) -> State:
    payload, _, signature = request.query.partition("&signature=")
    window = timedelta(milliseconds=int(request.params.get("recvWindow", "5000")))
    time = request.params.get("timestamp", "")
    if not within(time, now, past=window, future=timedelta(seconds=1)):
        return State.BAD_TIME
    return State.GOOD if signed(account.secret, payload, signature) else State.BAD_SIGNATURE


def signed(secret: str, payload: str, signature: str) -> bool:
    if "PRIVATE KEY" not in secret:
        return same(hex_hmac(secret, payload), signature)
    key = load_pem_private_key(secret.encode(), None)
    raw = b64decode(unquote(signature))
    try:
        if isinstance(key, RSAPrivateKey):
            key.public_key().verify(raw, payload.encode(), PKCS1v15(), SHA256())
        elif isinstance(key, Ed25519PrivateKey):
            key.public_key().verify(raw, payload.encode())
    except InvalidSignature:
        return False
    return True


def restrictions(_request: Request, account: Account) -> Reply:
    rights = account.rights
    expiry = (
        {}
        if rights.expires_at is None
        else {"tradingAuthorityExpirationTime": int(rights.expires_at.timestamp() * 1000)}
    )
    return Reply(
        200,
        {
            "ipRestrict": bool(rights.addresses),
            "createTime": 1698645219000,
            "enableReading": rights.read,
            "enableWithdrawals": rights.withdraw,
            "enableInternalTransfer": rights.transfer,
            "enableMargin": False,
            "enableFutures": False,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enableFixApiTrade": False,
            "enableFixReadOnly": False,
            "enableSpotAndMarginTrading": rights.trade,
            "enablePortfolioMarginTrading": False,
            **expiry,
        },
    )


def balances(_request: Request, account: Account) -> Reply:
    return Reply(
        200,
        {
            "makerCommission": 10,
            "canTrade": True,
            "canWithdraw": True,
            "canDeposit": True,
            "accountType": "SPOT",
            "balances": [{"asset": "BTC", "free": "0.10000000", "locked": "0.00000000"}],
            "permissions": ["SPOT"],
            "uid": 354937868 + account.number,
        },
    )


def wallets(_request: Request, _account: Account) -> Reply:
    names = {"Spot": "5500.12", "Funding": "0", "USDⓈ-M Futures": "3499.88", "Cross Margin": "0"}
    worth = [{"activate": True, "balance": balance, "walletName": name} for name, balance in names.items()]
    return Reply(200, [*worth, {"activate": False, "balance": "0", "walletName": "Trading Bots"}])


def on_testnet(request: Request) -> bool:
    return request.host == TESTNET


MAYBE_KEY: Final = Reply(401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."})

BINANCE: Final = Simulated(
    id="binance",
    hosts=("api.binance.com", TESTNET),
    mint=minting("binance", key=64, secret=64),
    key_of=key_of,
    verify=verify,
    answers={
        "GET /sapi/v1/account/apiRestrictions": restrictions,
        "GET /api/v3/account": balances,
        "GET /sapi/v1/asset/wallet/balance": wallets,
    },
    refusals={
        State.REVOKED: MAYBE_KEY,
        State.EXPIRED: MAYBE_KEY,
        State.IP_BLOCKED: MAYBE_KEY,
        State.NO_RIGHT: MAYBE_KEY,
        State.WRONG_SITE: MAYBE_KEY,
        State.FROZEN: Reply(400, {"code": -2017, "msg": "API Keys are locked on this account."}),
        State.THROTTLED: Reply(
            429,
            {
                "code": -1003,
                "msg": "Too much request weight used; current limit is 6000 request weight per 1 MINUTE. "
                "Please use WebSocket Streams for live updates to avoid polling the API.",
            },
            {"Retry-After": "7"},
        ),
        State.UNHEARD_OF: Reply(400, {"code": -7777, "msg": "Something that nobody has documented."}),
        State.BAD_SIGNATURE: Reply(400, {"code": -1022, "msg": "Signature for this request is not valid."}),
        State.BAD_TIME: Reply(400, {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}),
        State.MAINTENANCE: Reply(
            503,
            {
                "code": -1008,
                "msg": "Server is currently overloaded with other requests. Please try again in a few minutes.",
            },
        ),
    },
    on_testnet=on_testnet,
)

SIMULATED: Final = (
    BINANCE,
    replace(
        BINANCE,
        id="binanceus",
        hosts=("api.binance.us",),
        answers={"GET /api/v3/account": balances},
    ),
)
