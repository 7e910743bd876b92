"""A real systemd in a container: this machine's own root under an overlay, nothing of it written to.

Booting takes half a second; everything that a test writes lies in memory and is gone afterwards.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PYTHON = Path(f"/usr/bin/python3.{sys.version_info.minor}")
PROGRAM = Path("/opt/alertd")
PACKAGES = Path("/opt/alertd-packages")
PATIENCE_SECONDS = 60.0


class CannotBoot(Exception):
    """What is missing here."""


@dataclass(frozen=True)
class Machine:
    """Commands run inside; `init` is its first process as seen from outside."""

    root: Path
    init: int

    def run(self, *command: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        inside = [
            "nsenter",
            "-t",
            str(self.init),
            "-a",
            "env",
            "-i",
            f"PATH={os.defpath}:/usr/sbin",
            *map(str, command),
        ]
        done = subprocess.run(inside, capture_output=True, text=True, timeout=PATIENCE_SECONDS)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}{self.last_words()}"
        return done

    def systemctl(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self.run("systemctl", *words, check=check)

    def show(self, name: str) -> str:
        """A property of the unit, such as MainPID."""
        return self.systemctl("show", "alertd", "-P", name).stdout.strip()

    def python(self, code: str, *arguments: str) -> str:
        return self.run(PROGRAM / "bin/python", "-c", code, *arguments).stdout

    def write(self, path: str, text: str) -> None:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def journal(self, *matches: str) -> list[dict[str, Any]]:
        """Entries of the unit; journald may still be reading the last ones."""
        self.run("journalctl", "--sync", check=False)
        lines = self.run("journalctl", "-u", "alertd", "-o", "json", "--no-pager", *matches, check=False).stdout
        return [json.loads(line) for line in lines.splitlines()]

    def said(self, event: str) -> list[dict[str, Any]]:
        """Lines of the daemon with this text."""
        texts = [entry["MESSAGE"] for entry in self.journal("SYSLOG_IDENTIFIER=alertd")]
        lines = [json.loads(text) for text in texts if isinstance(text, str) and text.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def until(self, question: Callable[[], object]) -> None:
        give_up = time.monotonic() + PATIENCE_SECONDS
        while not question():
            assert time.monotonic() < give_up, self.last_words()
            time.sleep(0.1)

    def last_words(self) -> str:
        command = ["nsenter", "-t", str(self.init), "-a", "journalctl", "-n", "40", "--no-pager", "-o", "cat"]
        return "\n" + subprocess.run(command, capture_output=True, text=True).stdout


@contextmanager
def booted() -> Iterator[Machine]:
    """Raises CannotBoot, with the reason."""
    _require()
    folder = Path(tempfile.mkdtemp(prefix="alertd-machine-"))
    with _overlay(folder) as root, (folder / "boot.log").open("w+b") as log:
        (root / PACKAGES.relative_to("/")).mkdir()
        command = [
            "systemd-nspawn",
            "-q",
            "-D",
            root,
            "--register=no",
            "--keep-unit",
            f"--machine=alertd-test-{os.getpid()}",
        ]
        site = sysconfig.get_path("purelib")
        command += ["--private-network", "--console=pipe", f"--bind-ro={site}:{PACKAGES}"]
        command += ["-b", "systemd.unit=basic.target"]  # the services of this machine stay off
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        try:
            yield _up(root, process, folder / "boot.log")
        finally:
            _off(process)
    shutil.rmtree(folder, ignore_errors=True)


def _require() -> None:
    if os.geteuid() != 0:
        raise CannotBoot("only root can")
    missing = [name for name in ("systemd-nspawn", "nsenter", "mount") if shutil.which(name) is None]
    if missing:
        raise CannotBoot(f"{', '.join(missing)} not installed (Debian: systemd-container)")
    if not PYTHON.exists():
        raise CannotBoot(f"no {PYTHON}, which the sandbox could reach and whose packages are installed here")


@contextmanager
def _overlay(folder: Path) -> Iterator[Path]:
    memory, root = folder / "memory", folder / "memory" / "root"
    memory.mkdir()
    _mount("-t", "tmpfs", "-o", "size=2g,mode=755", "alertd-test", memory)
    try:
        upper, work = memory / "upper", memory / "work"
        for each in (upper, work, root):
            each.mkdir()
        _mount("-t", "overlay", "overlay", "-o", f"lowerdir=/,upperdir={upper},workdir={work}", root)
        try:
            yield root
        finally:
            subprocess.run(["umount", "-l", root], check=False)
    finally:
        subprocess.run(["umount", "-l", memory], check=False)


def _mount(*arguments: str | Path) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        raise CannotBoot(done.stderr.strip())


def _up(root: Path, process: subprocess.Popen[bytes], log: Path) -> Machine:
    """The machine once it runs. The first child of nspawn only prepares; asked is whichever is there."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    give_up = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < give_up:
        with suppress(OSError, IndexError):
            machine = Machine(root, int(children.read_text().split()[0]))
            state = machine.systemctl("is-system-running", check=False).stdout.strip()
            if state in {"running", "degraded"}:
                return machine
        time.sleep(0.1)
    raise CannotBoot(f"systemd does not come up in a container: {log.read_text(errors='replace')[-300:].strip()}")


def _off(process: subprocess.Popen[bytes]) -> None:
    """Of the machine nothing is to be kept: no orderly shutdown."""
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
