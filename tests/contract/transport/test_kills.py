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


def _visible(folder):
    return [path for path in (folder / "outbox").iterdir() if not path.name.startswith(".")]


@pytest.mark.faults
@pytest.mark.parametrize("after_ms", [0, 15, 45])
def test_a_killed_sender_leaves_whole_messages_only(tmp_path, after_ms):
    with subprocess.Popen([sys.executable, "-c", _SENDING, tmp_path], stdout=subprocess.PIPE) as sender:
        assert sender.stdout is not None
        sender.stdout.readline()
        while not _visible(tmp_path) and sender.poll() is None:
            time.sleep(0.001)
        time.sleep(after_ms / 1000)
        sender.kill()

    assert _visible(tmp_path)
    for path in _visible(tmp_path):
        data = path.read_bytes()
        assert data == data[:1] * 900_000
