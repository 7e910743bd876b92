from datetime import UTC, datetime

from alertd.demo.exchanges.hyperliquid import VALID_UNTIL
from alertd.demo.exchanges.shape import Rights, State
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.cases.shape import Cases

WALLET = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
KEY = "0x" + "01" * 32
ORDER = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
EXPIRY = datetime(2096, 3, 1, tzinfo=UTC)

HYPERLIQUID = Cases(
    exchange="hyperliquid",
    reads=frozenset({"POST /info"}),
    shown=(
        (Rights(), Permissions(True, True, False, expires_at=VALID_UNTIL)),
        (Rights(expires_at=EXPIRY), Permissions(True, True, False, expires_at=EXPIRY)),
    ),
    reasons={
        State.WRONG_SITE: Reason.INVALID_KEY,
        State.BAD_SIGNATURE: Reason.INVALID_KEY,
        # an agent that has been taken away is one that nobody knows
        State.NO_RIGHT: Reason.INVALID_KEY,
    },
    lacks={
        State.IP_BLOCKED: "a wallet has no list of addresses",
        State.FROZEN: "nobody can freeze a wallet",
        State.BAD_SIGNATURE: "its reads are not signed",
        State.BAD_TIME: "its reads carry no time",
    },
    rulings=(
        (200, {"is": "unknown_wallet"}, Reason.INVALID_KEY),
        (200, {"status": "err", "response": f"User or API Wallet {WALLET} does not exist."}, Reason.INVALID_KEY),
        (200, {"role": "missing"}, Reason.BAD_RESPONSE),
        (200, {"role": "something_new"}, Reason.BAD_RESPONSE),
        (200, [], Reason.BAD_RESPONSE),
        (422, "Failed to deserialize the JSON body into the target type", Reason.BAD_RESPONSE),
        (429, "null", Reason.RATE_LIMITED),
        (500, "null", Reason.EXCHANGE_DOWN),
    ),
    malformed=(
        ("wallet", KEY, ""),
        (WALLET[:-1], KEY, ""),
        (WALLET, KEY[:-1], ""),
        (WALLET, "0x" + "zz" * 32, ""),
        (WALLET, "00" * 32, ""),
        (WALLET, ORDER, ""),
    ),
)

CASES = (HYPERLIQUID,)
