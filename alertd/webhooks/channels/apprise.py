"""The operators' channel: mail, chat and pagers through Apprise, which comes with the extra `notify`.

The library blocks, so it works in a few threads of its own. An endpoint holds a notifier's name; the
URL, which is a secret, is looked up in the settings.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from alertd.config import Settings
from alertd.errors import ConfigError
from alertd.model import EventType, Severity
from alertd.webhooks.message import Endpoint, Message
from alertd.webhooks.post import Poster
from alertd.webhooks.retry import Fault, Outcome

THREADS: Final = 8
LONGEST_VALUE: Final = 300
HEADLINE: Final = ("exchange", "credential_type", "label", "check", "subject")
SENTENCES: Final = ("message", "error", "what_to_do")
GOOD_NEWS: Final = frozenset({EventType.CREDENTIAL_RECOVERED, EventType.PERFORMANCE_RESOLVED})

Kind = Literal["info", "success", "warning", "failure"]
KINDS: Final[Mapping[str, Kind]] = {
    Severity.INFO: "info",
    Severity.WARNING: "warning",
    Severity.CRITICAL: "failure",
    Severity.EMERGENCY: "failure",
}


@dataclass(frozen=True, slots=True)
class Text:
    """A message for people; `kind` picks the colour or the icon where a service has one."""

    title: str
    body: str
    kind: Kind


class Notifiers:
    """Sends to the notifiers of the settings."""

    def __init__(self, targets: Mapping[str, Any], threads: ThreadPoolExecutor, timeout: timedelta) -> None:
        self._targets = targets
        self._threads = threads
        self._timeout = timeout

    async def ready_for(self, settings: Settings) -> Callable[[], None]:
        targets = await asyncio.to_thread(_targets, settings)

        def adopt() -> None:
            self._targets = targets
            self._timeout = timedelta(seconds=settings.webhooks.timeout_seconds)

        return adopt

    async def send(self, message: Message, endpoint: Endpoint, at: datetime) -> Outcome:  # noqa: ARG002 (unsigned)
        """After a timeout the thread may still deliver: at least once, as everywhere."""
        target = self._targets.get(endpoint.address)
        if target is None:
            return Outcome(error=Fault.UNCONFIGURED)
        loop = asyncio.get_running_loop()
        started = loop.time()
        text = render(message)
        fault: Fault | None = None
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                if not await loop.run_in_executor(self._threads, _notify, target, text):
                    fault = Fault.NOTIFIER
        except TimeoutError:
            fault = Fault.TIMEOUT
        return Outcome(error=fault, duration=timedelta(seconds=loop.time() - started))


def render(message: Message) -> Text:
    """Sentences first, then every other field as a line; nested values as JSON."""
    content = json.loads(message.body)
    severity = str(content.get("severity") or "")
    headline = " ".join(str(content[name]) for name in HEADLINE if content.get(name))
    over = content.get("state") == "resolved"
    mark = "over" if over else severity
    title = f"{f'[{mark}] ' if mark else ''}{message.type}{f': {headline}' if headline else ''}"
    sentences = [str(content[name]) for name in SENTENCES if content.get(name)]
    rest = {name: value for name, value in content.items() if name not in (*SENTENCES, "event", "timestamp")}
    at = datetime.fromtimestamp(content["timestamp"], UTC)
    lines = [f"{name}: {_shown(value)}" for name, value in rest.items() if value not in (None, "", {}, [])]
    body = "\n".join([*sentences, *([""] if sentences else []), f"at: {at:%Y-%m-%d %H:%M:%S} UTC", *lines])
    return Text(" ".join(title.split()), body, "success" if over else _kind(message.type, severity))


@asynccontextmanager
async def open_channel(settings: Settings, _poster: Poster) -> AsyncIterator[Notifiers]:
    """Raises ConfigError: notifiers without the library, or a URL that it does not understand.

    With no notifiers the library is not even loaded.
    """
    targets = _targets(settings)
    threads = ThreadPoolExecutor(THREADS, thread_name_prefix="alertd-notify")
    try:
        yield Notifiers(targets, threads, timedelta(seconds=settings.webhooks.timeout_seconds))
    finally:
        threads.shutdown(wait=False, cancel_futures=True)


def _targets(settings: Settings) -> Mapping[str, Any]:
    if not settings.notify:
        return {}
    try:
        import apprise
    except ImportError:
        raise ConfigError(["notify: needs Apprise; install the extra: pip install 'alertd[notify]'"]) from None
    # Its messages and those of its HTTP client hold URLs, and these hold tokens.
    for name in ("apprise", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    asset = apprise.AppriseAsset(app_id="alertd", app_desc="alertd", async_mode=False)
    targets: dict[str, Any] = {}
    problems: list[str] = []
    for notifier in settings.notify:
        target = apprise.Apprise(asset=asset)
        if target.add(notifier.url.get_secret_value()):
            targets[notifier.name] = target
        else:
            problems.append(f"notify: Apprise does not understand the url of {notifier.name}")
    if problems:
        raise ConfigError(problems)
    return targets


def _notify(target: Any, text: Text) -> bool:
    return bool(target.notify(body=text.body, title=text.title, notify_type=text.kind, body_format="text"))


def _shown(value: Any) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= LONGEST_VALUE else shown[: LONGEST_VALUE - 1] + "…"


def _kind(event: EventType, severity: str) -> Kind:
    if event in GOOD_NEWS:
        return "success"
    if event is EventType.CREDENTIAL_FAILED:
        return "failure"
    return KINDS.get(severity, "warning" if event is not EventType.WEBHOOK_TEST else "info")
