"""The load: clean triples, made before the clock runs, as the deliveries that platforms, payers and carriers push."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tongguan.gateway.sample.enterprises import MARKETS
from tongguan.gateway.sample.generate import DOCUMENTS_MAX
from tongguan.gateway.sample.products import products
from tongguan.gateway.sample.triples import Maker, Triple

KINDS = ("order", "payment", "waybill")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One delivery of the load, and the order numbers of the triples whose documents it carries."""

    routing_key: str
    body: str = field(repr=False)
    orders: tuple[str, ...] = ()


def write_load(path: Path, seed: int, at_ms: int, count: int, per_delivery: int) -> None:
    """Write ``count`` triples as lines of JSON, one for each delivery of up to ``per_delivery`` documents of a kind.

    Direct purchase (9610) and bonded import (1210) take turns. What they refer to, goods and transport, comes first.
    """
    maker = Maker(Random(seed), seed, at_ms)  # noqa: S311 - the same seed has to give the same load
    parcels = [parcel for group in _groups(maker, count, per_delivery) for parcel in _triples(group, per_delivery)]
    with path.open("w", encoding="utf-8") as file:
        for each in (*_references(maker), *parcels):
            file.write(json.dumps(asdict(each), ensure_ascii=False) + "\n")


def read_load(path: Path) -> list[Parcel]:
    """The deliveries in the order they are pushed."""
    with path.open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return [Parcel(each["routing_key"], each["body"], tuple(each["orders"])) for each in lines]


def _groups(maker: Maker, count: int, per_delivery: int) -> Iterator[list[Triple]]:
    markets = tuple(MARKETS.values())
    for number, start in enumerate(range(0, count, per_delivery)):
        market = markets[number % len(markets)]
        yield [maker.triple(market) for _ in range(min(per_delivery, count - start))]


def _triples(group: Sequence[Triple], per_delivery: int) -> Iterator[Parcel]:
    orders = tuple(each.order_no for each in group)
    for kind in KINDS:
        yield _parcel(kind, [getattr(each, kind) for each in group], orders, alone=per_delivery == 1)


def _references(maker: Maker) -> Iterator[Parcel]:
    for market in MARKETS.values():
        goods = [maker.goods(market, product) for product in products()]
        yield from _chunks("goods", goods)
    yield from _chunks("transport", maker.transports)


def _chunks(kind: str, contents: Sequence[dict[str, Any]]) -> Iterator[Parcel]:
    for start in range(0, len(contents), DOCUMENTS_MAX):
        yield _parcel(kind, contents[start : start + DOCUMENTS_MAX])


def _parcel(
    kind: str,
    contents: Sequence[dict[str, Any]],
    orders: tuple[str, ...] = (),
    *,
    alone: bool = False,
) -> Parcel:
    body = json.dumps(contents[0] if alone else contents, ensure_ascii=False)
    return Parcel(f"import.{kind}", body, orders)
