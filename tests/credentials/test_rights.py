"""Warnings and expiry, as tables."""

from datetime import datetime, timedelta

import pytest

from alertd.credentials.rights import expiry_threshold, trading_cannot_trade, warnings
from alertd.model import CredentialType, Permissions, Warn

DAYS = (14, 7, 1)
TRADING, READONLY = CredentialType.TRADING, CredentialType.READONLY


@pytest.mark.parametrize(
    ("kind", "permissions", "expected"),
    [
        (TRADING, Permissions(), ()),
        (TRADING, Permissions(trade=True, withdraw=False, ip_restricted=True), ()),
        (TRADING, Permissions(trade=True, withdraw=True), (Warn.CAN_WITHDRAW,)),
        (READONLY, Permissions(trade=True), (Warn.READONLY_CAN_TRADE,)),
        (READONLY, Permissions(trade=False, transfer=True), ()),
        (READONLY, Permissions(ip_restricted=False), (Warn.NO_IP_RESTRICTION,)),
    ],
)
def test_warnings(kind: CredentialType, permissions: Permissions, expected: tuple[Warn, ...], now: datetime) -> None:
    assert warnings(permissions, kind, now=now, expiry_warning_days=DAYS) == expected


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (timedelta(days=15), None),
        (timedelta(days=14), 14),
        (timedelta(days=8), 14),
        (timedelta(days=7), 7),
        (timedelta(hours=3), 1),
        (timedelta(hours=-3), 1),
    ],
)
def test_the_narrowest_threshold_that_was_crossed(left: timedelta, expected: int | None, now: datetime) -> None:
    assert expiry_threshold(now + left, now, DAYS) == expected


def test_no_expiry_no_threshold(now: datetime) -> None:
    assert expiry_threshold(None, now, DAYS) is None


def test_an_expiry_that_is_near_is_warned_about(now: datetime) -> None:
    near = Permissions(expires_at=now + timedelta(days=2))

    assert warnings(near, TRADING, now=now, expiry_warning_days=DAYS) == (Warn.EXPIRES_SOON,)


@pytest.mark.parametrize(
    ("kind", "trade", "expected"),
    [(TRADING, False, True), (TRADING, None, False), (TRADING, True, False), (READONLY, False, False)],
)
def test_a_trading_key_must_be_able_to_trade(kind: CredentialType, trade: bool | None, expected: bool) -> None:
    assert trading_cannot_trade(kind, Permissions(trade=trade)) is expected
