"""What plants the scenarios: small functions that spoil, repeat, delay or sign the documents of clean triples."""

from collections.abc import Callable, Mapping

from ..planting import Ground
from . import arrivals, deliveries, findings, lives, missing

Plant = Callable[[Ground], None]

_ROOMS = (arrivals, missing, findings, lives, deliveries)
PLANTS: Mapping[str, Plant] = {plant.__name__.replace("_", "-"): plant for room in _ROOMS for plant in room.PLANTS}
"""Every function that plants something, by the name the table of scenarios uses."""
