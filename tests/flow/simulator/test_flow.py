"""A gateway's side and the simulator over real folders: declared, answered, sent back, killed and started again."""

import asyncio
import re
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
import typer
from typer.testing import CliRunner

from tongguan.adapters.simulator.chance import Knobs
from tongguan.adapters.simulator.simulator import Simulator
from tongguan.gateway.cli.simulate import simulate

COMMAND = "import typer; from tongguan.gateway.cli.simulate import simulate; typer.run(simulate)"
OTHER = {"orderNo": "TG-ORDER-0002", "copNo": "TGCOP0000000002", "logisticsNo": "TGW000000002"}


@pytest.fixture
def simulator(eports, tmp_path, clock):
    opened = []

    def open_(**given):
        archive = tmp_path / "data" / "simulator"
        given = {"knobs": Knobs(latency_ms=(10, 20)), "seed": 7, "state": archive / "world.db"} | given
        opened.append(Simulator(eports.values(), archive=archive, clock=clock, **given))
        return opened[-1]

    yield open_
    for each in opened:
        each.close()


async def settle(simulator, clock):
    """Let everything happen that is on the way."""
    await simulator.step()
    while simulator.next_due_ms is not None:
        clock.now_ms = simulator.next_due_ms
        await simulator.step()


def by_type(receipts):
    found = {}
    for each in sorted(receipts, key=lambda each: each.return_ms or 0):
        found.setdefault(each.message_type[3:6], []).append(each.status)
    return found


@pytest.mark.parametrize("name", ["one", "two"])
async def test_a_triple_its_inventory_and_what_comes_after(client, simulator, clock, name):
    client, simulator = client(name), simulator()
    for short in ("311", "411", "511"):
        await client.declare(short)
    await settle(simulator, clock)
    triple = by_type(await client.receive())

    await client.declare("621")
    await settle(simulator, clock)
    inventory = await client.receive()
    await client.declare("513")
    await client.declare("623")
    await client.declare("625")
    await settle(simulator, clock)
    afterwards = by_type(await client.receive())

    assert triple == {"312": ["2", "3"], "412": ["2", "3"], "512": ["2", "3"]}
    assert by_type(inventory) == {
        "622": ["2", "3", "120", "800", "899"],
        "312": ["120"],
        "412": ["120"],
        "512": ["120"],
        "816": ["1"],
        "818": ["2"],
    }
    assert afterwards == {"514": ["2", "3", "120"], "624": ["-623005"], "626": ["2", "3", "120", "399"]}


async def test_the_same_bytes_sent_again_prove_that_they_had_arrived(client, simulator, clock):
    client, simulator = client("one"), simulator()
    data = await client.declare("311")
    await settle(simulator, clock)
    await client.receive()

    clock.now_ms += 1000
    await client.transport.send("CEB311Message_again.xml", data)
    await settle(simulator, clock)

    assert by_type(await client.receive()) == {"312": ["-301010"]}


async def test_the_same_seed_and_input_leave_the_same_files(client, simulator, clock):
    async def run():
        opened = simulator(state=":memory:", knobs=Knobs(latency_ms=(10, 200), loss=0.1, double=0.2, reorder=0.2))
        clock.now_ms = 1_772_330_400_000
        for number, data in enumerate(sent):
            (two.eport.transport.outbox / f"{number}.xml").write_bytes(data)
            await settle(opened, clock)
        inbox = two.eport.transport.inbox
        written = {each.name: each.read_bytes() for each in inbox.iterdir()}
        for each in inbox.iterdir():
            each.unlink()
        opened.close()
        return written

    two = client("two")
    sent = []
    for short in ("311", "411", "511", "621"):
        sent.append(await two.declare(short))
        [waiting] = two.eport.transport.outbox.iterdir()
        waiting.unlink()

    assert await run() == await run()


class Process:
    """The simulator as a process of its own."""

    def __init__(self, folder, *arguments):
        options = ["--config", str(folder), "--lang", "en", "--latency-ms", "1..30", *arguments]
        command = [sys.executable, "-c", COMMAND, *options]
        self.popen = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def line(self):
        assert self.popen.stdout
        return self.popen.stdout.readline()

    def end(self):
        """Its exit code and what else it says."""
        output, _ = self.popen.communicate(timeout=60)
        return self.popen.returncode, output


