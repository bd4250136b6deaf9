"""Signing whole messages, and saying what is wrong with a signature."""

import copy
from base64 import b64encode
from typing import Any

import pytest
from lxml import etree

from tongguan.adapters.signing.algorithms import RSA_SHA1, SM2_SM3, sha1
from tongguan.adapters.signing.identity import make_test_identity
from tongguan.adapters.signing.verification import signed_bytes, verify_message
from tongguan.adapters.signing.xmldsig import C14N, DS, ds, sign_message, signed_info
from tongguan.messages.chinatime import DAY_MS
from tongguan.messages.faults import Refused
from tongguan.messages.xml import canonical, parse, serialise


def part(root, name) -> Any:
    return root.find(f".//{ds(name)}")


def signed_by_hand(root, signer, *, signature_uri=None, digest_uri=None, digest=None, c14n=C14N):
    """A signature as another program makes it: like ours, with some parts otherwise."""
    document = etree.tostring(root.getroottree(), method="c14n", with_comments=False)
    sign_message(root, signer)
    part(root, "CanonicalizationMethod").set("Algorithm", c14n)
    part(root, "SignatureMethod").set("Algorithm", signature_uri or signer.algorithm.signature_uri)
    part(root, "DigestMethod").set("Algorithm", digest_uri or signer.algorithm.digest_uri)
    part(root, "DigestValue").text = base64((digest or signer.algorithm.digest)(document))
    part(root, "SignatureValue").text = base64(signer.sign(canonical(signed_info(root[-1]))))
    return parse(serialise(root))


def base64(data):
    return b64encode(data).decode()


def test_what_we_sign_verifies_strictly(message, identity, now_ms):
    data = signed_bytes(message, identity.signer)

    verification = verify_message(parse(data), expected=identity.signer.certificate, at_ms=now_ms)

    assert verification.strict
    assert verification.algorithm == identity.signer.algorithm.name
    assert verification.certificate == identity.signer.certificate


def test_the_signature_is_the_last_child_and_holds_no_white_space(message, identity):
    sign_message(message, identity.signer)

    assert message[-1].tag == ds("Signature")
    assert all(not (each.text or "").isspace() and not (each.tail or "") for each in message[-1].iter())


def test_the_signature_names_the_algorithms_of_the_specification(message, sm2):
    sign_message(message, sm2.signer)

    assert part(message, "SignatureMethod").get("Algorithm") == "http://www.chinaport.gov.cn/2022/04/xmldsig#sm2-sm3"
    assert part(message, "DigestMethod").get("Algorithm") == "http://www.chinaport.gov.cn/2022/04/xmldsig#sm3"
    assert len(part(message, "SignatureValue").text) == 88
    assert len(part(message, "DigestValue").text) == 44
    assert part(message, "KeyName").text == "01691fe9"


def test_a_signed_message_is_not_signed_again(message, identity):
    sign_message(message, identity.signer)

    with pytest.raises(ValueError, match="signed already"):
        sign_message(message, identity.signer)


def test_a_message_with_a_default_namespace_verifies_too(identity):
    root = etree.fromstring('<?note here?><M xmlns="urn:one" xml:lang="zh"><a xmlns="">1\r\n</a><b c=" x&#10;"/></M>')

    data = signed_bytes(root, identity.signer)

    assert verify_message(parse(data)).strict


def test_a_processing_instruction_beside_the_root_belongs_to_what_others_sign(sm2):
    root = etree.fromstring("<?note one?><M><a/></M>")
    whole = etree.tostring(root.getroottree(), method="c14n")
    sign_message(root, sm2.signer)
    part(root, "DigestValue").text = base64(SM2_SM3.digest(whole))
    part(root, "SignatureValue").text = base64(sm2.signer.sign(canonical(signed_info(root[-1]))))
    text = etree.tostring(root.getroottree())

    assert verify_message(etree.fromstring(text)).strict
    assert verify_message(etree.fromstring(text.replace(b"note one", b"note two"))).failed == ("digest",)


def test_verifying_leaves_the_message_as_it_was(message, identity):
    sign_message(message, identity.signer)
    before = serialise(message)

    verify_message(message)

    assert serialise(message) == before


