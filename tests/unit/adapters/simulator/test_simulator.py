"""The folders and the file of the simulator, and what a crash leaves of them."""

import asyncio
import sqlite3
import stat
from typing import ClassVar

import pytest

from tongguan.adapters.signing.verification import signed_bytes
from tongguan.adapters.simulator.chance import Knobs
from tongguan.adapters.simulator.receipts import Outgoing
from tongguan.adapters.simulator.simulator import Simulator
from tongguan.adapters.simulator.statefile import LAYOUT, StateFile
from tongguan.adapters.simulator.world import Entry
from tongguan.adapters.transport import TransportFault
from tongguan.messages.faults import Refused
from tongguan.messages.reading import read
from tongguan.messages.receipts import receipts_of


class CrashError(Exception):
    """The process dies here."""


@pytest.fixture
def rig(tmp_path, eport, signed, doc):
    """Folders of an e-port, and simulators over them that share a clock."""

    class Rig:
        now_ms = 1_772_330_400_000
        port = eport()
        outbox, inbox = port.transport.outbox, port.transport.inbox
        state = tmp_path / "simulator" / "world.db"
        opened: ClassVar[list[Simulator]] = []

        def open(self, **given):
            given = {"knobs": Knobs(latency_ms=(10, 10)), "state": self.state} | given
            opened = Simulator([self.port], archive=tmp_path / "simulator", clock=lambda: self.now_ms, **given)
            self.opened.append(opened)
            return opened

        def put(self, name="a.xml", **changes):
            (self.outbox / name).write_bytes(signed("311", doc("311", **changes)))

        def statuses(self):
            files = sorted(self.inbox.glob("*.xml"), key=lambda file: file.stat().st_mtime_ns)
            return [each.status for file in files for each in receipts_of(read(file.read_bytes()))]

    yield Rig()
    for each in Rig.opened:
        each.close()


async def test_files_are_taken_and_answered_as_time_goes_on(rig):
    simulator = rig.open()
    rig.put()

    done = [await simulator.step()]
    for _ in range(3):
        rig.now_ms += 10
        done.append(await simulator.step())

    assert done == [1, 1, 1, 0]
    assert rig.statuses() == ["2", "3"]
    assert list(rig.outbox.iterdir()) == []
    assert simulator.idle


async def test_what_it_took_and_wrote_is_kept(rig, tmp_path):
    simulator = rig.open()
    rig.put()
    await simulator.step()
    rig.now_ms += 10

    await simulator.step()

    assert [each.name for each in (tmp_path / "simulator" / "test" / "received").iterdir()] == ["a.xml"]
    assert len(list((tmp_path / "simulator" / "test" / "sent").iterdir())) == 1


async def test_unfinished_files_stay_where_they_are(rig):
    simulator = rig.open()
    (rig.outbox / ".draft.xml").write_bytes(b"<CEB311")
    (rig.outbox / "b.xml.tmp").write_bytes(b"<CEB311")

    assert await simulator.step() == 0


async def test_it_says_when_the_next_receipt_is_due(rig):
    simulator = rig.open()
    rig.put()
    before = simulator.next_due_ms

    await simulator.step()

    assert (before, simulator.next_due_ms) == (None, rig.now_ms + 10)
    assert not simulator.idle


async def test_its_world_goes_on_in_another_process(rig):
    first = rig.open()
    rig.put()
    await first.step()
    first.close()

    second = rig.open()
    rig.put()
    await second.step()
    rig.now_ms += 1000
    await second.step()

    assert sorted(rig.statuses()) == ["-301010", "2", "3"]


async def test_a_world_in_memory_ends_with_its_simulator(rig):
    first = rig.open(state=":memory:")
    rig.put()
    await first.step()
    first.close()

    second = rig.open(state=":memory:")

    assert second.idle


async def test_a_file_judged_before_a_crash_is_not_judged_again(rig):
    def crash(_event):
        raise CrashError

    first = rig.open(watch=crash)
    rig.put()
    with pytest.raises(CrashError):
        await first.step()
    first.close()

    second = rig.open()
    taken = await second.step()
    rig.now_ms += 1000
    await second.step()

    assert taken == 1
    assert rig.statuses() == ["2", "3"]


async def test_a_file_not_judged_before_a_crash_is_judged_afterwards(rig, monkeypatch):
    first = rig.open()
    rig.put()
    monkeypatch.setattr(first._file, "save", _raise_crash)
    with pytest.raises(CrashError):
        await first.step()
    first.close()

    second = rig.open()
    await second.step()
    rig.now_ms += 1000
    await second.step()

    assert rig.statuses() == ["2", "3"]


async def test_a_receipt_written_before_a_crash_is_written_again_with_the_same_bytes(rig, monkeypatch):
    first = rig.open()
    rig.put()
    await first.step()
    rig.now_ms += 10
    monkeypatch.setattr(first._file, "save", _raise_crash)
    with pytest.raises(CrashError):
        await first.step()
    first.close()
    written = {each.name: each.read_bytes() for each in rig.inbox.iterdir()}

    second = rig.open()
    await second.step()

    assert {each.name: each.read_bytes() for each in rig.inbox.iterdir()} == written
    assert rig.statuses() == ["2"]


def _raise_crash(*_args):
    raise CrashError


async def test_the_same_file_sent_again_is_judged_again(rig):
    simulator = rig.open()
    rig.put()
    await simulator.step()
    rig.put()
    await simulator.step()
    rig.now_ms += 1000

    await simulator.step()

    assert sorted(rig.statuses()) == ["-301010", "2", "3"]


