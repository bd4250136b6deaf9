"""What is particular to drop folders."""

import errno
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tongguan.adapters import folder as module
from tongguan.adapters.folder import FolderTransport
from tongguan.adapters.transport import NotSent, Unavailable, Uncertain
from tongguan.config.eports import FolderSettings, Limits
from tongguan.messages.faults import Refused

NOW_MS = 1_772_337_600_000
SETTLE_MS = 1000
LIMITS = Limits(message_bytes_max=20_000, receipt_bytes_max=20_000)


class Rig:
    """A transport over folders of its own, with a clock that stands still until it is moved."""

    def __init__(self, root: Path, limits: Limits = LIMITS) -> None:
        self.now_ms = NOW_MS
        self.outbox, self.inbox, self.archive = root / "outbox", root / "inbox", root / "archive"
        settings = FolderSettings.model_construct(
            kind="folder", outbox=self.outbox, inbox=self.inbox, archive=self.archive, settle_ms=SETTLE_MS
        )
        self.transport = FolderTransport(settings, limits, lambda: self.now_ms)

    async def settled(self, limit=10):
        await self.transport.receive(limit)
        self.now_ms += SETTLE_MS
        return await self.transport.receive(limit)

    def names(self, folder):
        return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path)
    rig.transport.prepare(make_boxes=True)
    return rig


def failing(error_number):
    def fail(*_args, **_kwargs):
        raise OSError(error_number, os.strerror(error_number), "a path")

    return fail


async def test_a_copy_of_what_was_sent_is_kept(rig):
    await rig.transport.send("1.xml", b"one")

    assert (rig.archive / "sent" / "1.xml").read_bytes() == b"one"


async def test_a_message_the_client_has_taken_is_put_out_again_when_it_is_sent_again(rig):
    await rig.transport.send("1.xml", b"one")
    (rig.outbox / "1.xml").unlink()

    await rig.transport.send("1.xml", b"one")

    assert rig.names(rig.outbox) == ["1.xml"]


async def test_no_draft_is_left_behind(rig):
    await rig.transport.send("1.xml", b"one")

    assert rig.names(rig.outbox) == ["1.xml"]
    assert rig.names(rig.archive / "sent") == ["1.xml"]


async def test_a_message_stands_in_the_outbox_complete_or_not_at_all(rig, monkeypatch):
    seen = []

    def looking(_handle):
        seen.append([name for name in rig.names(rig.outbox) if not name.startswith(".")])

    monkeypatch.setattr(module.os, "fsync", looking)

    await rig.transport.send("1.xml", b"one")

    assert seen == [[], ["1.xml"]]


async def test_other_users_cannot_read_what_is_sent(rig):
    await rig.transport.send("1.xml", b"one")

    assert (rig.outbox / "1.xml").stat().st_mode & 0o007 == 0


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "transport-full"),
        (errno.EDQUOT, "transport-full"),
        (errno.EACCES, "transport-denied"),
        (errno.EROFS, "transport-denied"),
        (errno.EIO, "transport-failed"),
    ],
)
async def test_a_file_that_cannot_be_written_is_not_sent_and_leaves_nothing(rig, monkeypatch, number, code):
    monkeypatch.setattr(module.os, "fsync", failing(number))

    with pytest.raises(NotSent) as refused:
        await rig.transport.send("1.xml", b"one")

    assert refused.value.fault.code == code
    assert rig.names(rig.outbox) == []
    assert rig.names(rig.archive / "sent") == []


async def test_a_message_not_sent_can_be_sent_later(rig, monkeypatch):
    monkeypatch.setattr(module.os, "fsync", failing(errno.ENOSPC))
    with pytest.raises(NotSent):
        await rig.transport.send("1.xml", b"one")
    monkeypatch.undo()

    await rig.transport.send("1.xml", b"one")

    assert rig.names(rig.outbox) == ["1.xml"]


async def test_a_rename_that_may_have_happened_is_uncertain(rig, monkeypatch):
    real = Path.rename

    def breaking(self, target):
        return failing(errno.EIO)() if target.parent == rig.outbox else real(self, target)

    monkeypatch.setattr(Path, "rename", breaking)

    with pytest.raises(Uncertain) as refused:
        await rig.transport.send("1.xml", b"one")

    assert refused.value.fault.code == "transport-uncertain"
    assert rig.names(rig.archive / "sent") == ["1.xml"]


