"""What status codes mean, written out a second time, pair by pair."""

import itertools

import pytest

from tongguan.messages.catalogue import message_types
from tongguan.messages.ladders import STANDINGS, TAX_STANDINGS, customs_code, ladder, overtakes, receipt_codes, rung

RECEIPTS = ["CEB312", "CEB412", "CEB512", "CEB514", "CEB622", "CEB624", "CEB626", "CEB712"]
ENDS, GOES_ON = True, False

EVERYWHERE = {
    "2": ("received", GOES_ON),
    "3": ("forwarded", GOES_ON),
    "4": ("unsent", GOES_ON),
    "100": ("refused", ENDS),
}
ENTRY = {"120": ("accepted", ENDS), "399": ("decided", ENDS)}
APPLICATION = {"1": ("pending", GOES_ON), "120": ("accepted", GOES_ON)}
OWN = {
    "CEB312": ENTRY | {"99": ("refused", ENDS)},
    "CEB412": ENTRY,
    "CEB512": ENTRY,
    "CEB514": ENTRY | {"18": ("unknown", GOES_ON)},
    "CEB622": APPLICATION
    | {
        "300": ("reviewing", GOES_ON),
        "399": ("decided", GOES_ON),
        "500": ("inspecting", GOES_ON),
        "501": ("detained", GOES_ON),
        "502": ("detained", GOES_ON),
        "503": ("detained", GOES_ON),
        "599": ("detained", GOES_ON),
        "600": ("suspended", GOES_ON),
        "700": ("sent_back", ENDS),
        "800": ("released", ENDS),
        "34": ("released", ENDS),
        "899": ("closed", ENDS),
    },
    "CEB624": APPLICATION | {"399": ("decided", ENDS)},
    "CEB626": APPLICATION
    | {
        "18": ("unknown", GOES_ON),
        "300": ("reviewing", GOES_ON),
        "399": ("decided", ENDS),
        "800": ("released", ENDS),
    },
    "CEB712": APPLICATION | {"18": ("unknown", GOES_ON), "399": ("decided", ENDS)},
}
PAIRS = [
    (f"{receipt}Message", code, *said) for receipt in RECEIPTS for code, said in (EVERYWHERE | OWN[receipt]).items()
]
STATUSES = sorted({code for _, code, _, _ in PAIRS}, key=int)

QUERY_FIRST = {"-621002", "-621008", "-623002", "-623006", "-625002", "-625202", "-625206"}
DUPLICATES = {
    "CEB312Message": {"-301010"},
    "CEB412Message": {"-401007"},
    "CEB512Message": {"-504015", "-504012"},
    "CEB514Message": {"-505012"},
    "CEB622Message": {"-621004"},
    "CEB624Message": {"-623009"},
    "CEB626Message": {"-625033"},
    "CEB712Message": {"-800003"},
}
EPORT = [
    (code, row.code)
    for code in DUPLICATES
    for row in receipt_codes()
    if row.kind == "eport" and message_types()[code].short in row.messages
]


@pytest.mark.parametrize(("message_type", "code", "standing", "ends"), PAIRS)
def test_a_listed_status_has_its_standing_and_ends_or_goes_on(message_type, code, standing, ends):
    said = rung(message_type, code)

    assert (said.standing, said.terminal, said.known) == (standing, ends, True)
    assert said.zh
    assert said.en


@pytest.mark.parametrize(
    ("message_type", "code"),
    sorted(set(itertools.product((f"{each}Message" for each in RECEIPTS), STATUSES)) - {pair[:2] for pair in PAIRS}),
)
def test_a_status_listed_for_other_receipts_only_is_unknown(message_type, code):
    said = rung(message_type, code)

    assert (said.standing, said.rank, said.terminal, said.known) == ("unknown", 0, False, False)


@pytest.mark.parametrize(("message_type", "code"), EPORT)
def test_a_listed_negative_code_is_a_refusal_with_its_hint(message_type, code):
    said = rung(message_type, code)

    assert (said.standing, said.known) == ("refused", True)
    assert said.terminal == (code not in QUERY_FIRST)
    assert (said.retry == "query") == (code in QUERY_FIRST)
    assert said.retry in {"", "resend", "query"}
    assert said.duplicate == (code in DUPLICATES[message_type])


def test_the_negative_codes_of_every_receipt_are_in_the_table():
    counted = {code: sum(1 for message_type, _ in EPORT if message_type == code) for code in DUPLICATES}

    assert list(counted.values()) == [16, 13, 8, 9, 30, 30, 46, 7]