async def test_a_step_that_fails_at_a_folder_can_be_repeated(rig):
    simulator = rig.open()
    rig.put()
    await simulator.step()
    rig.now_ms += 1000
    rig.inbox.rename(rig.inbox.with_name("away"))

    with pytest.raises(TransportFault):
        await simulator.step()
    rig.inbox.with_name("away").rename(rig.inbox)
    await simulator.step()

    assert rig.statuses() == ["2", "3"]


def answers(event):
    return isinstance(event, Outgoing)


async def test_it_runs_until_it_is_stopped(rig):
    stop = asyncio.Event()
    simulator = rig.open(knobs=Knobs(latency_ms=(0, 0)), watch=lambda event: stop.set() if answers(event) else None)
    rig.put()

    await asyncio.wait_for(simulator.run(stop), 5)

    assert rig.statuses() == ["2", "3"]


async def test_it_can_run_until_everything_is_answered(rig):
    simulator = rig.open(knobs=Knobs(latency_ms=(0, 0)))
    rig.put()

    await asyncio.wait_for(simulator.run(asyncio.Event(), until_idle=True), 5)

    assert rig.statuses() == ["2", "3"]


async def test_one_customs_serves_several_e_ports(rig, eport, tmp_path, signed, doc):
    ports = [eport("one"), eport("two")]
    knobs = Knobs(latency_ms=(0, 0))
    archive = tmp_path / "simulator"
    simulator = Simulator(ports, state=":memory:", archive=archive, clock=lambda: rig.now_ms, knobs=knobs)
    for short, port in (("311", ports[0]), ("411", ports[1]), ("511", ports[1])):
        (port.transport.outbox / "a.xml").write_bytes(signed(short, doc(short)))
        await simulator.step()

    (ports[0].transport.outbox / "b.xml").write_bytes(signed("621", doc("621")))
    await simulator.step()

    for port, types in ((ports[0], {"CEB312", "CEB622", "CEB816", "CEB818"}), (ports[1], {"CEB412", "CEB512"})):
        assert {each.name[:6] for each in port.transport.inbox.iterdir()} == types


def test_an_e_port_in_production_is_never_simulated(rig, eport):
    live = eport().model_copy(update={"environment": "production"})

    with pytest.raises(Refused) as refused:
        Simulator([live], state=":memory:", archive=rig.outbox, clock=lambda: 0)

    assert [each.code for each in refused.value.faults] == ["simulator-production"]


def test_two_simulators_do_not_share_a_world(rig):
    first = rig.open()

    with pytest.raises(Refused) as refused:
        rig.open()
    first.close()

    assert [each.code for each in refused.value.faults] == ["simulator-running"]
    rig.open().close()


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be taken for one" * 20, b"other layout"])
def test_a_foreign_state_file_is_refused(rig, content):
    rig.state.parent.mkdir()
    rig.state.write_bytes(content)
    if content == b"other layout":
        rig.state.unlink()
        other = sqlite3.connect(rig.state)
        other.execute(f"PRAGMA user_version = {LAYOUT + 1}")
        other.close()

    with pytest.raises(Refused) as refused:
        rig.open()

    assert [each.code for each in refused.value.faults] == ["simulator-state"]


def test_a_state_file_with_foreign_entries_is_refused_without_printing_them(rig):
    file = StateFile(rig.state)
    file.save([Entry("filing", "1", '{"buyerName": "示例甲"}')])
    file.close()

    with pytest.raises(Refused) as refused:
        rig.open()

    assert [each.code for each in refused.value.faults] == ["simulator-state"]
    assert "示例甲" not in str(refused.value)


def test_a_state_file_where_no_file_can_be_is_refused(rig, tmp_path):
    (tmp_path / "plain").write_text("")

    with pytest.raises(Refused) as refused:
        rig.open(state=tmp_path / "plain" / "world.db")

    assert [each.code for each in refused.value.faults] == ["simulator-state"]


def test_the_state_file_can_be_read_by_its_owner_only(rig):
    rig.open().close()

    assert stat.S_IMODE(rig.state.stat().st_mode) == 0o600
    assert stat.S_IMODE(rig.state.parent.stat().st_mode) == 0o700


@pytest.fixture
def declarants(identity, stranger):
    return {"a": identity, "b": stranger}


async def test_a_declarant_with_a_key_file_has_to_sign_with_its_certificate(rig, eport, declarants, unsigned, doc):
    folder = rig.state.parents[1]
    for name, made in declarants.items():
        (folder / f"{name}.key").write_bytes(made.key_pem)
        (folder / f"{name}.key").chmod(0o600)
        (folder / f"{name}.crt").write_bytes(made.certificate_pem)
    entry = {"kind": "files", "declarant": "3300000AGT", "algorithm": "sm2-sm3", "key": "a.key", "certificate": "a.crt"}
    rig.port = eport(signers=[entry])
    seen = []
    simulator = rig.open(watch=seen.append, knobs=Knobs(latency_ms=(0, 0)))

    for name, made in declarants.items():
        data = signed_bytes(unsigned("311", [doc("311", orderNo=name)]), made.signer)
        (rig.outbox / f"{name}.xml").write_bytes(data)
        await simulator.step()

    outcomes = [each.outcomes for each in seen if not answers(each)]
    assert outcomes == [(("3300000PLT a", "2 3"),), (("3300000PLT b", "-301020"),)]
