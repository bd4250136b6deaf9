"""What e-port and customs make of an inventory: its triple, its limits, and everything that has to agree."""

from decimal import Decimal

import pytest

from tongguan.adapters.simulator.tax import SINGLE_LIMIT, YEARLY_LIMIT

RELEASED = ["2", "3", "120", "800", "899"]
OTHER = {"copNo": "TGCOP0000000002", "orderNo": "TG-ORDER-0002", "logisticsNo": "TGW000000002"}


def codes(receipts):
    return [(each.status, each.customs_code) for each in receipts]


@pytest.fixture
def declared(port, doc):
    """What becomes of an inventory whose triple differs in one thing, or which does so itself."""

    def declare(short="621", /, **changes):
        line, lines = changes.pop("line", None), changes.pop("lines", None)
        ready = port()
        for each in ("311", "411", "511", "621"):
            given = {"line": line, "lines": lines, **changes} if each == short else {}
            ready.declare(each, doc(each, **given))
            if each != "621":
                ready.collect(1000)
        return ready

    return declare


def test_an_inventory_that_agrees_with_its_triple_is_released_and_closed(declared):
    assert declared().answers("621") == RELEASED


@pytest.mark.parametrize(("short", "name"), [("311", "订单"), ("411", "支付单"), ("511", "运单")])
def test_an_inventory_without_one_of_its_triple_is_refused(port, doc, short, name):
    port = port()
    for each in {"311", "411", "511"} - {short}:
        port.declare(each, doc(each))
    port.collect()

    port.declare("621", doc("621"))

    [receipt] = port.receipts("621")
    assert (receipt.status, receipt.info) == ("-621003", f"清单申报失败，[未找到对应的{name}]")


def test_a_document_that_e_port_refused_after_all_is_not_there(port, doc):
    port = port([{"message": "411", "answers": ["2", "3", "-401011"]}], for_="621")

    port.declare("621", doc("621"))

    assert port.answers("621") == ["-621003"]


def test_documents_an_e_port_does_not_take_from_us_are_there_already(port, doc, eport):
    port = port(eports=[eport(declares=["311", "621"])])
    port.declare("311", doc("311"))

    port.declare("621", doc("621"))

    assert port.answers("621") == RELEASED


def test_documents_can_be_assumed_for_all_e_ports(port, doc):
    port = port(assume_documents=True)

    port.declare("621", doc("621"))

    assert port.answers("621") == RELEASED


def test_an_order_is_declared_by_one_inventory_only(port, doc):
    port = port(for_="625")

    port.declare("621", doc("621", copNo="TGCOP0000000002"))

    [receipt] = port.receipts("621")[-1:]
    assert (receipt.status, receipt.info) == ("-621004", "清单[TGCOP0000000002]已经申报过，请勿重复申报")


def test_a_duplicate_is_answered_with_the_number_of_the_first(port, doc):
    port = port(for_="621")
    port.declare("621", doc("621"))
    first = port.receipts("621")

    port.declare("621", doc("621"))

    [again] = port.receipts("621")
    assert again.pre_no == first[0].pre_no


def test_a_refused_inventory_can_be_declared_again(port, doc):
    port = port([{"message": "621", "times": 1, "answers": ["2", "3", {"status": "100", "code": "1300"}]}], for_="621")

    port.declare("621", doc("621"))
    refused = port.receipts("621")
    port.declare("621", doc("621"))

    released = port.receipts("621")
    assert [each.status for each in refused] == ["2", "3", "100"]
    assert [each.status for each in released] == RELEASED
    assert released[0].pre_no != refused[0].pre_no


def test_a_refused_inventory_can_be_changed_under_its_number(port, doc):
    port = port([{"message": "621", "times": 1, "answers": ["2", "3", {"status": "100", "code": "1300"}]}], for_="621")

    port.declare("621", doc("621"))
    refused = port.receipts("621")
    port.declare("621", doc("621", appType="2", appTime="20260301100001"))

    released = port.receipts("621")
    assert [each.status for each in released] == RELEASED
    assert released[0].pre_no == refused[0].pre_no


def priced(amount, qty="1"):
    return {"price": str(Decimal(amount) / Decimal(qty)), "totalPrice": amount, "qty": qty}


