"""Simulated exchanges remember the nonces of those who send them; unreadable requests are nobody's."""

import hashlib
import json
from base64 import b64decode, b64encode
from datetime import UTC, datetime

import pytest

from alertd.demo.exchanges import cryptocom, hyperliquid, krakenfutures, whitebit
from alertd.demo.exchanges.shape import Account, Request, State
from alertd.demo.exchanges.signing import base64_hmac, hex_hmac

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
BALANCE = "/api/v4/trade-account/balance"


def whitebit_request(secret: str, nonce: int, *, named: str = BALANCE) -> Request:
    body = json.dumps({"request": named, "nonce": nonce})
    payload = b64encode(body.encode()).decode()
    headers = {"X-TXC-PAYLOAD": payload, "X-TXC-SIGNATURE": hex_hmac(secret, payload, "sha512")}
    return Request("POST", "whitebit.com", BALANCE, "", headers, body)


def futures_request(secret: str, nonce: int) -> Request:
    digest = hashlib.sha256(f"{nonce}/api/v3/accounts".encode()).digest()
    headers = {"Nonce": str(nonce), "Authent": base64_hmac(b64decode(secret), digest, "sha512")}
    return Request("GET", "futures.kraken.com", "/derivatives/api/v3/accounts", "", headers, "")


def test_a_whitebit_nonce_without_a_window_must_rise() -> None:
    account = Account("whitebit", "key", "secret")

    found = [whitebit.verify(whitebit_request("secret", nonce), account, NOW) for nonce in (7, 7, 8)]

    assert found == [State.GOOD, State.BAD_TIME, State.GOOD]


def test_a_whitebit_request_that_was_signed_for_another_path() -> None:
    request = whitebit_request("secret", 7, named="/api/v4/order/new")

    assert whitebit.verify(request, Account("whitebit", "key", "secret"), NOW) is State.BAD_SIGNATURE


def test_a_nonce_of_kraken_futures_must_rise_if_it_is_sent() -> None:
    account = Account("krakenfutures", "key", krakenfutures.mint(0).secret)

    found = [krakenfutures.verify(futures_request(account.secret, nonce), account, NOW) for nonce in (7, 7, 8)]

    assert found == [State.GOOD, State.BAD_TIME, State.GOOD]


@pytest.mark.parametrize("body", ["", "not json", "[]"])
def test_an_unreadable_request_is_nobodys(body: str) -> None:
    request = Request("POST", "api.example.com", "/info", "", {}, body)

    assert (cryptocom.key_of(request), hyperliquid.key_of(request)) == ("", "")
