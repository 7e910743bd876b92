"""Which alerts explain which."""

from dataclasses import replace
from uuid import UUID

import pytest

from alertd.alerts.identity import PLATFORM_CHECK, Identity
from alertd.alerts.inhibition import MISSING_DATA, Standing, cause
from alertd.model import Severity

OURS, OTHERS = UUID(int=1), UUID(int=2)
KEY = "0199c0de-0000-7000-8000-000000000001"
LOSS = Identity(OURS, "performance_threshold_check", "fund-1", "daily_loss")
DRAWDOWN = Identity(OURS, "performance_threshold_check", "fund-1", "drawdown")
DRIFT = Identity(OURS, "daily_pnl_check", "fund-1", "drift")
NO_DATA = Identity(None, PLATFORM_CHECK, "returns", MISSING_DATA)
SEALED = Identity(None, PLATFORM_CHECK, "vault", "secret_store")
DEAD_KEY = Identity(OURS, "credential_health_check", KEY, "credential")
LOW, WARNING, CRITICAL, EMERGENCY = Severity


@pytest.mark.parametrize(
    ("other", "told", "severity", "muted"),
    [
        pytest.param(DRAWDOWN, CRITICAL, WARNING, True, id="a critical one of the subject"),
        pytest.param(DRIFT, EMERGENCY, WARNING, True, id="of another check"),
        pytest.param(DRAWDOWN, WARNING, WARNING, False, id="a warning of the subject"),
        pytest.param(DRAWDOWN, CRITICAL, CRITICAL, False, id="one that is as loud"),
        pytest.param(DRAWDOWN, EMERGENCY, CRITICAL, False, id="critical ones are never too small"),
        pytest.param(DRAWDOWN, None, WARNING, False, id="one that nobody was told of"),
        pytest.param(LOSS, CRITICAL, WARNING, False, id="itself"),
        pytest.param(replace(DRAWDOWN, tenant_id=OTHERS), CRITICAL, WARNING, False, id="another tenant's"),
        pytest.param(replace(DRIFT, subject="fund-2"), CRITICAL, WARNING, False, id="of another fund"),
        pytest.param(NO_DATA, None, WARNING, True, id="no data"),
        pytest.param(NO_DATA, CRITICAL, CRITICAL, False, id="no data, and yet critical"),
        pytest.param(SEALED, CRITICAL, WARNING, False, id="other trouble of the platform"),
        pytest.param(DEAD_KEY, CRITICAL, CRITICAL, True, id="the key of the account"),
        pytest.param(DEAD_KEY, None, EMERGENCY, True, id="which is silenced"),
    ],
)
def test_one_explains_the_other(other: Identity, told: Severity | None, severity: Severity, muted: bool) -> None:
    standing = Standing(UUID(int=9), other, told)

    found = cause(LOSS, severity, depends_on=KEY, standing=[standing])

    assert found == (standing if muted else None)


def test_a_key_explains_nothing_of_who_does_not_need_it() -> None:
    standing = Standing(UUID(int=9), DEAD_KEY, CRITICAL)

    assert cause(LOSS, WARNING, depends_on=None, standing=[standing]) is None
