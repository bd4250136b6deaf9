"""Packing: what may stand in one message, what is written into it, and that it is valid and signed once."""

import base64
import json
from typing import Any

import pytest
from lxml import etree

from tongguan.adapters.signing.verification import verify_message
from tongguan.gateway.declaring import Declaration
from tongguan.gateway.packing import Building, business_node, file_name, groups, pack
from tongguan.messages.chinatime import parse_china_time
from tongguan.messages.codec import load_codec
from tongguan.messages.xml import parse

GUID = "0F000000-0000-4000-8000-000000000001"


@pytest.fixture
def buildings(triples: Any) -> Any:
    """Buildings of so many clean cases, by short message name: ``buildings(100)["311"]``."""

    def make(count: int = 1, mode: str = "9610", **order: Any) -> dict[str, list[Building]]:
        mint = triples.Mint()
        found: dict[str, list[Building]] = {}
        for number in range(1, count + 1):
            desk = triples.Desk(mint=mint)
            desk.put_all(number, mode, without=["order"])
            desk.put(triples.document("order", number, mode, **order))
            desk.decide()
            for each in desk.declarations.values():
                found.setdefault(each.message_type[3:6], []).append(Building.of(each))
        return found

    return make


def _eport(triples: Any, mode: str = "9610") -> Any:
    return triples.eports()[0 if mode == "9610" else 1]


def _content(data: bytes) -> bytes:
    return base64.b64decode(etree.fromstring(data).findtext("{*}Data") or "")


@pytest.mark.parametrize("mode", ["9610", "1210"])
@pytest.mark.parametrize("message", ["311", "411", "511", "621"])
def test_every_message_is_valid_for_customs_and_its_signature_verifies(
    triples: Any, buildings: Any, mode: str, message: str
) -> None:
    group = buildings(2, mode)[message]
    signer = triples.signer(group[0].declaration.declarant)

    data, invalid = pack(_eport(triples, mode), group, GUID, signer, triples.NOW)

    root = parse(_content(data) if mode == "9610" else data)
    assert invalid == {}
    assert load_codec().check(root) == []
    assert verify_message(root).strict
    assert root.get("guid") == GUID
    assert len(root.findall(f"{{*}}{_node(message)}")) == 2


def _node(message: str) -> str:
    return {"311": "Order", "411": "Payment", "511": "Logistics", "621": "Inventory"}[message]


def test_one_signature_covers_a_hundred_declarations(triples: Any, buildings: Any) -> None:
    group = buildings(100)["311"]

    data, _ = pack(_eport(triples, "1210"), group, GUID, triples.signer("3301969T01"), triples.NOW)

    root = parse(data)
    assert len(root.findall("{*}Order")) == 100
    assert len(list(root.iter("{*}SignatureValue"))) == 1
    assert verify_message(root).ok


@pytest.mark.parametrize("place", [0, 57, 99])
def test_a_changed_value_of_any_declaration_breaks_the_signature(triples: Any, buildings: Any, place: int) -> None:
    data, _ = pack(_eport(triples, "1210"), buildings(100)["311"], GUID, triples.signer("3301969T01"), triples.NOW)
    root = parse(data)

    number = root.findall("{*}Order")[place].find("{*}OrderHead/{*}orderNo")
    assert number is not None
    number.text = "GX9999999999"

    assert not verify_message(root).ok


def test_the_envelope_names_the_message_by_its_guid_and_type(triples: Any, buildings: Any) -> None:
    data, _ = pack(_eport(triples), buildings()["311"], GUID, triples.signer("3301969T01"), triples.NOW)

    root = parse(data)
    assert load_codec().check(root) == []
    assert {name: root.findtext(f"{{*}}TransInfo/{{*}}{name}") for name in ("CopMsgId", "MsgType", "SenderId")} == {
        "CopMsgId": GUID,
        "MsgType": "CEB311Message",
        "SenderId": "DXPENT0000099001",
    }