def real_ms():
    return time.time_ns() // 1_000_000


@pytest.mark.faults
@pytest.mark.slow
async def test_nothing_is_lost_or_judged_twice_when_it_is_killed_again_and_again(folder, client):
    two = client("two", real_ms)
    counted = Counter()
    for number in range(40):
        await two.declare("511", logisticsNo=f"TG-{number}")

    for _ in range(4):
        process = Process(folder)
        for _ in range(15):  # of the 120 lines or more that all of them together print
            process.line()
        process.popen.kill()
        process.end()
    code, _ = Process(folder, "--once").end()

    for each in await two.receive():
        counted[each.key, each.status] += 1
    assert code == 0
    assert {key for key, _ in counted} == {("3300000CAR", f"TG-{number}") for number in range(40)}
    assert {status for _, status in counted} == {"2", "3"}
    assert len(counted) == 80


async def test_the_command_tells_what_it_takes_and_answers_and_ends_when_all_is_answered(folder, client):
    await client("one", real_ms).declare("311")

    code, output = Process(folder, "--once", "--seed", "7").end()

    assert code == 0, output
    assert "simulating customs for one two, seed 7" in output
    assert "← one CEB311Message ×1" in output
    assert "2 3  3300000PLT TG-ORDER-0001" in output
    assert "→ one CEB312Message 2" in output
    assert by_type(await client("one", real_ms).receive()) == {"312": ["2", "3"]}
    assert "示例甲" not in output


async def test_the_command_stops_on_sigterm(folder, client):
    await client("one", real_ms).declare("311")
    process = Process(folder)
    while "→" not in process.line():
        continue

    process.popen.send_signal(signal.SIGTERM)
    code, output = process.end()

    assert code == 0
    assert output.endswith("stopped\n")


@pytest.fixture
def command(folder):
    """The command within this process: its exit code and what it says."""
    app = typer.Typer()
    app.command()(simulate)

    def run(*arguments):
        result = CliRunner().invoke(app, ["--config", str(folder), "--lang", "en", *arguments])
        return result.exit_code, result.output

    return run


def test_the_command_follows_a_script(command, client, tmp_path):
    two = client("two", real_ms)
    script = tmp_path / "script.toml"
    script.write_text('[[rule]]\norderNo = "TG-ORDER-0001"\nanswers = ["2", "99"]\n', "utf-8")
    asyncio.run(two.declare("311"))

    code, output = command("--once", "--script", str(script), "--eport", "two")

    assert code == 0, output
    assert by_type(asyncio.run(two.receive())) == {"312": ["2", "99"]}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--eport", "three"], "simulator-eport"),
        (["--latency-ms", "20..10"], "20..200"),
        (["--loss", "2"], "loss"),
    ],
)
def test_the_command_refuses_wrong_usage(command, arguments, said):
    code, output = command(*arguments)

    assert code == 2
    assert said in output


def test_the_command_says_what_is_wrong_with_a_script(command, tmp_path):
    (tmp_path / "script.toml").write_text('[[rule]]\nrefuse = "12"\n', "utf-8")

    code, output = command("--script", str(tmp_path / "script.toml"))

    assert code == 2
    assert "/rule/0/refuse" in output


def test_the_command_never_simulates_production(command, folder):
    (folder / "eports" / "two.toml").unlink()
    file = folder / "eports" / "one.toml"
    text, _, _ = file.read_text("utf-8").partition("[[signers]]")
    text = re.sub("declares = .*", 'declares = ["311"]', text).replace('"test"', '"production"')
    file.write_text(text, "utf-8")

    code, output = command()

    assert code == 2
    assert "simulator-production" in output


def test_the_command_needs_an_e_port(command, folder):
    for each in (folder / "eports").iterdir():
        each.unlink()

    code, output = command()

    assert code == 2
    assert "simulator-none" in output


def test_the_command_says_what_keeps_it_from_working(command, tmp_path):
    (tmp_path / "data" / "simulator").mkdir(parents=True)
    (tmp_path / "data" / "simulator" / "world.db").write_text("no database" * 100)

    code, output = command("--once")

    assert code == 1
    assert "simulator-state" in output