def test_an_inventory_may_be_worth_the_single_limit_and_no_more(port, doc):
    at, above = port(assume_documents=True), port(assume_documents=True)
    goods = SINGLE_LIMIT - 100 - 10

    at.declare("621", doc("621", line=priced(f"{goods}")))
    above.declare("621", doc("621", line=priced(f"{goods}.01")))

    assert at.answers("621") == RELEASED
    [receipt] = above.receipts("621")
    assert (receipt.status, receipt.info) == ("-621005", "清单[TGCOP0000000001]的购买金额超过单笔限额[[5000]]")


def test_a_single_item_may_cost_more_than_the_single_limit(port, doc):
    one, two = port(assume_documents=True), port(assume_documents=True)

    one.declare("621", doc("621", lines=1, line=priced("8000")))
    two.declare("621", doc("621", lines=1, line=priced("8000", "2")))

    assert one.answers("621") == RELEASED
    assert two.answers("621") == ["-621005"]


def buy(port, doc, number, amount, eport="test", **changes):
    numbers = {name: f"{value[:-4]}{number:04}" for name, value in OTHER.items()}
    port.declare("621", doc("621", lines=1, line=priced(amount), **numbers, **changes), eport=eport)
    return port.answers("621")


def test_a_buyer_may_use_up_the_yearly_limit_and_no_more(port, doc):
    port = port(assume_documents=True)
    spent = YEARLY_LIMIT - 10

    assert buy(port, doc, 1, "20000")[-1] == "899"
    assert buy(port, doc, 2, f"{spent - 20000 - 10}.01") == ["-621018"]
    assert buy(port, doc, 3, f"{spent - 20000 - 10}")[-1] == "899"
    assert buy(port, doc, 4, "1") == ["-621018"]
    assert buy(port, doc, 5, "1", buyerIdNumber="330101190001019991")[-1] == "899"


def test_the_refusal_for_the_yearly_limit_says_what_was_used(port, doc):
    port = port(assume_documents=True)
    buy(port, doc, 1, "20000")

    port.declare("621", doc("621", lines=1, line=priced("6000"), **OTHER))

    [receipt] = port.receipts("621")
    assert receipt.info.endswith("已用购买额度为[20010]，本次购买将超过年度限额[26000]")


def test_the_yearly_limit_begins_anew_with_the_year(port, doc):
    port = port(assume_documents=True)
    buy(port, doc, 1, "20000")

    port.now_ms += 306 * 24 * 3_600_000

    assert buy(port, doc, 2, "20000")[-1] == "899"


def test_customs_counts_what_was_bought_through_every_e_port(port, doc, eport):
    port = port(eports=[eport("one"), eport("two")], assume_documents=True)
    buy(port, doc, 1, "20000", eport="one")

    port.declare("621", doc("621", lines=1, line=priced("6000"), **OTHER), eport="two")

    receipts = port.receipts("621")
    assert codes(receipts) == [("2", None), ("3", None), ("100", "1313")]
    assert "totalPrice：26020，limitPrice：26000" in receipts[-1].info


def test_a_refused_purchase_gives_its_amount_back(port, doc):
    rule = {"message": "621", "copNo": "TGCOP0000000001", "answers": ["2", "100"]}
    port = port([rule], assume_documents=True)

    assert buy(port, doc, 1, "20000") == ["2", "100"]
    assert buy(port, doc, 2, "20000")[-1] == "899"


MISMATCHES = [
    ("1320", "621", {"lines": 1}),
    ("1322", "621", {"line": {"qty": "2"}}),
    ("1322", "621", {"line": {"price": "99"}}),
    ("1322", "621", {"line": {"itemNo": "SKU-9"}}),
    ("1322", "621", {"line": {"gnum": "9"}}),
    ("13127", "621", {"buyerName": "示例乙"}),
    ("130126", "621", {"buyerTelephone": "10000000002"}),
    ("13035", "411", {"payCode": "3300000PA2"}),
    ("1332", "411", {"amountPaid": "229.10"}),
    ("1327", "411", {"payerName": "示例乙"}),
    ("1327", "411", {"payerIdNumber": "330101190001019991"}),
]


@pytest.mark.parametrize(("code", "short", "changes"), MISMATCHES)
def test_customs_refuses_what_does_not_agree(declared, code, short, changes):
    receipts = declared(short, **changes).receipts("621")

    assert codes(receipts) == [("2", None), ("3", None), ("100", code)]
    assert receipts[-1].invt_no is None


