"""Every setting by name: its path in the file, its variables, and what a misspelt name was meant to be."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, SecretStr

from alertd.config.settings import Settings

Where = tuple[str, ...]

PREFIX: Final = "ALERTD_"

# Read by the command line; no settings.
COMMAND_LINE_VARIABLES: Final = frozenset({"ALERTD_API_KEY", "ALERTD_URL", "ALERTD_CONFIG"})

# The names of the published documents; they mean exactly what their ALERTD_ form means.
PUBLISHED: Final[Mapping[str, Where]] = {
    "ALERT_DAILY_PNL_TIME": ("alerts", "daily_pnl_time"),
    "ALERT_WEEKLY_STABILITY_TIME": ("alerts", "weekly_stability_time"),
    "ALERT_WEEKLY_STABILITY_DAY": ("alerts", "weekly_stability_day"),
    "ALERT_MONTHLY_FORWARD_TIME": ("alerts", "monthly_forward_time"),
    "ALERT_MONTHLY_FORWARD_DAY": ("alerts", "monthly_forward_day"),
    "ALERT_THRESHOLD_TIME_1": ("alerts", "threshold_time_1"),
    "ALERT_THRESHOLD_TIME_2": ("alerts", "threshold_time_2"),
    "ALERT_MAX_RETRY_ATTEMPTS": ("alerts", "max_retry_attempts"),
    "ALERT_RETRY_DELAY_SECONDS": ("alerts", "retry_delay_seconds"),
    "ALERT_RETRY_BACKOFF_MULTIPLIER": ("alerts", "retry_backoff_multiplier"),
    "ALERT_SUPPRESS_SIMILAR_MINUTES": ("alerts", "suppress_similar_minutes"),
    "ALERT_ESCALATION_DELAY_MINUTES": ("alerts", "escalation_delay_minutes"),
    "ALERT_AUTH_ENABLED": ("admin", "auth_enabled"),
    "ALERT_JWT_SECRET": ("admin", "jwt_secret"),
    "ALERT_JWT_ALGORITHM": ("admin", "jwt_algorithm"),
    "ALERT_JWT_EXPIRE_HOURS": ("admin", "jwt_expire_hours"),
    "ALERT_API_KEY_HEADER": ("admin", "api_key_header"),
    "ALERT_ADMIN_API_KEY": ("admin", "keys", "admin"),
    "ALERT_OPERATOR_API_KEY": ("admin", "keys", "operator"),
    "ALERT_VIEWER_API_KEY": ("admin", "keys", "viewer"),
    "ALERT_MASTER_API_KEY": ("admin", "keys", "master"),
    "CREDENTIAL_HEALTH_CHECK_INTERVAL_HOURS": ("credentials", "interval_hours"),
    "CREDENTIAL_HEALTH_CHECK_RETRIES": ("credentials", "retries"),
    "CREDENTIAL_HEALTH_CHECK_RETRY_DELAY_SECONDS": ("credentials", "retry_delay_seconds"),
    "CREDENTIAL_CONSECUTIVE_FAILURES_BEFORE_ALERT": ("credentials", "consecutive_failures_before_alert"),
    "WEBHOOK_TIMEOUT_SECONDS": ("webhooks", "timeout_seconds"),
    "WEBHOOK_RETRY_ATTEMPTS": ("webhooks", "retry_attempts"),
    "WEBHOOK_RETRY_BACKOFF_BASE": ("webhooks", "retry_backoff_base"),
    "PORT": ("admin", "port"),
}

# What Vault's own tools read. They describe a person's shell as often as this daemon, so every
# other variable wins over them silently.
CONVENTIONAL: Final[Mapping[str, Where]] = {
    "VAULT_ADDR": ("secrets", "vault", "address"),
    "VAULT_TOKEN": ("secrets", "vault", "token"),
    "VAULT_NAMESPACE": ("secrets", "vault", "namespace"),
}

# Sections whose second step is a name that the operator chooses: an exchange's id, a notifier's name.
_NAMED: Final = frozenset({"exchanges", "notify"})


@dataclass(frozen=True, slots=True)
class Leaf:
    """One setting; `*` in its path stands for a chosen name."""

    path: Where
    secret: bool
    is_path: bool


@cache
def leaves() -> Mapping[Where, Leaf]:
    """Every setting there is, by its path."""
    return {leaf.path: leaf for leaf in _leaves_of(Settings, ())}


def leaf_at(path: Where) -> Leaf | None:
    """The setting at `path`, with any name in the place of `*`; None for a section or an unknown path."""
    return leaves().get(_pattern(path))


def is_section(path: Where) -> bool:
    pattern = _pattern(path)
    return any(len(leaf) > len(pattern) and leaf[: len(pattern)] == pattern for leaf in leaves())


def dotted(path: Where) -> str:
    return ".".join(path)


def variable(path: Where) -> str:
    """The environment variable of a setting."""
    return PREFIX + "__".join(path).upper().replace("-", "_")


def path_of_variable(name: str) -> Where | None:
    """The setting that `name` sets, in any of its forms; None if there is none."""
    known = PUBLISHED.get(name) or CONVENTIONAL.get(name)
    if known:
        return known
    if not name.startswith(PREFIX) or not name.isupper():
        return None
    path = tuple(name.removeprefix(PREFIX).lower().split("__"))
    return path if leaf_at(path) else None


def credential_name(path: Where) -> str:
    """The name of a secret's file in $CREDENTIALS_DIRECTORY, where `alertd.` may precede it."""
    return "_".join(path)


