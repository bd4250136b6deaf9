from collections.abc import Callable
from pathlib import Path

import pytest
from lxml.etree import _Element as Element

from tongguan.messages.codec import Codec, load_codec
from tongguan.messages.xml import parse

DATA = Path(__file__).parents[3] / "data" / "ceb"


@pytest.fixture(scope="session")
def codec() -> Codec:
    return load_codec()


@pytest.fixture(scope="session")
def sample() -> Callable[[str], bytes]:
    """The bytes of our own valid example of a message type."""
    return lambda code: (DATA / f"{code}.xml").read_bytes()


@pytest.fixture
def tree(sample: Callable[[str], bytes]) -> Callable[[str], Element]:
    """The same, parsed afresh."""
    return lambda code: parse(sample(code))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "each_type" in metafunc.fixturenames:
        metafunc.parametrize("each_type", sorted(file.stem for file in DATA.glob("*.xml")))
