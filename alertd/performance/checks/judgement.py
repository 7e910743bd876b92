"""What every check hands back: its findings, and what it wants to be given again next time."""

from dataclasses import dataclass

from alertd.performance.findings import Finding
from alertd.performance.projection import Projection
from alertd.performance.track import Track


@dataclass(frozen=True, slots=True)
class Judgement:
    """`track` and `projection` replace the stored ones where they are not None."""

    findings: tuple[Finding, ...]
    track: Track | None = None
    projection: Projection | None = None
