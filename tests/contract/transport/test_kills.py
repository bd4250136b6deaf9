"""A gateway that is killed while it sends leaves no half message in the outbox."""

import subprocess
import sys
import time

import pytest

_SENDING = """
import asyncio, sys
from itertools import count
from pathlib import Path
from tongguan.adapters.folder import FolderTransport
from tongguan.config.eports import FolderSettings, Limits

boxes = {name: Path(sys.argv[1]) / name for name in ("outbox", "inbox", "archive")}
settings = FolderSettings.model_construct(kind="folder", settle_ms=0, **boxes)
transport = FolderTransport(settings, Limits(), lambda: 0)
transport.prepare(make_boxes=True)

async def send():
    print("sending", flush=True)
    for number in count():
        await transport.send(f"{number}.xml", bytes([number % 256]) * 900_000)

asyncio.run(send())
"""


@pytest.mark.faults
@pytest.mark.parametrize("after_ms", [20, 45, 70])
def test_a_killed_sender_leaves_whole_messages_only(tmp_path, after_ms):
    with subprocess.Popen([sys.executable, "-c", _SENDING, tmp_path], stdout=subprocess.PIPE) as sender:
        assert sender.stdout is not None
        sender.stdout.readline()
        time.sleep(after_ms / 1000)
        sender.kill()

    visible = [path for path in (tmp_path / "outbox").iterdir() if not path.name.startswith(".")]
    assert visible
    for path in visible:
        data = path.read_bytes()
        assert data == data[:1] * 900_000
