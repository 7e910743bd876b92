"""Which alertd this is."""

from typer.testing import CliRunner

from alertd import __version__
from alertd.cli import command_line


def test_the_version_is_printed_alone() -> None:
    shown = CliRunner().invoke(command_line(), ["--version"])

    assert (shown.exit_code, shown.output) == (0, f"{__version__}\n")
