"""Scripts: what the user wants to happen, and that everything that can happen can be wanted."""

import json

import pytest

from tongguan.adapters.simulator.filing import DECLARATIONS
from tongguan.adapters.simulator.script import load_script, make_script
from tongguan.adapters.simulator.world import World
from tongguan.messages.faults import Refused
from tongguan.messages.ladders import ladder
from tongguan.messages.reading import read
from tongguan.messages.validation import validate

AN_HOUR_MS = 3_600_000
ANSWERED = {each.answered_by: short for short, each in DECLARATIONS.items()}
TAX = {"CEB816Message": "816", "CEB818Message": "818"}
NUMBERED_BY = {"311": "orderNo", "411": "payTransactionId", "511": "logisticsNo", "513": "logisticsNo"}


@pytest.mark.parametrize("receipt", [*ANSWERED, *TAX])
def test_every_code_of_every_ladder_can_be_asked_for_and_read_back(port, doc, receipt):
    short = ANSWERED.get(receipt, "621")
    name = NUMBERED_BY.get(short, "copNo")
    asked = {f"TG-{n}": rung.code for n, rung in enumerate(ladder(receipt))}
    rules = [{"message": TAX.get(receipt, short), name: no, "answers": [status]} for no, status in asked.items()]
    port = port(rules, assume_documents=True)

    for no in asked:
        port.declare(short, doc(short, **({"orderNo": no, "copNo": no} if short == "621" else {name: no})))

    found = [each.status for each in port.collect() if each.message_type == receipt]
    assert found == list(asked.values())
    assert all(validate(file.data) == [] for file in port.files)


@pytest.mark.parametrize("receipt", ["CEB900Message", "DxpRep"])
def test_every_refusal_of_a_whole_message_can_be_asked_for_and_read_back(port, doc, receipt):
    asked = {f"TG-{n}": rung.code for n, rung in enumerate(ladder(receipt))}
    port = port([{"orderNo": no, "refuse": code} for no, code in asked.items()])

    for no in asked:
        port.declare("311", doc("311", orderNo=no))

    assert [each.status for each in port.collect() if each.message_type == receipt] == list(asked.values())
    assert all(validate(file.data) == [] for file in port.files)


@pytest.mark.parametrize("status", ["-999999", "77", "ABC", "-1"])
def test_codes_that_nobody_knows_can_be_asked_for(port, doc, status):
    port = port([{"message": "311", "answers": [status]}])

    port.declare("311", doc("311"))

    assert port.answers("311") == [status]


def test_a_script_is_followed_to_the_letter_and_in_its_order(port, doc):
    port = port([{"message": "621", "answers": ["3", "2", "500", "501", "300", "700"]}], loss=0.5, double=0.5, refuse=1)

    port.declare("621", doc("621"))

    assert port.answers("621") == ["3", "2", "500", "501", "300", "700"]


@pytest.mark.parametrize(
    ("short", "name"),
    [
        ("311", "orderNo"),
        ("411", "payTransactionId"),
        ("511", "logisticsNo"),
        ("513", "logisticsNo"),
        ("621", "copNo"),
        ("623", "invtNo"),
        ("625", "copNo"),
        ("711", "copNo"),
    ],
)
def test_a_rule_is_for_the_documents_with_its_values_only(port, doc, short, name):
    node = doc(short)
    value = next(fields[name] for fields in (node, *node.values()) if isinstance(fields, dict) and name in fields)
    meant, another = port([{name: value, "answers": ["9"]}]), port([{name: "other", "answers": ["9"]}])

    meant.declare(short, node)
    another.declare(short, node)

    assert meant.answers(short) == ["9"]
    assert "9" not in another.answers(short)


def test_the_first_rule_that_fits_is_the_one(port, doc):
    port = port(
        [{"message": "411", "answers": ["7"]}, {"orderNo": "TG-ORDER-0001", "answers": ["8"]}, {"answers": ["9"]}]
    )

    port.declare("311", doc("311"))

    assert port.answers("311") == ["8"]


def test_a_rule_can_be_for_the_first_times_only(port, doc):
    port = port([{"message": "311", "times": 2, "answers": ["-301013"]}])
    answers = []

    for _ in range(3):
        port.declare("311", doc("311"))
        answers += port.answers("311")

    assert answers == ["-301013", "-301013", "2", "3"]


def test_a_text_can_be_given_by_its_code_or_whole(port, doc):
    steps = [{"status": "100", "code": "1332"}, {"status": "100", "code": "99999"}, {"status": "100", "info": "自定"}]
    port = port([{"message": "311", "answers": steps}])

    port.declare("311", doc("311"))

    assert [each.info for each in port.receipts("311")] == [
        "[Code:1332;Desc:支付单支付金额与订单支付金额不一致]",
        "[Code:99999;Desc:]",
        "自定",
    ]


def test_what_a_script_refuses_leaves_what_is_held_as_it_is(port, doc):
    world = World()
    unscripted = port(world=world, for_="621")
    scripted = port([{"message": "311", "answers": ["-301008"]}], world=world)

    scripted.declare("311", doc("311", appType="2", appTime="20260301100001"))
    refused = scripted.answers("311")
    unscripted.declare("621", doc("621"))

    assert refused == ["-301008"]
    assert unscripted.answers("621")[-1] == "899"


def test_sent_on_but_not_updated_keeps_the_document_so_that_it_is_a_duplicate_next_time(port, doc):
    port = port([{"message": "621", "times": 1, "answers": ["-621008"]}], for_="621")

    port.declare("621", doc("621"))
    first = port.receipts("621")
    port.declare("621", doc("621"))

    assert [each.info for each in first] == ["清单[TGCOP0000000001]发送海关成功，更新状态时发生错误"]
    assert port.answers("621") == ["-621004"]


