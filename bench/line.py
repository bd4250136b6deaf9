"""The line under test: servers, gateway, simulated customs and pusher, each a process of its own, and its runs."""

import asyncio
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.request import urlopen

from load import write_load
from processes import cpu_seconds, peak_bytes

from tongguan.config.settings import SETTINGS
from tongguan.gateway.composition import now_ms
from tongguan.gateway.sample.operators import write_operators

HERE = Path(__file__).parent
PROGRAM = Path(sys.executable).with_name("tongguan")
START_S = 30
STOP_S = 30
PLAIN = "eports/zhengzhou-1210"
"""The e-port of the example set that takes messages without an envelope."""
LATENCY_MS = "5..50"
OPERATORS, LOAD, JOURNAL = "operators", "load.jsonl", "journal.json"
_SENT = """
    SELECT cases.order_no, min(messages.sent_at)::float8, sum(messages.sends)::int
    FROM messages
    JOIN declarations ON declarations.message_id = messages.id
    JOIN cases ON cases.id = declarations.case_id
    WHERE messages.sends > 0
    GROUP BY cases.order_no
"""
_SENT_BY_BASELINE = """
    SELECT order_no, min(sent_at)::float8, count(*)::int FROM declared WHERE sent_at IS NOT NULL GROUP BY order_no
"""
_STATEMENTS = re.compile(r"^tongguan_statements_total (\S+)$", re.MULTILINE)

Say = Callable[[str], None]
Advanced = Callable[[int, int], None]
"""Told how many triples are accepted and how many are finished."""


class LineError(Exception):
    """The line could not be run; the text says why."""


def _services() -> ModuleType:
    """Where the tests have RabbitMQ and PostgreSQL from."""
    place = HERE.parent / "tests" / "services.py"
    spec = importlib.util.spec_from_file_location("tongguan_test_services", place)
    if spec is None or spec.loader is None:
        raise LineError(f"no {place}")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run was: the pusher's journal, when each order was handed over, and what it took.

    Moments are milliseconds UTC by order number. ``cpu_s`` is by process, for ``count`` triples; ``statements`` counts
    those of the gateway, None where nobody counts; ``sent`` says how many declarations of each order left the house.
    """

    count: int
    journal: Mapping[str, Any]
    handed_over: Mapping[str, float]
    sent: Mapping[str, int]
    cpu_s: Mapping[str, float]
    peak_bytes: int
    statements: float | None


@dataclass
class Servers:
    """RabbitMQ and PostgreSQL with what a user would run: ``fsync`` on, defaults else."""

    services: ModuleType
    rabbitmq: Any
    postgresql: Any


@contextmanager
def servers(say: Say) -> Iterator[Servers]:
    """Both servers, started and stopped; raises LineError when one cannot be had."""
    services = _services()
    with ExitStack() as stack:
        try:
            found = Servers(services, services.rabbitmq(say), services.postgresql(say, durable=True))
            for each in (found.rabbitmq, found.postgresql):
                stack.callback(each.stop)
                each.start()
        except services.UnavailableError as reason:
            raise LineError(str(reason)) from None
        yield found


@dataclass
class Line:
    """One line on an empty virtual host, an empty database and a new folder.

    ``workers`` is how many ``tongguan serve`` share the work; with 0 the baseline is served instead.
    """

    servers: Servers
    folder: Path
    workers: int
    vhost: str
    store_url: str
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    files: ExitStack = field(default_factory=ExitStack)
    ports: list[int] = field(default_factory=list)

    def prepare(self) -> None:
        """Operators' folder, keys and schema."""
        write_operators(self.folder / OPERATORS)
        # the example set is in a hurry; what is measured runs on the defaults
        (self.folder / OPERATORS / SETTINGS).write_text("", "utf-8")
        for path in (self.folder / OPERATORS / "eports").iterdir():
            path.write_text(_inventories_only(path.read_text("utf-8")), "utf-8")
        for command in ("keys", "migrate"):
            if self._start(command, PROGRAM, command, *self._config()).wait(START_S):
                raise LineError(self.tail(command))

    def serve(self) -> None:
        """Start the gateway's processes, or the baseline, and the simulated customs."""
        for number in range(self.workers):
            self.ports += self.servers.services.free_ports(1)
            variables = {"TONGGUAN_HTTP_PORT": str(self.ports[-1])}
            self._start(f"gateway-{number}", PROGRAM, "serve", *self._config(), **variables)
        if not self.workers:
            self._start("gateway-0", sys.executable, HERE / "baseline.py", self.folder / OPERATORS)
        _until(self._is_ready, lambda: self.tail("gateway-0"))
        self._start("simulator", PROGRAM, "simulate", *self._config(), "--latency-ms", LATENCY_MS, "--seed", "1")

    def run(self, seed: int, count: int, per_delivery: int, rate: float, advanced: Advanced) -> Measured:
        """Push so many triples and wait for the last one; ``rate`` a second, 0 for as fast as the broker takes them."""
        write_load(self.folder / LOAD, seed, now_ms(), count, per_delivery)
        pusher = self._pusher(rate)
        # what has to do with making ready is no work on triples
        before, statements = self._cpu(), self._statements()
        _tell(pusher, "go")
        for line in pusher.stdout or ():
            told = json.loads(line)
            advanced(told["accepted"], told["finished"])
        used = {name: seconds - before[name] for name, seconds in self._cpu().items()}
        more = self._statements()
        if pusher.wait():
            raise LineError(self.tail("pusher"))
        journal = json.loads((self.folder / JOURNAL).read_text("utf-8"))
        rows = asyncio.run(self._sent())
        return Measured(
            count,
            journal,
            {order: at for order, at, _ in rows if order in journal["pushed"]},
            {order: times for order, _, times in rows if order in journal["pushed"]},
            used | {"pusher": journal["cpuSeconds"]},
            max(peak_bytes(each.pid) for each in self._gateways()),
            None if statements is None or more is None else more - statements,
        )

    def largest_message(self) -> Path:
        """The largest plain message that was handed over."""
        kept = self.folder / "data" / PLAIN / "archive" / "sent"
        return max(kept.iterdir(), key=lambda path: path.stat().st_size)

    @property
    def amqp_url(self) -> str:
        """The broker, with the line's virtual host."""
        return self.servers.rabbitmq.url(self.vhost)

    def close(self) -> None:
        """Stop what runs, and remove virtual host and database."""
        for process in reversed(self.running.values()):
            process.terminate()
        for process in self.running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)
            process.kill()
        self.files.close()
        self.servers.rabbitmq.drop_vhost(self.vhost)
        asyncio.run(self.servers.postgresql.drop_database(self.store_url))

    def tail(self, name: str) -> str:
        """The end of what a process printed."""
        return (self.folder / f"{name}.log").read_text("utf-8", "replace")[-2000:]

    def _config(self) -> tuple[str, Path]:
        return "--config", self.folder / OPERATORS

    def _environment(self) -> dict[str, str]:
        data = self.folder / "data"
        return os.environ | {
            "TONGGUAN_DATA_FOLDER": str(data),
            "TONGGUAN_KEYS_FILE": str(data / "keys.toml"),
            "TONGGUAN_SEALS_FILE": str(data / "seals.jsonl"),
            "TONGGUAN_BUS_URL": self.amqp_url,
            "TONGGUAN_STORE_URL": self.store_url,
        }

    def _start(self, name: str, *command: str | Path, **variables: str) -> subprocess.Popen[bytes]:
        log = self.files.enter_context((self.folder / f"{name}.log").open("wb"))
        process = subprocess.Popen(  # noqa: S603 - our own programs
            command, env=self._environment() | variables, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
        self.running[name] = process
        return process

    def _pusher(self, rate: float) -> subprocess.Popen[str]:
        """A pusher that is about to push."""
        paths = (self.folder / LOAD, self.folder / JOURNAL)
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, HERE / "pusher.py", *paths, str(rate)],
            env=os.environ | {"BENCH_AMQP_URL": self.amqp_url},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.files.enter_context((self.folder / "pusher.log").open("w")),
            text=True,
        )
        if process.stdout is None or "ready" not in process.stdout.readline():
            process.kill()
            raise LineError(self.tail("pusher"))
        return process

    def _gateways(self) -> list[subprocess.Popen[bytes]]:
        return [process for name, process in self.running.items() if name.startswith("gateway")]

    def _is_ready(self) -> bool:
        if not self.ports:
            return b"ready" in (self.folder / "gateway-0.log").read_bytes()
        return all(_answers(f"http://127.0.0.1:{port}/health/ready") for port in self.ports)

    def _cpu(self) -> dict[str, float]:
        roots = {
            "gateway": [each.pid for each in self._gateways()],
            "broker": self.servers.rabbitmq.pids(),
            "database": self.servers.postgresql.pids(),
            "simulator": [self.running["simulator"].pid],
        }
        return {name: cpu_seconds(pids) for name, pids in roots.items()}

    def _statements(self) -> float | None:
        texts = [_read(f"http://127.0.0.1:{port}/metrics") for port in self.ports]
        return sum(float(_STATEMENTS.findall(text)[0]) for text in texts) if texts else None

    async def _sent(self) -> list[tuple[str, float, int]]:
        """Every order whose inventory was handed over, when, and how often."""
        import asyncpg

        connection = await asyncpg.connect(self.store_url)
        try:
            return [tuple(row) for row in await connection.fetch(_SENT if self.workers else _SENT_BY_BASELINE)]
        finally:
            await connection.close()


