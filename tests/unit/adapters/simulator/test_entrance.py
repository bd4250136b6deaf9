"""What e-port turns away as a whole, and the signature it asks for."""

import pytest
from lxml import etree

from tongguan.adapters.signing.verification import signed_bytes
from tongguan.adapters.simulator.chance import Knobs
from tongguan.messages.reading import read
from tongguan.messages.receipts import FormatReceipt, receipts_of
from tongguan.messages.xml import serialise

MANY = {
    "311": ("-301015", {"orderNo": "TG-{:04}"}),
    "411": ("-401013", {"payTransactionId": "TG-{:04}"}),
    "511": ("-504013", {"logisticsNo": "TG-{:04}"}),
    "513": ("-505013", {"logisticsNo": "TG-{:04}"}),
    "621": ("-621030", {"copNo": "TG-{:04}"}),
    "623": ("-623008", {"copNo": "TG-{:04}"}),
    "625": ("-625001", {"copNo": "TG-{:04}"}),
}
UNSIGNED = {
    "311": "-301020",
    "411": "-401009",
    "511": "-504011",
    "513": "-505011",
    "621": "-621029",
    "623": "-623029",
    "625": "-625208",
    "711": "-800001",
}


def test_a_message_that_cannot_be_read_comes_back_whole_as_a_format_receipt(port):
    port = port()

    taken = port.send(b"<CEB311Message><Order>")

    [receipt] = port.collect()
    assert isinstance(receipt, FormatReceipt)
    assert (receipt.status, receipt.ori_message_type) == ("-1", "Unknown")
    assert taken.outcomes == (("", "CEB900 -1"),)
    assert b"<![CDATA[<CEB311Message><Order>]]>" in port.files[0].data


def test_a_message_that_is_not_valid_comes_back_with_its_type_and_the_guids_in_it(port, signed, doc):
    data = signed("311", doc("311")).replace(b"<ceb:currency>142<", b"<ceb:currency>156<")
    port = port()

    port.send(data)

    [receipt] = port.collect()
    assert receipt.ori_message_type == "CEB311Message"
    assert doc("311")["OrderHead"]["guid"] in receipt.guids
    assert "currency" in receipt.info


def test_a_receipt_is_nothing_that_can_be_declared(port, doc):
    port = port()
    port.declare("311", doc("311"))
    port.collect()

    port.send(port.files[0].data)

    assert [each.message_type for each in port.collect()] == ["CEB900Message"]


@pytest.mark.parametrize("short", ["621", "623", "625", "711"])
def test_a_document_without_a_number_of_its_enterprise_comes_back_as_a_whole(port, doc, short):
    port = port()

    port.declare(short, doc(short, copNo=""))

    [receipt] = port.collect()
    assert (receipt.message_type, receipt.ori_message_type) == ("CEB900Message", f"CEB{short}Message")


def test_the_original_in_a_format_receipt_is_cut_and_freed_of_what_xml_forbids(port):
    port = port()

    port.send(b"\x01\xff<a>]]>" + b"x" * 400_000)

    [receipt] = receipts_of(read(port.customs.due(port.now_ms + 1000)[0].data))
    assert receipt.status == "-1"


@pytest.mark.parametrize("short", MANY)
def test_a_message_of_a_hundred_documents_is_taken_and_one_more_refuses_every_one(port, doc, identity, unsigned, short):
    code, fields = MANY[short]
    nodes = [doc(short, **{name: text.format(n) for name, text in fields.items()}) for n in range(101)]
    allowed, surplus = port(), port()

    allowed.declare(short, *nodes[:100])
    surplus.send(signed_bytes(unsigned(short, nodes), identity.signer))

    assert code not in allowed.answers(short)
    assert surplus.answers(short) == [code] * 101


def test_an_entry_list_comes_alone_in_its_message(port, doc, identity, unsigned):
    root = unsigned("711", [doc("711")])
    root.insert(1, etree.fromstring(etree.tostring(root[0])))
    port = port()

    port.send(signed_bytes(root, identity.signer))

    assert port.answers("711") == ["-800006", "-800006"]


@pytest.mark.parametrize("short", UNSIGNED)
def test_a_signature_that_does_not_verify_refuses_every_document(port, signed, doc, short):
    data = signed(short, doc(short)).replace(b"20260301100000", b"20260301100001", 1)
    port = port()

    port.send(data)

    assert port.answers(short) == [UNSIGNED[short]]


@pytest.mark.parametrize("short", ["311", "411", "511", "513"])
def test_a_declared_document_has_to_be_signed_and_one_to_be_stored_need_not_be(port, doc, unsigned, short):
    port = port()

    port.send(serialise(unsigned(short, [doc(short)])))
    refused = port.answers(short)
    port.send(serialise(unsigned(short, [doc(short, appStatus="1")])))

    assert refused == [UNSIGNED[short]]
    assert port.answers(short) == []


def test_the_certificate_of_a_declarant_is_asked_for_where_it_is_known(port, doc, identity, stranger, unsigned):
    pinned = {"3300000AGT": identity.signer.certificate}
    right, wrong = port(certificates=pinned), port(certificates=pinned)

    right.send(signed_bytes(unsigned("311", [doc("311")]), identity.signer))
    wrong.send(signed_bytes(unsigned("311", [doc("311")]), stranger.signer))

    assert right.answers("311") == ["2", "3"]
    assert wrong.answers("311") == ["-301020"]


def test_one_declared_document_asks_for_the_signature_of_all(port, doc, unsigned):
    port = port()

    port.send(serialise(unsigned("311", [doc("311"), doc("311", orderNo="TG-ORDER-0002", appStatus="1")])))

    assert port.answers("311") == ["-301020", "-301020"]


def test_declarant_and_transmitter_may_both_sign(port, doc, identity, stranger, unsigned):
    port = port(certificates={"3300000AGT": identity.signer.certificate, "3300000PLT": stranger.signer.certificate})

    for number, signer in enumerate((identity.signer, stranger.signer)):
        port.send(signed_bytes(unsigned("311", [doc("311", orderNo=f"TG-{number}")]), signer))

    assert port.answers("311") == ["2", "3", "2", "3"]


def test_a_certificate_that_has_expired_signs_nothing(port, doc):
    port = port()
    port.now_ms += 400 * 24 * 3_600_000

    port.declare("311", doc("311"))

    assert port.answers("311") == ["-301020"]


@pytest.mark.parametrize(
    "knobs", [{"latency_ms": (5, 1)}, {"loss": 1.1}, {"refuse": -0.1}, {"batch": 0}, {"batch": 101}]
)
def test_knobs_that_cannot_be_are_refused(knobs):
    with pytest.raises(ValueError, match=r"latency|probability|returns"):
        Knobs(**knobs)
