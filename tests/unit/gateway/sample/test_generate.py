"""An example set: the same by its seed, valid but where it is planted otherwise, and as varied as real deliveries."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from tongguan.gateway.sample.generate import DOCUMENTS_MAX, Delivery, SampleSet, generate
from tongguan.gateway.sample.script import simulator_script
from tongguan.gateway.submissions import Pushed, submitted
from tongguan.messages.chinatime import china_seconds
from tongguan.messages.documents.parsing import DELIVERY_LIMITS

AT_MS = 1_767_571_200_000


@pytest.fixture(scope="module")
def whole() -> SampleSet:
    """Every scenario once, and clean triples up to 600 cases."""
    return generate(1, AT_MS, 600)


@pytest.fixture(scope="module")
def clean() -> SampleSet:
    return generate(2, AT_MS, 1500, faults=[])


def _read(delivery: Delivery):
    return submitted(Pushed(delivery.routing_key, delivery.content_type, delivery.body), DELIVERY_LIMITS)


def _orders(sample: SampleSet) -> list[dict[str, Any]]:
    readable = [each for each in sample.deliveries if not each.refused]
    bodies = [each.body for each in readable if each.name.endswith("import.order.json")]
    loaded = [json.loads(body) for body in bodies]
    return [order for each in loaded for order in (each if isinstance(each, list) else [each])]


def test_one_seed_makes_the_same_bytes_again(whole: SampleSet):
    again = generate(1, AT_MS, 600)

    assert again.deliveries == whole.deliveries
    assert simulator_script(again) == simulator_script(whole)


def test_another_seed_makes_other_orders_and_other_people(clean: SampleSet):
    other = generate(3, AT_MS, 100, faults=[])

    assert not {order["orderNo"] for order in _orders(other)} & {order["orderNo"] for order in _orders(clean)}
    assert {each.id_number for each in other.people} != {each.id_number for each in clean.people}


def test_a_set_has_at_least_as_many_cases_as_asked_for(whole: SampleSet):
    assert sum(len(each.claims) for each in whole.planted) == 600


def test_scenarios_that_are_named_are_planted_as_often_as_they_are_named():
    made = generate(1, AT_MS, 10, faults=["late-waybill", "late-waybill", "pack-is-one"])

    names = sorted(each.scenario.name for each in made.planted)
    assert names == ["clean"] * 7 + ["late-waybill"] * 2 + ["pack-is-one", "references"]


def test_a_scenario_there_is_none_of_is_refused():
    with pytest.raises(KeyError):
        generate(1, AT_MS, 10, faults=["no-such-thing"])


def test_a_set_of_one_mode_has_nothing_of_the_other():
    made = generate(1, AT_MS, 450, modes=("1210",))

    assert not any(b"3301969T01" in each.body for each in made.deliveries)
    assert "transport-known" not in {each.scenario.name for each in made.planted}


def test_every_document_is_valid_unless_it_is_planted_otherwise(whole: SampleSet):
    for delivery in whole.deliveries:
        read = _read(delivery)

        assert sorted(fault.code for fault in read.faults) == sorted(delivery.refused), delivery.name
        for submission, (_, expected) in zip(read.submissions, delivery.documents, strict=True):
            faulty = {fault.code for fault in submission.faults}
            assert faulty <= set(expected.faults), (delivery.name, submission.index)
            assert submission.kind == expected.kind


def test_everything_a_table_states_is_planted(whole: SampleSet):
    stated = Counter[str]()
    for each in whole.planted:
        stated += Counter(outcome for outcomes in each.scenario.outcomes.values() for outcome in outcomes)
        stated["refused"] += len(each.scenario.refused)
        stated["noticed"] += len(each.scenario.notices)

    found = Counter(expected.outcome for each in whole.deliveries for _, expected in each.documents)
    found["refused"] = sum(1 for each in whole.deliveries if each.refused)
    found["noticed"] = sum(1 for each in whole.deliveries if each.notices)

    del stated["taken"], found["taken"]
    assert found == stated


def test_every_document_of_a_clean_set_is_taken(clean: SampleSet):
    assert all(submission.document for each in clean.deliveries for submission in _read(each).submissions)


def test_a_set_comes_as_json_as_json_lines_and_as_customs_xml(clean: SampleSet):
    assert {each.content_type for each in clean.deliveries} == {
        "application/json",
        "application/x-ndjson",
        "application/xml",
    }


def test_many_documents_travel_by_the_hundred(clean: SampleSet):
    assert max(len(each.documents) for each in clean.deliveries) == DOCUMENTS_MAX


def test_a_single_document_travels_as_one_object(whole: SampleSet):
    alone = [each for each in whole.deliveries if each.name.endswith(".json") and len(each.documents) == 1]

    assert any(each.body.startswith(b"{") for each in alone)


def test_documents_come_in_any_order_of_arrival(clean: SampleSet):
    kinds = {(each.name[:4], expected.kind) for each in clean.deliveries for _, expected in each.documents}

    assert {(f"1-0{step}", kind) for step in (1, 2, 3) for kind in ("order", "payment", "waybill")} <= kinds


def test_nothing_is_dated_after_the_moment_of_the_set(whole: SampleSet):
    times = [order["appTime"] for order in _orders(whole)]

    assert max(times) <= china_seconds(AT_MS)


def test_amounts_of_clean_orders_add_up(clean: SampleSet):
    for order in _orders(clean):
        amount = {name: Decimal(order[name]) for name in ("goodsValue", "freight", "taxTotal", "discount")}
        lines = sum(Decimal(line["price"]) * Decimal(line["qty"]) for line in order["OrderList"])

        assert lines == amount["goodsValue"]
        assert amount["goodsValue"] + amount["freight"] + amount["taxTotal"] - amount["discount"] == Decimal(
            order["acturalPaid"]
        )


def test_amounts_have_two_to_five_decimals(clean: SampleSet):
    decimals = {len(order["goodsValue"].partition(".")[2]) for order in _orders(clean)}

    assert decimals == {2, 3, 4, 5}


def test_some_lines_have_no_item_number_and_some_a_very_long_one(clean: SampleSet):
    numbers = [line.get("itemNo") for order in _orders(clean) for line in order["OrderList"]]

    assert None in numbers
    assert max(len(number) for number in numbers if number) == 30


def test_some_parcels_are_presents_for_somebody_else(clean: SampleSet):
    presents = [order for order in _orders(clean) if order["consignee"] != order["buyerName"]]

    assert 0 < len(presents) < len(_orders(clean)) / 2


def test_a_text_of_customs_names_the_person_it_is_about(whole: SampleSet):
    people = {each.name for each in whole.people}

    texts = [
        step["info"]
        for rule in simulator_script(whole)["rule"]
        for step in rule.get("answers", ())
        if isinstance(step, dict) and "info" in step
    ]

    assert any(name in text for text in texts for name in people)
