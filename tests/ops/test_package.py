"""What is shipped is whole: the wheel runs in an empty environment, and the source archive makes the same wheel."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def built(source: Path, folder: Path, *targets: str) -> Path:
    """The folder with what was built; nothing is downloaded."""
    chosen = [word for target in targets for word in ("-t", target)]
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", *chosen, "-d", folder],
        cwd=source,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(ROOT, tmp_path_factory.mktemp("dist"), "sdist", "wheel")


@pytest.fixture(scope="module")
def source(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, unpacked."""
    [archive] = dist.glob("*.tar.gz")
    folder = tmp_path_factory.mktemp("source")
    with tarfile.open(archive) as files:
        files.extractall(folder, filter="data")
    [unpacked] = folder.iterdir()
    return unpacked


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`bin` of an environment that has the wheel, and its dependencies from where they are installed already."""
    home = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    packages = home / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    [wheel] = dist.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--python", home / "bin" / "python", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--ignore-installed", wheel], check=True)
    return home / "bin"


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as files:
        return {name for name in files.namelist() if not name.endswith("/RECORD")}


def run(installed: Path, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """As a person who has nothing but the installation."""
    environ = {"PATH": os.defpath, "HOME": str(folder)}
    return subprocess.run([installed / words[0], *words[1:]], capture_output=True, text=True, cwd=folder, env=environ)


def test_everything_in_the_package_is_in_the_wheel(dist: Path) -> None:
    ours = {file for file in (ROOT / "alertd").rglob("*") if file.is_file() and "__pycache__" not in file.parts}
    [wheel] = dist.glob("*.whl")

    assert {str(file.relative_to(ROOT)) for file in ours} - names(wheel) == set()


@pytest.mark.parametrize(
    "name",
    [
        "alertd/schema.sql",
        "alertd/config.example.toml",
        "alertd/py.typed",
        "data/lib/systemd/system/alertd.service",
        "data/lib/systemd/system/alertd.socket",
        "data/share/alertd/monitoring/alertd.rules.yml",
        "licenses/LICENSE",
    ],
)
def test_the_wheel_has_what_an_operator_needs(dist: Path, name: str) -> None:
    [wheel] = dist.glob("*.whl")

    assert any(found.endswith(name) for found in names(wheel))


def test_tests_stay_out_of_the_wheel(dist: Path) -> None:
    [wheel] = dist.glob("*.whl")

    assert {name for name in names(wheel) if "tests/" in name or "__pycache__" in name} == set()


def test_the_source_archive_makes_the_same_wheel(dist: Path, source: Path, tmp_path: Path) -> None:
    [direct] = dist.glob("*.whl")
    [again] = built(source, tmp_path, "wheel").glob("*.whl")

    assert names(again) == names(direct)


def test_the_source_archive_can_be_worked_on(source: Path) -> None:
    wanted = (
        "Makefile",
        "requirements.lock",
        "CONTRIBUTING.md",
        "Containerfile",
        "docs/operations.md",
        "tests/conftest.py",
    )

    assert [name for name in wanted if not (source / name).exists()] == []


def test_the_installed_program_is_the_one_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    found = run(installed, "python", "-c", "import alertd; print(alertd.__file__)", folder=tmp_path)

    assert found.stdout.startswith(str(installed.parent))


@pytest.mark.parametrize("words", [("check-config",), ("schema", "print")], ids=" ".join)
def test_the_installed_program_runs(installed: Path, tmp_path: Path, words: tuple[str, ...]) -> None:
    done = run(installed, "alertd", *words, folder=tmp_path)

    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


def test_the_container_is_made_of_what_is_there() -> None:
    lines = (ROOT / "Containerfile").read_text().splitlines()
    copied = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    asked = [line for line in lines if "urlopen" in line]

    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert "/-/healthy" in asked[0]
    assert 'ENTRYPOINT ["alertd"]' in lines
    assert "USER alertd" in lines
