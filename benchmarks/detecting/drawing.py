"""The outcome as a picture: plain SVG, two panels, no library."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np

from benchmarks.detecting.population import CHANGE, CRASH, DAYS, Floats
from benchmarks.detecting.trial import ALL, CHARITABLE, DAILY, PUBLISHED, Trial

WIDTH: Final = 1130
HEIGHT: Final = 430
# Okabe & Ito: told apart by colour-blind people too.
COLOURS: Final = ("#D55E00", "#E69F00", "#0072B2", "#56B4E9", "#009E73", "#CC79A7", "#000000")
NAMES: Final = {
    PUBLISHED: "published thresholds",
    CHARITABLE: "published, most charitable part",
    ALL: "ours, all checks",
    DAILY: "ours, daily check",
}


@dataclass(frozen=True, slots=True)
class Panel:
    """A square of the picture: shares from 0 to 1 over `days`."""

    left: float
    title: str
    axis: str
    days: int
    ticks: Sequence[int]
    top: float = 60
    width: float = 300
    height: float = 310

    def x(self, day: float) -> float:
        return self.left + self.width * day / self.days

    def y(self, share: float) -> float:
        return self.top + self.height * (1 - share)


def picture(trial: Trial) -> str:
    healthy = Panel(60, "Healthy strategies that had a critical alarm", "days live", DAYS, (0, 90, 180, 270, 365))
    bent = Panel(
        610,
        "Degraded strategies that had our warning",
        "days since the change",
        DAYS - CHANGE,
        (0, 60, 120, 180, 240, 305),
    )
    found = {
        name: np.array([delays.warning.within(day) for day in range(1, bent.days + 1)])
        for name, delays in trial.bent.items()
        if name != CRASH
    }
    parts = [
        *_frame(healthy),
        *_curves(healthy, {NAMES[name]: curve for name, curve in trial.curves.items()}),
        *_frame(bent),
        *_curves(bent, found),
    ]
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'font-family="sans-serif" font-size="13" role="img">\n'
        f"<title>False alarms and detection of {trial.paths:,} simulated strategies</title>\n"
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _frame(panel: Panel) -> list[str]:
    lines = [f'<text x="{panel.left}" y="30" font-size="15" font-weight="bold">{escape(panel.title)}</text>']
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = panel.y(share)
        lines.append(f'<path d="M{panel.left} {y:.1f}h{panel.width}" stroke="#ddd"/>')
        lines.append(f'<text x="{panel.left - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#444">{share:.0%}</text>')
    bottom = panel.y(0)
    lines += [
        f'<text x="{panel.x(day):.1f}" y="{bottom + 20:.1f}" text-anchor="middle" fill="#444">{day}</text>'
        for day in panel.ticks
    ]
    lines.append(
        f'<text x="{panel.x(panel.days / 2):.1f}" y="{bottom + 42:.1f}" text-anchor="middle" fill="#444">'
        f"{escape(panel.axis)}</text>"
    )
    return lines


def _curves(panel: Panel, curves: Mapping[str, Floats]) -> list[str]:
    """Each with its name at its end; names that would touch are moved apart."""
    lines, lowest = [], panel.top - 16.0
    coloured = dict(zip(curves, COLOURS, strict=False))
    for name in sorted(curves, key=lambda name: -curves[name][-1]):
        points = " ".join(f"{panel.x(day + 1):.1f},{panel.y(share):.1f}" for day, share in enumerate(curves[name]))
        lines.append(f'<polyline points="{points}" fill="none" stroke="{coloured[name]}" stroke-width="2"/>')
        lowest = max(panel.y(float(curves[name][-1])) + 4, lowest + 16)
        lines.append(
            f'<text x="{panel.left + panel.width + 8}" y="{lowest:.1f}" fill="{coloured[name]}">{escape(name)}</text>'
        )
    return lines
