"""What runs at set times: a job for each scheduled check."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from alertd.alerts.execution import Executions, Job, no_data
from alertd.alerts.history import History
from alertd.config import Settings
from alertd.credentials.passes import begin_pass, rehearse, sweep_now
from alertd.credentials.recorder import CHECK_NAME
from alertd.credentials.sweeper import Sweeper
from alertd.db import Db
from alertd.schedule import schedules_of


def executions_of(settings: Settings, *, db: Db, sweeper: Sweeper, now: Callable[[], datetime]) -> Executions:
    """The scheduled checks, with their files."""
    return Executions(db, jobs_of(settings, sweeper), now, history_of(settings))


def history_of(settings: Settings) -> History:
    return History(settings.alerts.history_dir, timedelta(days=settings.retention.executions_days))


def jobs_of(settings: Settings, sweeper: Sweeper) -> Mapping[str, Job]:
    """One for each check by its name. A check without an entry here has nothing to look at yet."""
    kinds: Mapping[str, Callable[..., Job]] = {
        CHECK_NAME: partial(
            Job,
            work=lambda _at: begin_pass(sweeper),
            asked=lambda _at: sweep_now(sweeper, CHECK_NAME),
            dry=lambda _at: rehearse(sweeper),
        ),
    }
    idle = partial(Job, work=no_data)
    return {
        name: kinds.get(name, idle)(schedule=schedule, retry=settings.checks[name].retry)
        for name, schedule in schedules_of(settings).items()
    }
