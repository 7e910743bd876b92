"""Hyperliquid, simulated: public answers about addresses; who may sign for a wallet is all that a key is."""

import json
from datetime import UTC, datetime
from typing import Any, Final

from alertd.credentials.exchange import wallet_address
from alertd.demo.exchanges.shape import Account, Minted, Reply, Request, Simulated, State
from alertd.demo.exchanges.signing import random_bytes

TESTNET: Final = "api.hyperliquid-testnet.xyz"
VALID_UNTIL: Final = datetime(2099, 1, 1, tzinfo=UTC)
LAPSED: Final = datetime(2020, 1, 1, tzinfo=UTC)

# Variants of an account: how the key belongs to the wallet; the usual way is an agent with a name.
UNNAMED: Final = "unnamed"
SUB_ACCOUNT: Final = "sub_account"
VAULT: Final = "vault"


def wallet_key(number: int) -> str:
    """The private key of the n-th wallet."""
    return _private_key("wallet", number)


def master_key(number: int) -> str:
    """The private key of the wallet whose sub-account the n-th account is, in that variant."""
    return _private_key("master", number)


def _private_key(name: str, number: int) -> str:
    return f"0x{random_bytes(f'hyperliquid {name}', number, 32).hex()}"


def mint(number: int) -> Minted:
    """A wallet's address, and the private key of its agent."""
    return Minted(wallet_address(wallet_key(number)), _private_key("agent", number))


def agent_of(account: Account) -> str:
    return wallet_address(mint(account.number).secret)


def owner_of(account: Account) -> str:
    """The wallet that has approved the agent."""
    return wallet_address(master_key(account.number)) if account.variant == SUB_ACCOUNT else account.key


def aliases(account: Account) -> tuple[str, ...]:
    return agent_of(account), wallet_address(master_key(account.number))


def asked(request: Request) -> tuple[str, str]:
    """The type of the question and the address that it is about."""
    try:
        body = json.loads(request.body)
    except ValueError:
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    return str(body.get("type", "")), str(body.get("user", "")).lower()


def key_of(request: Request) -> str:
    return asked(request)[1]


def verify(_request: Request, _account: Account, _now: datetime) -> State:
    return State.GOOD


def info(request: Request, account: Account) -> Reply:
    kind, address = asked(request)
    until = account.rights.expires_at or VALID_UNTIL
    return Reply(200, agents(account, address, until) if kind == "extraAgents" else role(account, address))


def agents(account: Account, address: str, until: datetime) -> list[dict[str, Any]]:
    if address != owner_of(account) or account.variant == UNNAMED:
        return []
    other = {"name": "phone", "address": f"0x{random_bytes('hyperliquid phone', account.number, 20).hex()}"}
    ours = {"name": "strategy", "address": agent_of(account)}
    return [{**agent, "validUntil": int(until.timestamp() * 1000)} for agent in (other, ours)]


def role(account: Account, address: str) -> dict[str, Any]:
    if address == agent_of(account):
        return {"role": "agent", "data": {"user": owner_of(account)}}
    if address == account.key and account.variant == SUB_ACCOUNT:
        return {"role": "subAccount", "data": {"master": owner_of(account)}}
    if address == account.key and account.variant == VAULT:
        return {"role": "vault"}
    return {"role": "user"} if address in {account.key, owner_of(account)} else {"role": "missing"}


def without_agent(request: Request, account: Account | None) -> Reply:
    """The wallet may be there still; its agent is not."""
    kind, address = asked(request)
    if kind == "extraAgents":
        return Reply(200, [])
    return Reply(200, {"role": "user" if account is not None and address == account.key else "missing"})


def lapsed(request: Request, account: Account | None) -> Reply:
    kind, address = asked(request)
    if account is not None and kind == "extraAgents":
        return Reply(200, agents(account, address, LAPSED))
    return without_agent(request, account)


def unknown(request: Request, _account: Account | None) -> Reply:
    return Reply(200, [] if asked(request)[0] == "extraAgents" else {"role": "missing"})


def on_testnet(request: Request) -> bool:
    return request.host == TESTNET


HYPERLIQUID: Final = Simulated(
    id="hyperliquid",
    hosts=("api.hyperliquid.xyz", TESTNET),
    mint=mint,
    key_of=key_of,
    verify=verify,
    answers={"POST /info": info},
    refusals={
        State.REVOKED: without_agent,
        State.NO_RIGHT: without_agent,
        State.EXPIRED: lapsed,
        State.WRONG_SITE: unknown,
        State.THROTTLED: Reply(429, "null"),
        State.UNHEARD_OF: Reply(422, "Failed to deserialize the JSON body into the target type"),
        State.MAINTENANCE: Reply(502, "<html><head><title>502 Bad Gateway</title></head></html>"),
    },
    on_testnet=on_testnet,
    aliases=aliases,
)

SIMULATED: Final = (HYPERLIQUID,)
