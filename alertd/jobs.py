"""What runs at set times: a job for each scheduled check."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from alertd.alerts.execution import Executions
from alertd.alerts.history import History
from alertd.alerts.job import Job
from alertd.alerts.observations import policy_of
from alertd.config import Settings
from alertd.credentials.passes import begin_pass, sweep_now
from alertd.credentials.passes import rehearse as rehearse_sweep
from alertd.credentials.recorder import CHECK_NAME
from alertd.credentials.sweeper import Sweeper
from alertd.db import Db
from alertd.performance.checks import CHECKS
from alertd.performance.evaluation import Outside, evaluate, rehearse
from alertd.schedule import schedules_of


def executions_of(settings: Settings, *, db: Db, sweeper: Sweeper, now: Callable[[], datetime]) -> Executions:
    """The scheduled checks, with their files."""
    return Executions(db, jobs_of(settings, sweeper), now, history_of(settings))


def history_of(settings: Settings) -> History:
    return History(settings.alerts.history_dir, timedelta(days=settings.retention.executions_days))


def jobs_of(settings: Settings, sweeper: Sweeper) -> Mapping[str, Job]:
    """One for each check by its name."""
    outside = outside_of(settings, sweeper)
    kinds: Mapping[str, Callable[..., Job]] = {
        CHECK_NAME: partial(
            Job,
            work=partial(begin_pass, sweeper),
            asked=lambda _at: sweep_now(sweeper, CHECK_NAME),
            dry=lambda _at: rehearse_sweep(sweeper),
        ),
        **{
            name: partial(Job, work=partial(evaluate, outside, check), dry=partial(rehearse, outside, check))
            for name, check in CHECKS.items()
        },
    }
    return {
        name: kinds[name](schedule=schedule, retry=settings.checks[name].retry)
        for name, schedule in schedules_of(settings).items()
    }


def outside_of(settings: Settings, sweeper: Sweeper) -> Outside:
    """What the performance checks need."""
    return Outside(
        db=sweeper.outside.db,
        thresholds=settings.performance,
        policy=policy_of(timedelta(minutes=settings.alerts.suppress_similar_minutes)),
        now=sweeper.outside.now,
    )