@pytest.mark.parametrize("app_type", ["1", "3"])
def test_a_document_can_be_left_without_any_answer(port, doc, app_type):
    port = port([{"message": "621", "answers": []}], assume_documents=True)

    port.declare("621", doc("621", appType=app_type))

    assert port.collect() == []


def test_an_answer_can_be_held_back_so_that_a_later_status_comes_first(port, doc):
    port = port([{"message": "311", "answers": ["2", {"status": "3", "held_ms": AN_HOUR_MS}, "120"]}])
    port.declare("311", doc("311"))

    first, second = port.collect(1000), port.collect(2 * AN_HOUR_MS)

    assert [each.status for each in first] == ["2", "120"]
    assert [each.status for each in second] == ["3"]
    assert second[0].return_ms < first[1].return_ms


def test_an_answer_can_take_its_time_and_can_be_lost(port, doc):
    steps = [{"status": "2", "after_ms": 60_000}, {"status": "3", "lost": True}, "120"]
    port = port([{"message": "311", "answers": steps}])
    port.declare("311", doc("311"))

    early, late = port.collect(59_000), port.collect(60_000)

    assert early == []
    assert [each.status for each in late] == ["2", "120"]


def test_an_answer_can_stand_twice_in_one_message_and_come_in_two_files(port, doc):
    twice, two_files = {"status": "2", "copies": 2}, {"status": "3", "files": 2}
    port = port([{"message": "311", "answers": [twice, two_files]}])
    port.declare("311", doc("311"))

    port.collect()

    assert [[each.status for each in file.answers] for file in port.files] == [["2", "3"], ["3"]]
    assert port.files[0].data.count(b"<returnStatus>2<") == 2
    assert port.files[0].name != port.files[1].name


@pytest.mark.parametrize(
    ("form", "tolerated"), [("gb2312", "reading-encoding"), ("no-namespace", "reading-namespace"), ("truncated", None)]
)
def test_a_receipt_file_can_be_broken_or_odd(port, doc, form, tolerated):
    port = port([{"message": "311", "answers": ["2", {"status": "3", "form": form}]}])
    port.declare("311", doc("311"))
    ordinary, odd = port.customs.due(port.now_ms + AN_HOUR_MS)

    assert validate(ordinary.data) == []
    if tolerated is None:
        with pytest.raises(Refused):
            read(odd.data)
    else:
        reading = read(odd.data)
        assert [each.code for each in reading.tolerated] == [tolerated]
        assert reading.nodes[0].content["returnInfo"] == "发送海关成功"


def test_one_document_can_turn_its_whole_message_away(port, doc):
    port = port([{"orderNo": "TG-ORDER-0002", "times": 1, "refuse": "-10102"}])
    nodes = doc("311"), doc("311", orderNo="TG-ORDER-0002")

    port.declare("311", *nodes)
    [refused] = port.collect()
    port.declare("311", *nodes)

    assert (refused.message_type, refused.status, refused.info) == ("CEB900Message", "-10102", "无效企业代码")
    assert port.answers("311") == ["2", "2", "3", "3"]


def test_an_exchange_refusal_leads_back_to_the_message(port, doc):
    port = port([{"message": "311", "refuse": "3001"}])

    port.declare("311", doc("311"))

    [refused] = port.collect()
    assert (refused.message_type, refused.status, refused.ori_message_type) == ("DxpRep", "3001", "CEB311Message")


def test_scripts_are_read_from_toml_and_json(tmp_path):
    toml, other = tmp_path / "a.toml", tmp_path / "a.json"
    toml.write_text('[[rule]]\norderNo = "1"\nanswers = ["2", { status = "100", code = "1332" }]\n', "utf-8")
    other.write_text(json.dumps({"rule": [{"orderNo": "1", "answers": ["2", {"status": "100", "code": "1332"}]}]}))

    assert load_script(toml) == load_script(other)


@pytest.mark.parametrize(
    ("rule", "code", "path"),
    [
        ({"message": "312", "answers": ["2"]}, "config-value", "/rule/0/message"),
        ({"orderNo": "1"}, "simulator-rule", "/rule/0"),
        ({"answers": ["2"], "refuse": "0001"}, "simulator-rule", "/rule/0"),
        ({"refuse": "12"}, "config-value", "/rule/0/refuse"),
        ({"answers": [{"status": "2", "code": "x"}]}, "config-value", "/rule/0/answers/0/code"),
        ({"answers": [{"status": "2", "late_ms": 5}]}, "config-unknown-key", "/rule/0/answers/0/late_ms"),
        ({"answers": [""]}, "config-value", "/rule/0/answers/0/status"),
    ],
)
def test_what_is_wrong_with_a_script_is_said_by_place(rule, code, path):
    with pytest.raises(Refused) as refused:
        make_script({"rule": [rule]})

    assert [(each.code, each.path) for each in refused.value.faults] == [(code, path)]


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("a.json", "{", "simulator-script"),
        ("a.json", "[]", "simulator-script"),
        ("a.toml", "[", "config-syntax"),
        ("missing.json", None, "config-file-missing"),
        ("missing.toml", None, "config-file-missing"),
    ],
)
def test_a_script_that_cannot_be_read_is_refused(tmp_path, name, text, code):
    if text is not None:
        (tmp_path / name).write_text(text)

    with pytest.raises(Refused) as refused:
        load_script(tmp_path / name)

    assert [each.code for each in refused.value.faults] == [code]
