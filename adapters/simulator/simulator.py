"""The simulator: the access client's side of the drop folders of test e-ports, and a customs of its own behind them."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from ...config.eports import MESSAGE_BYTES_MAX, EPort, KeyFiles, Limits
from ...config.keyfiles import Certificate, read_certificate
from ...messages.faults import Refused, fault
from ..folder import FolderTransport
from ..transport import Incoming
from .chance import Chance, Knobs
from .customs import Customs, Taken
from .receipts import Outgoing
from .script import Script
from .statefile import StateFile
from .world import World

LOOK_MS = 50
"""How often the outboxes are looked into."""
FILES_MAX = 100
"""How many files of one outbox are taken in one go."""


class Simulator:
    """Serves the folders of e-ports until it is told to stop.

    ``state`` is the file its world is kept in, or ``":memory:"``; ``archive`` the folder that keeps what it took and
    wrote, on the file system of the outboxes; ``clock`` gives milliseconds UTC; ``watch`` is told of each file taken
    and written. Where an e-port's signer is a key file, a declarant's messages must carry that certificate.
    Raises Refused for an e-port in production, for folders that cannot be used, and for a state file that is foreign
    or in use.
    """

    def __init__(
        self,
        eports: Iterable[EPort],
        *,
        state: str | Path,
        archive: Path,
        clock: Callable[[], int],
        seed: int = 0,
        script: Script | None = None,
        knobs: Knobs | None = None,
        watch: Callable[[Taken | Outgoing], None] | None = None,
    ) -> None:
        served = list(eports)
        if live := [fault("simulator-production", name=each.name) for each in served if each.environment != "test"]:
            raise Refused(live)
        self._clock = clock
        self._watch = watch
        self._file = StateFile(state)
        try:
            self._doors = {each.name: _door(each, archive / each.name, clock) for each in served}
            self._world = _recalled(self._file, state)
            certificates = {each.name: _certificates(each) for each in served}
        except BaseException:
            self.close()
            raise
        self._customs = Customs(
            self._world,
            served,
            certificates,
            chance=Chance(seed),
            script=script or Script(),
            knobs=knobs or Knobs(),
        )

    def close(self) -> None:
        """Let go of the state file."""
        self._file.close()

    @property
    def next_due_ms(self) -> int | None:
        """When the next receipt is due, milliseconds UTC; None when nothing is scheduled."""
        return self._customs.next_due_ms

    @property
    def idle(self) -> bool:
        """Whether nothing is scheduled."""
        return self.next_due_ms is None

    async def step(self) -> int:
        """Take what lies in the outboxes and write what is due by now; returned is how many files that were.

        Raises TransportFault for a folder that fails, and Refused for the state file; nothing is lost then, and the
        step may be repeated.
        """
        now_ms, done = self._clock(), 0
        for name, door in self._doors.items():
            for incoming in await door.receive(FILES_MAX):
                self._take(name, incoming, now_ms)
                await door.done(incoming)
                self._world.note(f"taken {name}", "")
                done += 1
        for file in self._customs.due(now_ms):
            await self._doors[file.eport].send(file.name, file.data)
            self._customs.delivered(file)
            self._save()
            self._tell(file)
            done += 1
        return done

    async def run(self, stop: asyncio.Event, *, until_idle: bool = False) -> None:
        """Step until ``stop`` is set; with ``until_idle`` also until nothing lies in the outboxes or is scheduled."""
        while not stop.is_set():
            done = await self.step()
            if until_idle and not done and self.idle:
                return
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 0 if done else LOOK_MS / 1000)

    def _take(self, eport: str, incoming: Incoming, now_ms: int) -> None:
        """Judge a file once: one that was judged before the process was killed is only put away."""
        mark = f"{incoming.name} {incoming.mark}"
        if self._world.noted(f"taken {eport}") == mark:
            return
        taken = self._customs.take(eport, incoming.name, incoming.data, now_ms)
        self._world.note(f"taken {eport}", mark)
        self._save()
        self._tell(taken)

    def _save(self) -> None:
        self._file.save(self._world.changes())
        self._world.saved()

    def _tell(self, event: Taken | Outgoing) -> None:
        if self._watch:
            self._watch(event)


def _door(eport: EPort, archive: Path, clock: Callable[[], int]) -> FolderTransport:
    """The folders of an e-port from their other side: what the gateway sends comes in, its inbox is where we send.

    Whoever puts a file into the outbox does so in one go, so there is no waiting for it to grow.
    """
    ours = eport.transport
    mirrored = ours.model_copy(update={"outbox": ours.inbox, "inbox": ours.outbox, "archive": archive, "settle_ms": 0})
    limits = Limits(message_bytes_max=MESSAGE_BYTES_MAX, receipt_bytes_max=MESSAGE_BYTES_MAX)
    door = FolderTransport(mirrored, limits, clock)
    door.prepare(make_boxes=True)
    return door


def _recalled(file: StateFile, state: str | Path) -> World:
    try:
        return World(file.load())
    except ValidationError:  # its text would print what it found
        raise Refused(fault("simulator-state", file=str(state))) from None


def _certificates(eport: EPort) -> Mapping[str, Certificate]:
    files = [signer for signer in eport.signers if isinstance(signer, KeyFiles)]
    return {signer.declarant: read_certificate(signer.certificate) for signer in files}