TOLD = {"1320": True, "1322": False, "13127": True, "130126": False, "13035": True, "1332": True, "1327": False}


@pytest.mark.parametrize(("code", "short", "changes"), MISMATCHES)
def test_the_order_is_told_of_what_its_receipts_have_been_seen_to_tell(declared, code, short, changes):
    answered = declared(short, **changes).receipts("311")

    assert codes(answered) == ([("100", code)] if TOLD[code] else [])


@pytest.mark.parametrize(
    ("short", "changes"),
    [
        ("411", {"amountPaid": "229.110"}),
        ("621", {"line": {"price": "100.00"}}),
        ("311", {"payCode": "", "payTransactionId": ""}),
        ("311", {"line": {"itemNo": ""}}),
    ],
)
def test_equal_numbers_and_what_is_left_out_are_no_mismatch(declared, short, changes):
    assert declared(short, **changes).answers("621") == RELEASED


def test_the_amounts_that_differ_are_named(declared):
    receipts = declared("411", amountPaid="229.10").receipts("621")

    assert (
        receipts[-1].info == "[Code:1332;Desc:支付单支付金额与订单支付金额不一致，支付金额：229.10，订单金额：229.11]"
    )


def test_one_payment_may_pay_for_two_orders(port, doc):
    port = port()
    port.declare("311", doc("311"), doc("311", orderNo="TG-ORDER-0002"))
    port.declare("411", doc("411", amountPaid="458.22"))
    port.declare("511", doc("511"), doc("511", logisticsNo="TGW000000002"))
    port.collect()

    port.declare("621", doc("621"), doc("621", **OTHER))

    assert port.answers("621") == sorted(RELEASED * 2, key=int)


def test_two_payments_may_pay_for_one_order(port, doc):
    port = port()
    port.declare("311", doc("311"))
    port.declare("411", doc("411", amountPaid="200"), doc("411", amountPaid="29.11", payTransactionId="TG-PAY-0002"))
    port.declare("511", doc("511"))
    port.collect()

    port.declare("621", doc("621"))

    assert port.answers("621") == RELEASED


@pytest.mark.parametrize("name", ["consignee", "consigneeTelephone", "consigneeAddress"])
def test_an_officer_looks_at_a_waybill_that_goes_to_another_person_or_place(declared, name):
    receipts = declared("511", **{name: "示例另一"}).receipts("621")

    assert codes(receipts) == [
        ("2", None),
        ("3", None),
        ("120", "1800"),
        ("300", "1200"),
        ("399", None),
        ("800", "2600"),
        ("899", None),
    ]


def test_customs_stores_the_triple_together_with_its_inventory(declared):
    port = declared()

    received = {each.message_type: each for each in port.collect() if each.status == "120"}

    assert set(received) == {"CEB312Message", "CEB412Message", "CEB512Message", "CEB622Message"}
    assert {each.info for each in received.values()} == {"[Code:1800;Desc:逻辑校验通过]"}


def test_customs_stores_no_order_that_was_deleted(port, doc):
    port = port(assume_documents=True)
    port.declare("311", doc("311"))
    port.declare("311", doc("311", appType="3", appTime="20260301100001"))
    port.collect()

    port.declare("621", doc("621"))

    assert port.answers("311") == []


def test_a_triple_is_not_stored_by_customs_before_its_inventory_comes(port):
    port = port()

    port.triple()

    assert port.collect() == []


@pytest.mark.parametrize("short", ["311", "411", "511"])
def test_a_document_that_comes_after_its_inventory_is_stored_at_once(port, doc, short):
    port = port(assume_documents=True)
    port.declare("621", doc("621"))
    port.collect()

    port.declare(short, doc(short))

    receipts = port.receipts(short)
    assert [each.status for each in receipts] == ["2", "3", "120"]
    assert receipts[1].return_ms < receipts[2].return_ms
    assert receipts[0].customs_code == ("22007" if short == "311" else None)


def test_a_corrected_inventory_is_stored_with_an_order_that_was_refused_with_the_first(port, doc):
    port = port(for_="621")
    port.declare("621", doc("621", lines=1))
    port.collect()

    port.declare("621", doc("621"))

    receipts = port.collect()
    assert [each.status for each in receipts if each.message_type == "CEB622Message"] == RELEASED
    assert [each.status for each in receipts if each.message_type == "CEB312Message"] == ["120"]
