"""An exchange's refusal -> one reason, a short code for operators, and how long to stay away. Pure.

The order decides: the exchange's own rules, then what any web server's answer means, then the class
that ccxt's driver chose from its table. An answer that none of them knows accuses nobody.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from alertd.credentials.quirks.shape import EMPTY, HTML, TEXT, Answer, Quirks, Rule, Said, on
from alertd.model import Reason, Secret

# Where the exchange does not say how long.
STAY_AWAY: Final = timedelta(seconds=30)
# Nobody is left alone for longer, whatever the answer says: then one request finds out.
LONGEST: Final = timedelta(days=1)
# A clock that differs by more than this may be why an exchange says no without a reason.
WRONG_CLOCK: Final = timedelta(seconds=45)
MESSAGE: Final = 4096
MISSING: Final = frozenset({404, 405})

COUNTRY: Final = ("from your country", "restricted location", "restricted region", "not available in your")

# What any server means; asked after the exchange's own rules.
COMMON: Final = (
    on(Reason.REGION_BLOCKED, status=451),
    on(Reason.REGION_BLOCKED, HTML, status=403, says=COUNTRY),
    on(Reason.RATE_LIMITED, status=429),
    on(Reason.RATE_LIMITED, status=418),
    on(Reason.RATE_LIMITED, HTML, status=403, says=("rate limited", "too many requests", "error 1015")),
    on(Reason.EXCHANGE_DOWN, HTML, status=403),
    on(Reason.EXCHANGE_DOWN, EMPTY, status=403),
    on(Reason.EXCHANGE_DOWN, status=408),
    # a proxy on our own way out
    on(Reason.BAD_RESPONSE, status=407),
    on(Reason.BAD_RESPONSE, status=511),
)

# By the first known name in the order of ccxt's inheritance.
BY_CLASS: Final[Mapping[str, Reason]] = {
    "AccountSuspended": Reason.ACCOUNT_DISABLED,
    "PermissionDenied": Reason.PERMISSION,
    "AuthenticationError": Reason.INVALID_KEY,
    "RestrictedLocation": Reason.REGION_BLOCKED,
    "ManualInteractionNeeded": Reason.ACCOUNT_DISABLED,
    "InvalidNonce": Reason.CLOCK_SKEW,
    "RateLimitExceeded": Reason.RATE_LIMITED,
    "DDoSProtection": Reason.RATE_LIMITED,
    "OnMaintenance": Reason.EXCHANGE_DOWN,
    "ExchangeNotAvailable": Reason.EXCHANGE_DOWN,
    "RequestTimeout": Reason.EXCHANGE_DOWN,
}

_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")
_BANNED_UNTIL: Final = re.compile(r"banned until ([0-9]{10,13})")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a refusal comes to.

    `label` is the exchange's code as it came. `missing`: there is no such endpoint. `stay_away` None: the rest
    of the exchange is not concerned.
    """

    reason: Reason
    code: str
    label: str = ""
    missing: bool = False
    stay_away: timedelta | None = None


def flaw(quirks: Quirks, secret: Secret) -> Reason | None:
    """What is wrong with a secret before anybody is asked; None where nothing is."""
    fields = {name: getattr(secret, name) for name in quirks.needs}
    if not all(fields.values()):
        return Reason.INCOMPLETE_SECRET
    if secret.api_secret.startswith("-----BEGIN"):
        fields.pop("api_secret", None)  # the one field that may have several lines
    if any(not text.isprintable() and _CONTROL.search(text) for text in fields.values()):
        return Reason.BAD_SECRET
    return Reason.BAD_SECRET if quirks.malformed(secret) else None


