"""The unit file is one that systemd understands, and as closed as a service on the Internet can be."""

import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "systemd" / "alertd.service"
PROGRAM = "/opt/alertd/bin/alertd"

pytestmark = pytest.mark.systemd


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists here."""
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text().replace(PROGRAM, "/bin/true"))
    return copy


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True)


def test_every_line_is_understood(unit):
    assert analyze("verify", unit).stderr == ""


def test_socket_unit_is_understood(unit):
    shipped = UNIT.with_suffix(".socket")
    socket = unit.with_suffix(".socket")
    socket.write_text(shipped.read_text())

    assert analyze("verify", socket, unit).stderr == ""


def test_misspelt_line_would_be_noticed(unit):
    unit.write_text(unit.read_text().replace("ProtectSystem=", "ProtectSytem="))

    assert "ProtectSytem" in analyze("verify", unit).stderr


def test_exposure_is_as_low_as_it_gets(unit):
    assert analyze("security", "--offline=true", "--threshold=11", unit).returncode == 0