class TestNode:
    def test_a_declaration_gets_its_own_guid_times_and_status(self, buildings: Any, triples: Any) -> None:
        (building,) = buildings(appStatus="1")["311"]

        head = business_node(building, parse_china_time("20240309100001"))["OrderHead"]

        assert head["guid"] == building.declaration.guid
        assert {name: head[name] for name in ("appType", "appTime", "appStatus")} == {
            "appType": "1",
            "appTime": "20240309100001",
            "appStatus": "2",
        }

    def test_an_inventory_gets_its_number_and_the_date_in_china(self, buildings: Any) -> None:
        (building,) = buildings()["621"]

        head = business_node(building, parse_china_time("20240310000001"))["InventoryHead"]

        assert (head["copNo"], head["declTime"]) == (building.declaration.cop_no, "20240310")
        assert "invtNo" not in head

    def test_packing_changes_nothing_of_what_is_stored(self, buildings: Any, triples: Any) -> None:
        (building,) = buildings()["311"]
        before = building.content

        business_node(building, triples.NOW)

        assert building.content == before

    @pytest.mark.parametrize("message", ["311", "411", "511"])
    def test_what_the_party_stated_is_declared_to_the_letter(self, buildings: Any, triples: Any, message: str) -> None:
        (building,) = buildings()[message]
        kind = {"311": "order", "411": "payment", "511": "waybill"}[message]
        stated = {name: str(value) for name, value in triples.content(kind).items() if name != "OrderList"}

        node = business_node(building, triples.NOW)
        (head,) = [value for name, value in node.items() if name.endswith("Head")]

        added = {"guid", "appTime"} | (
            {"logisticsCode", "logisticsName", "logisticsNo", "tradeMode"} if kind == "order" else set()
        )
        for name, value in stated.items():
            if name not in added:
                assert head[name] == value


def test_what_may_stand_together_is_of_one_type_and_one_signer_and_not_too_many(buildings: Any) -> None:
    made = buildings(7)
    ready = [each for several in zip(*made.values(), strict=True) for each in several]

    found = list(groups(ready, 3))

    assert [len(group) for group in found] == [3, 3, 1] * 4
    for group in found:
        assert len({(each.declaration.message_type, each.declaration.declarant) for each in group}) == 1
    assert sorted(each.declaration.id for group in found for each in group) == sorted(d.declaration.id for d in ready)


def test_declarations_keep_their_order_in_a_message(buildings: Any) -> None:
    ready = buildings(5)["311"]

    (group,) = groups(ready, 100)

    assert group == ready


class TestInvalid:
    @staticmethod
    def _spoilt(building: Building, name: str, value: str) -> Building:
        node = json.loads(building.content)
        next(iter(node.values()))[name] = value
        return Building(building.declaration, json.dumps(node).encode())

    def test_one_that_customs_would_refuse_is_named_and_the_others_are_not(self, buildings: Any, triples: Any) -> None:
        group = buildings(5)["311"]
        group[2] = self._spoilt(group[2], "buyerIdType", "12")

        data, invalid = pack(_eport(triples), group, GUID, triples.signer("3301969T01"), triples.NOW)

        assert data == b""
        assert set(invalid) == {group[2].declaration.id}
        assert {fault.path for fault in invalid[group[2].declaration.id]} == {
            "/CEB311Message/Order[1]/OrderHead/buyerIdType"
        }

    def test_its_faults_repeat_nothing_of_what_it_says(self, buildings: Any, triples: Any) -> None:
        group = [self._spoilt(buildings()["311"][0], "buyerTelephone", "13900000021" * 9)]

        _, invalid = pack(_eport(triples), group, GUID, triples.signer("3301969T01"), triples.NOW)

        assert "13900000021" not in str(invalid)

    def test_a_message_that_is_wrong_as_a_whole_is_the_fault_of_all(self, buildings: Any, triples: Any) -> None:
        eport = _eport(triples)
        wrong = eport.model_copy(update={"transfer": eport.transfer.model_copy(update={"dxp_id": "X" * 99})})
        group = buildings(2)["311"]

        _, invalid = pack(wrong, group, GUID, triples.signer("3301969T01"), triples.NOW)

        assert set(invalid) == {each.declaration.id for each in group}


def test_a_message_goes_by_one_name() -> None:
    assert file_name("CEB311Message", GUID) == f"CEB311Message_{GUID}.xml"


def test_a_building_shows_no_content(buildings: Any) -> None:
    (building,) = buildings()["311"]

    assert "章春苗" not in repr(building)
    assert isinstance(building.declaration, Declaration)
