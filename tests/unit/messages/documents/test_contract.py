"""The contract: generated files are fresh, examples are valid, references lead somewhere."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tongguan.messages import contract
from tongguan.messages.codes import table
from tongguan.messages.documents import BUS_KINDS, parse_json
from tongguan.messages.personal import id_card_valid
from tongguan.queue import topology

_COMMITTED = Path(__file__).parents[4] / "docs" / "contract"
_NAMES = [*BUS_KINDS, "answer", "results"]


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _nodes(inner)


def test_the_committed_contract_is_what_the_models_say():
    assert contract.check(_COMMITTED) == []


def test_a_missing_a_changed_and_a_superfluous_file_are_stale(tmp_path: Path):
    contract.write(tmp_path)
    (tmp_path / "order.schema.json").unlink()
    (tmp_path / "answer.schema.json").write_text("{}")
    (tmp_path / "refund.schema.json").write_text("{}")

    assert contract.check(tmp_path) == ["answer.schema.json", "order.schema.json", "refund.schema.json"]


@pytest.mark.parametrize("name", _NAMES)
def test_every_schema_is_valid_and_so_is_its_example(name: str):
    schema = contract.schema(name)

    jsonschema.Draft202012Validator.check_schema(schema)

    for example in schema["examples"]:
        jsonschema.validate(example, schema, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", BUS_KINDS)
@pytest.mark.parametrize(
    "change", [{"orderNo": 5}, {"guid": "short"}, {"appTime": "noon"}, {"freight": "1e3"}, {"x": "1"}]
)
def test_a_schema_refuses_what_the_model_refuses(name: str, change: dict[str, Any]):
    content = contract.examples()[name] | change

    faults = list(jsonschema.Draft202012Validator(contract.schema(name)).iter_errors(content))

    (parsed,) = parse_json(name, json.dumps(content).encode())
    assert bool(faults) == (parsed.document is None)


@pytest.mark.parametrize("name", BUS_KINDS)
def test_every_field_of_a_document_has_its_name_in_both_languages(name: str):
    schema = contract.schema(name)

    for part in (schema, *schema.get("$defs", {}).values()):
        for field, described in part["properties"].items():
            zh, _, en = described["title"].partition(" ")
            assert zh, field
            assert zh != field, field
            assert en, field


def test_examples_hold_an_identity_number_of_nobody_with_a_valid_check_character():
    order, payment = contract.examples()["order"], contract.examples()["payment"]

    assert id_card_valid(order["buyerIdNumber"])
    assert order["buyerIdNumber"].startswith("99")
    assert payment["payerIdNumber"] == order["buyerIdNumber"]


def test_the_examples_are_one_purchase_that_agrees_with_itself():
    order, payment, waybill, transport, goods = (contract.examples()[kind] for kind in BUS_KINDS)
    (line,) = order["OrderList"]

    assert payment["amountPaid"] == order["acturalPaid"]
    assert (waybill["logisticsNo"], waybill["orderNo"]) == (order["logisticsNo"], payment["orderNo"])
    assert transport["billNo"] == waybill["billNo"]
    assert (goods["itemNo"], goods["unit"]) == (line["itemNo"], line["unit"])
    assert all(code in table("units") for code in (line["unit"], goods["unit1"]))
    assert all(each["country"] in table("countries") for each in (line, transport, goods))


def test_every_reference_of_the_asyncapi_document_leads_somewhere():
    document = contract.asyncapi()

    references = [node["$ref"] for node in _nodes(document) if "$ref" in node]

    assert len(references) > 20
    for reference in references:
        found: Any = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_the_messages_of_the_asyncapi_document_accept_their_examples():
    document = contract.asyncapi()
    messages = [message for channel in document["channels"].values() for message in channel["messages"].values()]

    checked = 0
    for message in messages:
        for example in message.get("examples", ()):
            jsonschema.validate(example["payload"], {**message["payload"], "components": document["components"]})
            checked += 1
    assert checked == len(_NAMES)


def test_the_channels_are_the_exchanges_of_the_bus():
    channels = contract.asyncapi()["channels"]

    kinds = {exchange.name: exchange.kind for exchange in _topology().exchanges}
    described = {name: channel["bindings"]["amqp"]["exchange"] for name, channel in channels.items()}

    assert list(channels) == [topology.DOCUMENTS, topology.ANSWERS, topology.RESULTS]
    assert {name: exchange["type"] for name, exchange in described.items()} == {name: kinds[name] for name in channels}


def _topology() -> topology.Topology:
    return topology.topology([], delivery_limit=1, intake_length_max=1, answers_length_max=1, dead_length_max=1)


def test_the_routing_keys_name_every_kind_and_customs_xml():
    parameter = contract.asyncapi()["channels"]["tongguan.documents"]["parameters"]["routingKey"]

    assert parameter["enum"] == [
        "import.order",
        "import.payment",
        "import.waybill",
        "import.transport",
        "import.goods",
        "ceb",
    ]