def failing_for_folders(error_number):
    real = os.fsync

    def sync(handle):
        return failing(error_number)() if stat.S_ISDIR(os.fstat(handle).st_mode) else real(handle)

    return sync


async def test_a_folder_that_cannot_be_synced_makes_the_message_uncertain(rig, monkeypatch):
    monkeypatch.setattr(module.os, "fsync", failing_for_folders(errno.EIO))

    with pytest.raises(Uncertain):
        await rig.transport.send("1.xml", b"one")

    assert rig.names(rig.outbox) == ["1.xml"]


async def test_a_share_that_knows_no_sync_of_folders_is_used_as_it_is(rig, monkeypatch):
    monkeypatch.setattr(module.os, "fsync", failing_for_folders(errno.EINVAL))

    await rig.transport.send("1.xml", b"one")

    assert rig.names(rig.outbox) == ["1.xml"]


async def test_a_missing_outbox_means_not_sent_and_is_not_made(rig):
    rig.outbox.rmdir()

    with pytest.raises(NotSent) as refused:
        await rig.transport.send("1.xml", b"one")

    assert refused.value.fault.code == "transport-folder-missing"
    assert not rig.outbox.exists()


async def test_a_file_of_another_hand_in_the_outbox_is_never_replaced(rig):
    (rig.outbox / "1.xml").write_bytes(b"of another hand")

    with pytest.raises(NotSent) as refused:
        await rig.transport.send("1.xml", b"one")

    assert refused.value.fault.code == "transport-name-taken"
    assert (rig.outbox / "1.xml").read_bytes() == b"of another hand"
    assert rig.names(rig.archive / "sent") == []


async def test_no_fault_names_a_value_of_the_message(rig, monkeypatch):
    monkeypatch.setattr(module.os, "fsync", failing(errno.EIO))

    with pytest.raises(NotSent) as refused:
        await rig.transport.send("1.xml", b"secret")

    assert "secret" not in str(refused.value)
    assert "a path" not in str(refused.value)
    assert "EIO" in str(refused.value)


async def test_a_file_counts_as_complete_only_after_it_has_settled(rig):
    (rig.inbox / "1.xml").write_bytes(b"one")

    assert await rig.transport.receive(10) == []
    rig.now_ms += SETTLE_MS - 1
    assert await rig.transport.receive(10) == []
    rig.now_ms += 1
    assert [each.name for each in await rig.transport.receive(10)] == ["1.xml"]


async def test_a_file_that_grows_starts_to_settle_again(rig):
    (rig.inbox / "1.xml").write_bytes(b"one")
    await rig.transport.receive(10)
    rig.now_ms += SETTLE_MS
    (rig.inbox / "1.xml").write_bytes(b"one and more")

    assert await rig.transport.receive(10) == []
    rig.now_ms += SETTLE_MS
    (received,) = await rig.transport.receive(10)

    assert received.data == b"one and more"
    assert received.first_seen_ms == NOW_MS


@pytest.mark.parametrize("name", [".1.xml", "1.xml.tmp", "1.xml.part", "1.xml.PART", "1.xml.filepart", "1.xml~"])
async def test_a_file_still_under_its_temporary_name_is_left_alone(rig, name):
    (rig.inbox / name).write_bytes(b"one")

    assert await rig.settled() == []
    assert rig.names(rig.inbox) == [name]


async def test_an_empty_file_has_not_been_written_yet(rig):
    (rig.inbox / "1.xml").touch()

    assert await rig.settled() == []
    (rig.inbox / "1.xml").write_bytes(b"one")

    assert [each.data for each in await rig.settled()] == [b"one"]


async def test_a_folder_in_the_inbox_is_left_alone(rig):
    (rig.inbox / "client-archive").mkdir()

    assert await rig.settled() == []
    assert rig.names(rig.inbox) == ["client-archive"]


async def test_the_oldest_file_comes_first(rig):
    for name, changed in (("b.xml", 30), ("a.xml", 20), ("c.xml", 10)):
        (rig.inbox / name).write_bytes(b"data")
        os.utime(rig.inbox / name, (changed, changed))

    assert [each.name for each in await rig.settled(2)] == ["c.xml", "a.xml"]


