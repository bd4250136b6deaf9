"""The exchange platform: which envelopes it opens, and by which code it refuses the others."""

from base64 import b64encode

import pytest

from tongguan.adapters.envelope import wrap
from tongguan.adapters.signing.identity import make_test_identity
from tongguan.adapters.signing.xmldsig import sign_message
from tongguan.messages.chinatime import DAY_MS
from tongguan.messages.receipts import ExchangeReceipt, FormatReceipt
from tongguan.messages.xml import parse, serialise

SENDER, CUSTOMS = "DXPENT0000000001", "DXPEDCCEB0000002"
GUID = "7A3F0C52-9D41-4E86-B1A7-0000000000FF"


@pytest.fixture
def dxp(port, eport):
    """A port whose e-port takes envelopes."""
    envelope = {"kind": "dxp", "sender": SENDER, "receivers": [CUSTOMS]}
    return lambda **given: port(eports=[eport(envelope=envelope)], **given)


@pytest.fixture
def enveloped(signed, doc):
    def make(data=None, *, receivers=(CUSTOMS,), message_type="CEB311Message"):
        data = signed("311", doc("311")) if data is None else data
        return wrap(
            data,
            cop_msg_id=GUID,
            sender=SENDER,
            receivers=receivers,
            created_ms=1_772_330_400_000,
            message_type=message_type,
        )

    return make


def code_of(port):
    [receipt] = port.collect()
    assert isinstance(receipt, ExchangeReceipt)
    return receipt.status


def test_a_message_in_its_envelope_is_answered_in_envelopes_from_customs(dxp, enveloped):
    port = dxp()

    port.send(enveloped())

    assert port.answers("311") == ["2", "3"]
    root = parse(port.files[0].data)
    assert root.findtext("{*}TransInfo/{*}SenderId") == CUSTOMS
    assert root.findtext("{*}TransInfo/{*}ReceiverIds/{*}ReceiverId") == SENDER
    assert root.findtext("{*}TransInfo/{*}MsgType") == "CEB312Message"


def test_what_is_no_xml_is_answered_by_the_name_of_its_file(dxp):
    port = dxp()

    port.send(b"not XML", name="CEB311Message_1.xml")

    [receipt] = port.collect()
    assert (receipt.status, receipt.cop_msg_id) == ("0001", "CEB311Message_1.xml")


def test_a_message_without_the_envelope_is_a_format_error(dxp, signed, doc):
    port = dxp()

    port.send(signed("311", doc("311")))

    assert code_of(port) == "0001"


def test_an_envelope_that_is_not_valid_is_answered_under_its_own_number_where_that_can_be_read(dxp, enveloped):
    port = dxp()

    port.send(enveloped().replace(b"T10:", b" 10:"))
    [readable] = port.collect()
    port.send(enveloped().replace(GUID.encode(), b""), name="a.xml")
    [unreadable] = port.collect()

    assert (readable.status, readable.cop_msg_id) == ("0002", GUID)
    assert (unreadable.status, unreadable.cop_msg_id) == ("0002", "a.xml")


@pytest.mark.parametrize(
    ("receivers", "code"),
    [
        (["DXPEDCCEB0000009"], "2001"),
        (["DXPEDCCEB0000003"], "2002"),
        (["DXPENT0000000002"], "2002"),
        ([CUSTOMS, "DXPEDCCEB0000009"], "2001"),
    ],
)
def test_an_envelope_to_another_address_than_customs_for_imports_is_refused(dxp, enveloped, receivers, code):
    port = dxp()

    port.send(enveloped(receivers=receivers))

    assert code_of(port) == code


def test_an_envelope_may_go_to_another_enterprise_besides(dxp, enveloped):
    port = dxp()

    port.send(enveloped(receivers=[CUSTOMS, "DXPENT0000000002"]))

    assert port.answers("311") == ["2", "3"]


def test_an_envelope_that_names_another_type_than_it_holds_is_refused(dxp, enveloped):
    port = dxp()

    port.send(enveloped(message_type="CEB411Message"))

    assert code_of(port) == "0999"


def test_an_envelope_around_nothing_is_refused(dxp, enveloped):
    port = dxp()

    port.send(enveloped(b""))

    assert code_of(port) == "0999"


@pytest.mark.parametrize("data", [b"<CEB311Message/>", b"no XML at all"])
def test_a_bad_message_in_a_good_envelope_is_for_e_port_to_refuse(dxp, enveloped, data):
    port = dxp()

    port.send(enveloped(data))

    [receipt] = port.collect()
    assert isinstance(receipt, FormatReceipt)
    assert receipt.ori_cop_msg_id == GUID


def test_an_envelope_may_be_signed_and_the_signature_has_to_hold(dxp, enveloped, identity):
    whole = serialise(sign_message(parse(enveloped()), identity.signer))
    held, changed, broken = dxp(), dxp(), dxp()

    held.send(whole)
    changed.send(whole.replace(GUID.encode(), GUID.replace("7A", "7B").encode()))
    broken.send(_without_a_value(whole))

    assert held.answers("311") == ["2", "3"]
    assert code_of(changed) == "1004"
    assert code_of(broken) == "1001"


def test_an_envelope_signed_with_an_expired_certificate_is_refused(dxp, enveloped):
    port = dxp()
    expired = make_test_identity("sm2-sm3", "3300000AGT", 7, port.now_ms - 400 * DAY_MS)

    port.send(serialise(sign_message(parse(enveloped()), expired.signer)))

    assert code_of(port) == "1002"


def _without_a_value(data):
    root = parse(data)
    [value] = root.iterfind(".//{*}SignatureValue")
    value.text = b64encode(bytes(64)).decode()
    return serialise(root)
