"""What differs between two settings, by name, and which of it a running daemon cannot take on. Pure."""

from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel

from alertd.config.sections import ExchangeSettings
from alertd.config.settings import Settings

# A name stands for everything below it. What is here is opened once, and other things stand on it.
FIXED: Final = (
    "state_dir",
    "database",
    "secrets",
    "admin.host",
    "admin.port",
    "admin.socket",
    "metrics.require_auth",
    "logging.format",
)
_TLS: Final = frozenset({"admin.tls_cert", "admin.tls_key"})
_ABSENT: Final = object()


def changes(old: Settings, new: Settings) -> tuple[str, ...]:
    """The settings with another value, such as `webhooks.ports` and `exchanges.okx.enabled`."""
    before, after = dict(_all(old)), dict(_all(new))
    names = sorted(before.keys() | after.keys())
    return tuple(name for name in names if before.get(name, _ABSENT) != after.get(name, _ABSENT))


def needing_restart(old: Settings, new: Settings) -> tuple[str, ...]:
    """Those that change and cannot while it runs. A certificate may be another one, but not come or go."""
    secured = (old.admin.tls_cert is None) == (new.admin.tls_cert is None)
    return tuple(name for name in changes(old, new) if _is_fixed(name) or (name in _TLS and not secured))


def _is_fixed(name: str) -> bool:
    return any(name == fixed or name.startswith(f"{fixed}.") for fixed in FIXED)


def _all(settings: Settings) -> Iterator[tuple[str, object]]:
    for name in type(settings).model_fields:
        if name not in {"exchanges", "notify"}:
            yield from _below(getattr(settings, name), name)
    usual = dict(_below(ExchangeSettings(), ""))
    for exchange, chosen in settings.exchanges.items():
        # One that is named and otherwise as usual is no change.
        yield from (
            (f"exchanges.{exchange}{leaf}", value) for leaf, value in _below(chosen, "") if value != usual[leaf]
        )
    for notifier in settings.notify:
        yield from _below(notifier, f"notify.{notifier.name}")


def _below(value: object, name: str) -> Iterator[tuple[str, object]]:
    if not isinstance(value, BaseModel):
        yield name, value
        return
    for part in type(value).model_fields:
        yield from _below(getattr(value, part), f"{name}.{part}")
