"""Tools that only some machines have: their tests are deselected where they are absent, and the summary names them."""

import shutil
from collections.abc import Sequence

import pytest

# marker -> programs that its tests run
NEEDS = {
    "browser": ("chromium",),
    "systemd": ("systemd-analyze",),
    "prometheus": ("promtool", "prometheus", "prometheus-alertmanager", "amtool"),
}


class AbsentTools:
    """A pytest plugin."""

    def __init__(self) -> None:
        self.absent = {
            marker: [name for name in names if shutil.which(name) is None] for marker, names in NEEDS.items()
        }

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        gone = [item for item in items if self._marker(item)]
        if gone:
            config.hook.pytest_deselected(items=gone)
            items[:] = [item for item in items if item not in gone]

    def _marker(self, item: pytest.Item) -> str | None:
        """The first marker of this test whose tools are not there."""
        return next((name for name, absent in self.absent.items() if absent and item.get_closest_marker(name)), None)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self.lines():
            terminalreporter.write_line(line, yellow=True)

    def lines(self) -> Sequence[str]:
        return [
            f"DESELECTED: tests marked '{marker}' need {', '.join(absent)}, absent here (see .ci/run)"
            for marker, absent in self.absent.items()
            if absent
        ]