def test_a_change_of_the_content_fails_at_the_digest(message, identity):
    sign_message(message, identity.signer)
    message.find(".//{*}goodsValue").text = "88.6"

    verification = verify_message(message)

    assert verification.failed == ("digest",)
    assert [fault.code for fault in verification.faults()] == ["signature-digest"]


def test_a_digest_mended_after_the_change_fails_at_the_value(message, identity):
    sign_message(message, identity.signer)
    message.find(".//{*}goodsValue").text = "88.6"
    unsigned = copy.deepcopy(message)
    unsigned.remove(unsigned[-1])
    part(message, "DigestValue").text = base64(identity.signer.algorithm.digest(canonical(unsigned)))

    assert verify_message(message).failed == ("value",)


def test_a_signature_by_another_key_fails_at_the_value(message, sm2, now_ms):
    other = make_test_identity("sm2-sm3", "4101969T11", 7, now_ms)
    sign_message(message, other.signer)
    part(message, "X509Certificate").text = base64(sm2.signer.certificate.der)

    assert verify_message(message).failed == ("value",)


def test_another_certificate_than_the_expected_one_fails_at_the_certificate(message, sm2, rsa):
    sign_message(message, sm2.signer)

    assert verify_message(message, expected=rsa.signer.certificate).failed == ("certificate",)


@pytest.mark.parametrize("days", [-3, 400])
def test_a_certificate_outside_its_validity_fails_at_the_certificate(message, identity, now_ms, days):
    sign_message(message, identity.signer)

    assert verify_message(message, at_ms=now_ms + days * DAY_MS).failed == ("certificate",)


def test_a_certificate_of_another_kind_of_key_fails_at_the_value(message, sm2, rsa):
    sign_message(message, sm2.signer)
    part(message, "X509Certificate").text = base64(rsa.signer.certificate.der)

    assert verify_message(message).failed == ("value",)


@pytest.mark.parametrize("text", [None, "", "AAAA", "not base64!"])
def test_an_unreadable_certificate_fails_at_the_certificate(message, identity, text):
    sign_message(message, identity.signer)
    part(message, "X509Certificate").text = text

    assert verify_message(message).failed == ("certificate", "value")


