"""The smaller sections, with their defaults; units stand in the names, explanations in config.example.toml."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, JsonValue, SecretStr, field_validator, model_validator

from alertd.config.kinds import (
    Attempts,
    Conflicts,
    Count,
    Counting,
    Days,
    Delay,
    Fraction,
    HeaderName,
    Listed,
    Minutes,
    Networks,
    Period,
    Port,
    Rate,
    Seconds,
    Secret,
    Table,
    Timeout,
    Upper,
    is_loopback,
    parsed_origin,
)
from alertd.config.section import Section
from alertd.model import Severity


class ExchangeSettings(Section):
    """One exchange. `connect_to` sends its connections elsewhere; URLs and signatures stay as they are."""

    connect_to: str | None = None
    allow_plaintext: bool = False
    requests_per_second: Rate = 10.0
    concurrency: Counting = 20
    options: Annotated[Mapping[str, JsonValue], Table] = {}
    enabled: bool = True

    @field_validator("connect_to")
    @classmethod
    def _origin(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                port = parsed_origin(value)[2]
            except ValueError:
                port = None
            if port is None:
                raise ValueError("must be http://host:port or https://host:port")
        return value.rstrip("/") if value is not None else None

    @model_validator(mode="after")
    def _keys_stay_encrypted(self) -> Self:
        if self.connect_to is None or self.allow_plaintext:
            return self
        scheme, host, _ = parsed_origin(self.connect_to)
        if scheme == "http" and not is_loopback(host):
            text = "must be https, or allow_plaintext must be true: API keys would cross the network unencrypted"
            raise Conflicts([("connect_to", text)])
        return self


def _falling(value: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted(set(value), reverse=True))


class CredentialSettings(Section):
    """When exchange keys are checked and when their tenant hears about it."""

    interval_hours: Period = 6.0
    retries: Attempts = 3
    retry_delay_seconds: Seconds = 60.0
    consecutive_failures_before_alert: Counting = 3
    spread: bool = True
    discovery_minutes: Period = 5.0
    confirm_delays: Annotated[tuple[Delay, ...], Listed] = ()
    remind_hours: Period = 24.0
    expiry_warning_days: Annotated[tuple[Days, ...], AfterValidator(_falling), Listed] = (14, 7, 1)
    timeout_seconds: Timeout = 10.0
    mass_hold_fraction: Fraction = 0.25  # 0: never hold
    notify: bool = True


class WebhookSettings(Section):
    """How messages reach the tenants' endpoints, and which addresses may be connected to."""

    profile: Literal["fast", "patient"] = "fast"
    timeout_seconds: Timeout = 10.0
    retry_attempts: Attempts = 3
    retry_backoff_base: Seconds = 1.0
    retry_after_ceiling_seconds: Seconds = 3600.0
    header_prefix: HeaderName = "X-AlphaPulse"
    allow_cidrs: Networks = ()
    allow_http: bool = False
    ports: Annotated[frozenset[Port], Listed] = frozenset({443, 8443})  # empty: any
    breaker_failures: Counting = 10
    per_credential_minutes: Minutes = 60.0
    retention_days: Days = 30
    max_age_hours: Period = 72.0
    concurrency: Counting = 100


class Notifier(Section):
    """An operators' channel: an Apprise URL, from which severity on, and whether escalations go there."""

    name: str
    url: Secret
    escalation: bool = False
    min_severity: Severity = Severity.WARNING

    @field_validator("url")
    @classmethod
    def _apprise(cls, value: SecretStr) -> SecretStr:
        if "://" not in value.get_secret_value():
            raise ValueError("must be an Apprise URL, such as mailtos://…")
        return value


class RetentionSettings(Section):
    """Days after which finished things are deleted; the delivery log has `webhooks.retention_days`."""

    checks_days: Days = 90
    sweeps_days: Days = 90
    executions_days: Days = 90
    events_days: Days = 90
    alerts_days: Days = 365
    evaluations_days: Days = 365
    readings_days: Days = 90
    audit_days: Days = 365


class MetricsSettings(Section):
    """`/metrics`: from how many tenants on their ids are folded into one, and whether it needs a key.

    `heartbeat_url` hears each minute that all is well.
    """

    max_tenants: Count = 1000
    require_auth: bool = False
    heartbeat_url: Secret | None = None


class LoggingSettings(Section):
    """What is logged, and in which form."""

    level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], Upper] = "INFO"
    format: Literal["json", "console"] = "json"