def ruling(
    quirks: Quirks, answer: Answer, raised: Sequence[str], now: datetime, *, signed_at: datetime | None = None
) -> Ruling:
    """`raised` are the names of the error class that ccxt's driver chose, and of its ancestors; may be empty.

    `signed_at` is what our clock said when the request was made, if it may have been set since.
    """
    said = _said(quirks, answer)
    ahead = _ahead(answer, (now, signed_at or now))
    rule = _first(quirks.errors, answer, said) or _first(COMMON, answer, said)
    reason = rule.reason if rule else _unruled(answer, raised)
    if rule and rule.hides_clock and ahead is not None and abs(ahead) > WRONG_CLOCK:
        reason = Reason.CLOCK_SKEW
    return Ruling(
        reason=reason,
        code=_code(quirks, answer, said) + (_measured(ahead) if reason is Reason.CLOCK_SKEW else ""),
        label=said.code,
        missing=answer.status in MISSING,
        stay_away=_stay_away(rule, reason, answer, now),
    )


def _said(quirks: Quirks, answer: Answer) -> Said:
    if isinstance(answer.body, dict | list):
        return quirks.read(answer.body)
    if not answer.text:
        return Said(EMPTY)
    return Said(HTML if answer.text.startswith("<") else TEXT, answer.text[:MESSAGE].lower())


def _first(rules: Sequence[Rule], answer: Answer, said: Said) -> Rule | None:
    return next((rule for rule in rules if rule.matches(answer.status, said)), None)


def _unruled(answer: Answer, raised: Sequence[str]) -> Reason:
    by_class = next((BY_CLASS[name] for name in raised if name in BY_CLASS), None)
    if by_class is not None and answer.body is not None:
        return by_class
    return Reason.EXCHANGE_DOWN if answer.status >= 500 else Reason.BAD_RESPONSE


def _code(quirks: Quirks, answer: Answer, said: Said) -> str:
    """`http 401 -2015`. A label is shown only if one of our tables has it: it might be anything, even a key."""
    known = (
        said.code in {EMPTY, HTML, TEXT}
        or _NUMBER.fullmatch(said.code) is not None
        or said.code in quirks.labels
        or any(said.code in rule.codes for rule in quirks.errors)
    )
    shown = said.code if known else "other" if said.code else ""
    return f"http {answer.status} {shown.replace(' ', '_')}".rstrip()


def _measured(ahead: timedelta | None) -> str:
    """` clock+301s`: how far our clock is ahead of the exchange's, for whoever reads why a time was refused."""
    return "" if ahead is None else f" clock{round(ahead.total_seconds()):+d}s"


def _ahead(answer: Answer, ours: Iterable[datetime]) -> timedelta | None:
    """Of the one that is farther off."""
    theirs = _http_date(answer.headers.get("Date", ""))
    return None if theirs is None else max((one - theirs for one in ours), key=abs)


def _stay_away(rule: Rule | None, reason: Reason, answer: Answer, now: datetime) -> timedelta | None:
    """As the answer says, else as the rule says, else half a minute for a rate limit and nothing for the rest."""
    if reason not in {Reason.RATE_LIMITED, Reason.EXCHANGE_DOWN}:
        return None
    asked = _asked_for(answer, now)
    if asked is not None:
        return min(asked, LONGEST)
    if rule is not None and rule.stay_away is not None:
        return rule.stay_away or None
    return STAY_AWAY if reason is Reason.RATE_LIMITED else None


def _asked_for(answer: Answer, now: datetime) -> timedelta | None:
    header = answer.headers.get("Retry-After", "").strip()
    if header.isascii() and header.isdigit():
        return timedelta(seconds=min(int(header[:9]), LONGEST.total_seconds())) or None
    until = _http_date(header) or _banned_until(answer.text)
    return until - now if until is not None and until > now else None


def _banned_until(text: str) -> datetime | None:
    found = _BANNED_UNTIL.search(text[:MESSAGE])
    if found is None:
        return None
    digits = found.group(1)
    return datetime.fromtimestamp(int(digits[:10]), UTC)


def _http_date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text) if text else None
    except (ValueError, OverflowError):
        return None
    return found.replace(tzinfo=found.tzinfo or UTC) if found is not None else None
