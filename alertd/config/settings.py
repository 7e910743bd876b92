"""The whole of the settings as one frozen value: two loads of the same input are equal."""

from collections.abc import Mapping
from datetime import time, timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    BaseModel,
    Field,
    JsonValue,
    PrivateAttr,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from alertd.config.admin import AdminSettings
from alertd.config.checks import (
    CHECK_NAMES,
    WEEKLY_OR_RARER,
    AlertSettings,
    ChecksSettings,
    PerformanceSettings,
)
from alertd.config.kinds import Conflicts
from alertd.config.sections import (
    CredentialSettings,
    ExchangeSettings,
    LoggingSettings,
    MetricsSettings,
    Notifier,
    RetentionSettings,
    WebhookSettings,
)
from alertd.config.stores import DatabaseSettings, SecretsSettings

ExchangeId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+$", max_length=50)]


class Settings(BaseSettings):
    """Everything an operator can decide. Made by `load`; the constructor itself reads no environment."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True)

    state_dir: Path
    database: DatabaseSettings = DatabaseSettings()
    secrets: SecretsSettings = Field(default_factory=dict, validate_default=True)
    exchanges: Mapping[ExchangeId, ExchangeSettings] = {}
    credentials: CredentialSettings = CredentialSettings()
    webhooks: WebhookSettings = WebhookSettings()
    alerts: AlertSettings = Field(default_factory=dict, validate_default=True)
    checks: ChecksSettings = Field(default_factory=dict, validate_default=True)
    performance: PerformanceSettings = PerformanceSettings()
    notify: tuple[Notifier, ...] = ()
    admin: AdminSettings = AdminSettings()
    retention: RetentionSettings = RetentionSettings()
    metrics: MetricsSettings = MetricsSettings()
    logging: LoggingSettings = LoggingSettings()

    _file: Path | None = PrivateAttr(None)
    _warnings: tuple[str, ...] = PrivateAttr(())

    def __eq__(self, other: object) -> bool:
        """Whether the settings are the same, wherever they were read and whatever was said about them."""
        return isinstance(other, Settings) and self.__dict__ == other.__dict__

    @property
    def file(self) -> Path | None:
        """The file that was read, if there was one."""
        return self._file

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the operator should know although it does not stop the daemon; one line each, no secrets."""
        return self._warnings

    def exchange(self, exchange_id: str) -> ExchangeSettings:
        """The settings of one exchange; the defaults when nobody set any."""
        return self.exchanges.get(exchange_id, ExchangeSettings())

    def public(self) -> dict[str, JsonValue]:
        """Every setting as JSON, written as the file takes it; a secret is `***` when set and null when not."""
        return {name: _shown(getattr(self, name)) for name in type(self).model_fields}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands over: it alone knows the published names and who wrote what where."""
        return (init_settings,)

    @field_validator("alerts", mode="before")
    @classmethod
    def _place_history(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, dict):
            return value
        state_dir = info.data.get("state_dir", Path())
        return {"history_dir": state_dir / "performance_alerts" / "scheduled", **value}

    @field_validator("checks", mode="before")
    @classmethod
    def _fill_checks(cls, value: Any, info: ValidationInfo) -> Any:
        """A check without its own retry settings has those of `alerts`; the credential sweep has its own names."""
        if not isinstance(value, dict):
            return value
        alerts = info.data.get("alerts") or AlertSettings(history_dir=Path())
        credentials = info.data.get("credentials") or CredentialSettings()
        retry = {
            "max_attempts": alerts.max_retry_attempts,
            "initial_delay": alerts.retry_delay_seconds,
            "backoff_multiplier": alerts.retry_backoff_multiplier,
        }
        sweep = {
            "max_attempts": credentials.retries,
            "initial_delay": credentials.retry_delay_seconds,
            "backoff_multiplier": 2.0,
        }
        defaults = {name: sweep if name == "credential_health_check" else retry for name in CHECK_NAMES}
        return value | {
            name: {
                "max_age_hours": 24.0 if name in WEEKLY_OR_RARER else 6.0,
                **value.get(name, {}),
                "retry": defaults[name] | value.get(name, {}).get("retry", {}),
            }
            for name in CHECK_NAMES
        }

    @field_validator("notify", mode="before")
    @classmethod
    def _name_notifiers(cls, value: Any) -> Any:
        """`load` merges notifiers by their name, so they arrive as a table."""
        if not isinstance(value, dict):
            return value
        return [{"name": name, **entry} for name, entry in value.items()]

    @model_validator(mode="after")
    def _log_within_events(self) -> Self:
        if self.retention.events_days < self.webhooks.retention_days:
            text = f"must be at least webhooks.retention_days, {self.webhooks.retention_days}: the log needs its events"
            raise Conflicts([("retention.events_days", text)])
        return self


def _shown(value: object) -> JsonValue:
    match value:
        case None | bool() | int() | float():
            return value
        case SecretStr():
            return "***"
        case BaseModel():
            return {name: _shown(getattr(value, name)) for name in type(value).model_fields}
        case Mapping():
            return {str(name): _shown(item) for name, item in value.items()}
        case frozenset() | tuple() | list():
            return [_shown(item) for item in (sorted(value) if isinstance(value, frozenset) else value)]
        case timedelta():
            return f"{value.total_seconds():g}s"
        case time():
            return f"{value:%H:%M}"
        case str() | Path() | IPv4Network() | IPv6Network():
            return str(value)
        case _:  # a kind of value that somebody added; showing the defaults meets it first
            raise TypeError(f"no way to show a {type(value).__name__}")
