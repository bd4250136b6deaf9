"""The products of the example set, and what a merchant records about each."""

import csv
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Product:
    """A product as a shop sells it: quantities and weights (kg) of one sales unit, the price in CNY."""

    item_no: str
    name: str
    model: str
    gcode: str
    unit: str
    unit1: str
    qty1: str
    unit2: str
    qty2: str
    country: str
    price: Decimal
    net_weight: Decimal
    gross_weight: Decimal
    bar_code: str


@cache
def products() -> tuple[Product, ...]:
    """Every product, in the order of the table: invented, with HS codes and units as real filings have them."""
    text = Path(__file__).with_name("products.csv").read_text("utf-8")
    return tuple(_product(row) for row in csv.DictReader(text.splitlines()))


def _product(row: dict[str, str]) -> Product:
    amounts: dict[str, Any] = {name: Decimal(row[name]) for name in ("price", "net_weight", "gross_weight")}
    return Product(**{**row, **amounts})


def record_no(product: Product) -> str:
    """The number of the product's record in a bonded account book."""
    return f"R{product.bar_code[-6:]}"
