"""How the house is built: rooms, arrows, packages, and fault codes that are used and known."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tongguan.messages.faults import fault_kinds

ROOT = Path(__file__).parents[2]
ROOMS = ("messages", "queue", "adapters", "config", "gateway")
ARROWS = {
    "messages": set(),
    "config": {"messages"},
    "queue": {"config", "messages"},
    "adapters": {"config", "messages"},
    "gateway": {"adapters", "queue", "config", "messages"},
}
"""Which room may know which others."""


@cache
def _files() -> tuple[Path, ...]:
    """Every Python file of the repository, whether added to it already or not."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "*.py"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return tuple(Path(name) for name in listed.split("\0") if name and (ROOT / name).exists())


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"), str(path))


def _in_rooms() -> Iterator[Path]:
    return (path for path in _files() if path.parts[0] in ROOMS)


def _imported(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every module of ours a file imports, as parts from the root: (line, ("messages", "faults"))."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.ImportFrom) and node.level:
            package = path.parent.parts[: len(path.parent.parts) - node.level + 1]
            base = (*package, *(node.module or "").split(".")) if node.module else package
            yield from ((node.lineno, base if len(base) else (alias.name,)) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tongguan":
            base = tuple((node.module or "").split(".")[1:])
            yield from ((node.lineno, base or (alias.name,)) for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "tongguan":
                    yield node.lineno, tuple(alias.name.split(".")[1:])


def test_the_rooms_are_read_at_all() -> None:
    assert {path.parts[0] for path in _in_rooms()} == set(ROOMS)
    assert any(target[0] == "messages" for path in _in_rooms() for _, target in _imported(path))


def test_arrows_between_rooms_run_one_way() -> None:
    wrong = [
        f"{path}:{line} -> {'.'.join(target)}"
        for path in _in_rooms()
        for line, target in _imported(path)
        if target[0] in ROOMS and target[0] != path.parts[0] and target[0] not in ARROWS[path.parts[0]]
    ]

    assert wrong == []


def test_rooms_know_each_other_by_relative_imports() -> None:
    """Alembic loads the migrations from outside the package, so they alone import it by name."""
    absolute = [
        f"{path}:{node.lineno}"
        for path in _in_rooms()
        if "migrations" not in path.parts
        for node in ast.walk(_tree(path))
        if (isinstance(node, ast.ImportFrom) and not node.level and (node.module or "").split(".")[0] == "tongguan")
        or (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "tongguan" for alias in node.names))
    ]

    assert absolute == []


def test_nothing_imports_the_tests() -> None:
    assert [path for path in _files() for _, target in _imported(path) if target[:1] == ("tests",)] == []


def test_the_store_knows_no_step_and_no_rule_decides_by_the_store() -> None:
    pure = {"taking", "linking", "states", "declaring", "deciding", "inventory", "ledger", "receiving", "amounts",
            "evidence", "packing", "cases"}  # fmt: skip
    wrong = [
        f"{path}:{line} -> {'.'.join(target)}"
        for path in _in_rooms()
        if path.parts[0] == "gateway" and (path.parts[1] == "rules" or (len(path.parts) == 2 and path.stem in pure))
        for line, target in _imported(path)
        if target[:2] in {("gateway", "store"), ("gateway", "steps"), ("gateway", "composition")}
    ]

    assert wrong == []


@pytest.mark.parametrize("name", ["time", "random", "os", "secrets", "asyncio", "socket", "sqlite3"])
def test_what_is_decided_asks_no_clock_no_chance_and_no_disk(name: str) -> None:
    pure = {"taking", "linking", "states", "declaring", "deciding", "inventory", "ledger", "receiving", "amounts",
            "evidence", "cases"}  # fmt: skip
    wrong = [
        f"{path}:{node.lineno}"
        for path in _in_rooms()
        if path.parts[0] == "gateway" and len(path.parts) == 2 and path.stem in pure
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Import) and name in {alias.name.split(".")[0] for alias in node.names}
    ]

    assert wrong == []


def test_queue_is_no_regular_package_or_it_would_shadow_the_standard_one() -> None:
    assert not (ROOT / "queue" / "__init__.py").exists()


def test_the_root_holds_its_version_and_no_other_module() -> None:
    assert [path.name for path in _files() if len(path.parts) == 1] == ["__init__.py"]


def test_the_packages_of_the_distribution_are_those_on_the_disk() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        listed = tomllib.load(file)["tool"]["setuptools"]["packages"]
    folders = {path.parent for path in _in_rooms() if "migrations" not in path.parts}

    on_disk = {"tongguan", *(".".join(("tongguan", *folder.parts)) for folder in folders)}

    assert sorted(listed) == sorted(on_disk)


def test_every_folder_of_a_room_but_queue_is_a_regular_package() -> None:
    folders = {path.parent for path in _in_rooms() if "migrations" not in path.parts and path.parts[0] != "queue"}

    assert [str(folder) for folder in folders if not (ROOT / folder / "__init__.py").exists()] == []


def test_no_module_that_could_be_imported_by_its_bare_name_shadows_the_standard_library() -> None:
    """The root is the package, so a module or folder there is one directory away from the path of any script."""
    top = {str(path).split("/", 1)[0].removesuffix(".py") for path in _files()} - {"__init__"}
    importable = {name for name in top if (ROOT / name / "__init__.py").exists() or (ROOT / f"{name}.py").exists()}

    assert importable & sys.stdlib_module_names == set()


def test_the_tests_are_no_packages() -> None:
    assert [path for path in _files() if path.parts[0] == "tests" and path.name == "__init__.py"] == []


def _strings(path: Path) -> Iterator[str]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _named_faults(path: Path) -> Iterator[tuple[int, str]]:
    """Every code that stands where a fault is made: ``fault("code", ...)``."""
    for node in ast.walk(_tree(path)):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        first = node.args[0]
        if name == "fault" and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield node.lineno, first.value


def test_every_fault_that_is_made_is_in_the_table() -> None:
    unknown = [
        f"{path}:{line} {code}"
        for path in _in_rooms()
        for line, code in _named_faults(path)
        if code not in fault_kinds()
    ]

    assert unknown == []


def _composed(path: Path) -> Iterator[str]:
    """Codes that a file puts together from a beginning and one of its own texts: ``fault(f"signature-{step}")``."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            yield from (f"{node.values[0].value}{text}" for text in _strings(path))


def test_every_fault_of_the_table_is_made_somewhere() -> None:
    said = {text for path in _in_rooms() for text in (*_strings(path), *_composed(path))}

    assert sorted(set(fault_kinds()) - said) == []


@pytest.mark.parametrize("code", fault_kinds())
def test_a_fault_says_what_is_wrong_and_what_to_do_in_both_languages(code: str) -> None:
    kind = fault_kinds()[code]

    for zh, en in ((kind.zh, kind.en), (kind.do_zh, kind.do_en)):
        assert not zh.isascii()
        assert en
        assert not zh.endswith("。") or zh == kind.do_zh
        assert not en.endswith(".") or en == kind.do_en


def test_nothing_in_the_rooms_prints_or_leaves_a_note_to_itself() -> None:
    notes = [
        f"{path}: {mark}"
        for path in _in_rooms()
        for mark in ("TODO", "FIXME", "XXX ", "type: ignore", "pragma: no cover")
        if mark in (ROOT / path).read_text("utf-8")
    ]

    assert notes == []
