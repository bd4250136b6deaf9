"""A delivery taken apart: by its routing key, as JSON or customs XML, signed or not, and within its limits."""

import json
from typing import Any

import pytest

from tongguan.adapters.envelope import wrap
from tongguan.adapters.signing.verification import signed_bytes
from tongguan.gateway.submissions import Pushed, Submitted, submitted
from tongguan.messages.catalogue import message_type
from tongguan.messages.codec import load_codec
from tongguan.messages.documents.ceb import FORMS, to_ceb
from tongguan.messages.documents.parsing import DeliveryLimits
from tongguan.messages.xml import serialise

JSON = "application/json"
CODES = {form.model.kind: code for code, form in FORMS.items()}
GUID = "0F000000-0000-4000-8000-000000000002"


def _read(routing_key: str, body: bytes, content_type: str = JSON, **limits: int) -> Submitted:
    return submitted(Pushed(routing_key, content_type, body), DeliveryLimits(**limits))


def _codes(read: Submitted) -> list[str]:
    return [each.code for each in read.faults]


@pytest.fixture
def xml(triples: Any) -> Any:
    """Customs XML of documents: ``xml(order, signer=..., enveloped=True)``."""

    def make(*documents: Any, signer: Any = None, enveloped: bool = False) -> bytes:
        code = CODES[documents[0].kind]
        transfer = {"copCode": "3301989T04", "copName": "示例", "dxpMode": "DXP", "dxpId": "DXPENT0000099001"}
        content = {
            "@guid": GUID,
            "@version": "1.0",
            message_type(code).node or "": [to_ceb(each) for each in documents],
            "BaseTransfer": transfer,
        }
        root = load_codec().encode(code, content)
        data = signed_bytes(root, triples.signer("3301969T01")) if signer else serialise(root)
        if not enveloped:
            return data
        return wrap(
            data,
            cop_msg_id=GUID,
            sender="DXPENT0000099001",
            receivers=["DXPEDCCEB0000002"],
            created_ms=triples.NOW,
            message_type=code,
        )

    return make


class TestJson:
    @pytest.mark.parametrize("kind", ["order", "payment", "waybill", "transport", "goods"])
    def test_the_routing_key_says_what_the_documents_are(self, triples: Any, kind: str) -> None:
        read = _read(f"import.{kind}", json.dumps(triples.content(kind)).encode())

        (only,) = read.submissions
        assert (only.kind, only.document, only.faults) == (kind, triples.document(kind), ())

    @pytest.mark.parametrize("key", ["", "export.order", "imports.order", "IMPORT.order", "order", "ceb.order", "\0"])
    def test_another_routing_key_is_refused(self, key: str) -> None:
        assert _codes(_read(key, b"{}")) == ["delivery-routing-key"]

    @pytest.mark.parametrize(
        "key", ["import.", "import.inventory", "import.orders", "import.waybill-status", "import.#"]
    )
    def test_a_kind_that_is_not_pushed_as_json_is_refused(self, key: str) -> None:
        assert _codes(_read(key, b"{}")) == ["document-kind"]

    def test_one_bad_document_does_not_spoil_its_neighbours(self, triples: Any) -> None:
        bodies = [triples.content("order", number) for number in (1, 2, 3)]
        bodies[1]["qty"] = "a field of nobody"

        read = _read("import.order", json.dumps(bodies).encode())

        assert [each.document is None for each in read.submissions] == [False, True, False]
        assert json.loads(read.submissions[1].raw) == bodies[1]

    @pytest.mark.parametrize(
        ("amount", "taken"), [("999999999999.99", True), ("1000000000000", False), ("-1000000000000", False)]
    )
    @pytest.mark.parametrize("field", ["goodsValue", "freight", "acturalPaid"])
    def test_an_amount_that_the_store_could_not_sum_is_refused(
        self, triples: Any, field: str, amount: str, taken: bool
    ) -> None:
        read = _read("import.order", json.dumps(triples.content("order", **{field: amount})).encode())

        (only,) = read.submissions
        assert (only.document is not None) is taken
        assert [each.path for each in only.faults] == ([] if taken else [f"/0/{field}"])

    def test_more_bytes_than_allowed_are_refused(self, triples: Any) -> None:
        body = json.dumps(triples.content("order")).encode()

        assert _codes(_read("import.order", body, bytes_max=len(body) - 1)) == ["document-too-large"]
        assert _read("import.order", body, bytes_max=len(body)).submissions

    def test_more_documents_than_allowed_are_refused(self, triples: Any) -> None:
        body = json.dumps([triples.content("order", number) for number in (1, 2, 3)]).encode()

        assert _codes(_read("import.order", body, documents_max=2)) == ["document-count"]
        assert len(_read("import.order", body, documents_max=3).submissions) == 3

    def test_what_is_no_json_is_refused_as_a_whole(self) -> None:
        assert _codes(_read("import.order", b"{")) == ["document-unreadable"]

    def test_another_content_type_is_refused(self) -> None:
        assert _codes(_read("import.order", b"{}", "text/plain")) == ["document-content-type"]


