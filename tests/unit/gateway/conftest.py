"""The builders in ``triples.py``, loaded from their place because test files are not importable by name."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="session")
def triples() -> ModuleType:
    """Clean documents, e-ports, contexts, and a desk that decides in memory."""
    spec = importlib.util.spec_from_file_location("tongguan_triples", Path(__file__).with_name("triples.py"))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def document(triples: Any) -> Any:
    """Make one document of a clean case: ``document("order", number, mode, orderNo=...)``."""
    return triples.document


@pytest.fixture
def desk(triples: Any) -> Any:
    """An empty desk."""
    return triples.Desk()


@pytest.fixture
def clean(desk: Any) -> Any:
    """A desk with the clean triple, its transport and goods, not decided yet."""
    desk.put_all()
    return desk
