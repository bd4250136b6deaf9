"""E-port files, and everything that can be wrong in one of them."""

import pytest

from tongguan.adapters.signing.identity import make_test_identity
from tongguan.config.eports import DirectInventory, eport_for
from tongguan.messages.chinatime import DAY_MS

FILE = "eports/hangzhou.toml"


def test_an_e_port_without_fault_is_read(folder):
    folder.eport()

    (eport,), problems = folder.load()

    assert problems == []
    assert eport.name == "hangzhou"
    assert eport.transfer.dxp_id == "DXPENT0000099001"
    assert eport.limits.batch == 100
    assert eport.pace is None


def test_no_files_mean_no_e_ports(folder):
    assert folder.load() == ([], [])


def test_data_folders_start_at_the_data_folder_and_key_files_at_the_operators_folder(folder, keyfiles):
    folder.eport(signers=[keyfiles()])

    (eport,), _ = folder.load()

    assert eport.transport.outbox == folder.data / "hz" / "out"
    assert eport.signers[0].key == folder.path / "keys" / "key.pem"


def test_an_absolute_path_stays_as_it_is(folder, tmp_path):
    places = {"outbox": tmp_path / "o", "inbox": tmp_path / "i", "archive": tmp_path / "a"}
    folder.eport(transport={"kind": "folder", **places})

    (eport,), _ = folder.load()

    assert eport.transport.outbox == tmp_path / "o"


def test_inventory_defaults_come_by_trade_mode_under_their_official_names(folder, direct, bonded):
    folder.eport(inventory=[direct, bonded])

    (eport,), _ = folder.load()

    assert isinstance(eport.inventory_for("9610"), DirectInventory)
    assert eport.inventory_for("1210").official() == {**bonded, "country": "142"}
    assert eport.inventory_for("1239") is None


def test_every_fault_of_a_file_is_told_at_once(folder, bonded):
    del bonded["emsNo"]
    folder.eport(
        name_="?",
        title=None,
        environment="live",
        customs_district=2900,
        declares=["311", "999"],
        envelope={"kind": "dxp", "sender": "SHORT", "receivers": []},
        inventory=[{**bonded, "country": "502", "wrapType": "22"}],
        limits={"batch": 101},
    )

    assert folder.said() == [
        (FILE, "config-missing", "/title"),
        (FILE, "config-value", "/environment"),
        (FILE, "config-value", "/customs_district"),
        (FILE, "config-value", "/declares/1"),
        (FILE, "config-value", "/envelope/sender"),
        (FILE, "config-value", "/envelope/receivers"),
        (FILE, "config-value", "/inventory/0/wrapType"),
        (FILE, "config-value", "/inventory/0/country"),
        (FILE, "config-missing", "/inventory/0/emsNo"),
        (FILE, "config-value", "/limits/batch"),
        (FILE, "config-unknown-key", "/name_"),
    ]


def test_faults_beside_wrong_values_are_told_at_once_too(folder, bonded):
    folder.eport(environment="live", declares=["621", "x"], inventory=[bonded, bonded], signers=[])

    codes = {code for _, code, _ in folder.said()}

    assert codes == {"config-value", "config-twice", "config-signer-missing", "config-inventory-missing"}


def test_faults_of_several_files_are_told_at_once(folder):
    folder.eport(environment="live")
    folder.text("name = ", "second.toml")
    folder.text(b"name = '\xff'", "third.toml")

    said = {(file, code) for file, code, _ in folder.said()}

    assert said == {
        (FILE, "config-value"),
        ("eports/second.toml", "config-syntax"),
        ("eports/third.toml", "config-encoding"),
    }


@pytest.mark.parametrize(
    ("text", "line"), [("a = 1\nb = \n", 2), ("a = 1\n\n[x\n", 3), ('a = "x\n', 1), ("a = 1\nb = 2\na = 3\n", 3)]
)
def test_a_syntax_fault_names_its_line(folder, text, line):
    folder.text(text)

    _, (problem,) = folder.load()

    assert (problem.fault.code, problem.fault.line) == ("config-syntax", line)


def test_a_byte_that_is_no_utf8_is_told_with_its_line(folder):
    folder.text(b"a = 1\nb = '\xff'\n")

    _, (problem,) = folder.load()

    assert (problem.fault.code, problem.fault.line) == ("config-encoding", 2)


def test_a_byte_order_mark_is_read_over(folder):
    folder.eport()
    path = folder.path / "eports" / "hangzhou.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())

    assert folder.said() == []


