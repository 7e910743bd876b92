"""The outcome as Markdown tables, for the terminal and for the documentation."""

from collections.abc import Iterable, Sequence

from alertd.performance.stats.numbers import DAYS_A_YEAR, NORMAL
from benchmarks.detecting.outcome import Delays, Healthy
from benchmarks.detecting.population import CRASH
from benchmarks.detecting.trial import PUBLISHED, ROLLING, SEED, Trial


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def report(trial: Trial) -> str:
    blind = (
        "**Degraded from day 60 on**: share alarmed within 30 / 90 / 305 days of the change, and the median delay in "
        "days, among strategies not in alarm the day before. Of the published thresholds there is nothing to measure: "
        f"{trial.already[PUBLISHED]:.0%} were critical the day before. The last two columns are the published idea "
        "with thresholds fitted to this very population, to raise as many critical false alarms as ours: "
        f"{_fitted(trial)}. Nobody has that hindsight."
    )
    limit = (
        "**The physical limit**: days until anybody can be 80 % sure to notice, at 5 % false alarms, in one single "
        "look, with an expectation that is known exactly. Beside it, when 80 % had our warning, which looks every day, "
        "must guess the expectation, and has a false-alarm budget for the whole year."
    )
    families = (
        "**Each healthy family alone**, daily check: Sharpe 2, 2 % a day, t(5), independent days, never idle, "
        "but for what is named."
    )
    return "\n\n".join(
        (
            f"{trial.paths:,} simulated strategies, seed {SEED}.",
            "**Healthy strategies**: share with at least one alarm, and days in alarm.",
            _healthy(trial),
            "Of ours, rule by rule, within 365 days:",
            _rules(trial),
            blind,
            _bent(trial),
            limit,
            _limit(trial),
            families,
            _families(trial),
        )
    )


def _healthy(trial: Trial) -> str:
    head = ("rules", "critical 30 d", "90 d", "365 d", "critical days a year", "any alert 365 d", "alert days a year")
    return table(head, ((name, *_figures(found)) for name, found in trial.healthy.items()))


def _figures(found: Healthy) -> tuple[str, ...]:
    return (
        f"{found.critical_30:.3f}",
        f"{found.critical_90:.3f}",
        f"{found.critical_365:.3f}",
        f"{found.critical_days:.1f}",
        f"{found.warning_365:.2f}",
        f"{found.alert_days:.0f}",
    )


def _rules(trial: Trial) -> str:
    rows = ((name, f"{found.warning_365:.2f}", f"{found.critical_365:.3f}") for name, found in trial.rules.items())
    return table(("rule", "warning or worse", "critical"), rows)


def _families(trial: Trial) -> str:
    rows = ((name, f"{found.warning_365:.2f}", f"{found.critical_365:.3f}") for name, found in trial.families.items())
    return table(("family", "any alert 365 d", "critical 365 d"), rows)


def _fitted(trial: Trial) -> str:
    pairs = zip(ROLLING, trial.thresholds, strict=True)
    return " and ".join(f"a {days}-day Sharpe ratio under {threshold:.2f}" for days, threshold in pairs)


def _bent(trial: Trial) -> str:
    head = ("degradation", "ours, warning", "ours, critical", *(f"{days}-day Sharpe, fitted" for days in ROLLING))
    rows = []
    for name, found in trial.bent.items():
        each = (found.warning, found.critical, *found.rolling)
        rows.append((name, *(_crashed(delays) if name == CRASH else _delayed(delays) for delays in each)))
    return table(head, rows)


def _delayed(delays: Delays) -> str:
    median = delays.until(0.5)
    shares = " ".join(f"{delays.within(days):.2f}" for days in (30, 90, 305))
    return f"{shares}, {'never' if median is None else median}"


def _crashed(delays: Delays) -> str:
    return f"{delays.within(1):.2f} by the next check"


def _limit(trial: Trial) -> str:
    reach = NORMAL.inv_cdf(0.95) + NORMAL.inv_cdf(0.80)
    losses = (
        ("edge gone (Sharpe to 0)", "Sharpe 2 lost", 2 / DAYS_A_YEAR**0.5),
        ("0.25 sd a day lost", "0.25 sd a day (Sharpe 4.8)", 0.25),
        ("0.5 sd a day lost", "0.5 sd a day (Sharpe 9.6)", 0.5),
        ("1 sd a day lost", "1 sd a day (Sharpe 19)", 1.0),
    )
    rows = []
    for name, what, loss in losses:
        ours = trial.bent[name].warning.until(0.8)
        rows.append((what, f"{(reach / loss) ** 2:.0f}", "not within 305" if ours is None else str(ours)))
    return table(("loss", "limit, days", "ours, days to 80 % (all Sharpe ratios)"), rows)