def path_of_credential(name: str) -> Where | None:
    stem = name.removeprefix("alertd.")
    notifier = re.fullmatch(r"notify_(.+)_url", stem)
    if notifier:
        return ("notify", notifier[1].lower(), "url")
    secrets = (leaf.path for leaf in leaves().values() if leaf.secret)
    return next((path for path in secrets if credential_name(path) == stem), None)


def meant_key(path: Where) -> str:
    """`; did you mean …?` for an unknown key of the file, or nothing."""
    pattern = _pattern(path)
    siblings = {leaf[len(pattern) - 1] for leaf in leaves() if leaf[: len(pattern) - 1] == pattern[:-1]}
    close = get_close_matches(path[-1], sorted(siblings), n=1)
    if close:
        return f"; did you mean {dotted((*path[:-1], close[0]))}?"
    elsewhere = [dotted(leaf) for leaf in leaves() if leaf[-1] == path[-1]]
    return f"; did you mean {elsewhere[0]}?" if elsewhere else ""


def meant_variable(name: str, *, cutoff: float = 0.6) -> str:
    """`; did you mean …?` for an unknown variable, or nothing."""
    section, *chosen = name.removeprefix(PREFIX).lower().split("__")
    near = get_close_matches(section, _NAMED, n=1)
    candidates = [variable(_named(leaf, chosen) if leaf[0] in near else leaf) for leaf in leaves()]
    candidates += PUBLISHED
    close = get_close_matches(name, candidates, n=1, cutoff=cutoff)
    return f"; did you mean {close[0]}?" if close else ""


def _leaves_of(model: type[BaseModel], prefix: Where) -> Iterator[Leaf]:
    for name, field in model.model_fields.items():
        path = (*prefix, name)
        parts = set(_parts(field.annotation))
        inner = next((part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)), None)
        if inner is None:
            yield Leaf(path, secret=SecretStr in parts, is_path=Path in parts)
        else:
            yield from _leaves_of(inner, (*path, "*") if name in _NAMED else path)


def _parts(annotation: Any) -> Iterator[Any]:
    """An annotation and everything inside its brackets."""
    yield annotation
    for inner in get_args(annotation):
        yield from _parts(inner)


def _pattern(path: Where) -> Where:
    return (path[0], "*", *path[2:]) if len(path) > 1 and path[0] in _NAMED else path


def _named(leaf: Where, chosen: list[str]) -> Where:
    return (leaf[0], chosen[0], *leaf[2:]) if chosen and "*" in leaf else leaf