def test_a_fault_says_what_is_allowed_in_both_languages(folder):
    folder.eport(environment="live", colour="red")

    wrong, unknown = [problem.fault for problem in folder.load()[1]]

    assert wrong.en == "the value of environment is not allowed; it must be one of test, production"
    assert wrong.zh == "environment 的值不被允许，应为：test、production 之一"
    assert "acts_for, customs_district, declares" in unknown.en


def test_no_fault_repeats_a_value(folder):
    folder.eport(environment="SECRET", name="SECRET", limits={"batch": "SECRET"}, acts_for=["SECRET"])

    for problem in folder.load()[1]:
        assert "SECRET" not in problem.fault.en + problem.fault.zh + problem.fault.path


@pytest.mark.parametrize(
    "changes",
    [
        {"inventory": "x", "signers": 3, "acts_for": {}, "transport": [], "envelope": "plain", "declares": {"a": 1}},
        {"inventory": [["x"], 3], "signers": [{"declarant": []}, {"declarant": []}], "declares": [[], {}]},
        {"inventory": [{"tradeMode": [], "agentCode": {}}], "acts_for": [{"tradeMode": []}], "name": [], "transfer": 1},
        {"transport": {"kind": "folder", "outbox": 1, "inbox": [], "archive": {}}, "title": "x", "limits": []},
    ],
)
def test_tables_of_the_wrong_kind_are_faults_and_no_crash(folder, changes):
    folder.eport(**changes)
    folder.eport("second.toml", **changes)

    eports, problems = folder.load()

    assert eports == []
    assert {problem.file for problem in problems} == {FILE, "eports/second.toml"}


def test_an_e_port_with_a_fault_is_not_handed_out(folder):
    folder.eport(environment="live")
    folder.eport("second.toml", name="second", acts_for=[{"ebcCode": "4101969T11"}], transport=other_folders())

    eports, _ = folder.load()

    assert [eport.name for eport in eports] == ["second"]


def other_folders(**changes):
    return {"kind": "folder", "outbox": "zz/out", "inbox": "zz/in", "archive": "zz/archive", **changes}


@pytest.mark.parametrize("key", ["emsNo", "areaCode", "areaName", "trafMode"])
def test_a_bonded_inventory_needs_account_book_zone_enterprise_and_transport_mode(folder, bonded, key):
    del bonded[key]
    folder.eport(inventory=[bonded], acts_for=[{"ebcCode": "3301969T01"}])

    assert folder.said() == [(FILE, "config-missing", f"/inventory/0/{key}")]


@pytest.mark.parametrize("key", ["emsNo", "trafNo", "voyageNo", "billNo", "areaCode"])
def test_a_direct_inventory_takes_no_account_book_and_no_conveyance_from_the_file(folder, direct, key):
    folder.eport(inventory=[{**direct, key: "X1"}])

    assert folder.said() == [(FILE, "config-unknown-key", f"/inventory/0/{key}")]


def test_an_unknown_trade_mode_is_told_with_those_allowed(folder, direct):
    folder.eport(inventory=[{**direct, "tradeMode": "0110"}], acts_for=[{"ebcCode": "3301969T01"}])

    (problem,) = folder.load()[1]

    assert problem.fault.path == "/inventory/0/tradeMode"
    assert problem.fault.en.endswith("it must be one of 1210, 1239, 9610")


def test_declaring_inventories_needs_their_defaults(folder):
    folder.eport(inventory=None)

    assert folder.said() == [(FILE, "config-inventory-missing", "/inventory")]


def test_a_trade_mode_acted_for_needs_its_inventory_defaults(folder):
    folder.eport(acts_for=[{"ebcCode": "3301969T01", "tradeMode": "1210"}])

    assert folder.said() == [(FILE, "config-inventory-missing", "/acts_for/0/tradeMode")]


def test_an_inventory_needs_a_signer_of_its_declarant(folder):
    folder.eport(signers=None)

    assert folder.said() == [(FILE, "config-signer-missing", "/inventory/0/agentCode")]


def test_declaring_orders_only_needs_neither_inventory_nor_signer(folder):
    folder.eport(declares=["311"], inventory=None, signers=None)

    assert folder.said() == []


def test_one_folder_cannot_be_outbox_and_inbox(folder):
    folder.eport(transport={"kind": "folder", "outbox": "x", "inbox": "./x", "archive": "a"})

    assert folder.said() == [(FILE, "config-folder-shared", "/transport/inbox")]


