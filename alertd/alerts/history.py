"""Runs as files, one JSON file each, for tools that look into a folder. A file is whole or not there."""

import json
import os
import re
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from alertd.alerts.execution_listing import Execution
from alertd.model import iso_utc

_OURS: Final = re.compile(r"\w+?_(\d{8}_\d{6})(_\d+)?\.json", re.ASCII)
_MODE: Final = 0o640


@dataclass(frozen=True, slots=True)
class History:
    """A folder that keeps the file of a run for `kept`."""

    folder: Path
    kept: timedelta

    def write(self, execution: Execution) -> Path:
        """Blocks. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{execution.execution_id}.json"
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=self.folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(content(execution), file, indent=1, ensure_ascii=False)
                file.write("\n")
                file.flush()
                os.fchmod(file.fileno(), _MODE)
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        return path

    def prune(self, now: datetime) -> int:
        """Delete the files of runs that are too old, and how many; others in the folder are left alone. Blocks."""
        old = [path for path in self.folder.glob("*.json") if _is_before(path.name, now - self.kept)]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


def content(execution: Execution) -> dict[str, Any]:
    return {
        "execution_id": execution.execution_id,
        "name": execution.schedule,
        "scheduled_at": iso_utc(execution.scheduled_at),
        "source": execution.source,
        "requested_by": execution.requested_by,
        "started_at": iso_utc(execution.started_at),
        "completed_at": iso_utc(execution.finished_at),
        "success": execution.success,
        "attempt_count": execution.attempt_count,
        "error_message": execution.error_message,
        "result": execution.result,
    }


def _is_before(name: str, limit: datetime) -> bool:
    found = _OURS.fullmatch(name)
    if found is None:
        return False
    try:
        return datetime.strptime(found[1], "%Y%m%d_%H%M%S").replace(tzinfo=UTC) < limit
    except ValueError:
        return False