@contextmanager
def line(found: Servers, folder: Path, workers: int) -> Iterator[Line]:
    """A line at work, closed in the end; raises LineError when it does not start."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    store_url = asyncio.run(found.postgresql.new_database())
    made = Line(found, folder, workers, found.rabbitmq.new_vhost(), store_url)
    try:
        made.prepare()
        made.serve()
        yield made
    finally:
        made.close()


def _inventories_only(eport: str) -> str:
    """An e-port to which others declare order, payment and waybill, as fast as we can hand over inventories."""
    eport = re.sub(r"^declares = .*$", 'declares = ["621"]', eport, flags=re.MULTILINE)
    eport = re.sub(r"^\[pace\]\n(?:\w.*\n)*", "", eport, flags=re.MULTILINE)
    limited = re.sub(r"^in_flight_max = \d+", "in_flight_max = 1000", eport, flags=re.MULTILINE)
    return limited if limited != eport else f"{eport}\n[limits]\nin_flight_max = 1000\n"


def _until(check: Callable[[], bool], else_say: Callable[[], str]) -> None:
    end = time.monotonic() + START_S
    while not check():
        if time.monotonic() > end:
            raise LineError(else_say())
        time.sleep(0.05)


def _answers(url: str) -> bool:
    with suppress(OSError):
        return bool(_read(url))
    return False


def _read(url: str) -> str:
    with urlopen(url, timeout=5) as answer:  # noqa: S310 - our own gateway on the loopback address
        return answer.read().decode()


def _tell(process: subprocess.Popen[str], what: str) -> None:
    if process.stdin:
        process.stdin.write(f"{what}\n")
        process.stdin.flush()
