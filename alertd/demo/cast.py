"""Who plays in the demo: tenants, their keys, and what each of them must hear. Change a line and `--once` fails."""

from dataclasses import dataclass
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from alertd.demo.exchanges.shape import Outage, Rights, State

ORDINARY: Final = Rights()
WITHDRAWS: Final = Rights(withdraw=True, transfer=True, addresses=())
READS_ONLY: Final = Rights(trade=False)

# One exchange is out of service from beginning to end; its tenants must hear nothing.
OUTAGE: Final = ("kraken", Outage.HTML_503)


@dataclass(frozen=True, slots=True)
class Player:
    """A tenant with one key. `hears` are the events, with their reasons, that must arrive exactly once."""

    name: str
    exchange: str
    hears: tuple[tuple[str, str], ...] = ()
    state: State = State.GOOD
    rights: Rights = ORDINARY
    credential_type: str = "trading"
    mended: bool = False  # the tenant repairs the key when he hears that it failed
    half_empty: bool = False  # stored without its secret

    @property
    def tenant_id(self) -> UUID:
        return uuid5(NAMESPACE_URL, f"demo.alertd/{self.name}")

    @property
    def path(self) -> str:
        """Where the tenant's receiver listens."""
        return f"/{self.tenant_id}"


CAST: Final = (
    Player("Aurora Capital", "binance"),
    Player(
        "Borealis Fund",
        "binance",
        state=State.REVOKED,
        mended=True,
        hears=(
            ("credential.failed", "invalid_key"),
            ("credential.recovered", "ok"),
        ),
    ),
    Player("Cobalt Trading", "bybit", state=State.EXPIRED, hears=(("credential.failed", "expired"),)),
    Player("Delta Neutral", "okx", state=State.IP_BLOCKED, hears=(("credential.failed", "ip_restricted"),)),
    Player("Ember Quant", "coinbase", rights=WITHDRAWS, hears=(("credential.risk", "ok"),)),
    Player("Fjord Markets", "bybit", half_empty=True, hears=(("credential.failed", "incomplete_secret"),)),
    Player("Glacier Labs", "okx", rights=READS_ONLY, hears=(("credential.failed", "permission"),)),
    Player("Harbor Reports", "okx", rights=READS_ONLY, credential_type="readonly"),
    Player("Indigo Partners", "kraken"),
    Player("Juniper Assets", "kraken", state=State.REVOKED),
)
