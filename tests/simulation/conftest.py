"""The ground on which every seed is lived."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from simulated.ground import Ground
from simulated.life import AT_MS, Life, live


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for a ``seed`` is run with each."""
    if "seed" in metafunc.fixturenames:
        options = metafunc.config.option
        metafunc.parametrize("seed", range(options.seeds) if options.seed is None else [options.seed])


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """An operators' folder, its keys and an empty store."""
    return Ground.prepare(tmp_path_factory.mktemp("simulation"), AT_MS)


@pytest.fixture(scope="session")
def steady(sets: Any) -> list[str]:
    """The scenarios whose outcome is the same in any order of events."""
    return sets.steady_names(0, AT_MS)


@pytest.fixture
def lived(ground: Ground, steady: list[str], monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Life]:
    """Lives through a seed: a process that dies loses nothing the kernel has, so nothing is synced to the disk."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    return lambda seed: live(ground, steady, seed)