def test_an_unknown_algorithm_fails_at_the_algorithm(message, identity):
    sign_message(message, identity.signer)
    part(message, "SignatureMethod").set("Algorithm", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256")

    assert verify_message(message).failed == ("algorithm",)


def test_an_exclusive_canonicalisation_fails_at_the_algorithm(message, identity):
    sign_message(message, identity.signer)
    part(message, "CanonicalizationMethod").set("Algorithm", "http://www.w3.org/2001/10/xml-exc-c14n#")

    assert verify_message(message).failed == ("algorithm",)


def second_signature(root):
    root.append(copy.deepcopy(root[-1]))


def signature_not_last(root):
    root.append(etree.Element("later"))


def reference_to_a_part(root):
    part(root, "Reference").set("URI", "#order")


def second_transform(root):
    part(root, "Transforms").append(copy.deepcopy(part(root, "Transform")))


def other_transform(root):
    part(root, "Transform").set("Algorithm", C14N)


def second_reference(root):
    part(root, "SignedInfo").append(copy.deepcopy(part(root, "Reference")))


def object_beside(root):
    root[-1].append(etree.Element(ds("Object")))


def digest_no_base64(root):
    part(root, "DigestValue").text = "?"


def no_signature(root):
    root.remove(root[-1])


def no_children(root):
    del root[:]


@pytest.mark.parametrize(
    "spoil",
    [
        second_signature,
        signature_not_last,
        reference_to_a_part,
        second_transform,
        other_transform,
        second_reference,
        object_beside,
        digest_no_base64,
        no_signature,
        no_children,
    ],
)
def test_another_shape_than_one_enveloped_signature_fails_at_the_structure(message, identity, spoil):
    sign_message(message, identity.signer)
    spoil(message)

    assert verify_message(message).failed == ("structure",)


def test_a_signature_deeper_in_the_message_is_content(message, identity):
    extension = etree.SubElement(message, "{http://www.chinaport.gov.cn/ceb}ExtendMessage")
    etree.SubElement(extension, ds("Signature"))

    data = signed_bytes(message, identity.signer)

    assert verify_message(parse(data)).strict


def test_base64_may_be_broken_into_lines(message, identity):
    sign_message(message, identity.signer)
    for name in ("SignatureValue", "X509Certificate"):
        text = part(message, name).text
        part(message, name).text = "\n" + text[:40] + "\n" + text[40:] + "\n"

    assert verify_message(message).strict


def test_a_signature_block_spread_over_lines_before_it_was_signed_is_strict(message, identity):
    sign_message(message, identity.signer)
    etree.indent(message[-1], space="")
    part(message, "SignatureValue").text = base64(identity.signer.sign(canonical(signed_info(message[-1]))))

    assert verify_message(message).strict


def test_a_signature_block_spread_over_lines_after_it_was_signed_is_tolerated(message, identity):
    sign_message(message, identity.signer)
    etree.indent(message[-1])

    verification = verify_message(message)

    assert verification.ok
    assert verification.tolerated == ("white-space",)


def test_white_space_put_around_the_signature_is_tolerated(message, identity):
    message[-1].tail = None
    sign_message(message, identity.signer)
    message[-2].tail = "\n  "
    message[-1].tail = "\n"

    assert verify_message(message).tolerated == ("white-space",)


def test_a_message_spread_over_lines_after_it_was_signed_is_tolerated(identity):
    root = etree.fromstring("<M><a><b>1</b></a></M>")
    sign_message(root, identity.signer)
    etree.indent(root)

    verification = verify_message(parse(serialise(root)))

    assert verification.ok
    assert verification.tolerated == ("white-space",)


def test_white_space_changed_inside_a_value_is_not_tolerated(message, identity):
    sign_message(message, identity.signer)
    message.find(".//{*}itemName").text = "橄榄油 &  醋"

    assert verify_message(message).failed == ("digest",)


def test_the_w3_address_of_sm2_and_a_sha1_digest_are_tolerated(message, sm2):
    root = signed_by_hand(
        message, sm2.signer, signature_uri=f"{DS}sm2-sm3", digest_uri=RSA_SHA1.digest_uri, digest=sha1
    )

    assert verify_message(root).tolerated == ("sm2-address", "sha1-digest")


def test_the_w3_address_of_sm2_alone_is_tolerated(message, sm2):
    root = signed_by_hand(message, sm2.signer, signature_uri=f"{DS}sm2-sm3")

    assert verify_message(root).tolerated == ("sm2-address",)


def test_a_sha1_digest_alone_is_tolerated(message, sm2):
    root = signed_by_hand(message, sm2.signer, digest_uri=RSA_SHA1.digest_uri, digest=sha1)

    assert verify_message(root).tolerated == ("sha1-digest",)


def test_an_sm3_digest_under_an_rsa_signature_fails_at_the_algorithm(message, rsa):
    root = signed_by_hand(message, rsa.signer, digest_uri=SM2_SM3.digest_uri, digest=SM2_SM3.digest)

    assert verify_message(root).failed == ("algorithm",)


def test_canonicalisation_with_comments_is_tolerated(message, identity):
    root = signed_by_hand(message, identity.signer, c14n=f"{C14N}#WithComments")

    assert verify_message(root).tolerated == ("with-comments",)


def test_a_key_name_that_is_not_the_serial_is_tolerated(message, identity):
    sign_message(message, identity.signer)
    part(message, "KeyName").text = "0001"

    assert verify_message(message).tolerated == ("key-name",)


def test_leading_zeros_and_capitals_of_the_key_name_do_not_matter(message, identity):
    sign_message(message, identity.signer)
    part(message, "KeyName").text = "00" + part(message, "KeyName").text.upper()

    assert verify_message(message).strict


class Broken:
    """A signing device that answers with nonsense."""

    def __init__(self, signer):
        self.algorithm, self.certificate = signer.algorithm, signer.certificate

    def sign(self, data):
        return bytes(len(data) % 7 + 57)


def test_bytes_that_do_not_verify_are_never_handed_out(message, identity):
    with pytest.raises(Refused) as refused:
        signed_bytes(message, Broken(identity.signer))

    assert [fault.code for fault in refused.value.faults] == ["signature-value"]
