"""What a tenant should know about a key that works: risky rights and a near end, once for each state. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from alertd.credentials.notices import display_name
from alertd.credentials.rights import expiry_threshold
from alertd.model import CheckResult, CredentialRef, EventType, Reason, Warn, iso_utc

RISKS: Final = (Warn.CAN_WITHDRAW, Warn.READONLY_CAN_TRADE, Warn.NO_IP_RESTRICTION)

ADVICE: Final[Mapping[Warn, str]] = {
    Warn.CAN_WITHDRAW: "switch withdrawals and transfers off for this key",
    Warn.READONLY_CAN_TRADE: "switch trading off for this key, which is stored as read-only",
    Warn.NO_IP_RESTRICTION: "restrict it to the platform's addresses",
}


@dataclass(frozen=True, slots=True)
class Told:
    """What the tenant was told already: risks, and the smallest expiry threshold in days."""

    risks: frozenset[Warn] = frozenset()
    expiry_days: int | None = None

    @classmethod
    def of(cls, notices: Mapping[str, Any]) -> "Told":
        """From the credential's row; what this version does not know is forgotten."""
        risks = (risk for risk in RISKS if risk in notices.get("risks", ()))
        return cls(frozenset(risks), notices.get("expiry_days"))

    def as_json(self) -> dict[str, Any]:
        return {"risks": sorted(self.risks), "expiry_days": self.expiry_days}


def advise(
    told: Told, result: CheckResult, *, now: datetime, expiry_warning_days: Iterable[int]
) -> tuple[Told, tuple[EventType, ...]]:
    """What to tell after this check, and what has been told then.

    Only a working key is spoken about. A risk that went away may be told again when it returns; a
    renewed key starts its thresholds anew.
    """
    if result.reason is not Reason.OK:
        return told, ()
    risks = frozenset(risk for risk in RISKS if risk in result.warnings)
    days = expiry_threshold(result.permissions.expires_at, now, expiry_warning_days)
    events = []
    if risks - told.risks:
        events.append(EventType.CREDENTIAL_RISK)
    if days is not None and (told.expiry_days is None or days < told.expiry_days):
        events.append(EventType.CREDENTIAL_EXPIRING)
    return Told(risks, days), tuple(events)


def fields(ref: CredentialRef, result: CheckResult, event: EventType, now: datetime) -> Mapping[str, Any]:
    """The event's own fields of `credential.risk` and `credential.expiring`."""
    common: dict[str, Any] = {
        "exchange": ref.exchange,
        "credential_type": str(ref.credential_type),
        "label": ref.label,
        "error": None,
        "reason": str(result.reason),
        "consecutive_failures": 0,
        "first_failure_at": None,
        "last_success_at": iso_utc(now),
        "what_to_do": _what_to_do(ref, result, event),
        "warnings": [str(warning) for warning in result.warnings],
    }
    if event is EventType.CREDENTIAL_EXPIRING:
        common["expires_at"] = iso_utc(result.permissions.expires_at)
    return common


def _what_to_do(ref: CredentialRef, result: CheckResult, event: EventType) -> str:
    exchange = display_name(ref.exchange)
    if event is EventType.CREDENTIAL_EXPIRING:
        return f"Renew the key at {exchange} before it expires, or create a new one and store it here."
    advice = " and ".join(ADVICE[risk] for risk in RISKS if risk in result.warnings)
    return f"At {exchange}, {advice}."