async def test_a_file_that_is_done_lies_in_the_archive(rig):
    (rig.inbox / "1.xml").write_bytes(b"one")
    (received,) = await rig.settled()

    await rig.transport.done(received)

    assert rig.names(rig.inbox) == []
    assert (rig.archive / "received" / "1.xml").read_bytes() == b"one"


async def test_nothing_in_the_archive_is_overwritten(rig):
    for content in (b"one", b"two!", b"three"):
        (rig.inbox / "1.xml").write_bytes(content)
        (received,) = await rig.settled()
        await rig.transport.done(received)

    kept = [path.read_bytes() for path in (rig.archive / "received").iterdir()]
    assert sorted(kept) == [b"one", b"three", b"two!"]
    assert all(path.suffix == ".xml" for path in (rig.archive / "received").iterdir())


async def test_a_file_that_is_too_large_is_set_aside_with_the_reason(rig):
    (rig.inbox / "1.xml").write_bytes(b"x" * 20_001)

    assert await rig.settled() == []
    assert rig.names(rig.inbox) == []
    assert rig.names(rig.archive / "failed") == ["1.xml", "1.xml.reason.txt"]
    reason = (rig.archive / "failed" / "1.xml.reason.txt").read_text("utf-8")
    assert reason.startswith("incoming-too-large\n")
    assert "20000" in reason
    assert (await rig.transport.health()).failed == 1


async def test_a_file_set_aside_can_be_put_back(rig, tmp_path):
    (rig.inbox / "1.xml").write_bytes(b"x" * 20_001)
    await rig.settled()
    (rig.archive / "failed" / "1.xml").rename(rig.inbox / "1.xml")

    received = await Rig(tmp_path, limits=Limits(receipt_bytes_max=30_000)).settled()

    assert [each.name for each in received] == ["1.xml"]


