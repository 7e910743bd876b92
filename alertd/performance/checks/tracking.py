"""Goes on with a subject's track, or replays it from the first live day; both come to the same."""

from datetime import date

from alertd.performance.reference import Reference
from alertd.performance.stats.expectation import expectation
from alertd.performance.subject import Subject
from alertd.performance.track import Track, accepted, advanced, fresh_track


def track_until(subject: Subject, reference: Reference, until: date) -> Track:
    """The subject's track after its days up to `until`; the reference must be enough."""
    baseline, expected = reference.baseline, expectation(reference.baseline)
    track = subject.track
    if track is None:
        track = fresh_track(baseline)
        if subject.accepted_on is not None:
            before = [day for day in subject.days if day.day <= min(until, subject.accepted_on)]
            track = accepted(advanced(track, before, baseline, expected))
    return advanced(track, [day for day in subject.days if day.day <= until], baseline, expected)
