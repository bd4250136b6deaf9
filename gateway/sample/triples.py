"""Clean triples: order, payment and waybill of one purchase that agree in everything, with goods and transport.

Documents are what a sender pushes as JSON: dicts of official names, numbers as text. All of it follows from the random
numbers and the moment given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any
from uuid import UUID

from ...messages.chinatime import china_date, china_seconds
from .enterprises import Market
from .people import Person, invent
from .products import Product, products, record_no

Content = dict[str, Any]

CONTRACT = "1"
CNY = "142"
COMBINED_RATE = Decimal("0.091")
"""Tax within the limits for goods with 13 % value added tax and no consumption tax (财关税[2016]18, [2018]49)."""
GOODS_VALUE_MAX = Decimal(1800)
"""What clean orders stay below, so that nobody comes near a limit."""
PARCELS_MAX = 60
"""Parcels under one master bill."""
MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
_CENT = Decimal("0.01")
_FREIGHTS = ("0", "8", "10.00", "12.5", "15")
_DISCOUNTS = ("0", "0", "0", "0", "5.00", "20", "9.99")
_ORIGINS = ("502", "116", "601", "609", "304", "305")
_SIX_MONTHS_OF_SEQUENCES = 600_000


@dataclass(frozen=True, slots=True)
class Item:
    """One line of an order: what, and how many."""

    product: Product
    qty: int

    @property
    def total(self) -> Decimal:
        """The price of the line."""
        return self.product.price * self.qty


@dataclass(slots=True)
class Triple:
    """One purchase: its documents, and who and what they are about. Planted cases change the documents."""

    market: Market
    buyer: Person
    items: Sequence[Item]
    ordered_ms: int
    order: Content = field(repr=False)
    payment: Content = field(repr=False)
    waybill: Content = field(repr=False)

    @property
    def order_no(self) -> str:
        """The order number, which names the case within its platform."""
        return self.order["orderNo"]

    @property
    def case(self) -> str:
        """The key of the case, as the gateway writes it."""
        return f"import/{self.order['ebpCode']}/{self.order_no}"


class Maker:
    """Makes triples of one set; ``at_ms`` is the latest moment any document is dated (milliseconds UTC)."""

    def __init__(self, random: Random, seed: int, at_ms: int) -> None:
        self.random = random
        self.at_ms = at_ms
        self._stamp = f"{china_date(at_ms)}{seed % 10_000:04d}"
        self._people = random.randrange(_SIX_MONTHS_OF_SEQUENCES)
        self._count = 0
        self._bill_no = ""
        self._parcels = 0
        self.transports: list[Content] = []
        self.people: list[Person] = []

    def guid(self) -> str:
        """A guid as the specification wants it: in upper case."""
        return str(UUID(int=self.random.getrandbits(128), version=4)).upper()

    def person(self) -> Person:
        """Somebody new."""
        self._people += 1
        self.people.append(invent(self.random, self._people))
        return self.people[-1]

    def number(self) -> str:
        """A number that is unique in the set, and among sets of other seeds made on the same day."""
        self._count += 1
        return f"{self._stamp}{self._count:06d}"

    def basket(self) -> list[Item]:
        """One to four items."""
        chosen: list[Item] = []
        left = GOODS_VALUE_MAX
        for product in self.random.sample(products(), self.random.choice((1, 1, 2, 2, 3, 4))):
            qty = 1 if product.price > 250 else self.random.randint(1, 4)
            if product.price * qty <= left:
                chosen.append(Item(product, qty))
                left -= product.price * qty
        return chosen

    def triple(self, market: Market, items: Sequence[Item] = (), buyer: Person | None = None) -> Triple:
        """A purchase whose documents agree; ``items`` and ``buyer`` are drawn unless given."""
        items = items or self.basket()
        buyer = buyer or self.person()
        ordered = self.at_ms - self.random.randint(2 * HOUR_MS, 26 * HOUR_MS) // 1000 * 1000
        number = self.number()
        order = self._order(market, items, buyer, ordered, number)
        return Triple(
            market,
            buyer,
            items,
            ordered,
            order=order,
            payment=self._payment(market, order, ordered),
            waybill=self._waybill(market, order, items, ordered),
        )

    def _order(self, market: Market, items: Sequence[Item], buyer: Person, ordered: int, number: str) -> Content:
        goods_value = sum((item.total for item in items), Decimal(0))
        freight, discount = Decimal(self.random.choice(_FREIGHTS)), Decimal(self.random.choice(_DISCOUNTS))
        tax = ((goods_value + freight) * COMBINED_RATE).quantize(_CENT, ROUND_HALF_UP)
        receiver = self.person() if self.random.random() < 0.15 else buyer  # a present for somebody else
        return {
            **self._head(ordered),
            "appStatus": "2",
            "orderType": "I",
            "orderNo": f"{market.prefix}{number}",
            "ebpCode": market.merchant.code,
            "ebpName": market.merchant.name,
            "ebcCode": market.merchant.code,
            "ebcName": market.merchant.name,
            "goodsValue": _text(goods_value),
            "freight": _text(freight),
            "discount": _text(discount),
            "taxTotal": _text(tax),
            "acturalPaid": _text(goods_value + freight + tax - discount),
            "currency": CNY,
            "buyerRegNo": f"user-{self.random.randrange(10**8):08d}",
            "buyerName": buyer.name,
            "buyerTelephone": buyer.phone,
            "buyerIdType": "1",
            "buyerIdNumber": buyer.id_number,
            "payCode": market.payer.code,
            "payName": market.payer.name,
            "payTransactionId": f"FB{number}",
            "consignee": receiver.name,
            "consigneeTelephone": receiver.phone,
            "consigneeAddress": receiver.address,
            "consigneeDistrict": receiver.district,
            **self._knows_waybill(market, number),
            **({"tradeMode": market.trade_mode} if market.trade_mode else {}),
            "OrderList": [order_line(at, item, self.random) for at, item in enumerate(items, start=1)],
        }

    def _knows_waybill(self, market: Market, number: str) -> Content:
        """Most platforms know the waybill by the time they report the order."""
        if self.random.random() < 0.3:
            return {}
        return {
            "logisticsCode": market.carrier.code,
            "logisticsName": market.carrier.name,
            "logisticsNo": f"SD{number}",
        }

    def _payment(self, market: Market, order: Content, ordered: int) -> Content:
        paid = ordered - self.random.randint(1, 90) * 1000
        return {
            **self._head(ordered + self.random.randint(1, 20) * 1000),
            "appStatus": "2",
            "payCode": market.payer.code,
            "payName": market.payer.name,
            "payTransactionId": order["payTransactionId"],
            "orderNo": order["orderNo"],
            "ebpCode": order["ebpCode"],
            "ebpName": order["ebpName"],
            "payerIdType": "1",
            "payerIdNumber": order["buyerIdNumber"],
            "payerName": order["buyerName"],
            "telephone": order["buyerTelephone"],
            "amountPaid": order["acturalPaid"],
            "currency": CNY,
            "payTime": china_seconds(paid),
        }

    def _waybill(self, market: Market, order: Content, items: Sequence[Item], ordered: int) -> Content:
        net = sum((item.product.net_weight * item.qty for item in items), Decimal(0))
        gross = sum((item.product.gross_weight * item.qty for item in items), Decimal("0.15"))
        return {
            **self._head(ordered + self.random.randint(20, 60) * MINUTE_MS),
            "appStatus": "2",
            "logisticsCode": market.carrier.code,
            "logisticsName": market.carrier.name,
            "logisticsNo": f"SD{order['orderNo'].removeprefix(market.prefix)}",
            **({"billNo": self._bill(market)} if market.mode == "9610" else {}),
            "orderNo": order["orderNo"],
            "freight": order["freight"],
            "insuredFee": "0",
            "currency": CNY,
            "weight": _text(max(gross, net)),
            "packNo": 1,
            "goodsInfo": "、".join(item.product.name for item in items),
            "consignee": order["consignee"],
            "consigneeAddress": order["consigneeAddress"],
            "consigneeTelephone": order["consigneeTelephone"],
        }

    def _bill(self, market: Market) -> str:
        """The master bill of the next parcel; a flight takes so many and then another one follows."""
        if self._parcels % PARCELS_MAX == 0:
            self.transports.append(self.flight(market))
            self._bill_no = self.transports[-1]["billNo"]
        self._parcels += 1
        return self._bill_no

    def flight(self, market: Market) -> Content:
        """A flight with its master bill, as transport data say it."""
        flight = f"XQ{self.random.randint(700, 999)}"
        return {
            **self._head(self.at_ms - 3 * HOUR_MS),
            "logisticsCode": market.carrier.code,
            "billNo": f"000{self.random.randrange(10**8):08d}",
            "trafMode": "5",
            "trafNo": flight,
            "voyageNo": f"{flight}{china_date(self.at_ms)[4:]}",
            "ieDate": china_date(self.at_ms),
            "country": self.random.choice(_ORIGINS),
        }

    def goods(self, market: Market, product: Product) -> Content:
        """What the merchant records about one product."""
        second = {"unit2": product.unit2, "qty2": product.qty2} if product.unit2 else {}
        return {
            **self._head(self.at_ms - 30 * 24 * HOUR_MS),
            "ebcCode": market.merchant.code,
            "itemNo": product.item_no,
            "gcode": product.gcode,
            "gname": product.name,
            "gmodel": product.model,
            "barCode": product.bar_code,
            "country": product.country,
            "unit": product.unit,
            "unit1": product.unit1,
            "qty1": product.qty1,
            **second,
            "grossWeight": _text(product.gross_weight),
            "netWeight": _text(product.net_weight),
            **({"itemRecordNo": record_no(product)} if market.mode == "1210" else {}),
        }

    def _head(self, at_ms: int) -> Content:
        return {"contract": CONTRACT, "guid": self.guid(), "appType": "1", "appTime": china_seconds(at_ms)}


def order_line(gnum: int, item: Item, random: Random) -> Content:
    """One line of an order; some shops know an item by its bar code only."""
    product = item.product
    named = {"itemNo": product.item_no} if random.random() < 0.85 else {}
    return {
        "gnum": gnum,
        **named,
        "itemName": product.name,
        "gmodel": product.model,
        "barCode": product.bar_code,
        "unit": product.unit,
        "qty": str(item.qty),
        "price": _text(product.price),
        "totalPrice": _text(item.total),
        "currency": CNY,
        "country": product.country,
    }


def _text(number: Decimal) -> str:
    return format(number, "f")
