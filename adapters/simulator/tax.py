"""Tax bills: import duty, consumption tax and value added tax of a released inventory.

财关税[2016]18 and [2018]49: inside the limits duty is 0 and the other taxes are due at 70 %; a single item above the
limit is taxed in full. Duty and consumption tax are taken as 0 and the rate of value added tax as one for all goods,
since the tariff is not part of the simulation.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from ...messages.chinatime import china_millis
from ...messages.documents.fields import wire_number
from .filing import Filing

SINGLE_LIMIT = Decimal(5000)
"""Yuan of one purchase, since 2019-01-01 (财关税[2018]49)."""
YEARLY_LIMIT = Decimal(26000)
"""Yuan of one person in a calendar year, since 2019-01-01 (财关税[2018]49)."""
REDUCED = Decimal("0.7")

_CENT = Decimal("0.01")


def dutiable(inventory: Filing) -> Decimal:
    """The dutiable price of an inventory in yuan: goods, freight and insurance."""
    return sum(_line_prices(inventory), Decimal(0))


def is_single_item(inventory: Filing) -> bool:
    """Whether it consists of one indivisible item, which may cost more than the single limit."""
    return len(inventory.lines) == 1 and _number(inventory.lines[0]["qty"]) == 1


def tax_bill(inventory: Filing, guid: str, status: str, at_ms: int, vat_rate: Decimal) -> dict[str, Any]:
    """The Tax of a CEB816 about an inventory with its number."""
    prices = _line_prices(inventory)
    rate = vat_rate * (REDUCED if sum(prices) <= SINGLE_LIMIT else 1)
    lines = [
        {"gnum": line["gnum"], "gcode": line["gcode"], "taxPrice": wire_number(price)} | _taxes(_cents(price * rate))
        for line, price in zip(inventory.lines, prices, strict=True)
    ]
    total = sum((Decimal(line["valueAddedTax"]) for line in lines), Decimal(0))
    head = inventory.head
    named = {name: head[name] for name in ("ebcCode", "logisticsCode", "agentCode", "customsCode")}
    return {"TaxHeadRd": _notice(inventory, guid, status, at_ms) | _taxes(total) | named, "TaxListRd": lines}


def tax_status(inventory: Filing, guid: str, status: str, at_ms: int) -> dict[str, Any]:
    """The Tax of a CEB818: a later state of the tax bill."""
    return {"TaxHeadStatus": _notice(inventory, guid, status, at_ms)}


def _notice(inventory: Filing, guid: str, status: str, at_ms: int) -> dict[str, Any]:
    number = inventory.numbers["invtNo"]
    return {
        "guid": guid,
        "returnTime": china_millis(at_ms),
        "invtNo": number,
        "taxNo": f"{number}_0",
        "status": status,
        "assureCode": inventory.head["assureCode"],
    }


def _taxes(value_added: Decimal) -> dict[str, str]:
    return {"customsTax": "0.00", "valueAddedTax": wire_number(value_added), "consumptionTax": "0.00"}


def _line_prices(inventory: Filing) -> Sequence[Decimal]:
    """The dutiable price of each line: its price and its share of freight and insurance, the last taking the rest."""
    prices = [_number(line["totalPrice"]) for line in inventory.lines]
    extra = _number(inventory.head["freight"]) + _number(inventory.head["insuredFee"])
    goods = sum(prices, Decimal(0))
    shares = [_cents(extra * price / goods) if goods else Decimal(0) for price in prices[:-1]]
    shares.append(extra - sum(shares, Decimal(0)))
    return [price + share for price, share in zip(prices, shares, strict=True)]


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)


def _number(text: str) -> Decimal:
    return Decimal(text.strip())
