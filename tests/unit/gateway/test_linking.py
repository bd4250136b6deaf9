"""Which documents belong to a case, on what evidence, and that no order of arrival changes it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tongguan.gateway.evidence import CaseKey, Held, LinkKey, key_parts, key_text, link_keys
from tongguan.gateway.linking import Linkage, link

KEY = CaseKey("import", "3301969T01", "GX0000000001")
UNNAMED = {"logisticsCode": None, "logisticsName": None, "logisticsNo": None}
OTHER_PERSON = {"consignee": "乔望舒", "consigneeTelephone": "13900000022"}
ELSEWHERE = {"ebpCode": "3301969T77", "ebcCode": "3301969T77"}


@pytest.fixture
def hold(triples: Any) -> Callable[..., Held]:
    """Hold one document: ``hold(3, "waybill", bound_to=..., orderNo=...)``."""

    def make(id_: int, kind: str, number: int = 1, *, bound_to: str | None = None, **changes: Any) -> Held:
        return triples.held(triples.document(kind, number, **changes), id_, bound_to=bound_to)

    return make


@pytest.fixture
def triple(hold: Callable[..., Held]) -> list[Held]:
    return [hold(1, "order"), hold(2, "payment"), hold(3, "waybill")]


def _ids(linkage: Linkage) -> dict[str, Any]:
    return {
        "order": linkage.order and linkage.order.held.id,
        "payments": [(each.held.id, str(each.amount)) for each in linkage.payments],
        "waybill": linkage.waybill and (linkage.waybill.held.id, linkage.waybill.basis),
        "misses": sorted((each.rule, each.held.id) for each in linkage.near_misses),
        "ambiguous": linkage.ambiguous,
    }


def test_a_triple_is_linked(triple: list[Held]) -> None:
    assert _ids(link(KEY, triple)) == {
        "order": 1,
        "payments": [(2, "355.67")],
        "waybill": (3, "named by the order"),
        "misses": [],
        "ambiguous": False,
    }


def test_without_its_order_a_case_has_payments_but_no_waybill(triple: list[Held]) -> None:
    found = _ids(link(KEY, triple[1:]))

    assert (found["order"], found["payments"], found["waybill"]) == (None, [(2, "355.67")], None)


def test_a_withdrawn_document_is_not_linked(triple: list[Held]) -> None:
    for place, gone in ((0, "order"), (2, "waybill")):
        around = [replace(each, withdrawn=at == place) for at, each in enumerate(triple)]

        assert _ids(link(KEY, around))[gone] is None


class TestWaybills:
    @pytest.mark.parametrize(
        ("order", "waybill", "bound_to", "basis"),
        [
            ({}, OTHER_PERSON, None, "named by the order"),
            (UNNAMED, OTHER_PERSON, "3301969T01", "sender bound to the platform"),
            (UNNAMED, {}, None, "consignee and phone agree"),
            (
                UNNAMED,
                {"consignee": "章 春苗", "consigneeTelephone": "１３９0000-0021"},
                None,
                "consignee and phone agree",
            ),
            (UNNAMED, OTHER_PERSON, None, None),
            (UNNAMED, {"consignee": "乔望舒"}, None, None),
            (UNNAMED, {"consigneeTelephone": "13900000022"}, None, None),
            (UNNAMED, OTHER_PERSON, "3301969T77", None),
            ({}, {"orderNo": "GX0000000009"}, None, None),
            ({}, {"orderNo": "GX0000000009"}, "3301969T01", None),
            ({"logisticsNo": "SD0000000009"}, OTHER_PERSON, None, None),
            ({"logisticsCode": "3301989T99"}, OTHER_PERSON, None, None),
        ],
    )
    def test_a_waybill_links_with_support_only(
        self, hold: Any, order: Any, waybill: Any, bound_to: str | None, basis: str | None
    ) -> None:
        around = [hold(1, "order", **order), hold(3, "waybill", bound_to=bound_to, **waybill)]

        assert _ids(link(KEY, around))["waybill"] == (basis and (3, basis))

    def test_the_draft_names_a_waybill_too(self, hold: Any) -> None:
        around = [hold(1, "order", **UNNAMED), hold(3, "waybill", **OTHER_PERSON), hold(4, "draft")]

        assert _ids(link(KEY, around))["waybill"] == (3, "named by the order")

    def test_the_strongest_support_wins_and_the_other_claim_is_shown(self, hold: Any) -> None:
        around = [hold(1, "order"), hold(3, "waybill"), hold(4, "waybill", 1, logisticsNo="SD0000000002")]

        found = _ids(link(KEY, around))

        assert found["waybill"] == (3, "named by the order")
        assert [id_ for _, id_ in found["misses"]] == [4]

    def test_two_waybills_with_the_same_support_leave_the_case_ambiguous(self, hold: Any) -> None:
        around = [
            hold(1, "order", **UNNAMED),
            hold(3, "waybill", logisticsNo="SD0000000003"),
            hold(4, "waybill", logisticsNo="SD0000000004"),
        ]

        found = _ids(link(KEY, around))

        assert (found["waybill"], found["ambiguous"]) == (None, True)
        assert found["misses"] == [("waybill-rival", 3), ("waybill-rival", 4)]

    def test_two_orders_with_the_same_claim_are_both_ambiguous(self, hold: Any) -> None:
        around = [hold(1, "order", **UNNAMED), hold(2, "order", **UNNAMED, **ELSEWHERE), hold(3, "waybill")]

        for key in (KEY, KEY._replace(scope="3301969T77")):
            found = _ids(link(key, around))

            assert (found["waybill"], found["ambiguous"]) == (None, True)

    def test_the_order_that_names_it_has_the_better_claim(self, hold: Any) -> None:
        around = [hold(1, "order", **UNNAMED), hold(2, "order", **ELSEWHERE), hold(3, "waybill")]

        ours, theirs = _ids(link(KEY, around)), _ids(link(KEY._replace(scope="3301969T77"), around))

        assert (ours["waybill"], ours["ambiguous"]) == (None, False)
        assert ours["misses"] == [("waybill-near-miss", 3)]
        assert theirs["waybill"] == (3, "named by the order")

    def test_an_order_whose_draft_names_it_has_the_better_claim(self, hold: Any) -> None:
        around = [
            hold(1, "order", **UNNAMED),
            hold(2, "order", **UNNAMED, **ELSEWHERE),
            hold(3, "waybill"),
            hold(4, "draft"),
        ]

        ours, theirs = _ids(link(KEY, around)), _ids(link(KEY._replace(scope="3301969T77"), around))

        assert ours["waybill"] == (3, "named by the order")
        assert (theirs["waybill"], theirs["ambiguous"]) == (None, False)

    def test_a_waybill_is_never_linked_to_two_orders(self, hold: Any) -> None:
        around = [
            hold(1, "order", **UNNAMED),
            hold(2, "order", **UNNAMED, **ELSEWHERE),
            hold(3, "waybill", bound_to="3301969T77"),
            hold(4, "draft"),
        ]

        found = [_ids(link(KEY._replace(scope=scope), around))["waybill"] for scope in ("3301969T01", "3301969T77")]

        assert len([each for each in found if each]) <= 1

    def test_a_waybill_named_under_another_order_number_is_a_near_miss(self, hold: Any) -> None:
        around = [hold(1, "order"), hold(3, "waybill", orderNo="GX0000000009")]

        (miss,) = link(KEY, around).near_misses

        assert (miss.rule, miss.held.id, miss.ours, miss.theirs) == (
            "waybill-near-miss",
            3,
            "GX0000000001",
            "GX0000000009",
        )

    def test_a_waybill_that_touches_nothing_is_no_near_miss(self, hold: Any) -> None:
        around = [hold(1, "order"), hold(3, "waybill", 9)]

        assert link(KEY, around).near_misses == ()

    def test_a_declared_link_holds_against_any_rival(self, hold: Any, triple: list[Held]) -> None:
        order = replace(triple[0], document=hold(1, "order", **UNNAMED).document)
        stronger = hold(4, "waybill", logisticsNo="SD0000000004", bound_to="3301969T01")

        found = _ids(link(KEY, [order, *triple[1:], stronger], declared=frozenset({1, 2, 3})))

        assert found["waybill"] == (3, "declared")
        assert found["misses"] == [("waybill-rival", 4)]
        assert not found["ambiguous"]

    def test_a_declared_link_holds_although_the_waybill_now_names_another_order(
        self, hold: Any, triple: list[Held]
    ) -> None:
        around = [*triple[:2], hold(3, "waybill", orderNo="GX0000000009")]

        assert _ids(link(KEY, around, declared=frozenset({1, 2, 3})))["waybill"] == (3, "declared")

    def test_an_undeclared_link_is_open_again_when_a_rival_comes(self, hold: Any) -> None:
        around = [hold(1, "order", **UNNAMED), hold(3, "waybill", logisticsNo="SD0000000003")]
        rival = hold(4, "waybill", logisticsNo="SD0000000004")

        before, after = _ids(link(KEY, around)), _ids(link(KEY, [*around, rival]))

        assert before["waybill"] == (3, "consignee and phone agree")
        assert (after["waybill"], after["ambiguous"]) == (None, True)


class TestPayments:
    def test_a_payment_belongs_by_platform_and_order_number_even_by_another_transaction(self, hold: Any) -> None:
        around = [hold(1, "order"), hold(2, "payment", payTransactionId="FB0000000999")]

        assert _ids(link(KEY, around))["payments"] == [(2, "355.67")]

    def test_the_same_order_number_on_another_platform_is_another_order(self, hold: Any) -> None:
        around = [hold(1, "order"), hold(2, "payment", ebpCode="3301969T77")]

        found = _ids(link(KEY, around))

        assert (found["payments"], found["misses"]) == ([], [])

    def test_the_parts_of_a_split_payment_all_belong_with_what_each_paid(self, hold: Any) -> None:
        around = [
            hold(1, "order"),
            hold(2, "payment", amountPaid="300.00"),
            hold(3, "payment", amountPaid="55.67", payTransactionId="FB0000000002"),
        ]

        found = link(KEY, around)

        assert [(each.held.id, each.amount) for each in found.payments] == [
            (2, Decimal("300.00")),
            (3, Decimal("55.67")),
        ]
        assert [held.id for held in found.paid_together] == [1]

    def test_a_merged_payment_belongs_to_every_order_that_names_it(self, hold: Any) -> None:
        merged = {"payTransactionId": "FB0000000888"}
        around = [
            hold(1, "order", 1, **merged),
            hold(2, "order", 2, acturalPaid="100.00", **merged),
            hold(3, "order", 3, acturalPaid="200.00", **merged),
            hold(4, "payment", 2, amountPaid="655.67", **merged),
        ]

        found = [link(KEY._replace(order_no=f"GX000000000{number}"), around) for number in (1, 2, 3)]

        assert [[(each.basis, str(each.amount)) for each in one.payments] for one in found] == [
            [("transaction", "355.67")],
            [("order number", "100.00")],
            [("transaction", "200.00")],
        ]
        assert {len(one.paid_together) for one in found} == {3}

    @pytest.mark.parametrize(
        ("order", "named", "payment"),
        [
            ({"buyerIdNumber": "99010119911105002X"}, {}, {}),
            ({}, {"payTransactionId": "FB0000000777"}, {}),
            ({}, {"payCode": "3301969T55"}, {}),
            ({"ebpCode": "3301969T77"}, {}, {}),
        ],
    )
    def test_a_merged_payment_without_all_its_support_is_a_near_miss_at_most(
        self, hold: Any, order: Any, named: Any, payment: Any
    ) -> None:
        merged = {"payTransactionId": "FB0000000888"}
        around = [
            hold(1, "order", 1, **(merged | order)),
            hold(2, "order", 2, **(merged | named)),
            hold(4, "payment", 2, **(merged | payment)),
        ]

        found = link(KEY._replace(scope=order.get("ebpCode", KEY.scope)), around)

        assert found.payments == ()
        assert {each.rule for each in found.near_misses} <= {"payment-near-miss"}

    def test_a_transaction_whose_named_order_has_not_come_is_a_near_miss(self, hold: Any) -> None:
        around = [hold(1, "order"), hold(4, "payment", 2, payTransactionId="FB0000000001")]

        (miss,) = link(KEY, around).near_misses

        assert (miss.rule, miss.ours, miss.theirs) == ("payment-near-miss", "GX0000000001", "GX0000000002")

    def test_a_payer_written_in_small_letters_is_the_same_buyer(self, hold: Any) -> None:
        merged = {"payTransactionId": "FB0000000888"}
        buyer = {"buyerIdNumber": "99010119911105002X"}
        around = [
            hold(1, "order", 1, **merged, **buyer),
            hold(2, "order", 2, **merged, **buyer),
            hold(4, "payment", 2, payerIdNumber="99010119911105002x", **merged),
        ]

        assert len(link(KEY, around).payments) == 1


class TestRiders:
    def test_status_follows_the_waybill_and_cancellation_and_return_the_order(self, hold: Any, triple: Any) -> None:
        around = [*triple, hold(5, "waybill-status"), hold(6, "cancellation"), hold(7, "return")]

        assert [(each.held.id, each.basis) for each in link(KEY, around).riders] == [
            (6, "order number"),
            (7, "order number"),
            (5, "waybill"),
        ]

    def test_a_status_without_a_linked_waybill_follows_nothing(self, hold: Any, triple: Any) -> None:
        assert link(KEY, [*triple[:2], hold(5, "waybill-status")]).riders == ()

    def test_a_status_of_the_number_s_earlier_use_belongs_to_the_earlier_waybill(self, hold: Any, triple: Any) -> None:
        status = hold(5, "waybill-status")
        waybill = replace(triple[2], generation=2, first_at=status.first_at + 1)

        assert link(KEY, [*triple[:2], waybill, status]).riders == ()

    def test_a_status_that_comes_before_its_waybill_belongs_to_it(self, hold: Any, triple: Any) -> None:
        status = hold(5, "waybill-status")
        waybill = replace(triple[2], first_at=status.first_at + 1)

        assert [each.held.id for each in link(KEY, [*triple[:2], waybill, status]).riders] == [5]


@pytest.fixture(scope="module")
def crowd(triples: Any) -> tuple[Held, ...]:
    """A merged payment, a split one, rivals, near misses and a draft around a few orders."""
    merged = {"payTransactionId": "FB0000000888"}
    made = [
        ("order", 1, merged),
        ("order", 2, merged | {"acturalPaid": "100.00"}),
        ("order", 3, UNNAMED),
        ("order", 3, UNNAMED | ELSEWHERE),
        ("payment", 2, merged | {"amountPaid": "455.67"}),
        ("payment", 3, {"amountPaid": "300.00"}),
        ("payment", 3, {"amountPaid": "55.67", "payTransactionId": "FB0000000033"}),
        ("waybill", 1, {}),
        ("waybill", 1, {"logisticsNo": "SD0000000011"}),
        ("waybill", 3, {"logisticsNo": "SD0000000031"}),
        ("waybill", 3, {"logisticsNo": "SD0000000032"}),
        ("waybill", 2, {"orderNo": "GX0000000009"}),
        ("draft", 1, {}),
        ("cancellation", 1, {}),
    ]
    return tuple(
        triples.held(triples.document(kind, number, **changes), id_)
        for id_, (kind, number, changes) in enumerate(made, start=1)
    )


@given(st.data())
def test_any_order_of_documents_gives_the_same_linkage(crowd: Sequence[Held], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(crowd))

    for scope, number in (("3301969T01", 1), ("3301969T01", 2), ("3301969T01", 3), ("3301969T77", 3)):
        key = CaseKey("import", scope, f"GX{number:010d}")

        assert _ids(link(key, shuffled)) == _ids(link(key, crowd))


def test_a_hundred_waybills_around_one_order_are_looked_at_once_each(triples: Any) -> None:
    order = triples.held(triples.document("order", **UNNAMED), 1)
    waybills = [
        triples.held(triples.document("waybill", logisticsNo=f"SX{n:09d}", **OTHER_PERSON), n + 2) for n in range(200)
    ]

    found = link(KEY, [order, *waybills])

    assert len(found.near_misses) == 200


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_the_parts_of_a_key_come_back_from_its_text(parts: list[str]) -> None:
    assert key_parts(key_text(parts)) == tuple(parts)


@given(
    st.lists(st.text(min_size=1, max_size=3), min_size=2, max_size=2),
    st.lists(st.text(min_size=1, max_size=3), min_size=2, max_size=2),
)
def test_different_keys_have_different_texts(one: list[str], other: list[str]) -> None:
    assert (key_text(one) == key_text(other)) == (one == other)


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        ("order", {}, {"order", "order-number", "payment", "waybill"}),
        ("order", UNNAMED | {"payTransactionId": None}, {"order", "order-number"}),
        ("payment", {}, {"payment", "order"}),
        ("waybill", {}, {"waybill", "order-number"}),
        ("transport", {}, {"transport"}),
        ("goods", {}, {"goods", "barcode"}),
        ("goods", {"barCode": None}, {"goods"}),
        ("draft", {}, {"inventory", "order", "waybill"}),
        ("waybill-status", {}, {"waybill-status", "waybill"}),
        ("cancellation", {}, {"cancellation", "order", "waybill"}),
        ("return", {}, {"return", "order", "waybill"}),
    ],
)
def test_a_document_is_found_by_what_it_names(triples: Any, kind: str, changes: Any, expected: set[str]) -> None:
    keys = link_keys(triples.document(kind, **changes))

    assert {key.kind for key in keys} == expected
    assert isinstance(keys[0], LinkKey)