def test_an_envelope_from_another_sender_is_warned_of(folder):
    folder.eport(envelope={"kind": "dxp", "sender": "DXPENT0000099009", "receivers": ["DXPEDCCEB0000002"]})

    assert folder.said() == []
    assert folder.warned() == [(FILE, "config-dxp-sender", "/envelope/sender")]


def test_codes_no_table_knows_are_warned_of(folder, direct):
    folder.eport(
        customs_district="0001",
        inventory=[{**direct, "customsCode": "0002", "country": "000", "trafMode": "Q", "wrapType": "9"}],
    )

    assert folder.said() == []
    assert sorted(path for _, code, path in folder.warned() if code == "config-unknown-code") == [
        "/customs_district",
        "/inventory/0/country",
        "/inventory/0/customsCode",
        "/inventory/0/trafMode",
        "/inventory/0/wrapType",
    ]


def test_a_case_goes_to_the_e_port_that_acts_for_its_enterprise_and_mode(folder):
    folder.eport()
    folder.eport(
        "second.toml",
        name="second",
        acts_for=[{"ebcCode": "3301969T01", "tradeMode": "1210", "logisticsCode": "3301989T03"}],
        declares=["311"],
        transport=other_folders(),
    )
    eports, _ = folder.load()

    def found(*codes):
        eport = eport_for(eports, *codes)
        return eport and eport.name

    assert found("3301969T01", "ANY", None, "9610") == "hangzhou"
    assert found("3301969T01", "ANY", "3301989T03", "1210") == "second"
    assert found("3301969T01", "ANY", "3301989T99", "1210") is None
    assert found("3301969T01", "ANY", None, "1210") is None
    assert found("4101969T11", "ANY", None, "9610") is None


@pytest.fixture(scope="module")
def identity():
    return make_test_identity("sm2-sm3", "3301989T04", 17, 1_772_337_600_000)


@pytest.fixture
def keyfiles(folder, identity):
    """Writes key and certificate as an operator does; returns the entry of the e-port file."""

    def write(mode=0o600, **changes):
        (folder.path / "keys").mkdir()
        (folder.path / "keys" / "key.pem").write_bytes(identity.key_pem)
        (folder.path / "keys" / "key.pem").chmod(mode)
        (folder.path / "keys" / "crt.pem").write_bytes(identity.certificate_pem)
        files = {"key": "keys/key.pem", "certificate": "keys/crt.pem"}
        return {"kind": "files", "declarant": "3301989T04", "algorithm": "sm2-sm3", **files, **changes}

    return write


def test_every_fault_of_key_files_is_told_with_all_others(folder, keyfiles):
    entry = keyfiles(mode=0o644, password_env="TONGGUAN_SECRET_KEY", password_file="keys/none")
    (folder.path / "keys" / "crt.pem").write_text("no certificate")
    folder.eport(environment="live", signers=[entry])

    assert folder.said() == [
        (FILE, "config-value", "/environment"),
        (FILE, "config-file-open", "/signers/0/key"),
        (FILE, "config-certificate", "/signers/0/certificate"),
        (FILE, "config-password-missing", "/signers/0/password_env"),
        (FILE, "config-file-missing", "/signers/0/password_file"),
    ]


def test_a_password_in_the_environment_is_found(folder, keyfiles):
    folder.environ["TONGGUAN_SECRET_KEY"] = "x"
    folder.eport(signers=[keyfiles(password_env="TONGGUAN_SECRET_KEY")])

    assert folder.said() == []


def test_a_private_key_that_is_a_folder_is_missing(folder, keyfiles):
    entry = keyfiles(key="keys")
    folder.eport(signers=[entry])

    assert folder.said() == [(FILE, "config-file-missing", "/signers/0/key")]


def test_a_test_certificate_is_refused_for_production(folder, keyfiles):
    folder.eport(environment="production", signers=[keyfiles()])

    assert folder.said() == [(FILE, "config-test-identity", "/signers/0/certificate")]


def test_a_self_made_key_is_refused_for_production(folder):
    folder.eport(environment="production")

    assert folder.said() == [(FILE, "config-test-identity", "/signers/0/kind")]


@pytest.mark.parametrize(
    ("days", "code"),
    [(400, "config-certificate-expired"), (-3, "config-certificate-expired"), (350, "config-certificate-expires")],
)
def test_a_certificate_that_ends_is_warned_of(folder, keyfiles, days, code):
    folder.now_ms += days * DAY_MS
    folder.eport(signers=[keyfiles()])

    assert folder.said() == []
    assert folder.warned() == [(FILE, code, "/signers/0/certificate")]
