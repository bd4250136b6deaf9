"""What is left to chance, and how much of it.

What is drawn depends on the seed and on what it is drawn for, not on what was drawn before: a document meets the same
fate in every run with the same seed, whatever else is sent and however often the simulator is killed.
"""

from dataclasses import dataclass
from decimal import Decimal
from random import Random
from uuid import UUID

RETURNS_MAX = 100
"""Returns in one receipt message, by the 202205 schemas."""
VAT_RATE = Decimal("0.13")
"""The rate of value added tax on most goods; the tariff of a real customs has others."""


@dataclass(frozen=True, slots=True)
class Knobs:
    """How the simulated customs behaves where nothing is scripted. Raises ValueError for what cannot be.

    ``latency_ms`` is the range of milliseconds between one status and the next. ``loss``, ``double``, ``reorder`` and
    ``refuse`` are probabilities: the first three of each answer, the last of each document. ``batch`` is how many
    returns one receipt message may hold. With ``assume_documents`` an inventory needs no order, payment and waybill;
    those an e-port does not take from us are always assumed. ``vat_rate`` goes for every item of a tax bill.
    """

    latency_ms: tuple[int, int] = (20, 200)
    loss: float = 0.0
    double: float = 0.0
    reorder: float = 0.0
    refuse: float = 0.0
    batch: int = RETURNS_MAX
    assume_documents: bool = False
    vat_rate: Decimal = VAT_RATE

    def __post_init__(self) -> None:
        low, high = self.latency_ms
        if not 0 <= low <= high:
            raise ValueError("a latency is a range of milliseconds, the lower one first")
        if not all(0 <= each <= 1 for each in (self.loss, self.double, self.reorder, self.refuse)):
            raise ValueError("a probability lies between 0 and 1")
        if not 1 <= self.batch <= RETURNS_MAX:
            raise ValueError(f"a receipt message holds 1 to {RETURNS_MAX} returns")


@dataclass(frozen=True, slots=True)
class Chance:
    """Where random numbers come from."""

    seed: int

    def draw(self, *purpose: object) -> Random:
        """Random numbers for one purpose: the same for the same purpose, unrelated to those for another."""
        return Random(repr((self.seed, purpose)))  # noqa: S311 - reproducible is what a simulation has to be


def new_guid(random: Random) -> str:
    """A guid as e-port makes them: in lower case."""
    return str(UUID(int=random.getrandbits(128), version=4))
