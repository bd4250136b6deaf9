"""Keys in files, the identities made for tests, and the little DER under them."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec as nist
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st
from tongsuopy.crypto import serialization as tongsuo_keys

from tongguan.adapters.signing.der import SEQUENCE, elements, public_key_info, tlv
from tongguan.adapters.signing.identity import make_test_identity
from tongguan.adapters.signing.keyring import load_signers
from tongguan.adapters.signing.signers import load_signer
from tongguan.config.eports import KeyFiles, Surroundings, read_eport
from tongguan.config.keyfiles import parse_certificate
from tongguan.messages.faults import Refused

PASSWORD = "correct horse"


@pytest.fixture
def files(tmp_path):
    """Writes key and certificate as an operator does; returns what an e-port file says of them."""

    def write(identity, key_pem=None, mode=0o600, algorithm=None, **password):
        (tmp_path / "key.pem").write_bytes(key_pem or identity.key_pem)
        (tmp_path / "key.pem").chmod(mode)
        (tmp_path / "crt.pem").write_bytes(identity.certificate_pem)
        return KeyFiles.model_construct(
            kind="files",
            declarant="3301969T01",
            algorithm=algorithm or identity.signer.algorithm.name,
            key=tmp_path / "key.pem",
            certificate=tmp_path / "crt.pem",
            password_env=password.get("password_env"),
            password_file=password.get("password_file"),
        )

    return write


def encrypted(identity):
    if identity.signer.algorithm.name == "sm2-sm3":
        key = tongsuo_keys.load_pem_private_key(identity.key_pem, None)
        return key.private_bytes(
            tongsuo_keys.Encoding.PEM,
            tongsuo_keys.PrivateFormat.PKCS8,
            tongsuo_keys.BestAvailableEncryption(PASSWORD.encode()),
        )
    key = load_pem_private_key(identity.key_pem, None)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD.encode()))


def codes(refused):
    return [fault.code for fault in refused.value.faults]


def verifies(signer, identity):
    info = public_key_info(identity.signer.certificate.parsed)
    return signer.algorithm.verify(info, signer.sign(b"data"), b"data")


def test_a_key_in_a_file_signs(identity, files):
    signer = load_signer(files(identity), {})

    assert verifies(signer, identity)
    assert signer.certificate == identity.signer.certificate


def test_a_traditional_sm2_key_signs(sm2, files):
    key = tongsuo_keys.load_pem_private_key(sm2.key_pem, None)
    sec1 = key.private_bytes(
        tongsuo_keys.Encoding.PEM, tongsuo_keys.PrivateFormat.TraditionalOpenSSL, tongsuo_keys.NoEncryption()
    )

    signer = load_signer(files(sm2, sec1), {})

    assert verifies(signer, sm2)


def test_the_password_of_a_key_comes_from_the_environment(identity, files):
    entry = files(identity, encrypted(identity), password_env="TONGGUAN_SECRET_KEY")

    signer = load_signer(entry, {"TONGGUAN_SECRET_KEY": PASSWORD})

    assert verifies(signer, identity)


def test_the_password_of_a_key_comes_from_a_file(identity, files, tmp_path):
    (tmp_path / "password").write_text(PASSWORD + "\n")
    (tmp_path / "password").chmod(0o600)

    signer = load_signer(files(identity, encrypted(identity), password_file=tmp_path / "password"), {})

    assert verifies(signer, identity)


def test_a_password_missing_from_the_environment_is_named(identity, files):
    with pytest.raises(Refused) as refused:
        load_signer(files(identity, encrypted(identity), password_env="TONGGUAN_SECRET_KEY"), {})

    assert codes(refused) == ["config-password-missing"]
    assert "TONGGUAN_SECRET_KEY" in str(refused.value)


@pytest.mark.parametrize("environ", [{"TONGGUAN_SECRET_KEY": "wrong"}, {}])
def test_a_wrong_or_missing_password_is_refused_and_not_repeated(identity, files, environ):
    entry = files(identity, encrypted(identity), password_env="TONGGUAN_SECRET_KEY" if environ else None)

    with pytest.raises(Refused) as refused:
        load_signer(entry, environ)

    assert codes(refused) == ["config-key"]
    assert "wrong'" not in str(refused.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o644, 0o610])
def test_a_private_key_open_to_others_is_refused_with_the_way_to_mend_it(identity, files, mode):
    with pytest.raises(Refused) as refused:
        load_signer(files(identity, mode=mode), {})

    assert codes(refused) == ["config-file-open"]
    assert "chmod 600" in refused.value.faults[0].as_json()["en"]


def test_a_missing_key_is_refused(identity, files, tmp_path):
    entry = files(identity)
    (tmp_path / "key.pem").unlink()

    with pytest.raises(Refused) as refused:
        load_signer(entry, {})

    assert codes(refused) == ["config-file-missing"]


def test_a_key_of_the_other_algorithm_is_refused(sm2, rsa, files):
    for identity, algorithm in ((sm2, "rsa-sha1"), (rsa, "sm2-sm3")):
        with pytest.raises(Refused) as refused:
            load_signer(files(identity, algorithm=algorithm), {})

        assert codes(refused) == ["config-key"]


@pytest.mark.parametrize("algorithm", ["sm2-sm3", "rsa-sha1"])
def test_a_key_of_neither_algorithm_is_refused(identities, files, algorithm):
    key = nist.generate_private_key(nist.SECP256R1())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    with pytest.raises(Refused) as refused:
        load_signer(files(identities[algorithm], pem), {})

    assert codes(refused) == ["config-key"]


@pytest.mark.parametrize("pem", [b"", b"junk", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_file_without_a_key_is_refused(identity, files, pem):
    with pytest.raises(Refused) as refused:
        load_signer(files(identity, pem or b"\n"), {})

    assert codes(refused) == ["config-key"]


def test_a_key_of_another_certificate_is_refused(identity, files, now_ms):
    other = make_test_identity(identity.signer.algorithm.name, "4101969T11", 9, now_ms)

    with pytest.raises(Refused) as refused:
        load_signer(files(identity, other.key_pem), {})

    assert codes(refused) == ["config-key-mismatch"]


def test_a_certificate_of_the_other_kind_is_refused(sm2, rsa, files, tmp_path):
    entry = files(sm2)
    (tmp_path / "crt.pem").write_bytes(rsa.certificate_pem)

    with pytest.raises(Refused) as refused:
        load_signer(entry, {})

    assert codes(refused) == ["config-key-mismatch"]


def test_a_test_identity_is_marked_in_its_subject(identity):
    assert identity.signer.certificate.is_test
    assert "OU=TONGGUAN TEST" in identity.signer.certificate.parsed.subject.rfc4514_string()


def test_a_test_identity_is_valid_for_a_year(identity, now_ms):
    certificate = identity.signer.certificate

    assert certificate.not_before_ms < now_ms < certificate.not_after_ms
    assert certificate.not_after_ms - certificate.not_before_ms == 365 * 24 * 3600 * 1000


def test_two_identities_have_different_keys(sm2, now_ms):
    other = make_test_identity("sm2-sm3", "3301969T01", 0x01691FE9, now_ms)

    assert other.key_pem != sm2.key_pem


def test_neither_key_nor_subject_shows_in_a_representation(identity):
    shown = repr(identity) + repr(identity.signer.certificate) + str(identity.signer)

    assert "PRIVATE" not in shown
    assert "3301969T01" not in shown


def eport(environment, signers, folder):
    tables = {
        "name": "hangzhou",
        "title": {"zh": "杭州", "en": "Hangzhou"},
        "environment": environment,
        "customs_district": "2900",
        "declares": ["311"],
        "acts_for": [{"ebcCode": "3301969T01"}],
        "transfer": {"copCode": "3301969T01", "copName": "示例", "dxpId": "DXPENT0000099001"},
        "envelope": {"kind": "plain"},
        "transport": {"kind": "folder", "outbox": "o", "inbox": "i", "archive": "a"},
        "signers": signers,
    }
    return read_eport(tables, Surroundings(folder, folder, {}))


def test_an_e_port_in_test_gets_a_self_made_signer_for_each_declarant(tmp_path, now_ms):
    made = [
        {"kind": "test", "declarant": "3301969T01", "algorithm": "sm2-sm3"},
        {"kind": "test", "declarant": "3301969T02", "algorithm": "rsa-sha1"},
    ]

    signers = load_signers(eport("test", made, tmp_path), {}, at_ms=now_ms, new_serial=iter([5, 6]).__next__)

    assert {code: signer.algorithm.name for code, signer in signers.items()} == {
        "3301969T01": "sm2-sm3",
        "3301969T02": "rsa-sha1",
    }
    assert [signer.certificate.serial for signer in signers.values()] == ["05", "06"]


def test_every_key_that_cannot_be_loaded_is_named(tmp_path, identities, now_ms):
    entries = []
    for name, identity in identities.items():
        (tmp_path / f"{name}.key").write_bytes(b"junk")
        (tmp_path / f"{name}.key").chmod(0o600)
        (tmp_path / f"{name}.crt").write_bytes(identity.certificate_pem)
        files = {"key": f"{name}.key", "certificate": f"{name}.crt"}
        entries.append({"kind": "files", "declarant": f"{name[:3].upper()}1969T01", "algorithm": name, **files})
    entries[1]["declarant"] = "3301969T02"

    with pytest.raises(Refused) as refused:
        load_signers(eport("test", entries, tmp_path), {}, at_ms=now_ms, new_serial=lambda: 1)

    assert [(fault.code, fault.path) for fault in refused.value.faults] == [
        ("config-key", "/signers/0"),
        ("config-key", "/signers/1"),
    ]


def test_a_test_identity_that_slipped_through_is_refused_in_production(tmp_path, sm2, files, now_ms):
    production = eport("test", [], tmp_path).model_copy(update={"environment": "production", "signers": (files(sm2),)})

    with pytest.raises(Refused) as refused:
        load_signers(production, {}, at_ms=now_ms, new_serial=lambda: 1)

    assert codes(refused) == ["config-test-identity"]


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_what_is_put_into_a_der_sequence_comes_out_again(contents):
    parts = [tlv(0x04, content) for content in contents]

    assert elements(tlv(SEQUENCE, *parts)) == parts


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x05\x00", b"\x30\x00\x00", b"\x30\x02\x04\x05", b"\x30\x84\xff"])
def test_cut_der_is_refused(der):
    with pytest.raises(ValueError, match="DER value"):
        elements(der)


@pytest.mark.parametrize("data", [b"", b"junk", b"\x30\x00", b"-----BEGIN CERTIFICATE-----\nAA\n-----END"])
def test_what_is_no_certificate_is_a_value_error(data):
    with pytest.raises(ValueError, match="no certificate here"):
        parse_certificate(data)
