"""RabbitMQ and PostgreSQL for the tests: where they come from, how they are started, killed and cleared away.

``python tests/services.py --install`` makes sure that both can be had and says how. The order is the same everywhere:

1. a server named by ``TONGGUAN_TEST_AMQP_URL`` or ``TONGGUAN_TEST_POSTGRES_URL``. Tests make virtual hosts and
   databases of their own there and remove them again; for RabbitMQ the management plugin must answer on port 15672;
2. programs installed here: a private server on free ports, in a temporary folder, one per test session;
3. Docker: one container per test session;
4. with ``--install`` only, as root on Debian or Ubuntu: ``apt-get install``, then as 2.

Whatever a session starts ends with it, even if the session is killed: a guard process waits for that.
"""

import argparse
import asyncio
import base64
import contextlib
import http.client
import json
import os
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit

AMQP_URL = "TONGGUAN_TEST_AMQP_URL"
POSTGRES_URL = "TONGGUAN_TEST_POSTGRES_URL"
RABBITMQ_IMAGE = "rabbitmq:3.13-management"
POSTGRES_IMAGE = "postgres:16"
API_PORT = 15672
START_SECONDS = 90
"""How long a server may take to answer; a busy machine with two cores needs about ten seconds."""
START_ATTEMPTS = 5
"""What was killed a moment ago may not have let go of its memory yet when it is to start again."""
ERLANG_ARGUMENTS = "-rabbit dead_letter_worker_publisher_confirm_timeout 500"
"""Dead letters that found their queue full are tried again after half a second instead of three minutes."""
PORTS = range(20000, 32000)
"""Below the ports that the kernel gives to outgoing connections, so that a restarted server finds its own again."""

MISSING = """\
没有可用的 {name}。请任选其一：安装 {package}（Debian/Ubuntu：apt-get install {package}；macOS：brew install {brew}），\
或启动 Docker,或把 {variable} 设为一台可供测试使用的服务器的地址{also_zh}。
There is no {name} to test with. Do one of these: install {package} (Debian or Ubuntu: apt-get install {package}; \
macOS: brew install {brew}), start Docker, or set {variable} to the URL of a server that tests may use{also_en}."""

GUARD = """\
cat > /dev/null
for group in "$0"/*.group; do [ -e "$group" ] && kill -s KILL -- "-$(cat "$group")"; done 2> /dev/null
for _ in 1 2 3 4 5 6 7 8 9; do rm -rf "$0" 2> /dev/null && break; sleep 0.2; done
"""
"""Waits until our end of the pipe closes, which the kernel does however we end; then kills and removes."""

Say = Callable[[str], None]


class UnavailableError(Exception):
    """A service cannot be had. The text says, in Chinese and English, what a person can do."""


class Engine(Protocol):
    """What runs a server."""

    def start(self) -> None: ...
    def kill(self) -> None: ...
    def stop(self) -> None: ...
    def is_running(self) -> bool: ...


class Folder:
    """A temporary folder, with a guard that clears away what is left of us when we are gone."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="tongguan-tests-"))
        self.path.chmod(0o711)  # PostgreSQL runs as another account and must be able to pass through
        command = ["sh", "-c", GUARD, str(self.path)]
        self._guard = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)

    def close(self) -> None:
        self._guard.communicate()


@dataclass
class Program:
    """A program in a process group of its own, known by the group's number only."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    account: str | None = None
    _process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                user=self.account,
                group=self.account,
                extra_groups=[] if self.account else None,
            )
        (self.folder / f"{self.name}.group").write_text(str(self._process.pid))

    def kill(self) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            (self.folder / f"{self.name}.group").unlink()

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None


@dataclass
class Programs:
    """A server made of programs: the last one is the server itself, the others are what it needs around it."""

    folder: Folder
    programs: Sequence[Program]

    def start(self) -> None:
        for program in self.programs:
            if not program.is_running():
                program.start()

    def kill(self) -> None:
        self.programs[-1].kill()

    def stop(self) -> None:
        for program in reversed(self.programs):
            program.kill()
        self.folder.close()

    def is_running(self) -> bool:
        return self.programs[-1].is_running()


