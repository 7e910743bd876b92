"""Every exchange in every situation that a key can be in: played, or with a reason why it cannot be.

`test_every_exchange` and `test_refused_times` play whatever the simulators have words for.
"""

import pytest

from alertd.credentials.quirks import EXCHANGES
from alertd.demo.exchanges.registry import SIMULATED
from alertd.demo.exchanges.shape import State
from alertd.model import Reason, Verdict
from tests.credentials.exchanges.cases import CASES
from tests.credentials.exchanges.test_every_exchange import OUTAGES, SET_ON_ACCOUNT

EVERYWHERE = (*SET_ON_ACCOUNT, State.BAD_SIGNATURE, State.BAD_TIME)
NOT_THE_TENANTS = (State.THROTTLED, State.UNHEARD_OF, State.MAINTENANCE, State.BAD_TIME)
# What no exchange says: found in the secret itself, on the way there, in the store, or in our own process.
OUR_OWN = frozenset(
    {
        Reason.INCOMPLETE_SECRET,
        Reason.NETWORK,
        Reason.SECRET_STORE,
        Reason.UNSUPPORTED_EXCHANGE,
        Reason.INTERNAL_ERROR,
    }
)


@pytest.mark.parametrize(("exchange", "state"), [(name, state) for name in SIMULATED for state in EVERYWHERE])
def test_a_situation_is_played_or_its_absence_is_explained(exchange: str, state: State) -> None:
    assert (state in SIMULATED[exchange].refusals) is not (state in CASES[exchange].lacks)


@pytest.mark.parametrize("exchange", SIMULATED)
def test_a_wrong_passphrase_is_played_where_there_is_one(exchange: str) -> None:
    assert (State.BAD_PASSPHRASE in SIMULATED[exchange].refusals) is ("passphrase" in EXCHANGES[exchange].needs)


@pytest.mark.parametrize("exchange", [name for name, each in EXCHANGES.items() if each.testnet_ask])
def test_a_key_of_the_other_site_is_played_where_there_is_one(exchange: str) -> None:
    assert State.WRONG_SITE in SIMULATED[exchange].refusals


@pytest.mark.parametrize(("exchange", "state"), [(name, state) for name in SIMULATED for state in NOT_THE_TENANTS])
def test_what_no_tenant_can_mend_accuses_nobody(exchange: str, state: State) -> None:
    assert CASES[exchange].reason(state).verdict is Verdict.INCONCLUSIVE


def test_every_reason_occurs() -> None:
    said = {cases.reason(state) for name, cases in CASES.items() for state in SIMULATED[name].refusals}
    said |= {reason for cases in CASES.values() for _, _, reason in cases.rulings}
    said |= {reason for reasons in OUTAGES.values() for reason in reasons}

    assert said | OUR_OWN | {Reason.OK} == set(Reason)