async def test_a_link_is_never_followed(rig, tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    (rig.inbox / "1.xml").symlink_to(tmp_path / "secret")

    assert await rig.settled() == []
    assert (rig.archive / "failed" / "1.xml").is_symlink()
    assert (rig.archive / "failed" / "1.xml.reason.txt").read_text("utf-8").startswith("incoming-kind\n")


async def test_a_pipe_does_not_block(rig):
    os.mkfifo(rig.inbox / "1.xml")

    assert await rig.settled() == []
    assert rig.names(rig.archive / "failed") == ["1.xml", "1.xml.reason.txt"]


@pytest.mark.parametrize("name", [b"\xff.xml", "a\u202eb.xml".encode(), b"a\nb.xml", b"x" * 201])
async def test_a_name_that_cannot_be_stored_is_set_aside_under_another(rig, name):
    (rig.inbox / os.fsdecode(name)).write_bytes(b"one")

    assert await rig.settled() == []
    assert rig.names(rig.inbox) == []
    assert all(each.startswith("unnamed-") for each in rig.names(rig.archive / "failed"))


async def test_one_bad_file_does_not_hold_up_the_others(rig):
    (rig.inbox / "1.xml").write_bytes(b"x" * 20_001)
    (rig.inbox / "2.xml").write_bytes(b"two")

    assert [each.name for each in await rig.settled()] == ["2.xml"]


async def test_no_more_bytes_are_read_in_one_go_than_the_limit(rig, monkeypatch):
    monkeypatch.setattr(module, "RECEIVE_BYTES_MAX", 150)
    for name in ("1.xml", "2.xml", "3.xml"):
        (rig.inbox / name).write_bytes(b"x" * 100)

    assert len(await rig.settled()) == 2


async def test_a_crowded_inbox_is_drained_bit_by_bit(rig, monkeypatch):
    monkeypatch.setattr(module, "SCAN_ENTRIES_MAX", 3)
    for number in range(10):
        (rig.inbox / f"{number}.xml").write_bytes(b"data")

    names = []
    for _ in range(4):
        for received in await rig.settled():
            names.append(received.name)
            await rig.transport.done(received)

    assert sorted(names) == [f"{number}.xml" for number in range(10)]


async def test_a_missing_inbox_is_unavailable(rig):
    rig.inbox.rmdir()

    with pytest.raises(Unavailable) as refused:
        await rig.transport.receive(10)

    assert refused.value.fault.code == "transport-folder-missing"


async def test_a_missing_archive_keeps_the_file_in_the_inbox(rig):
    (rig.inbox / "1.xml").write_bytes(b"one")
    (received,) = await rig.settled()
    (rig.archive / "received").rmdir()

    with pytest.raises(Unavailable):
        await rig.transport.done(received)

    assert rig.names(rig.inbox) == ["1.xml"]


async def test_health_names_every_folder_that_is_missing(rig):
    rig.outbox.rmdir()
    rig.inbox.rmdir()

    health = await rig.transport.health()

    assert [fault.code for fault in health.faults] == ["transport-folder-missing"] * 2


async def test_health_tells_how_long_the_client_has_left_a_message_lying(rig):
    await rig.transport.send("1.xml", b"one")
    os.utime(rig.outbox / "1.xml", (NOW_MS / 1000 - 90, NOW_MS / 1000 - 90))

    assert (await rig.transport.health()).waiting_ms == 90_000


def test_missing_boxes_are_made_for_tests_only(tmp_path):
    with pytest.raises(Refused) as refused:
        Rig(tmp_path).transport.prepare(make_boxes=False)

    assert [fault.code for fault in refused.value.faults] == ["transport-folder-missing"] * 2
    assert not (tmp_path / "outbox").exists()
    Rig(tmp_path).transport.prepare(make_boxes=True)
    assert (tmp_path / "outbox").is_dir()


def test_an_archive_that_cannot_be_made_is_a_fault(tmp_path):
    (tmp_path / "archive").write_text("a file stands here")

    with pytest.raises(Refused) as refused:
        Rig(tmp_path).transport.prepare(make_boxes=True)

    assert [fault.code for fault in refused.value.faults] == ["transport-folder-missing"] * 3


def test_drafts_of_a_crash_are_cleared_away_and_fresh_ones_stay(tmp_path):
    rig = Rig(tmp_path)
    rig.transport.prepare(make_boxes=True)
    for name, age_seconds in ((".1.xml.7-0.tongguan-draft", 4000), (".2.xml.8-0.tongguan-draft", 60)):
        (rig.outbox / name).write_bytes(b"half")
        os.utime(rig.outbox / name, (NOW_MS / 1000 - age_seconds, NOW_MS / 1000 - age_seconds))
    (rig.outbox / ".client").write_bytes(b"not ours")

    rig.transport.prepare(make_boxes=True)

    assert rig.names(rig.outbox) == [".2.xml.8-0.tongguan-draft", ".client"]


_AS_ANOTHER_USER = """
import asyncio, os, sys
from pathlib import Path
from tongguan.adapters.folder import FolderTransport
from tongguan.adapters.transport import TransportFault
from tongguan.config.eports import FolderSettings, Limits

def said(action):
    try:
        return asyncio.run(action)
    except TransportFault as error:
        return f"{type(error).__name__} {error.fault.code}"

if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
boxes = {name: Path(sys.argv[1]) / name for name in ("outbox", "inbox", "archive")}
transport = FolderTransport(FolderSettings.model_construct(kind="folder", settle_ms=0, **boxes), Limits(), lambda: 0)
print(said(transport.send("1.xml", b"one")))
print(said(transport.receive(10)))
print([each.code for each in asyncio.run(transport.health()).faults])
"""


def test_folders_and_files_of_another_user_are_told_from_missing_ones():
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        for folder in ("outbox", "inbox", "archive", "archive/sent", "archive/received", "archive/failed"):
            (root / folder).mkdir()
            (root / folder).chmod(0o777)
        (root / "outbox").chmod(0o555)
        (root / "inbox" / "2.xml").write_bytes(b"two")
        (root / "inbox" / "2.xml").chmod(0)

        run = subprocess.run(
            [sys.executable, "-c", _AS_ANOTHER_USER, name], capture_output=True, text=True, check=False
        )

        assert run.stderr == ""
        assert run.stdout.splitlines() == ["NotSent transport-denied", "[]", "['transport-denied']"]
        reason = (root / "archive" / "failed" / "2.xml.reason.txt").read_text("utf-8")
        assert reason.startswith("incoming-unreadable\n")
