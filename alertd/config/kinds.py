"""The kinds of values a setting can have: people write text and numbers, the daemon gets frozen values.

A validator here says only what is wrong and what would be right; who wrote the value where, and what
it was, is added by `problems`, which knows whether it may be shown.
"""

import json
import re
from collections.abc import Sequence
from datetime import time, timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, BeforeValidator, SecretStr

Network = IPv4Network | IPv6Network


class Conflicts(ValueError):
    """Values that are right by themselves and wrong together: pairs of a path below the section and a text."""

    def __init__(self, found: Sequence[tuple[str, str]]) -> None:
        self.found = tuple(found)
        super().__init__("; ".join(f"{path}: {text}" for path, text in self.found))


class Weekday(StrEnum):
    """A day of the week."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to `host`; a name other than localhost is not looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def parsed_origin(text: str) -> tuple[str, str, int | None]:
    """Scheme, host and port of `http(s)://host[:port]`; anything more, or else, is a ValueError."""
    parts = urlsplit(text)
    rest = (parts.username, parts.password, parts.path.strip("/"), parts.query, parts.fragment)
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(rest):
        raise ValueError("not an origin")
    return parts.scheme, parts.hostname, parts.port


def _not_bool(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("must be a number")  # noqa: TRY004 - pydantic collects ValueErrors only
    return value


def _listed(value: object) -> object:
    """A list as one line of text, for environment variables: `a, b` or JSON."""
    if not isinstance(value, str):
        return value
    if not value.lstrip().startswith("["):
        return [item.strip() for item in value.split(",") if item.strip()]
    try:
        return json.loads(value)
    except ValueError as exc:
        raise ValueError("must be a list, such as a,b or a JSON array") from exc


def _table(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError as exc:
        raise ValueError("must be a table, in a variable written as a JSON object") from exc


def _time_of_day(value: object) -> time:
    if isinstance(value, time) and value == value.replace(second=0, microsecond=0, tzinfo=None):
        return value
    match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", value, re.ASCII) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a time of day as HH:MM, such as 17:00")
    return time(int(match[1]), int(match[2]))


def _weekday(value: object) -> Weekday:
    text = value.strip().lower() if isinstance(value, str) else ""
    for day in Weekday:
        if text in {day.value, day.value[:3]}:
            return day
    raise ValueError("must be an English day such as monday or mon")


_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _delay(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)([smhd])", value, re.ASCII) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a number with its unit s, m, h or d, such as 90s or 5m")
    return timedelta(seconds=float(match[1]) * _UNITS[match[2]])


def _network(value: object) -> Network:
    try:
        return ip_network(str(value), strict=False)
    except ValueError:
        raise ValueError("must be an address or a network, such as 10.1.0.0/16") from None


def _header(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", value) or value.lower() == "authorization":
        raise ValueError("must be a header name of letters, digits and hyphens, other than Authorization")
    return value


def _zone(value: str) -> str:
    if value == "UTC":  # also on machines without a time zone database
        return value
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # unknown; no name; the name of a folder
        raise ValueError("must be the IANA name of a time zone, such as Europe/Berlin or UTC") from None
    return value


def _filled(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().strip():
        raise ValueError("must not be empty; leave the setting out instead")
    return value


def _dsn(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("postgresql://", "postgres://")):
        raise ValueError("must be a URL that starts with postgresql://")
    return value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


# The upper bounds keep sums of dates and powers of multipliers inside what Python can represent.
_Number = Annotated[float, BeforeValidator(_not_bool)]
_Whole = Annotated[int, BeforeValidator(_not_bool)]

Seconds = Annotated[_Number, Ge(0), Le(1_000_000_000)]
Timeout = Annotated[_Number, Gt(0), Le(86_400)]
Minutes = Annotated[_Number, Ge(0), Le(10_000_000)]
Period = Annotated[_Number, Gt(0), Le(1_000_000)]  # minutes or hours that recur: never zero
Days = Annotated[_Whole, Ge(1), Le(36_500)]
Attempts = Annotated[_Whole, Ge(0), Le(100)]  # the first try included; 0 and 1 both mean one
Multiplier = Annotated[_Number, Gt(0), Le(100)]
Rate = Annotated[_Number, Gt(0), Le(1_000_000)]
Fraction = Annotated[_Number, Ge(0), Le(1)]
Measure = Annotated[_Number, Ge(-1_000_000), Le(1_000_000)]
Count = Annotated[_Whole, Ge(0), Le(1_000_000_000)]
Counting = Annotated[_Whole, Ge(1), Le(1_000_000)]
DayOfMonth = Annotated[_Whole, Ge(1), Le(31)]
Port = Annotated[_Whole, Ge(1), Le(65_535)]
ListenPort = Annotated[_Whole, Ge(0), Le(65_535)]  # 0: any free one

Listed = BeforeValidator(_listed)
Table = BeforeValidator(_table)
Upper = BeforeValidator(_upper)
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]
Day = Annotated[Weekday, BeforeValidator(_weekday)]
Delay = Annotated[timedelta, BeforeValidator(_delay)]
Networks = Annotated[tuple[Annotated[Network, BeforeValidator(_network)], ...], Listed]
Names = Annotated[tuple[str, ...], Listed]
TimeZone = Annotated[str, AfterValidator(_zone)]
HeaderName = Annotated[str, AfterValidator(_header)]
Secret = Annotated[SecretStr, AfterValidator(_filled)]
Dsn = Annotated[SecretStr, AfterValidator(_dsn)]
