"""Who buys, who pays, who receives."""

from collections.abc import Iterator

from ...messages.personal import id_card_valid, mask_address, mask_name, mask_number
from .facts import Facts
from .finding import Hit, Value, compare

ID_CARD = "1"


def buyer_id_type(facts: Facts) -> Iterator[Hit]:
    """Buyer and payers are identified by ID card."""
    stated = [(facts.order.buyer_id_type, "order.buyerIdType")] if facts.order else []
    stated += [(payment.payer_id_type, "payment.payerIdType") for payment in facts.payments]
    for value, origin in stated:
        if value != ID_CARD:
            yield Hit("buyer-id-type", Value(value, origin), Value(ID_CARD, "expected"))


def buyer_id_number(facts: Facts) -> Iterator[Hit]:
    """The buyer's ID card number is possible."""
    order = facts.order
    if order and order.buyer_id_type == ID_CARD and not id_card_valid(order.buyer_id_number):
        yield Hit("buyer-id-number", Value(mask_number(order.buyer_id_number), "order.buyerIdNumber"))


def payer_is_buyer(facts: Facts) -> Iterator[Hit]:
    """Each payer is the buyer: number and name."""
    for payment in facts.payments if facts.order else ():
        buyer = facts.order
        if buyer is None:
            return
        pairs = (
            ("buyerIdNumber", buyer.buyer_id_number, "payerIdNumber", payment.payer_id_number, mask_number),
            ("buyerName", buyer.buyer_name, "payerName", payment.payer_name, mask_name),
        )
        for ours, left, theirs, right, mask in pairs:
            if hit := compare("payer-is-buyer", (f"order.{ours}", left), (f"payment.{theirs}", right), mask):
                yield hit


def consignee_agrees(facts: Facts) -> Iterator[Hit]:
    """Order and waybill name one consignee, phone and address."""
    order, waybill = facts.order, facts.waybill
    if order is None or waybill is None:
        return
    pairs = (
        ("consignee-agrees", "consignee", order.consignee, waybill.consignee, mask_name),
        (
            "consignee-phone-agrees",
            "consigneeTelephone",
            order.consignee_telephone,
            waybill.consignee_telephone,
            mask_number,
        ),
        (
            "consignee-address-agrees",
            "consigneeAddress",
            order.consignee_address,
            waybill.consignee_address,
            mask_address,
        ),
    )
    for rule, name, left, right, mask in pairs:
        if hit := compare(rule, (f"order.{name}", left), (f"waybill.{name}", right), mask):
            yield hit