class TestCustomsXml:
    KINDS = ("order", "payment", "waybill", "draft", "waybill-status", "cancellation", "return")

    @pytest.mark.parametrize("kind", KINDS)
    def test_every_document_that_customs_xml_carries_is_read(self, triples: Any, xml: Any, kind: str) -> None:
        document = triples.document(kind)
        told = {"logisticsCode": None, "logisticsName": None, "logisticsNo": None, "tradeMode": None}
        expected = triples.document(kind, **(told if kind == "order" else {}))

        read = _read("ceb", xml(document), "application/xml")

        (only,) = read.submissions
        assert (only.document, read.relay, read.faults) == (expected, None, ())

    @pytest.mark.parametrize("enveloped", [False, True])
    def test_a_signed_message_is_kept_to_be_relayed_without_its_envelope(
        self, triples: Any, xml: Any, enveloped: bool
    ) -> None:
        order = triples.document("order")

        read = _read("ceb", xml(order, signer=True, enveloped=enveloped), "application/xml")

        assert read.relay is not None
        assert (read.relay.message_type, read.relay.guid) == ("CEB311Message", GUID)
        plain = _read("ceb", read.relay.data, "application/xml")
        assert plain.relay is not None
        assert plain.relay.data == read.relay.data

    def test_a_message_in_an_envelope_without_signature_is_read_like_a_plain_one(self, triples: Any, xml: Any) -> None:
        order = triples.document("order")

        assert _read("ceb", xml(order, enveloped=True)).submissions == _read("ceb", xml(order)).submissions

    def test_a_signature_that_does_not_hold_is_refused(self, triples: Any, xml: Any) -> None:
        signed = xml(triples.document("order"), signer=True)

        read = _read("ceb", signed.replace(b"GX0000000001", b"GX0000000002"))

        assert read.submissions == ()
        assert all(code.startswith("signature") for code in _codes(read))

    def test_a_signed_message_that_is_not_valid_is_refused(self, triples: Any, xml: Any) -> None:
        signed = xml(triples.document("order"), signer=True).replace(b"<ceb:currency>142<", b"<ceb:currency>14<")

        read = _read("ceb", signed)

        assert read.submissions == ()
        assert read.faults

    def test_the_bytes_of_a_message_are_kept_with_the_first_document_that_is_not_taken(
        self, triples: Any, xml: Any
    ) -> None:
        body = xml(*(triples.document("order", number) for number in (1, 2))).replace(b"990101198802140011", b"", 2)

        read = _read("ceb", body)

        assert [each.document is None for each in read.submissions] == [True, True]
        assert [each.index for each in read.submissions] == [0, 1]

    def test_an_amount_out_of_range_is_named_at_its_element(self, triples: Any, xml: Any) -> None:
        body = xml(*(triples.document("order", n, goodsValue=v) for n, v in ((1, "1"), (2, "1000000000000"))))

        _, second = _read("ceb", body).submissions

        assert [each.path for each in second.faults] == ["/CEB311Message/Order[2]/goodsValue"] or [
            each.path for each in second.faults
        ] == ["/CEB311Message/Order[2]/OrderHead/goodsValue"]

    @pytest.mark.parametrize("name", ["CEB312Message", "CEB622Message", "CEB711Message", "CEB900Message"])
    def test_what_is_no_document_of_a_party_is_refused(self, request: pytest.FixtureRequest, name: str) -> None:
        body = (request.config.rootpath / "tests" / "data" / "ceb" / f"{name}.xml").read_bytes()

        assert _codes(_read("ceb", body)) == ["delivery-message-type"]

    @pytest.mark.parametrize("body", [b"", b"<", b"{}", b"<a/>", b"\xff\xfe"])
    def test_what_is_no_customs_message_is_refused(self, body: bytes) -> None:
        read = _read("ceb", body)

        assert read.submissions == ()
        assert read.faults

    def test_more_documents_than_allowed_are_refused(self, triples: Any, xml: Any) -> None:
        body = xml(*(triples.document("order", number) for number in (1, 2, 3)))

        assert _codes(_read("ceb", body, documents_max=2)) == ["document-count"]

    def test_more_bytes_than_allowed_are_refused(self, triples: Any, xml: Any) -> None:
        body = xml(triples.document("order"))

        assert _codes(_read("ceb", body, bytes_max=len(body) - 1)) == ["xml-large"]

    def test_what_had_to_be_tolerated_is_told(self, triples: Any, xml: Any) -> None:
        body = b"\n" + xml(triples.document("order"))

        read = _read("ceb", body)

        assert [each.code for each in read.notices] == ["reading-leading"]
        assert read.submissions[0].document is not None


def test_neither_a_delivery_nor_what_is_read_from_it_shows_its_bytes(triples: Any) -> None:
    body = json.dumps(triples.content("order"), ensure_ascii=False).encode()
    pushed = Pushed("import.order", JSON, body)

    assert "章春苗" not in f"{pushed}{submitted(pushed, DeliveryLimits())}"
