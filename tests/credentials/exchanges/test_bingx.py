"""BingX has told rights in three shapes; all of them are understood."""

import pytest

from alertd.credentials.exchange import Exchanges
from alertd.credentials.quirks.bingx import key_permissions
from alertd.demo.exchanges.bingx import BARE, SWITCHES
from alertd.demo.exchanges.server import Simulator
from alertd.demo.exchanges.shape import Rights
from alertd.model import Permissions, Reason
from tests.credentials.exchanges.conftest import ref, secret

OPEN = Permissions(read=True, trade=False, withdraw=True, transfer=False, ip_restricted=False)


@pytest.mark.parametrize("variant", ["", BARE, SWITCHES])
async def test_a_shape_of_the_answer(variant: str, sim: Simulator, exchanges: Exchanges) -> None:
    account = sim.add("bingx", rights=Rights(trade=False, withdraw=True, addresses=()))
    account.variant = variant

    result = await exchanges.ask(ref("bingx"), secret(account))

    assert (result.reason, result.permissions) == (Reason.OK, OPEN)


async def test_where_the_look_up_is_missing_the_balance_decides(sim: Simulator, exchanges: Exchanges) -> None:
    sim.exchange("bingx").hidden = frozenset({"/openApi/v1/account/apiPermissions"})

    result = await exchanges.ask(ref("bingx"), secret(sim.add("bingx")))

    assert (result.reason, result.permissions) == (Reason.OK, Permissions(read=True))


@pytest.mark.parametrize(
    ("answer", "permissions"),
    [
        ({"permissions": [2, 99]}, Permissions(True, True, False, False)),
        ({"permissions": ["2", "7"]}, Permissions(True, False, False, True)),
        ({"permissions": ["Read", "Withdraw"]}, Permissions()),
        ({"permissions": []}, Permissions(False, False, False, False)),
        ({"code": 100413, "permissions": [2]}, None),
        ({"code": 0, "data": None}, None),
    ],
)
def test_rights_that_are_not_known_yet(answer: object, permissions: Permissions | None) -> None:
    assert key_permissions(answer) == permissions
