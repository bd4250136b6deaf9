"""Documents of clean cases, and desks that decide about them in memory."""

from typing import Any

import pytest


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
