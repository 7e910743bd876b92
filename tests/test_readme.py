"""The README and the guide for contributors speak of this program, and not of one that was."""

import re
import tomllib
from pathlib import Path

import pytest
import typer

from alertd.cli import commands
from alertd.config import load

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/webhooks.md", "docs/operations.md")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["notify"]]


def slug(heading: str) -> str:
    """How a heading is named in a link."""
    return re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-")


def linked(page: str) -> set[tuple[str, str]]:
    """File and heading of every link that stays in this project."""
    targets = re.findall(r"\]\(([^)\s]+)\)", (ROOT / page).read_text())
    here = [target.partition("#") for target in targets if "://" not in target]
    folder = Path(page).parent
    return {(str(folder / file) if file else page, anchor) for file, _, anchor in here}


def headings(page: str) -> set[str]:
    return {slug(found) for found in re.findall(r"^#+ (.+)$", (ROOT / page).read_text(), re.MULTILINE)}


def commands_known() -> set[str]:
    """As people type them: `sweep`, `credentials put`."""
    app = typer.Typer()
    commands.register(app)
    groups = {group.name: group.typer_instance.registered_commands for group in app.registered_groups}
    inner = {f"{name} {word.name or word.callback.__name__}" for name, words in groups.items() for word in words}
    return inner | {command.name for command in app.registered_commands}


COMMANDS = commands_known()


def commands_named(page: str) -> set[str]:
    """In code only: prose says `alertd` as well."""
    found = re.findall(r"(?:^|`|bin/|\()alertd ([a-z][a-z-]*)(?: ([a-z-]+))?", (ROOT / page).read_text(), re.MULTILINE)
    return {first if first in COMMANDS else f"{first} {second}" for first, second in found}


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    lost = {(file, anchor) for file, anchor in linked(page) if anchor and anchor not in headings(file)}

    assert {file for file, _ in linked(page) if not (ROOT / file).exists()} == set()
    assert lost == set()


def test_every_room_is_named() -> None:
    rooms = {path.name + "/" if path.is_dir() else path.name for path in (ROOT / "alertd").glob("[a-z]*")}

    assert {room for room in rooms - {"py.typed"} if f"`{room}`" not in README} == set()


@pytest.mark.parametrize("package", [re.split(r"[^\w-]", package)[0] for package in PACKAGES])
def test_every_dependency_has_its_reason(package: str) -> None:
    assert re.search(rf"^\| .*`{package}`.* \| .+ \|$", README, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_is_named_exists(page: str) -> None:
    assert commands_named(page) - COMMANDS == set()


def test_commands_are_found_in_a_page() -> None:
    assert {"run", "sweep", "credentials put", "webhooks listen"} <= commands_named("README.md")


def test_the_settings_for_production_load(tmp_path: Path) -> None:
    [settings] = re.findall(r"```toml\n(.+?)```", README, re.DOTALL)
    file = tmp_path / "alertd.toml"
    file.write_text(settings.replace("/etc/alertd/secrets", str(tmp_path)))
    (tmp_path / "database_dsn").write_text("postgresql://alertd:x@db.example.com/alertd\n")
    (tmp_path / "vault_secret_id").write_text("id\n")
    (tmp_path / "notify_ops").write_text("json://example.com\n")

    loaded = load(file, {"HOME": "/home/ops"})

    assert (loaded.secrets.backend, loaded.notify[0].name) == ("vault", "ops")
