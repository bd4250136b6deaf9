"""parties.toml: who may send, who is told."""

import pytest

from tongguan.config.parties import credit_code_valid, load_parties, sender_of

ONE = """
[[party]]
code = "youxuan"
name = "示例优选"
customs_code = "3301969T01"
uscc = "91330100MA0EXAM01K"
roles = ["platform", "merchant"]
users = ["youxuan"]
app_ids = ["erp"]
platform = "3301969T01"
"""


@pytest.fixture
def parties(tmp_path):
    def load(text):
        (tmp_path / "parties.toml").write_text(text, "utf-8")
        return load_parties(tmp_path)

    return load


def said(problems):
    return [(problem.fault.code, problem.fault.path) for problem in problems]


def test_a_party_is_read(parties):
    (party,), problems = parties(ONE)

    assert problems == []
    assert party.codes == ("3301969T01", "91330100MA0EXAM01K")
    assert party.platform == "3301969T01"


def test_no_file_means_no_parties(tmp_path):
    assert load_parties(tmp_path) == ([], [])


def test_every_fault_is_told_at_once(parties):
    _, problems = parties(
        ONE
        + """
[[party]]
code = "You Xuan"
customs_code = "123"
roles = ["buyer"]
token_sha256 = "plain-token"
users = ["youxuan"]
vip = true
"""
    )

    assert set(said(problems)) == {
        ("config-value", "/party/1/code"),
        ("config-missing", "/party/1/name"),
        ("config-value", "/party/1/customs_code"),
        ("config-value", "/party/1/roles/0"),
        ("config-value", "/party/1/token_sha256"),
        ("config-unknown-key", "/party/1/vip"),
        ("config-twice", "/party/1/users"),
    }
    assert all("plain-token" not in problem.fault.en for problem in problems)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('code = "youxuan"', "code"),
        ('customs_code = "3301969T01"', "customs_code"),
        ('uscc = "91330100MA0EXAM01K"', "uscc"),
        ('users = ["other", "youxuan"]', "users"),
        ('app_ids = ["erp"]', "app_ids"),
    ],
)
def test_what_names_one_party_cannot_name_another(parties, line, key):
    second = {"code": 'code = "second"', "name": 'name = "示例二"', "roles": 'roles = ["payer"]'}
    second |= {"customs_code": 'customs_code = "3301969T02"', key: line}

    _, problems = parties(ONE + "\n[[party]]\n" + "\n".join(second.values()))

    assert said(problems) == [("config-twice", f"/party/1/{key}")]


def test_a_party_needs_a_customs_code_or_a_credit_code(parties):
    _, problems = parties('[[party]]\ncode = "a"\nname = "示例"\nroles = ["payer"]\n')

    assert said(problems) == [("config-party-code-missing", "/party/0")]


def test_a_wrong_check_character_is_a_warning(parties):
    found, (problem,) = parties(ONE.replace("EXAM01K", "EXAM01L"))

    assert problem.warning
    assert said([problem]) == [("config-credit-code", "/party/0/uscc")]
    assert len(found) == 1


@pytest.mark.parametrize("text", ["party = 3", "[party]\ncode = 'x'", "party = [3]", "x = 1", "[[party]]\nusers = 3"])
def test_tables_of_the_wrong_kind_are_faults_and_no_crash(parties, text):
    found, problems = parties(text)

    assert found == []
    assert problems


def test_broken_toml_is_told_with_its_line(parties):
    _, (problem,) = parties("[[party]]\ncode = \n")

    assert (problem.file, problem.fault.code, problem.fault.line) == ("parties.toml", "config-syntax", 2)


def test_a_verified_user_is_believed_before_what_the_sender_says_of_itself(parties):
    found, _ = parties(ONE + ONE.replace("youxuan", "second").replace('"erp"', '"second-erp"'))

    def code(user, app_id):
        party = sender_of(found, user, app_id)
        return party and party.code

    assert code("second", "erp") == "second"
    assert code(None, "erp") == "youxuan"
    assert code("stranger", "erp") == "youxuan"
    assert code("stranger", None) is None


@pytest.mark.parametrize("code", ["91330100MA0EXAM01K", "91410100MA0EXAM113"])
def test_a_right_credit_code_is_valid(code):
    assert credit_code_valid(code)


@pytest.mark.parametrize(
    "code", ["", "91330100MA0EXAM01", "91330100MA0EXAM01L", "91330100MA0EXAM10K", "9133O100MA0EXAM01K"]
)
def test_a_wrong_credit_code_is_not_valid(code):
    assert not credit_code_valid(code)
