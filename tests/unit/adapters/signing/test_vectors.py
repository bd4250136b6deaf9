"""Signatures made by other programs, and ours verified by another program."""

import json
import shutil
import subprocess
from base64 import b64decode
from pathlib import Path

import gmalg
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa as crypto_rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from tongguan.adapters.signing.algorithms import RSA_SHA1, SM2_SM3, sha1, sm2_public_key, sm3
from tongguan.adapters.signing.der import public_key_info
from tongguan.adapters.signing.xmldsig import DS, ds, sign_message, signed_info
from tongguan.messages.xml import canonical

VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text("utf-8"))
SM2_INFO_START = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")


def sm2_info():
    return SM2_INFO_START + bytes.fromhex(VECTORS["sm2"]["x"]) + bytes.fromhex(VECTORS["sm2"]["y"])


def rsa_info():
    numbers = crypto_rsa.RSAPublicNumbers(VECTORS["rsa"]["e"], int(VECTORS["rsa"]["n"], 16))
    return numbers.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize("vector", VECTORS["sm2"]["vectors"])
def test_known_sm2_signatures_verify(vector):
    verified = SM2_SM3.verify(sm2_info(), b64decode(vector["value"]), vector["signed"].encode())

    assert verified


@pytest.mark.parametrize("vector", VECTORS["rsa"]["vectors"])
def test_known_rsa_signatures_verify(vector):
    verified = RSA_SHA1.verify(rsa_info(), b64decode(vector["value"]), vector["signed"].encode())

    assert verified


@pytest.mark.parametrize("vector", VECTORS["sm2"]["vectors"])
def test_an_sm2_signature_of_other_bytes_does_not_verify(vector):
    verified = SM2_SM3.verify(sm2_info(), b64decode(vector["value"]), vector["signed"].encode() + b" ")

    assert not verified


@pytest.mark.parametrize("value", [b"", b"\0" * 64, b"\xff" * 64, b"\1" * 63, b"\1" * 65])
def test_an_impossible_sm2_signature_does_not_verify(value):
    assert not SM2_SM3.verify(sm2_info(), value, b"data")


@pytest.mark.parametrize("vector", [*VECTORS["sm2"]["vectors"], *VECTORS["rsa"]["vectors"]])
def test_signed_info_is_canonicalised_in_the_namespaces_of_its_message(vector):
    context = 'xmlns:ceb="http://www.chinaport.gov.cn/ceb" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    bare = "<ds:SignedInfo>" + vector["signed"].partition(">")[2]
    in_message = etree.fromstring(
        f'<ceb:M {context}>\n <ceb:x/><ds:Signature xmlns:ds="{DS}">{bare}</ds:Signature>\n</ceb:M>'
    )

    text = canonical(signed_info(in_message[-1])).decode()

    assert text == vector["signed"]


def test_xml_attributes_of_ancestors_are_signed_with_signed_info(message, sm2):
    message.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    sign_message(message, sm2.signer)

    assert b' xml:space="preserve"' in canonical(signed_info(message[-1]))


def test_sm3_is_the_hash_of_its_standard():
    assert sm3(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_another_implementation_verifies_our_sm2_signature(message, sm2):
    sign_message(message, sm2.signer)
    value = b64decode(message.findtext(f".//{ds('SignatureValue')}"))
    numbers = sm2_public_key(public_key_info(sm2.signer.certificate.parsed)).public_numbers()
    point = b"\4" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")

    verified = gmalg.SM2(uid=b"1234567812345678", pk=point).verify(
        canonical(signed_info(message[-1])), value[:32], value[32:]
    )

    assert verified


def test_plain_arithmetic_verifies_our_rsa_signature(message, rsa):
    sign_message(message, rsa.signer)
    numbers = rsa.signer.certificate.parsed.public_key().public_numbers()
    value = int.from_bytes(b64decode(message.findtext(f".//{ds('SignatureValue')}")), "big")

    padded = pow(value, numbers.e, numbers.n).to_bytes(256, "big")

    # PKCS#1 v1.5 with the DigestInfo of SHA-1
    digest_info = bytes.fromhex("3021300906052b0e03021a05000414")
    digest = sha1(canonical(signed_info(message[-1])))
    assert padded == b"\0\1" + b"\xff" * (256 - 3 - 35) + b"\0" + digest_info + digest


if shutil.which("openssl"):

    def openssl(folder, *arguments):
        run = subprocess.run(["openssl", *arguments], cwd=folder, capture_output=True, text=True, check=False)
        return run.stdout.strip()

    def test_openssl_verifies_our_rsa_signature(message, rsa, tmp_path):
        sign_message(message, rsa.signer)
        (tmp_path / "signed").write_bytes(canonical(signed_info(message[-1])))
        (tmp_path / "value").write_bytes(b64decode(message.findtext(f".//{ds('SignatureValue')}")))
        (tmp_path / "crt").write_bytes(rsa.certificate_pem)
        (tmp_path / "pub").write_text(openssl(tmp_path, "x509", "-in", "crt", "-pubkey", "-noout"))

        said = openssl(tmp_path, "dgst", "-sha1", "-verify", "pub", "-signature", "value", "signed")

        assert said == "Verified OK"

    def test_openssl_accepts_our_test_certificate(identity, tmp_path, now_ms):
        (tmp_path / "crt").write_bytes(identity.certificate_pem)
        at = str(now_ms // 1000)

        said = openssl(tmp_path, "verify", "-vfyopt", "distid:1234567812345678", "-attime", at, "-CAfile", "crt", "crt")

        assert said == "crt: OK"
