"""What the settings mean for the checking of keys. Pure."""

from datetime import timedelta

from alertd.alerts.lifecycle import Policy
from alertd.config import Settings
from alertd.credentials.look import Patience
from alertd.credentials.recorder import Rules
from alertd.credentials.sweeper import Pace


def rules_of(settings: Settings) -> Rules:
    credentials = settings.credentials
    return Rules(
        policy=Policy(
            strikes=credentials.consecutive_failures_before_alert,
            remind_every=timedelta(hours=credentials.remind_hours),
        ),
        window=timedelta(minutes=settings.webhooks.per_credential_minutes),
        aloud=credentials.notify,
        max_tenants=settings.metrics.max_tenants,
        expiry_warning_days=credentials.expiry_warning_days,
    )


def pace_of(settings: Settings) -> Pace:
    credentials = settings.credentials
    return Pace(
        interval=timedelta(hours=credentials.interval_hours),
        spread=credentials.spread,
        confirm_delays=credentials.confirm_delays,
        patience=Patience(credentials.retries, timedelta(seconds=credentials.retry_delay_seconds)),
    )
