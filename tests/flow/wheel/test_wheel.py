"""The wheel, built from the files of the repository and installed where the checkout cannot help it."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]


def _run(*command: str | Path, cwd: Path) -> str:
    """What a command prints; outside the checkout, and without this environment's paths."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def _files() -> list[str]:
    command = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [each for each in listed if each and (ROOT / each).exists()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in _files():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    _run(sys.executable, "-m", "build", "--wheel", "--outdir", out, source, cwd=out)
    [made] = out.iterdir()
    return made


def test_it_holds_every_module_and_table_of_the_rooms_and_no_test(wheel: Path) -> None:
    rooms = ("adapters/", "config/", "gateway/", "messages/", "queue/")
    expected = {f"tongguan/{name}" for name in _files() if name.startswith(rooms)}

    with zipfile.ZipFile(wheel) as file:
        held = {name for name in file.namelist() if name.startswith("tongguan/")}

    assert held - {"tongguan/__init__.py"} == expected


def test_it_runs_the_demo_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    bin_ = tmp_path / "venv" / "bin"
    _run(bin_ / "pip", "install", "--quiet", "--disable-pip-version-check", wheel, cwd=tmp_path)

    where = _run(bin_ / "python", "-c", "import tongguan; print(tongguan.__file__)", cwd=tmp_path)
    shown = _run(bin_ / "tongguan", "demo", "--lang", "en", cwd=tmp_path)

    assert Path(where.strip()).is_relative_to(tmp_path)
    assert "as expected: 500 cases" in shown
    assert any((tmp_path / "var" / "demo" / "sent").rglob("CEB621Message_*.xml"))
