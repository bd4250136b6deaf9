"""Planting: what one scenario pushes, in which order, and what is expected of each piece of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random
from typing import Any, Literal, NamedTuple

from ...messages.chinatime import china_date, china_seconds, parse_china_time
from . import riders
from .ceb import Keys, Message
from .enterprises import MARKETS, Enterprise, Market, Mode
from .people import Person
from .products import Product, products
from .scenario import CaseSpec, Scenario
from .triples import HOUR_MS, MINUTE_MS, Content, Item, Maker, Triple

Form = Literal["json", "jsonl", "xml"]
TRIPLE = ("order", "payment", "waybill")
WAVE_DATED_MS = {1: 0, 2: -40 * MINUTE_MS, 3: -10 * MINUTE_MS}
"""When the documents of a later wave are dated, against the moment of the set."""


class Place(NamedTuple):
    """When something is pushed: the wave (everything comes to rest between two), and the step within it."""

    wave: int
    step: int


REFERENCES = Place(1, 0)
FIRST = Place(1, 1)
SECOND = Place(1, 2)
AFTER_THE_GOODS = Place(3, 1)
ALL_ARRIVED = 4
"""The first step after the three arrivals of every triple."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What must become of one document."""

    kind: str
    outcome: str = "taken"
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Push:
    """One document that travels with others of its kind, sender and form."""

    place: Place
    sender: Enterprise
    form: Form
    content: Content = field(repr=False)
    planted: int
    expected: Expected

    @property
    def kind(self) -> str:
        """The kind of the document."""
        return self.expected.kind


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery of its own: bytes as they are, the documents in it, or why there are none."""

    place: Place
    party: str
    routing_key: str
    form: Form
    body: bytes = field(repr=False)
    planted: int
    expected: tuple[Expected, ...] = ()
    refused: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(slots=True)
class Planted:
    """A scenario as it was planted: its cases with the triples they are about."""

    scenario: Scenario
    claims: list[tuple[Triple, str | None]] = field(default_factory=list)

    def specs(self) -> Iterator[tuple[str, Triple, CaseSpec]]:
        """Each case by its key, with its triple and what is expected of it."""
        if len(self.claims) != len(self.scenario.cases):
            raise ValueError(f"{self.scenario.name} plants {len(self.claims)} cases")
        for (triple, case), spec in zip(self.claims, self.scenario.cases, strict=True):
            yield case or triple.case, triple, spec


@dataclass(frozen=True, slots=True)
class Means:
    """What all scenarios of a set are made with: its numbers and people, its keys, its trade modes."""

    maker: Maker
    keys: Keys
    modes: Sequence[Mode]


class Ground:
    """What one scenario is planted on, in one trade mode. Builders take it and push documents."""

    def __init__(self, means: Means, mode: Mode, planted: Planted, number: int) -> None:
        self.maker = means.maker
        self.keys = means.keys
        self.modes = means.modes
        self.mode: Mode = mode
        self.pushes: list[Push] = []
        self.parcels: list[Parcel] = []
        self._planted = planted
        self._number = number
        self._faults = iter(planted.scenario.faults)
        self._refused = iter(planted.scenario.refused)
        self._notices = iter(planted.scenario.notices)
        self._seen: dict[str, int] = {}

    @property
    def random(self) -> Random:
        """The random numbers of the set."""
        return self.maker.random

    @property
    def market(self) -> Market:
        """The market of the mode it is planted in."""
        return MARKETS[self.mode]

    def person(self) -> Person:
        """Somebody new."""
        return self.maker.person()

    def triple(self, items: Sequence[Item] = (), buyer: Person | None = None, market: Market | None = None) -> Triple:
        """A clean triple, whose case counts among the scenario's."""
        made = self.maker.triple(market or self.market, items, buyer)
        self.claim(made)
        return made

    def claim(self, triple: Triple, case: str | None = None) -> None:
        """Count a case among the scenario's: that of the triple unless another one is named."""
        self._planted.claims.append((triple, case))

    def named(self, triple: Triple) -> Triple:
        """The triple, whose order names carrier and waybill."""
        triple.order |= {name: triple.waybill[name] for name in ("logisticsCode", "logisticsName", "logisticsNo")}
        return triple

    def unnamed(self, triple: Triple) -> Triple:
        """The triple, whose order does not know its waybill."""
        for name in ("logisticsCode", "logisticsName", "logisticsNo"):
            triple.order.pop(name, None)
        return triple

    def another_waybill(self, triple: Triple) -> Content:
        """A waybill that says the same under another number."""
        return triple.waybill | {"guid": self.maker.guid(), "logisticsNo": f"SD{self.maker.number()}"}

    def product(self, record: Mapping[str, Any] | None = None, *, recorded: bool = True, **changes: Any) -> Product:
        """A product of this scenario's own; ``record`` changes its goods record, None in it leaves a field out."""
        number = self.maker.number()
        own = {"item_no": f"P{number}", "bar_code": f"21{number[-11:]}", "price": Decimal("60.00"), **changes}
        product = replace(next(each for each in products() if each.item_no == "MILK-POWDER-1000"), **own)
        if recorded:
            self.push("goods", self.goods(product, record or {}), REFERENCES)
        return product

    def goods(self, product: Product, changes: Mapping[str, Any], market: Market | None = None) -> Content:
        """The goods record of a product, with some fields changed or left out."""
        content = self.maker.goods(market or self.market, product) | dict(changes)
        return {name: value for name, value in content.items() if value is not None}

    def arrive(self, triple: Triple, *kinds: str, wave: int = 1, first: int = 1) -> None:
        """Push documents of a triple one after the other: those named, else all three in any order."""
        order = kinds or tuple(self.random.sample(TRIPLE, 3))
        for step, kind in enumerate(order, start=first):
            self.push(kind, getattr(triple, kind), Place(wave, step), self._sender(kind, triple.market))

    def push(
        self, kind: str, content: Content, place: Place, sender: Enterprise | None = None, form: Form | None = None
    ) -> None:
        """Push one document, from whoever as a rule sends its kind, in either form of JSON."""
        form = form or ("json" if self.random.random() < 0.7 else "jsonl")
        sender = sender or self.sender(kind)
        self.pushes.append(Push(place, sender, form, content, self._number, self._expect(kind)))

    def sender(self, kind: str) -> Enterprise:
        """Who as a rule sends documents of a kind."""
        return self._sender(kind, self._planted.claims[-1][0].market if self._planted.claims else self.market)

    def _sender(self, kind: str, market: Market) -> Enterprise:
        if kind == "payment":
            return market.payer
        if kind in ("waybill", "waybill-status", "transport"):
            return market.carrier
        return market.agent if kind in ("inventory", "cancellation", "return") else market.merchant

    def message(self, kind: str, *contents: Content) -> Message:
        """Documents as one customs message of their sender."""
        return Message(kind, contents, self.sender(kind), self.maker.guid())

    def send(self, message: Message, body: bytes, place: Place) -> None:
        """Push a customs message as a delivery of its own."""
        expected = tuple(self._expect(message.kind) for _ in message.contents)
        notices = next(self._notices, ())
        self.parcels.append(
            Parcel(place, message.sender.party, "ceb", "xml", body, self._number, expected, notices=notices)
        )

    def sign(self, kind: str, *contents: Content, place: Place = FIRST) -> None:
        """Push documents as a signed customs message."""
        message = self.message(kind, *contents)
        self.send(message, message.signed(self.keys.signer(message.sender)), place)

    def unreadable(self, routing_key: str, form: Form, body: bytes, *kinds: str) -> None:
        """Push bytes that are refused as a whole, or (with ``kinds``) document by document."""
        expected = tuple(self._expect(kind) for kind in kinds)
        refused = () if kinds else next(self._refused)
        party = self.market.merchant.party
        self.parcels.append(Parcel(FIRST, party, routing_key, form, body, self._number, expected, refused))

    def amended(self, content: Content, app_type: str = "2", *, place: Place = SECOND, **changes: Any) -> Content:
        """The document sent again, dated later; a change unless told otherwise."""
        later = parse_china_time(content["appTime"]) + 5 * MINUTE_MS
        dated = later if place.wave == 1 else self.dated(place.wave)
        sent = {"guid": self.maker.guid(), "appType": app_type, "appTime": china_seconds(dated)}
        return {**content, **sent, **changes}

    def dated(self, wave: int) -> int:
        """When the documents of a wave are dated (milliseconds UTC)."""
        return self.maker.at_ms + WAVE_DATED_MS[wave]

    def earlier(self, content: Content) -> str:
        """An appTime before that of the document."""
        return china_seconds(parse_china_time(content["appTime"]) - 5 * MINUTE_MS)

    def draft(self, triple: Triple) -> Content:
        """The declarant's inventory of a triple."""
        transport = next((t for t in self.maker.transports if t["billNo"] == triple.waybill.get("billNo")), None)
        return riders.draft(triple, self.maker.guid(), self.dated(1) - HOUR_MS, self.cop_no(), transport)

    def cop_no(self) -> str:
        """A declarant's own number."""
        return f"E{self.maker.number()}"

    def invt_no(self, triple: Triple) -> str:
        """A number such as customs give to inventories."""
        year = china_date(self.maker.at_ms)[:4]
        return f"{triple.market.customs_code}{year}I{self.random.randrange(10**9):09d}"

    def after_release(self, kind: str, triple: Triple) -> None:
        """Push what follows the goods: the status of the parcel, a cancellation or a return."""
        guid, dated = self.maker.guid(), self.dated(AFTER_THE_GOODS.wave)
        numbers = (self.cop_no(), self.invt_no(triple))
        match kind:
            case "waybill-status":
                content = riders.waybill_status(triple, guid, dated)
            case "cancellation":
                content = riders.cancellation(triple, guid, dated, *numbers)
            case _:
                content = riders.refund(triple, guid, dated, *numbers)
        self.push(kind, content, AFTER_THE_GOODS, form="xml")

    def _expect(self, kind: str) -> Expected:
        nth = self._seen.get(kind, 0)
        self._seen[kind] = nth + 1
        stated = self._planted.scenario.outcomes.get(kind, ())
        outcome = stated[nth] if nth < len(stated) else "taken"
        return Expected(kind, outcome, next(self._faults) if outcome not in ("taken", "duplicate") else ())
