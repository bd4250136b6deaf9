"""What happens to documents and cases over time: repeats, changes, deletions, corrections, what follows the goods."""

from ..planting import AFTER_THE_GOODS, ALL_ARRIVED, Ground, Place
from ..triples import Triple

_AT_LAST = Place(1, ALL_ARRIVED)
_SECOND_WAVE = Place(2, 1)


def _cleared(g: Ground) -> Triple:
    triple = g.triple()
    g.arrive(triple)
    return triple


def duplicate(g: Ground) -> None:
    """The same order again, byte for byte."""
    g.push("order", _cleared(g).order, _AT_LAST)


def duplicate_redated(g: Ground) -> None:
    """The same order again as a new one of a later time."""
    order = _cleared(g).order
    g.push("order", g.amended(order, "1"), _AT_LAST)


def duplicate_of_the_first(g: Ground) -> None:
    """An order, its change, and the first version again."""
    triple = g.triple()
    g.arrive(triple, "order", "payment")
    g.push("order", g.amended(triple.order, note="请放门卫"), Place(1, 3))
    g.push("order", triple.order, _AT_LAST)
    g.arrive(triple, "waybill", first=ALL_ARRIVED + 1)


def stale_copy(g: Ground) -> None:
    """A change dated before what is held."""
    order = _cleared(g).order
    g.push(
        "order", order | {"guid": g.maker.guid(), "appType": "2", "appTime": g.earlier(order), "note": "旧"}, _AT_LAST
    )


def conflict_same_time(g: Ground) -> None:
    """A change dated the same as what is held, with other content."""
    waybill = _cleared(g).waybill
    g.push("waybill", waybill | {"guid": g.maker.guid(), "appType": "2", "goodsInfo": "其他"}, _AT_LAST)


def conflict_new_again(g: Ground) -> None:
    """A second new payment under one number, with other content."""
    payment = _cleared(g).payment
    g.push("payment", g.amended(payment, "1", note="补报"), _AT_LAST)


def change_of_unknown(g: Ground) -> None:
    """A change of an order nobody has seen."""
    _cleared(g)
    unseen = g.maker.triple(g.market)
    g.push("order", unseen.order | {"appType": "2"}, _AT_LAST)


def delete_of_unknown(g: Ground) -> None:
    """The deletion of a waybill nobody has seen."""
    _cleared(g)
    unseen = g.maker.triple(g.market)
    g.push("waybill", unseen.waybill | {"appType": "3"}, _AT_LAST)


def deleted_twice(g: Ground) -> None:
    """An order deleted before anything else comes, and deleted again."""
    triple = g.triple()
    g.arrive(triple, "order", "payment")
    deletion = g.amended(triple.order, "3")
    g.push("order", deletion, Place(1, 3))
    g.push("order", deletion, _AT_LAST)
    g.arrive(triple, "waybill", first=ALL_ARRIVED + 1)


def deleted_then_new(g: Ground) -> None:
    """An order deleted and placed anew before its waybill comes."""
    triple = g.triple()
    g.arrive(triple, "order", "payment")
    deletion = g.amended(triple.order, "3")
    g.push("order", deletion, Place(1, 3))
    g.push("order", g.amended(deletion, "1"), _AT_LAST)
    g.arrive(triple, "waybill", first=ALL_ARRIVED + 1)


def changed_before_declaration(g: Ground) -> None:
    """An order whose consignee changes before its waybill comes."""
    triple = g.named(g.triple())
    other = g.person()
    moved = {"consignee": other.name, "consigneeTelephone": other.phone, "consigneeAddress": other.address}
    g.arrive(triple, "order", "payment")
    g.push("order", g.amended(triple.order) | moved, Place(1, 3))
    triple.waybill |= moved
    g.arrive(triple, "waybill", first=ALL_ARRIVED)


def corrected_payment(g: Ground) -> None:
    """A payment that does not fit, corrected by its firm."""
    triple = g.triple()
    wrong = triple.payment | {"amountPaid": "1.00"}
    g.arrive(triple, "order", "waybill")
    g.push("payment", wrong, Place(1, 3))
    right = {"amountPaid": triple.payment["amountPaid"]}
    g.push("payment", g.amended(wrong, place=_SECOND_WAVE, **right), _SECOND_WAVE)


def refused_then_corrected(g: Ground) -> None:
    """An inventory refused by customs, and released after the order was corrected."""
    triple = _cleared(g)
    right = {"buyerTelephone": g.person().phone}
    g.push("order", g.amended(triple.order, place=_SECOND_WAVE, **right), _SECOND_WAVE)


def refused_order_corrected(g: Ground) -> None:
    """An order refused by e-port, and taken after its correction."""
    triple = _cleared(g)
    g.push("order", g.amended(triple.order, place=_SECOND_WAVE, note="已补充资料"), _SECOND_WAVE)


def signed_correction(g: Ground) -> None:
    """A signed order refused by customs, and its signed correction."""
    triple = g.unnamed(g.triple())
    g.sign("order", triple.order)
    g.arrive(triple, "payment", "waybill")
    g.sign("order", g.amended(triple.order, place=_SECOND_WAVE, note="已补充资料"), place=_SECOND_WAVE)


def order_withdrawn_after(g: Ground) -> None:
    """An order deleted after its goods were cleared."""
    triple = _cleared(g)
    g.push("order", g.amended(triple.order, "3", place=AFTER_THE_GOODS), AFTER_THE_GOODS)


def status_of_parcel(g: Ground) -> None:
    """The parcel is signed for."""
    g.after_release("waybill-status", _cleared(g))


def cancelled(g: Ground) -> None:
    """The buyer thinks better of it before the release."""
    g.after_release("cancellation", _cleared(g))


def returned(g: Ground) -> None:
    """The buyer sends the goods back."""
    g.after_release("return", _cleared(g))


PLANTS = (
    duplicate,
    duplicate_redated,
    duplicate_of_the_first,
    stale_copy,
    conflict_same_time,
    conflict_new_again,
    change_of_unknown,
    delete_of_unknown,
    deleted_twice,
    deleted_then_new,
    changed_before_declaration,
    corrected_payment,
    refused_then_corrected,
    refused_order_corrected,
    signed_correction,
    order_withdrawn_after,
    status_of_parcel,
    cancelled,
    returned,
)
