"""A small file system of its own for the database, which can be made full and roomy again; only root can mount one."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOMY: Final = 1 << 30  # bytes
LEFT: Final = 1 << 16
TRIES: Final = 20  # whoever writes meanwhile may need what was to be taken away


@dataclass(frozen=True)
class Disk:
    """`small` is False where nothing could be mounted: then it is a plain folder, and cannot be filled."""

    folder: Path
    small: bool

    def fill(self) -> None:
        """Nothing more fits."""
        for _ in range(TRIES):
            if _mounted(self.folder, "remount", size=shutil.disk_usage(self.folder).used + LEFT):
                return
        raise RuntimeError(f"{self.folder} cannot be made smaller")

    def empty(self) -> None:
        """There is room again; what was written is still there."""
        assert _mounted(self.folder, "remount", size=ROOMY)


@contextmanager
def opened_disk(folder: Path) -> Iterator[Disk]:
    folder.mkdir(mode=0o711)
    disk = Disk(folder, small=_mounted(folder, "mode=711", size=ROOMY))
    try:
        yield disk
    finally:
        if disk.small:
            subprocess.run(["umount", "-l", folder], check=True)


def _mounted(folder: Path, option: str, *, size: int) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", f"{option},size={size}", "alertd-faults", folder]
    return subprocess.run(command, capture_output=True).returncode == 0
