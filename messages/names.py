"""Names: what an official element, or a kind of document, is called in Chinese and in English.

The table lies in ``tables/names.csv``. An element that means different things in different places (``country`` is the
country of origin of a line, but of departure in an inventory's head) has a second row naming where it differs.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Name:
    """How people call a field. ``personal`` says how its values are masked: name, number, address, text, or empty."""

    element: str
    zh: str
    en: str
    personal: str


@cache
def _names() -> dict[tuple[str, str], Name]:
    text = Path(__file__).with_name("tables").joinpath("names.csv").read_text("utf-8")
    return {
        (row["within"], row["element"]): Name(row["element"], row["zh"], row["en"], row["personal"])
        for row in csv.DictReader(text.splitlines())
    }


def name_of(element: str, within: str = "") -> Name:
    """The name of ``element`` where it stands inside ``within``; an element the table lacks is called as it is."""
    names = _names()
    return names.get((within, element)) or names.get(("", element)) or Name(element, element, element, "")
