"""The transport port: how the bytes of a message reach an e-port's access client, and how receipts come back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..messages.faults import Fault


class TransportFault(Exception):  # noqa: N818 - what is wrong is a Fault; this carries it
    """Something keeps a transport from doing what was asked."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(f"{fault.code}: {fault.en}")


class NotSent(TransportFault):
    """The message was definitely not handed over; the same bytes may be tried again under the same name."""


class Uncertain(TransportFault):
    """The message may have been handed over. Only the same bytes may follow, and only after waiting for a receipt."""


class Unavailable(TransportFault):
    """What comes in cannot be reached at present; nothing is lost."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """One file or delivery from an e-port, kept by the transport until it is ``done``."""

    name: str
    data: bytes = field(repr=False)
    first_seen_ms: int
    mark: tuple[int, ...]
    """Tells the transport which version was read, should another come in under its name; empty where none can."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a transport stands: what keeps it from working, and what is waiting on either side.

    Counts stop at the number of entries the transport is willing to look at. ``waiting_ms`` is how long the access
    client has left the oldest message lying; it is 0 when there is none.
    """

    faults: Sequence[Fault]
    outgoing: int
    waiting_ms: int
    incoming: int
    failed: int


class Transport(Protocol):
    """One e-port's way out and in. Each call may be repeated after a crash."""

    async def send(self, name: str, data: bytes) -> None:
        """Hand over one message. Raises NotSent or Uncertain; returning means it stands where the e-port takes it.

        The same name with the same bytes is harmless; with other bytes it is NotSent.
        """
        ...

    async def receive(self, limit: int) -> list[Incoming]:
        """At most ``limit`` complete messages, oldest first. Each is offered again until it is ``done``.

        Raises Unavailable.
        """
        ...

    async def done(self, incoming: Incoming) -> None:
        """Put a message that is durably stored out of the way; does nothing when it is gone. Raises Unavailable."""
        ...

    async def health(self) -> Health:
        """How the transport stands now."""
        ...
