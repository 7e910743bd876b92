"""The nouns. Frozen values that every room understands; no I/O, nothing of ours imported.

Read this first: a credential is asked about, the answer is a `CheckResult` with one closed-set
reason, a reason implies a verdict, and what should be announced becomes an `Event`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID


class Verdict(StrEnum):
    """What a check says about a key."""

    VALID = "valid"
    INVALID = "invalid"
    INCONCLUSIVE = "inconclusive"


class Reason(StrEnum):
    """Why. A closed set: free text of an exchange is never stored or sent."""

    OK = "ok"
    # The tenant can mend these.
    INVALID_KEY = "invalid_key"
    BAD_SECRET = "bad_secret"
    BAD_PASSPHRASE = "bad_passphrase"
    PERMISSION = "permission"
    IP_RESTRICTED = "ip_restricted"
    EXPIRED = "expired"
    ACCOUNT_DISABLED = "account_disabled"
    WRONG_ENVIRONMENT = "wrong_environment"
    INCOMPLETE_SECRET = "incomplete_secret"
    # Nobody is accused of these.
    RATE_LIMITED = "rate_limited"
    EXCHANGE_DOWN = "exchange_down"
    NETWORK = "network"
    CLOCK_SKEW = "clock_skew"
    BAD_RESPONSE = "bad_response"
    REGION_BLOCKED = "region_blocked"
    SECRET_STORE = "secret_store"
    UNSUPPORTED_EXCHANGE = "unsupported_exchange"
    INTERNAL_ERROR = "internal_error"

    @property
    def verdict(self) -> Verdict:
        if self is Reason.OK:
            return Verdict.VALID
        return Verdict.INVALID if self in ACCUSING else Verdict.INCONCLUSIVE


ACCUSING: Final = frozenset(
    {
        Reason.INVALID_KEY,
        Reason.BAD_SECRET,
        Reason.BAD_PASSPHRASE,
        Reason.PERMISSION,
        Reason.IP_RESTRICTED,
        Reason.EXPIRED,
        Reason.ACCOUNT_DISABLED,
        Reason.WRONG_ENVIRONMENT,
        Reason.INCOMPLETE_SECRET,
    }
)


class Warn(StrEnum):
    """What is risky about a key that works."""

    CAN_WITHDRAW = "can_withdraw"
    READONLY_CAN_TRADE = "readonly_can_trade"
    EXPIRES_SOON = "expires_soon"
    NO_IP_RESTRICTION = "no_ip_restriction"


class CredentialType(StrEnum):
    """What the tenant stored the key for."""

    TRADING = "trading"
    READONLY = "readonly"


class EventType(StrEnum):
    """What a receiver can subscribe to; `system.alert` goes to operators only."""

    CREDENTIAL_FAILED = "credential.failed"
    CREDENTIAL_RECOVERED = "credential.recovered"
    CREDENTIAL_EXPIRING = "credential.expiring"
    CREDENTIAL_RISK = "credential.risk"
    PERFORMANCE_ALERT = "performance.alert"
    PERFORMANCE_RESOLVED = "performance.resolved"
    WEBHOOK_TEST = "webhook.test"
    SYSTEM_ALERT = "system.alert"


class Severity(StrEnum):
    """How loud an alert is, in rising order."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    EMERGENCY = "emergency"

    @property
    def rank(self) -> int:
        """For comparing two of them: louder is more."""
        return tuple(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Receiver:
    """One of the operators' notifiers, switched on; `min_severity` None hears of everything."""

    name: str
    min_severity: Severity | None = None
    escalation: bool = False

    def hears(self, severity: Severity) -> bool:
        return self.min_severity is None or severity.rank >= self.min_severity.rank


@dataclass(frozen=True, slots=True)
class CredentialRef:
    """Where one key lives: `{tenant_id}/exchanges/{exchange}/{leaf}` in the secret store."""

    tenant_id: UUID
    exchange: str
    credential_type: CredentialType
    label: str = ""

    @property
    def leaf(self) -> str:
        """`trading`, `readonly`, or either with a label: `trading.main`."""
        return f"{self.credential_type}.{self.label}" if self.label else str(self.credential_type)

    @property
    def path(self) -> str:
        return f"{self.tenant_id}/exchanges/{self.exchange}/{self.leaf}"


@dataclass(frozen=True, slots=True)
class Secret:
    """One exchange key as the store holds it; an absent field is an empty string.

    `version` is the store's own marker: it changes exactly when the fields may have changed.
    """

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    passphrase: str = field(default="", repr=False)
    testnet: bool = False
    version: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a key may do; None where the exchange does not say."""

    read: bool | None = None
    trade: bool | None = None
    withdraw: bool | None = None
    transfer: bool | None = None
    ip_restricted: bool | None = None
    expires_at: datetime | None = None


UNKNOWN_PERMISSIONS: Final = Permissions()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The outcome of asking one exchange about one key.

    `code` is a short token for operators (`http 401 -2015`), made of digits and known labels only.
    `exchange_seconds` is the time spent waiting for the exchange, without pacing and without us.
    `retry_after` is how long the exchange asked everybody to stay away.
    """

    reason: Reason
    permissions: Permissions = UNKNOWN_PERMISSIONS
    warnings: tuple[Warn, ...] = ()
    code: str = ""
    exchange_seconds: float = 0.0
    retry_after: timedelta | None = None

    @property
    def verdict(self) -> Verdict:
        return self.reason.verdict


@dataclass(frozen=True, slots=True)
class Event:
    """Something to announce, before it is serialised.

    `tenant_id` None means: for operators. `subject` orders messages: of one subject the older is
    delivered first. `fields` are the event type's own fields of the body, JSON values only.
    `check_id` is the history row that caused it, `alert_id` the alert it speaks of.
    """

    id: str
    type: EventType
    tenant_id: UUID | None
    at: datetime
    subject: str
    fields: Mapping[str, Any]
    check_id: UUID | None = None
    alert_id: UUID | None = None


def iso_utc(at: datetime | None) -> str | None:
    """ISO 8601 with `Z`, to the second, as every answer and message has it."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