class Container:
    """A server in Docker, on fixed ports so that it comes back where it was; testcontainers' reaper guards it."""

    def __init__(self, image: str, ports: dict[int, int], environment: dict[str, str], command: str = "") -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from testcontainers.core.container import DockerContainer
        self._container = DockerContainer(image, env=environment, command=command or None)
        for inside, outside in ports.items():
            self._container.with_bind_ports(inside, outside)
        self._started = False

    def start(self) -> None:
        if self._started:
            self._container.get_wrapped_container().start()
        else:
            self._container.start()
            self._started = True

    def kill(self) -> None:
        self._container.get_wrapped_container().kill("SIGKILL")

    def stop(self) -> None:
        self._container.stop()

    def is_running(self) -> bool:
        self._container.reload()
        return self._container.status == "running"


class Given:
    """A server that somebody else runs: it can be used, not killed."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def is_running(self) -> bool:
        return True

    def kill(self) -> None:
        raise UnavailableError(
            f"这项测试要杀死服务器，请去掉 {AMQP_URL} 与 {POSTGRES_URL} 后再运行。\n"
            f"This test kills its server: unset {AMQP_URL} and {POSTGRES_URL} and run it again."
        )


class Server:
    """A running server of either kind."""

    name = ""

    def __init__(self, engine: Engine, say: Say) -> None:
        self._engine = engine
        self._say = say

    def start(self) -> None:
        """Start it, or start it again where it was, and wait until it answers."""
        self._say(f"{self.name}: 启动中 / starting …")
        begun = time.monotonic()
        self._engine.start()
        attempts = 1
        while not self.answers():
            ended = not self._engine.is_running()
            if time.monotonic() - begun > START_SECONDS or (ended and attempts == START_ATTEMPTS):
                raise UnavailableError(f"{self.name} 没有启动 / did not start{self._last_words()}")
            if ended:
                time.sleep(0.5)
                self._engine.start()
                attempts += 1
            time.sleep(0.1)
        self._say(f"{self.name}: 就绪 / ready, {time.monotonic() - begun:.1f} s")

    def kill(self) -> None:
        """``kill -9``: an honest crash."""
        self._engine.kill()

    def stop(self) -> None:
        """End it and remove what it stored."""
        self._engine.stop()

    def answers(self) -> bool:
        """Whether it can be worked with now."""
        raise NotImplementedError

    def pids(self) -> list[int]:
        """The processes of a private server, by which it can be measured; none of a server that runs elsewhere."""
        programs = self._engine.programs if isinstance(self._engine, Programs) else ()
        return [each.pid for each in programs if each.pid]

    def _last_words(self) -> str:
        if not isinstance(self._engine, Programs):
            return ""
        return ":\n" + self._engine.programs[-1].log.read_text("utf-8", "replace")[-2000:]


class RabbitMQ(Server):
    """A RabbitMQ broker with its management plugin."""

    name = "RabbitMQ"

    def __init__(self, engine: Engine, say: Say, url: str, api_port: int = API_PORT) -> None:
        super().__init__(engine, say)
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 5672
        self._api_port = api_port
        self._account, self._password = unquote(parts.username or "guest"), unquote(parts.password or "guest")

    def answers(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), 1):
                return self.api("GET", "overview") is not None
        except (OSError, http.client.HTTPException, UnavailableError):
            return False

    def api(self, method: str, path: str, body: object = None) -> Any:
        """One call of the management API (``/api/`` + ``path``); the decoded answer, None if it has no content."""
        login = base64.b64encode(f"{self._account}:{self._password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(self.host, self._api_port, timeout=20)
        try:
            connection.request(method, f"/api/{path}", json.dumps(body) if body is not None else None, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status >= 300:
            raise UnavailableError(f"RabbitMQ API: {method} {path}: {response.status}")
        return json.loads(content) if content else None

    def url(self, vhost: str, account: str = "", password: str = "", port: int = 0) -> str:
        """The AMQP URL of a virtual host, as ``account`` or as the account that may do everything."""
        login = f"{quote(account or self._account)}:{quote(password or self._password)}"
        return f"amqp://{login}@{self.host}:{port or self.port}/{quote(vhost, safe='')}"

    def new_vhost(self) -> str:
        """Make an empty virtual host; its name."""
        vhost = f"tongguan-test-{secrets.token_hex(4)}"
        self.api("PUT", f"vhosts/{vhost}")
        self.allow(vhost, self._account)
        return vhost

    def drop_vhost(self, vhost: str) -> None:
        """Remove a virtual host with all that is in it; connections to it are closed."""
        self.api("DELETE", f"vhosts/{vhost}")

    def new_account(self, vhost: str, *, configure: str = ".*", write: str = ".*", read: str = ".*") -> str:
        """Make an account (its password is its name) that may do this much in one virtual host; its name."""
        account = f"tongguan-test-{secrets.token_hex(4)}"
        self.api("PUT", f"users/{account}", {"password": account, "tags": ""})
        self.allow(vhost, account, configure, write, read)
        return account

    def allow(self, vhost: str, account: str, configure: str = ".*", write: str = ".*", read: str = ".*") -> None:
        """Set what an account may do in a virtual host, as regular expressions of names."""
        rights = {"configure": configure, "write": write, "read": read}
        self.api("PUT", f"permissions/{vhost}/{quote(account, safe='')}", rights)

    def drop_account(self, account: str) -> None:
        """Remove an account."""
        self.api("DELETE", f"users/{account}")


class PostgreSQL(Server):
    """A PostgreSQL server; ``url`` leads to its maintenance database."""

    name = "PostgreSQL"

    def __init__(self, engine: Engine, say: Say, url: str) -> None:
        super().__init__(engine, say)
        self._url = url

    def answers(self) -> bool:
        import asyncpg

        try:
            asyncio.run(self._execute("SELECT 1"))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            return False
        return True

    async def new_database(self, template: str = "template1") -> str:
        """Make a database as a copy of ``template``, which takes some ten milliseconds; its URL."""
        name = f"tongguan_test_{secrets.token_hex(4)}"
        await self._execute(f'CREATE DATABASE {name} TEMPLATE "{template}"')
        return urlsplit(self._url)._replace(path=f"/{name}").geturl()

    async def drop_database(self, url: str) -> None:
        """Remove a database; connections to it are closed."""
        await self._execute(f'DROP DATABASE "{urlsplit(url).path[1:]}" WITH (FORCE)')

    async def _execute(self, statement: str) -> None:
        import asyncpg

        connection = await asyncpg.connect(self._url, timeout=5)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


def rabbitmq(say: Say) -> RabbitMQ:
    """The RabbitMQ of this test session, not yet started. Raises UnavailableError."""
    if url := os.environ.get(AMQP_URL):
        return RabbitMQ(Given(), say, url)
    port, api_port, dist_port, epmd_port = free_ports(4)
    url = f"amqp://guest:guest@127.0.0.1:{port}/"
    if program := _rabbitmq_program():
        return RabbitMQ(_private_rabbitmq(program, port, api_port, dist_port, epmd_port), say, url, api_port)
    if _docker_answers():
        environment = {"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG_ARGUMENTS}
        return RabbitMQ(Container(RABBITMQ_IMAGE, {5672: port, API_PORT: api_port}, environment), say, url, api_port)
    raise UnavailableError(_missing(RabbitMQ.name))


def postgresql(say: Say, *, durable: bool = False) -> PostgreSQL:
    """The PostgreSQL of this test session, not yet started; a durable one runs on its own defaults.

    Raises UnavailableError.
    """
    if url := os.environ.get(POSTGRES_URL):
        return PostgreSQL(Given(), say, url)
    (port,) = free_ports(1)
    url = f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres"
    if programs := _postgresql_programs():
        return PostgreSQL(_private_postgresql(programs, port, durable=durable), say, url)
    if _docker_answers():
        environment = {"POSTGRES_PASSWORD": "postgres"}
        command = "" if durable else "-c fsync=off"
        return PostgreSQL(Container(POSTGRES_IMAGE, {5432: port}, environment, command), say, url)
    raise UnavailableError(_missing(PostgreSQL.name))


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on and other sessions are unlikely to pick now."""
    found: list[int] = []
    while len(found) < count:
        port = random.SystemRandom().choice(PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            found.append(port)
    return found


def _private_rabbitmq(program: Path, port: int, api_port: int, dist_port: int, epmd_port: int) -> Programs:
    folder = Folder()
    path = folder.path
    (path / "plugins").write_text("[rabbitmq_management].")
    (path / "rabbitmq.conf").write_text(f"management.tcp.ip = 127.0.0.1\nmanagement.tcp.port = {api_port}\n")
    environment = {
        "HOME": str(path),
        "ERL_EPMD_PORT": str(epmd_port),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": f"tongguan-{path.name.replace('_', '-')}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(dist_port),
        "RABBITMQ_CONFIG_FILE": str(path / "rabbitmq.conf"),
        "RABBITMQ_MNESIA_BASE": str(path / "mnesia"),
        "RABBITMQ_LOG_BASE": str(path / "log"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(path / "plugins"),
        "RABBITMQ_FEATURE_FLAGS_FILE": str(path / "feature_flags"),
        "RABBITMQ_PID_FILE": str(path / "pid"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG_ARGUMENTS,
        "RUNNING_UNDER_SYSTEMD": "true",  # the start script becomes the server, instead of standing between us
    }
    # our own port mapper: the one that Erlang would start itself leaves our process group and would stay behind
    mapper = Program("epmd", [shutil.which("epmd") or "epmd"], path, environment)
    return Programs(folder, [mapper, Program("rabbitmq", [str(program)], path, environment)])


def _private_postgresql(programs: Path, port: int, *, durable: bool) -> Programs:
    folder = Folder()
    data = folder.path / "data"
    data.mkdir(mode=0o700)
    account = "postgres" if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    if account:
        shutil.chown(data, account, account)
    init = [str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"]
    subprocess.run(
        [*init, "--no-sync"],
        user=account,
        group=account,
        extra_groups=[] if account else None,
        cwd=data,
        env={**os.environ, "HOME": str(data)},
        check=True,
        capture_output=True,
    )
    options = ["-p", str(port), "-k", str(data), "-h", "127.0.0.1"]
    if not durable:
        # -F: a killed server loses nothing without fsync, only a machine that loses power would
        options += ["-F", "-c", "max_connections=200"]
    server = Program("postgres", [str(programs / "postgres"), "-D", str(data), *options], folder.path, {}, account)
    return Programs(folder, [server])


def _rabbitmq_program() -> Path | None:
    # on Debian the program on PATH changes to the account `rabbitmq`, which cannot read our folders; this one does not
    places = ["/usr/lib/rabbitmq/bin", "/opt/homebrew/sbin", "/usr/local/sbin"]
    found = shutil.which("rabbitmq-server", path=os.pathsep.join(places)) or shutil.which("rabbitmq-server")
    return Path(found) if found else None


def _postgresql_programs() -> Path | None:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    candidates = [*places, *([Path(on_path).resolve().parent] if on_path else [])]
    return next((place for place in candidates if (place / "initdb").exists() and (place / "postgres").exists()), None)


def _docker_answers() -> bool:
    if not shutil.which("docker"):
        return False
    try:
        return subprocess.run(["docker", "info"], capture_output=True, timeout=10, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False


def _missing(name: str) -> str:
    values = {"package": "postgresql", "brew": "postgresql", "variable": POSTGRES_URL, "also_zh": "", "also_en": ""}
    if name == RabbitMQ.name:
        also = {
            "also_zh": f"（管理插件须在端口 {API_PORT} 应答）",
            "also_en": f" (its management plugin must answer on port {API_PORT})",
        }
        values = {"package": "rabbitmq-server", "brew": "rabbitmq", "variable": AMQP_URL, **also}
    return MISSING.format(name=name, **values)


def _where(name: str) -> str | None:
    """How a service would be had now, for people; None if it cannot."""
    variable, installed = (
        (AMQP_URL, _rabbitmq_program()) if name == RabbitMQ.name else (POSTGRES_URL, _postgresql_programs())
    )
    if os.environ.get(variable):
        return f"{variable}"
    if installed:
        return f"{installed}"
    return "Docker" if _docker_answers() else None


def _apt_install(package: str, say: Say) -> None:
    if os.geteuid() != 0 or not Path("/etc/debian_version").exists() or not shutil.which("apt-get"):
        return
    say(f"apt-get install {package} …")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "-y", "--no-install-recommends", package]):
        subprocess.run(["apt-get", "-q", *command], env=environment, check=False, stdout=subprocess.DEVNULL)


def _say_on_stderr(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Make sure that both services can be had; 0 if so, else 1 and a paragraph that says what to do."""
    parser = argparse.ArgumentParser(description="RabbitMQ 与 PostgreSQL，供测试使用 / for the tests")
    parser.add_argument("--install", action="store_true", help="缺少时安装 / install what is missing")
    install = parser.parse_args(arguments).install
    complete = True
    for name, package in ((RabbitMQ.name, "rabbitmq-server"), (PostgreSQL.name, "postgresql")):
        if install and _where(name) is None:
            _apt_install(package, _say_on_stderr)
        where = _where(name)
        _say_on_stderr(f"{name}: {where}" if where else _missing(name))
        complete = complete and where is not None
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
