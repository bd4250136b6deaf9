"""Amounts that are summed or sorted: exact decimals as integers in units of 0.00001 (the schema's five decimals)."""

from decimal import Context, Decimal, Inexact

DECIMALS = 5
_UNIT = Decimal(10) ** DECIMALS
_EXACT = Context(prec=100, traps=[Inexact])
"""A document's number has at most 40 characters, so that no product of it is rounded."""
AMOUNT_MAX = Decimal(10) ** 12
"""An amount of a document stays below this, so that sums of several still fit the integer column."""
SUM_MAX = 9 * Decimal(10) ** 13
"""A sum stays below this: the integer column holds no more."""


def scaled(amount: Decimal) -> int:
    """The amount as an integer; raises ValueError from SUM_MAX on or with more than five decimals."""
    units = _EXACT.multiply(amount, _UNIT)
    if abs(amount) >= SUM_MAX or units != units.to_integral_value():
        raise ValueError("amount out of range")
    return int(units)


def unscaled(units: int) -> Decimal:
    """The integer as an amount, without trailing zeros beyond the cent."""
    amount = Decimal(units) / _UNIT
    cents = amount.quantize(Decimal("0.01"))
    return cents if cents == amount else amount
