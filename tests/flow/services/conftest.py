"""The gateway as it is run for work: its processes, RabbitMQ, PostgreSQL, drop folders and a simulated customs."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from urllib.request import urlopen

import pytest

from tongguan.gateway.composition import now_ms, open_database
from tongguan.gateway.demo import make_set
from tongguan.gateway.sample.expectation import DeliveryOutcome, Expectation, Outcome
from tongguan.gateway.sample.files import INPUT, OPERATORS, SCRIPT, read_expected
from tongguan.gateway.sample.generate import SampleSet, generate
from tongguan.gateway.sample.observing import answered, observed_cases
from tongguan.gateway.store.database import in_transaction
from tongguan.messages.documents.answers import Answer

PROGRAM = Path(sys.executable).with_name("tongguan")
CLIENT = Path(__file__).with_name("client.py")
START_S = 30
GATEWAY = "tongguan-gateway"
JOURNAL = "journal.jsonl"
AT_ONCE = {
    "TONGGUAN_DISPATCH_POLL_MS": "20",
    "TONGGUAN_RECEIVE_POLL_MS": "20",
    "TONGGUAN_ROUTE_POLL_MS": "20",
    "TONGGUAN_TEND_POLL_MS": "100",
    "TONGGUAN_DISPATCH_LEASE_SECONDS": "5",
    "TONGGUAN_ROUTE_LEASE_SECONDS": "5",
    "TONGGUAN_TEND_LEASE_SECONDS": "5",
    "TONGGUAN_LOG_FORMAT": "json",
}


@dataclass
class Line:
    """One gateway with everything around it; what it prints lies in ``folder``."""

    folder: Path
    rabbitmq: Any
    vhost: str
    store_url: str
    http_port: int
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    files: ExitStack = field(default_factory=ExitStack)

    def amqp_url(self, account: str = "") -> str:
        """The broker as an account sees it, whose password is its name; by default one that may do everything."""
        return self.rabbitmq.url(self.vhost, account, account)

    def start(self, name: str, *command: str | Path) -> subprocess.Popen[bytes]:
        """Start a program and keep what it prints in ``<name>.log``."""
        log = self._log(name)
        environment = os.environ | AT_ONCE | {
            "TONGGUAN_BUS_URL": self.amqp_url(GATEWAY),
            "TONGGUAN_STORE_URL": self.store_url,
            "TONGGUAN_HTTP_PORT": str(self.http_port),
        }  # fmt: skip
        self.running[name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=self.folder)
        return self.running[name]

    def prepare(self, sample: SampleSet) -> None:
        """Write the set, and make ready what an operator does: accounts of the senders, keys, database."""
        make_set(sample, self.folder)
        for each in (self.folder / OPERATORS / "eports").glob("*.toml"):
            _resend_soon(each)
        self._account(GATEWAY, r"^tongguan\..*$", r"^(tongguan\..*|amq\.default)$", r"^tongguan\..*$")
        for party in {each.name.split(".")[1] for each in (self.folder / INPUT).iterdir()}:
            own = rf"^(tongguan\.answers\.{party}|amq\.gen-.*)$"
            self._account(party, r"^amq\.gen-.*$", r"^(tongguan\.documents|amq\.gen-.*)$", own)
        for command in ("keys", "migrate"):
            assert self.run(command) == 0

    def run(self, *command: str) -> int:
        """Run one of our commands to its end; its exit code."""
        return self.start(command[0], PROGRAM, *command, "--config", self.folder / OPERATORS).wait(START_S)

    def serve(self) -> None:
        """Start the gateway and wait until it takes deliveries."""
        self.start("serve", PROGRAM, "serve", "--config", self.folder / OPERATORS)
        _until(self.is_ready, START_S, lambda: self.said("serve"))

    def simulate(self) -> None:
        """Start the simulated customs."""
        script = self.folder / SCRIPT
        options = ("--config", self.folder / OPERATORS, "--script", script, "--latency-ms", "5..50", "--seed", "1")
        self.start("simulate", PROGRAM, "simulate", *options)

    def listen(self) -> None:
        """Start a subscriber of all results; the exchange must be there."""
        self.start("listen", sys.executable, "-I", CLIENT, self.amqp_url(), "listen", self.folder / "results.jsonl")
        _until(lambda: self.logged("listen", "listening"), START_S, lambda: self.said("listen"))

    def push(self) -> subprocess.Popen[bytes]:
        """Start pushing every delivery of the set."""
        paths = (self.folder / INPUT, self.folder / JOURNAL)
        return self.start("push", sys.executable, "-I", CLIENT, self.amqp_url(), "push", *paths)

    def restore(self, empty_url: str) -> None:
        """Back the database up as ``docs/deployment.md`` tells, and go on with what that makes of an empty one."""
        backup = self.folder / "tongguan.dump"
        for name, *arguments in (
            ("pg_dump", "--format=custom", f"--file={backup}", self.store_url),
            ("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={empty_url}", backup),
        ):
            if not (program := shutil.which(name)):
                pytest.fail(f"没有 {name}，请安装 postgresql-client / there is no {name}: install postgresql-client")
            assert self.start(name, program, *arguments).wait(START_S) == 0, self.said(name)
        self.store_url = empty_url

    def kill(self, name: str, number: int = signal.SIGKILL) -> int:
        """Send a program a signal and wait for its end; its exit code."""
        self.running[name].send_signal(number)
        return self.running.pop(name).wait(30)

    def close(self) -> None:
        """Kill what still runs."""
        for name in list(self.running):
            self.kill(name)
        self.files.close()

    def is_ready(self) -> bool:
        """Whether the gateway says so."""
        with suppress(OSError), urlopen(f"http://127.0.0.1:{self.http_port}/health/ready", timeout=5) as answer:
            return answer.status == 200
        return False

    def logged(self, name: str, text: str) -> bool:
        """Whether the present process has printed a text."""
        return text in (self.folder / f"{name}.log").read_text("utf-8")

    def audit(self) -> int:
        """Hold journal, store, folders and results against each other; the exit code."""
        told = ("--journal", self.folder / JOURNAL, "--results", self.folder / "results.jsonl")
        return self.run("audit", "--settled-minutes", "0", *map(str, told))

    def expectation(self) -> Expectation:
        """What must become of the set."""
        return read_expected(self.folder)

    def results(self) -> list[dict[str, Any]]:
        """Everything the subscriber was told so far."""
        return [json.loads(each) for each in (self.folder / "results.jsonl").read_text("utf-8").splitlines()]

    async def outcome(self) -> Outcome:
        """What became of the set so far."""
        database = open_database(self.store_url)
        try:
            cases, unmatched = await in_transaction(database, observed_cases)
        finally:
            await database.close()
        return Outcome(cases, self._deliveries(), unmatched)

    def _account(self, name: str, configure: str, write: str, read: str) -> None:
        """An account with the rights that ``docs/deployment.md`` tells; its password is its name."""
        self.rabbitmq.api("PUT", f"users/{name}", {"password": name, "tags": ""})
        self.files.callback(self.rabbitmq.drop_account, name)
        self.rabbitmq.allow(self.vhost, name, configure, write, read)

    def journal(self) -> list[dict[str, Any]]:
        """What the pusher has written down so far."""
        path = self.folder / JOURNAL
        return [json.loads(each) for each in path.read_text("utf-8").splitlines()] if path.exists() else []

    def _deliveries(self) -> dict[str, DeliveryOutcome]:
        told = [each for each in self.journal() if "documents" in each]
        return {each["correlationId"]: answered(Answer.model_validate(each)) for each in told}

    def _log(self, name: str) -> IO[bytes]:
        path = self.folder / f"{name}.log"
        if path.exists():
            path.rename(path.with_name(f"{name}-{time.monotonic_ns()}.log"))
        return self.files.enter_context(path.open("wb"))

    def said(self, name: str) -> str:
        """The end of what the present process has printed."""
        return (self.folder / f"{name}.log").read_text("utf-8")[-2000:]


def _resend_soon(eport: Path) -> None:
    """What a kill leaves in doubt is sent again after two seconds, not half an hour."""
    text = eport.read_text("utf-8")
    wait = "resend_wait_seconds = 2"
    changed, count = re.subn(r"(?m)^resend_wait_seconds\s*=\s*\d+", wait, text)
    eport.write_text(changed if count else f"{text}\n[limits]\n{wait}\n", "utf-8")


def _until(check: Callable[[], bool], limit_s: float, else_say: Callable[[], str]) -> None:
    end = time.monotonic() + limit_s
    while not check():
        if time.monotonic() > end:
            pytest.fail(else_say())
        time.sleep(0.05)


@pytest.fixture
def prompt_set(sets: Any) -> Callable[[int, int], SampleSet]:
    """Makes a set, by seed and count of cases, of every scenario that comes to its end without hours of waiting."""
    return lambda seed, count: generate(seed, at := now_ms(), count, faults=sets.prompt_names(seed, at))


@pytest.fixture
async def empty_url(postgresql: Any) -> AsyncIterator[str]:
    """The URL of a second database."""
    url = await postgresql.new_database()
    yield url
    await postgresql.drop_database(url)


@pytest.fixture
def clean_set() -> Callable[[int, int], SampleSet]:
    """Makes a set, by seed and count, of nothing but clean triples."""
    return lambda seed, count: generate(seed, now_ms(), count, faults=[])


@pytest.fixture
def steady_set(sets: Any) -> Callable[[int, int], SampleSet]:
    """Makes such a set whose cases end the same whatever stands still for a while, and in any order of arrival."""
    return lambda seed, count: generate(seed, at := now_ms(), count, faults=sets.steady_names(seed, at))


@pytest.fixture
def line(tmp_path: Path, rabbitmq: Any, vhost: str, postgres_url: str, services: Any) -> Iterator[Line]:
    """A gateway on servers of its own; ``prepare`` it first."""
    made = Line(tmp_path / "line", rabbitmq, vhost, postgres_url, services.free_ports(1)[0])
    yield made
    made.close()
