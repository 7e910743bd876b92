"""Hyperliquid: nothing is signed; a key is good if its address is known as the wallet's own or as its agent's.

An agent may trade, but never withdraw; a wallet's own key may do everything. Named agents are listed
with the wallet, the one without a name only tells whose it is; a sub-account's agents are its master's.
"""

import re
from collections.abc import Mapping
from typing import Final

from alertd.credentials.quirks.reading import at, listed, moment_ms, said, word
from alertd.credentials.quirks.shape import Call, Quirks, Said, on
from alertd.model import Permissions, Reason, Secret

ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{40}")
PRIVATE_KEY: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
# The order of the curve secp256k1: a private key lies between zero and this.
ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141

# What a key turns out to be, in words of our own: the answers say it only together with the two addresses.
OWN: Final = "own"
AGENT: Final = "agent"
UNLISTED: Final = "unlisted"
UNKNOWN_KEY: Final = "unknown_key"
UNKNOWN_WALLET: Final = "unknown_wallet"
STRANGER: Final = "stranger"
NOT_ITS_AGENT: Final = "not_its_agent"
SUB_ACCOUNT: Final = "sub_account"
VAULT: Final = "vault"


def malformed(secret: Secret) -> bool:
    key = PRIVATE_KEY.fullmatch(secret.api_secret)
    return ADDRESS.fullmatch(secret.api_key) is None or key is None or not 0 < int(key.group(1), 16) < ORDER


def wallet_of(secret: Secret) -> str:
    return secret.api_key.lower()


def signer_of(secret: Secret) -> str:
    """The address of the key: this is what the calls see in place of a wallet's private key."""
    return secret.api_secret


def listed_agents(body: object, secret: Secret) -> object:
    agents = listed(body)
    if agents is None:
        return body
    ours = next((agent for agent in agents if word(agent, "address").lower() == signer_of(secret)), None)
    return {"is": UNLISTED} if ours is None else {"is": AGENT, "validUntil": at(ours, "validUntil")}


def role_of_signer(body: object, secret: Secret) -> object:
    own = signer_of(secret) == wallet_of(secret)
    match word(body, "role"):
        case "user":
            return {"is": OWN if own else STRANGER}
        case "agent":
            return {"is": AGENT if word(body, "data", "user").lower() == wallet_of(secret) else STRANGER}
        case "missing":
            return {"is": UNKNOWN_KEY}
    return body


def role_of_wallet(body: object, secret: Secret) -> object:
    match word(body, "role"):
        case "user":
            return {"is": NOT_ITS_AGENT}
        case "missing" | "agent":
            return {"is": UNKNOWN_WALLET}
        case "vault":
            return {"is": VAULT}
        case "subAccount":
            master = word(body, "data", "master").lower()
            return {"is": OWN} if master == signer_of(secret) else {"is": SUB_ACCOUNT, "master": master}
    return body


def rights(body: object) -> Permissions | None:
    found = word(body, "is")
    if found == OWN:
        return Permissions(read=True, trade=True, withdraw=True, transfer=True)
    if found == AGENT:
        return Permissions(read=True, trade=True, withdraw=False, expires_at=moment_ms(body, "validUntil"))
    return None


def refusal(body: object) -> Said:
    return said(word(body, "is"), word(body, "response") or word(body, "error"))


def agents_of_wallet(secret: Secret, _earlier: tuple[object, ...]) -> Mapping[str, object]:
    return {"type": "extraAgents", "user": wallet_of(secret)}


def signer(secret: Secret, _earlier: tuple[object, ...]) -> Mapping[str, object]:
    return {"type": "userRole", "user": signer_of(secret)}


def wallet(secret: Secret, _earlier: tuple[object, ...]) -> Mapping[str, object]:
    return {"type": "userRole", "user": wallet_of(secret)}


def agents_of_master(_secret: Secret, earlier: tuple[object, ...]) -> Mapping[str, object]:
    return {"type": "extraAgents", "user": word(earlier[-1], "master")}


def nothing_to_sign_with(_secret: Secret) -> Mapping[str, str]:
    return {}


ERRORS: Final = (
    on(Reason.INVALID_KEY, UNKNOWN_KEY, UNKNOWN_WALLET, NOT_ITS_AGENT),
    on(Reason.INVALID_KEY, says=("user or api wallet",)),
)

INFO: Final = "publicPostInfo"
# Of 1,200 units a minute, these weigh 20 and 60; a sixth is left to others at our address.
LIST_COST: Final = 12.0
ROLE_COST: Final = 36.0

ASK: Final = (
    Call(
        method=INFO,
        params=agents_of_wallet,
        mine=listed_agents,
        good=rights,
        cost=LIST_COST,
        absent=frozenset({UNLISTED}),
        lapses=True,
    ),
    Call(method=INFO, params=signer, mine=role_of_signer, good=rights, cost=ROLE_COST, absent=frozenset({STRANGER})),
    Call(method=INFO, params=wallet, mine=role_of_wallet, good=rights, cost=ROLE_COST, absent=frozenset({SUB_ACCOUNT})),
    Call(method=INFO, params=agents_of_master, mine=listed_agents, good=rights, cost=LIST_COST, lapses=True),
)

HYPERLIQUID: Final = Quirks(
    id="hyperliquid",
    ask=ASK,
    errors=ERRORS,
    read=refusal,
    credentials=nothing_to_sign_with,
    malformed=malformed,
    testnet_ask=ASK,
    labels=frozenset({UNLISTED, VAULT}),
    wallet=True,
)

ENTRIES: Final = (HYPERLIQUID,)