@pytest.mark.parametrize("message_type", [*DUPLICATES, "CEB900Message"])
def test_a_negative_code_that_is_not_listed_is_a_refusal_flagged_as_unknown(message_type):
    said = rung(message_type, "-999999")

    assert (said.standing, said.terminal, said.known, said.retry) == ("refused", True, False, "")


@pytest.mark.parametrize("status", ["", "abc", "77", "120 ", "0120", "-", "--1", "１２０", "8000"])
def test_a_status_that_is_not_listed_is_never_the_nearest_one(status):
    said = rung("CEB622Message", status)

    assert (said.standing, said.known) == ("unknown", False)


@pytest.mark.parametrize("code", ["-10101", "-10102"])
def test_the_codes_of_every_receipt_are_known_for_each(code):
    for message_type in [*DUPLICATES, "CEB900Message"]:
        assert rung(message_type, code).known


@pytest.mark.parametrize(
    ("code", "standing", "ends"), [("1", "made", GOES_ON), ("2", "summarised", ENDS), ("3", "void", ENDS)]
)
def test_a_tax_notice_has_standings_of_its_own(code, standing, ends):
    for message_type in ("CEB816Message", "CEB818Message"):
        said = rung(message_type, code)

        assert (said.standing, said.terminal, TAX_STANDINGS[said.rank]) == (standing, ends, standing)


@pytest.mark.parametrize(
    ("code", "retry", "known"),
    [("0001", "", True), ("1004", "", True), ("2001", "", True), ("3001", "resend", True), ("4711", "", False)],
)
def test_the_exchange_platform_refuses_with_codes_of_its_own(code, retry, known):
    said = rung("DxpRep", code)

    assert (said.standing, said.terminal, said.retry, said.known) == ("refused", True, retry, known)


def test_the_ladder_of_an_inventory_leads_from_pending_to_closed():
    standings = list(dict.fromkeys(each.standing for each in ladder("CEB622Message") if not each.code.startswith("-")))

    assert standings == list(STANDINGS[1:])


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ((10, "2"), (20, "120"), True),
        ((20, "120"), (10, "800"), True),
        ((10, "800"), (20, "120"), False),
        ((10, "800"), (20, "-621004"), False),
        ((10, "899"), (20, "800"), False),
        ((10, "100"), (20, "800"), True),
        ((10, "120"), (10, "800"), True),
        ((10, "800"), (10, "120"), False),
        ((10, "800"), (10, "800"), False),
        ((10, "800"), (20, "899"), True),
        ((10, "100"), (20, "2"), True),
        ((10, "4"), (10, "3"), True),
        ((10, "77"), (10, "1"), True),
        ((10, "1"), (20, "77"), True),
        ((10, "501"), (10, "503"), True),
        ((10, "503"), (10, "501"), False),
    ],
)
def test_an_end_stands_else_the_later_receipt_counts_and_at_the_same_time_the_higher_rung(old, new, counts):
    assert overtakes("CEB622Message", old, new) == counts


def test_any_order_of_arrival_ends_at_the_same_receipt():
    receipts = [(20, "800"), (20, "34"), (10, "899"), (20, "-621004"), (20, "100"), (20, "77"), (5, "120")]

    for arrival in itertools.permutations(receipts):
        counts = arrival[0]
        for each in arrival[1:]:
            counts = each if overtakes("CEB622Message", counts, each) else counts
        assert counts == (10, "899")


def test_no_code_stands_twice_for_one_message_type():
    for message_type in message_types():
        codes = [each.code for each in ladder(message_type)]
        assert len(codes) == len(set(codes))


def test_every_row_names_known_messages_and_its_source():
    shorts = {each.short for each in message_types().values()}

    for row in receipt_codes():
        assert row.source
        assert row.zh
        assert row.en
        assert row.messages == ("*",) or set(row.messages) <= shorts
        assert row.kind == "customs" or row.standing in STANDINGS + TAX_STANDINGS


def test_the_numbers_of_customs_have_their_meaning_where_it_is_known():
    found = customs_code("1332")

    assert found is not None
    assert found.zh == "支付单支付金额与订单支付金额不一致"
    assert customs_code("9999") is None


def test_a_message_that_is_not_known_has_no_ladder():
    with pytest.raises(KeyError):
        rung("CEB999Message", "2")
