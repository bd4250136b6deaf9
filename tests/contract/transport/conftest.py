"""Every transport stands before the same suite, with the e-port's side of it in the test's hands."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tongguan.adapters.folder import FolderTransport
from tongguan.adapters.transport import Transport
from tongguan.config.eports import FolderSettings, Limits

SETTLE_MS = 1000


@dataclass
class Clock:
    now_ms: int = 1_772_337_600_000

    def __call__(self):
        return self.now_ms

    def pass_ms(self, duration_ms):
        self.now_ms += duration_ms


class FolderSide:
    """The access client of a drop folder."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self.clock = clock

    def transport(self) -> Transport:
        """A transport as a process that starts now would make it."""
        settings = FolderSettings.model_construct(
            kind="folder",
            outbox=self.folder / "outbox",
            inbox=self.folder / "inbox",
            archive=self.folder / "archive",
            settle_ms=SETTLE_MS,
        )
        transport = FolderTransport(settings, Limits(message_bytes_max=20_000, receipt_bytes_max=20_000), self.clock)
        transport.prepare(make_boxes=True)
        return transport

    def taken(self):
        """What the e-port has taken so far, by name."""
        return {path.name: path.read_bytes() for path in (self.folder / "outbox").iterdir()}

    def answers(self, name, data):
        """The e-port's side puts a message where we receive."""
        (self.folder / "inbox" / name).write_bytes(data)

    async def settled(self, transport):
        """Wait as long as it takes for a complete message to count as complete."""
        await transport.receive(100)
        self.clock.pass_ms(SETTLE_MS)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["folder"])
def side(request, tmp_path, clock):
    return {"folder": FolderSide}[request.param](tmp_path, clock)


@pytest.fixture
def transport(side):
    return side.transport()
