"""Settings from a TOML file and the environment: frozen, and every problem at once.

`load` is the way in. `names` knows what a setting is called, `found` which of several values counts,
`kinds` what a value may be; the sections themselves are in `sections`, `stores`, `checks` and `admin`.
"""

from alertd.config.admin import AdminKeys, AdminSettings
from alertd.config.checks import (
    CHECK_NAMES,
    AlertSettings,
    CheckSettings,
    ChecksSettings,
    PerformanceSettings,
    RetrySettings,
)
from alertd.config.keys import decoded_keys
from alertd.config.kinds import Network, Weekday
from alertd.config.loading import load
from alertd.config.sections import (
    CredentialSettings,
    ExchangeSettings,
    LoggingSettings,
    MetricsSettings,
    Notifier,
    RetentionSettings,
    WebhookSettings,
)
from alertd.config.settings import Settings
from alertd.config.stores import DatabaseSettings, SecretsSettings, VaultSettings

__all__ = [
    "CHECK_NAMES",
    "AdminKeys",
    "AdminSettings",
    "AlertSettings",
    "CheckSettings",
    "ChecksSettings",
    "CredentialSettings",
    "DatabaseSettings",
    "ExchangeSettings",
    "LoggingSettings",
    "MetricsSettings",
    "Network",
    "Notifier",
    "PerformanceSettings",
    "RetentionSettings",
    "RetrySettings",
    "SecretsSettings",
    "Settings",
    "VaultSettings",
    "WebhookSettings",
    "Weekday",
    "decoded_keys",
    "load",
]
