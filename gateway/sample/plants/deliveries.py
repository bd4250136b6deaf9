"""Deliveries that cannot be read, or documents in them that cannot be taken."""

import json
from collections.abc import Mapping
from typing import Any

from ..planting import ALL_ARRIVED, Ground, Place
from ..triples import Content

_ORDER = "import.order"


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False).encode()


def _orders(g: Ground, *changes: Mapping[str, Any]) -> list[Content]:
    """Orders of nobody's case, each changed in its way."""
    return [g.maker.triple(g.market).order | dict(each) for each in changes]


def json_malformed(g: Ground) -> None:
    """JSON that is cut off."""
    g.unreadable(_ORDER, "json", _json(_orders(g, {}))[:-40])


def json_not_utf8(g: Ground) -> None:
    """JSON in GB18030."""
    g.unreadable(_ORDER, "json", json.dumps(_orders(g, {}), ensure_ascii=False).encode("gb18030"))


def json_empty(g: Ground) -> None:
    """An array without documents."""
    g.unreadable(_ORDER, "json", b"[]")


def too_many(g: Ground) -> None:
    """A hundred and one documents in one delivery."""
    g.unreadable(_ORDER, "json", _json(_orders(g, {}) * 101))


def kind_unknown(g: Ground) -> None:
    """A routing key that names no kind of document."""
    g.unreadable("import.orders", "json", _json(_orders(g, {})))


def routing_key_wrong(g: Ground) -> None:
    """A routing key the gateway has no use for."""
    g.unreadable("export.order", "json", _json(_orders(g, {})))


def xml_malformed(g: Ground) -> None:
    """Customs XML that is cut off."""
    g.unreadable("ceb", "xml", _message(g)[:-60])


def xml_with_dtd(g: Ground) -> None:
    """Customs XML that defines entities."""
    declaration, _, rest = _message(g).partition(b"\n")
    g.unreadable("ceb", "xml", declaration + b'\n<!DOCTYPE x [<!ENTITY e "e">]>\n' + rest)


def xml_of_customs(g: Ground) -> None:
    """A receipt, which only customs sends."""
    receipt = (
        b'<?xml version="1.0" encoding="UTF-8"?>\n<CEB312Message xmlns="http://www.chinaport.gov.cn/ceb" '
        b'guid="00000000-0000-4000-8000-000000000000" version="1.0"><OrderReturn>'
        b"<guid>00000000-0000-4000-8000-000000000001</guid></OrderReturn></CEB312Message>"
    )
    g.unreadable("ceb", "xml", receipt)


def signature_broken(g: Ground) -> None:
    """A signed order changed after it was signed."""
    triple = g.maker.triple(g.market)
    message = g.message("order", triple.order)
    signed = message.signed(g.keys.signer(message.sender))
    price = f"<ceb:acturalPaid>{triple.order['acturalPaid']}<".encode()
    g.unreadable("ceb", "xml", signed.replace(price, b"<ceb:acturalPaid>1.00<", 1))


def line_malformed(g: Ground) -> None:
    """Three lines, of which the second is no JSON: the others are taken."""
    first, last = g.triple(), g.triple()
    lines = [_json(first.order), b'{"orderNo": ', _json(last.order)]
    g.unreadable(_ORDER, "jsonl", b"\n".join(lines), "order", "order", "order")
    for each in (first, last):
        g.arrive(each, "payment", "waybill")


def field_unknown(g: Ground) -> None:
    """A field the contract does not know."""
    g.push("order", _orders(g, {"colour": "red"})[0], Place(1, ALL_ARRIVED))


def field_misspelt(g: Ground) -> None:
    """A field spelt as it should be, and not as the schema has it."""
    order = _orders(g, {})[0]
    order["actualPaid"] = order.pop("acturalPaid")
    g.push("order", order, Place(1, ALL_ARRIVED))


def field_missing(g: Ground) -> None:
    """An order without buyer."""
    order = _orders(g, {})[0]
    del order["buyerName"]
    g.push("order", order, Place(1, ALL_ARRIVED))


def field_doubled(g: Ground) -> None:
    """A field that stands in its document twice."""
    order = _json(_orders(g, {})[0])
    g.unreadable(_ORDER, "json", order.replace(b"{", b'{"orderNo": "TWICE", ', 1), "order")


def number_too_long(g: Ground) -> None:
    """A JSON number of 16 digits, which may have passed through a binary float."""
    order = _json(_orders(g, {"discount": 0})[0])
    g.unreadable(_ORDER, "json", order.replace(b'"discount": 0', b'"discount": 12345678901.23456'), "order")


def control_character(g: Ground) -> None:
    """A control character in an order number."""
    g.push("order", _orders(g, {"orderNo": "AB\u0007CD"})[0], Place(1, ALL_ARRIVED))


def time_impossible(g: Ground) -> None:
    """The thirtieth of February."""
    g.push("order", _orders(g, {"appTime": "20240230120000"})[0], Place(1, ALL_ARRIVED))


def signed_partial(g: Ground) -> None:
    """Two orders under one signature, one of which was there before with other content: neither is taken."""
    known, new = g.unnamed(g.triple()), g.maker.triple(g.market)
    g.arrive(known)
    place = Place(1, ALL_ARRIVED)
    g.sign("order", g.amended(known.order, "1", note="重复"), new.order, place=place)


def _message(g: Ground) -> bytes:
    return g.message("order", *_orders(g, {})).plain()


PLANTS = (
    json_malformed,
    json_not_utf8,
    json_empty,
    too_many,
    kind_unknown,
    routing_key_wrong,
    xml_malformed,
    xml_with_dtd,
    xml_of_customs,
    signature_broken,
    line_malformed,
    field_unknown,
    field_misspelt,
    field_missing,
    field_doubled,
    number_too_long,
    control_character,
    time_impossible,
    signed_partial,
)
