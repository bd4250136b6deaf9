"""Fixtures for every test: RabbitMQ and PostgreSQL, started when the first test asks for them, and never skipped."""

import importlib.util
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

Say = Callable[[str], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of ``tests/simulation``; they stand here because pytest asks for them before it looks there."""
    group = parser.getgroup("simulation")
    group.addoption("--seed", type=int, help="live through this seed alone, and tell all of it if it goes wrong")
    group.addoption("--seeds", type=int, default=200, help="live through so many seeds (200 unless told)")


def _loaded(name: str, *path: str) -> ModuleType:
    """A module of the tests, loaded from its place because test files are not importable by name."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).parent.joinpath(*path))
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def services() -> ModuleType:
    """Where RabbitMQ and PostgreSQL come from."""
    return _loaded("tongguan_test_services", "services.py")


@pytest.fixture(scope="session")
def triples() -> ModuleType:
    """Clean documents, e-ports, contexts, and a desk that decides in memory."""
    return _loaded("tongguan_triples", "unit", "gateway", "triples.py")


@pytest.fixture(scope="session")
def benches() -> ModuleType:
    """What a bench is made of: Bench, Wire, and the troubles a wire may have."""
    return _loaded("tongguan_bench", "steps", "bench.py")


@pytest.fixture(scope="session")
def sets() -> ModuleType:
    """Which scenarios of the example set suit which test."""
    return _loaded("tongguan_sets", "sets.py")


@pytest.fixture(scope="session")
def say(pytestconfig: pytest.Config) -> Say:
    """Tell the person at the terminal what the tests wait for."""
    capture: Any = pytestconfig.pluginmanager.getplugin("capturemanager")

    def say(line: str) -> None:
        with capture.global_and_fixture_disabled():
            sys.stderr.write(f"\n{line}")
            sys.stderr.flush()

    return say


@contextmanager
def _started(make: Callable[[Say], Any], say: Say, unavailable: type[Exception]) -> Iterator[Any]:
    with ExitStack() as stack:
        try:
            server = make(say)
            stack.callback(server.stop)
            server.start()
        except unavailable as reason:
            pytest.fail(str(reason), pytrace=False)
        yield server


@pytest.fixture(scope="session")
def rabbitmq(services: ModuleType, say: Say) -> Iterator[Any]:
    """The RabbitMQ of this session: see ``services.RabbitMQ`` for what it can do."""
    with _started(services.rabbitmq, say, services.UnavailableError) as server:
        yield server


@pytest.fixture
def vhost(rabbitmq: Any) -> Iterator[str]:
    """An empty virtual host of its own."""
    name = rabbitmq.new_vhost()
    yield name
    rabbitmq.drop_vhost(name)


@pytest.fixture
def amqp_url(rabbitmq: Any, vhost: str) -> str:
    """The URL of an empty virtual host of its own."""
    return rabbitmq.url(vhost)


@pytest.fixture(scope="session")
def postgresql(services: ModuleType, say: Say) -> Iterator[Any]:
    """The PostgreSQL of this session: see ``services.PostgreSQL`` for what it can do."""
    with _started(services.postgresql, say, services.UnavailableError) as server:
        yield server


@pytest.fixture
async def postgres_url(postgresql: Any) -> AsyncIterator[str]:
    """The URL of an empty database of its own."""
    url = await postgresql.new_database()
    yield url
    await postgresql.drop_database(url)
