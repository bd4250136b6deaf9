from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tongguan.gateway.amounts import DECIMALS, SUM_MAX, scaled, unscaled

AMOUNTS = st.decimals(min_value=-SUM_MAX, max_value=SUM_MAX, places=DECIMALS, allow_nan=False).filter(
    lambda amount: abs(amount) < SUM_MAX
)


@given(AMOUNTS)
def test_an_amount_comes_back_from_its_column_unchanged(amount: Decimal) -> None:
    assert unscaled(scaled(amount)) == amount


@given(st.lists(st.decimals(min_value=0, max_value=10**11, places=DECIMALS), max_size=20))
def test_the_sum_of_the_columns_is_the_column_of_the_sum(amounts: list[Decimal]) -> None:
    assert sum(map(scaled, amounts)) == scaled(sum(amounts, Decimal(0)))


@given(AMOUNTS)
def test_every_amount_fits_a_column_of_eight_bytes(amount: Decimal) -> None:
    assert abs(scaled(amount)) < 2**63


@given(st.integers(-(10**18), 10**18))
def test_an_integer_comes_back_from_its_amount_unchanged(units: int) -> None:
    assert scaled(unscaled(units)) == units


@pytest.mark.parametrize("amount", [SUM_MAX, -SUM_MAX, SUM_MAX + 1])
def test_an_amount_from_the_limit_on_is_refused(amount: Decimal) -> None:
    with pytest.raises(ValueError, match="out of range"):
        scaled(amount)


@given(st.integers(DECIMALS + 1, 40))
@example(29)
def test_more_than_five_decimals_are_refused_however_small_the_rest(places: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        scaled(Decimal("1." + "0" * (places - 1) + "1"))


@pytest.mark.parametrize(
    ("units", "shown"),
    [
        (0, "0.00"),
        (100_000, "1.00"),
        (123_450, "1.2345"),
        (1, "0.00001"),
        (-35_567_000, "-355.67"),
        (10**18, "10000000000000.00"),
    ],
)
def test_an_amount_is_shown_with_two_decimals_or_as_many_as_it_needs(units: int, shown: str) -> None:
    text = f"{unscaled(units):f}"

    assert text.rstrip("0") == shown.rstrip("0")
    assert Decimal(text) == Decimal(shown)
