"""What a decision makes of a case: flags, quota, wants, results, and nothing at all the second time."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from tongguan.gateway.amounts import scaled
from tongguan.gateway.cases import Papers, Person
from tongguan.gateway.deciding import invalidate, restate
from tongguan.gateway.evidence import LinkKey
from tongguan.gateway.ledger import Entry
from tongguan.gateway.rules.book import Dated, RuleBook
from tongguan.gateway.rules.finding import Severity, rules
from tongguan.gateway.states import CaseStatus, DeclarationState, Flag, Verdict
from tongguan.messages.chinatime import DAY_MS, parse_china_time
from tongguan.messages.documents.results import Result

S = DeclarationState
UNNAMED = {"logisticsCode": None, "logisticsName": None, "logisticsNo": None}
CLEAN_DUTIABLE = scaled(Decimal("326.00"))


def _rules(decision: Any) -> set[str]:
    return {each.rule for each in decision.findings}


class TestVerdict:
    def test_a_clean_case_matches_without_a_finding(self, clean: Any) -> None:
        decision = clean.decide()

        assert (decision.case.verdict, decision.case.status, decision.findings) == (
            Verdict.MATCHED,
            CaseStatus.MATCHED,
            (),
        )

    @pytest.mark.parametrize(
        ("kind", "rule"),
        [
            ("order", "order-present"),
            ("payment", "payment-present"),
            ("waybill", "waybill-present"),
            ("transport", "transport-known"),
            ("goods", "goods-known"),
        ],
    )
    def test_a_case_waits_for_each_of_its_documents(self, desk: Any, kind: str, rule: str) -> None:
        desk.put_all(without=[kind])

        decision = desk.decide()

        assert (decision.case.verdict, rule in _rules(decision)) == (Verdict.WAITING, True)

    def test_a_blocking_finding_outweighs_a_missing_document(self, desk: Any, triples: Any) -> None:
        desk.put_all(without=["payment", "order"])
        desk.put(triples.document("order", goodsValue="1.00"))

        assert desk.decide().case.verdict is Verdict.DISCREPANT

    def test_warnings_however_many_never_hide_what_blocks(self, desk: Any, triples: Any) -> None:
        desk.put_all(without=["order"])
        desk.put(triples.document("order", buyerIdType="2"))
        for number in range(60):
            desk.put(triples.document("waybill", 1, logisticsNo=f"SX{number:09d}", consignee="乔望舒"))

        decision = desk.decide()

        assert decision.case.verdict is Verdict.DISCREPANT
        assert "buyer-id-type" in _rules(decision)
        assert len(decision.findings) <= 50

    def test_missing_goods_however_many_never_hide_what_blocks(self, desk: Any, triples: Any) -> None:
        desk.put_all(without=["order", "goods"])
        line = triples.content("order")["OrderList"][0]
        lines = [line | {"gnum": n} for n in range(1, 61)]
        desk.put(triples.document("order", OrderList=lines))

        decision = desk.decide()

        assert decision.case.verdict is Verdict.DISCREPANT
        assert "order-goods-value" in _rules(decision)

    def test_a_rule_that_is_switched_off_says_nothing(self, desk: Any, triples: Any) -> None:
        desk.book = replace(desk.book, severities={"buyer-id-type": "off"})
        desk.put_all(without=["order"])
        desk.put(triples.document("order", buyerIdType="2"))

        assert desk.decide().case.verdict is Verdict.MATCHED

    def test_a_rule_that_is_made_milder_lets_the_case_go(self, desk: Any, triples: Any) -> None:
        desk.book = replace(desk.book, severities={"paid-is-charged": Severity.WARNS})
        desk.put_all(without=["payment"])
        desk.put(triples.document("payment", amountPaid="355.66"))

        decision = desk.decide()

        assert (decision.case.verdict, _rules(decision)) == (Verdict.MATCHED, {"paid-is-charged"})


class TestAgain:
    def test_deciding_again_changes_nothing(self, clean: Any) -> None:
        clean.decide()

        again = clean.decide()

        assert not again.changed
        assert (again.entries, again.results, again.quota, again.plan.declarations) == ((), (), {}, ())

    @pytest.mark.parametrize("without", [[], ["payment"], ["order"], ["goods"], ["transport", "waybill"]])
    def test_deciding_again_changes_nothing_whatever_is_missing(self, desk: Any, without: list[str]) -> None:
        desk.put_all(without=without)
        desk.decide()

        assert not desk.decide().changed

    @pytest.mark.parametrize("state", list(S))
    def test_deciding_again_changes_nothing_wherever_the_declarations_are(self, clean: Any, state: S) -> None:
        clean.decide()
        for message in ("311", "411", "511", "621"):
            clean.move(message, state, packed_at=1, message_id=5)
        clean.decide()

        assert not clean.decide().changed

    def test_a_later_look_at_the_clock_alone_changes_nothing(self, clean: Any) -> None:
        clean.decide()
        clean.now += 20 * DAY_MS

        assert not clean.decide().changed

    def test_a_document_that_says_the_same_in_a_new_version_is_recorded(self, clean: Any, triples: Any) -> None:
        clean.decide()
        clean.put(triples.document("payment", appType="2", appTime="20240309093000", note="附言"))

        decision = clean.decide()

        assert {"kind": "payment", "document": 2, "version": 2, "basis": "order number"} in decision.entries[0].facts[
            "links"
        ]


class TestFlags:
    def test_equal_claims_flag_the_case_ambiguous_until_one_is_better(self, desk: Any, triples: Any) -> None:
        desk.put_all(without=["order", "waybill"])
        desk.put(triples.document("order", **UNNAMED))
        for number in (3, 4):
            desk.put(triples.document("waybill", logisticsNo=f"SD000000000{number}"))

        first = desk.decide()
        desk.put(triples.document("order", appType="2", appTime="20240309093000", logisticsNo="SD0000000003"))
        second = desk.decide()

        assert (Flag.AMBIGUOUS in first.case.flags, "waybill-ambiguous" in _rules(first)) == (True, True)
        assert (first.case.verdict, Flag.AMBIGUOUS in second.case.flags) == (Verdict.WAITING, False)

    def test_a_declaration_in_doubt_flags_its_case_uncertain(self, clean: Any) -> None:
        clean.decide()
        clean.move("311", S.UNCERTAIN, packed_at=1, message_id=5)

        flagged = clean.decide().case.flags
        clean.move("311", S.ACCEPTED)

        assert (flagged, clean.decide().case.flags) == (frozenset({Flag.UNCERTAIN}), frozenset())

    @pytest.mark.parametrize(("without", "late"), [(["payment"], True), ([], False)])
    def test_late_stays_while_the_case_waits(self, desk: Any, triples: Any, without: list[str], late: bool) -> None:
        desk.put_all(without=without)
        desk.cases[desk.key] = triples.case(desk.key, flags=frozenset({Flag.LATE}))

        assert (Flag.LATE in desk.decide().case.flags) is late

    def test_held_stays_whatever_is_decided(self, clean: Any, triples: Any) -> None:
        clean.cases[clean.key] = triples.case(clean.key, flags=frozenset({Flag.HELD}))

        assert Flag.HELD in clean.decide().case.flags


class TestQuota:
    def test_a_matched_case_reserves_what_it_declares_for_its_buyer_and_year(self, clean: Any) -> None:
        decision = clean.decide()

        assert decision.quota == {Person(b"index of 990101198802140011", 2024): CLEAN_DUTIABLE}
        assert decision.case.reserved == CLEAN_DUTIABLE

    @pytest.mark.parametrize("without", [["payment"], ["order"], ["waybill"], ["goods"]])
    def test_a_case_that_does_not_match_reserves_nothing(self, desk: Any, without: list[str]) -> None:
        desk.put_all(without=without)

        decision = desk.decide()

        assert (decision.quota, decision.case.reserved) == ({}, 0)

    def test_a_case_that_falls_apart_gives_back(self, clean: Any, triples: Any) -> None:
        clean.decide()
        clean.put(triples.document("payment", appType="3", appTime="20240309093000"))

        clean.decide()

        assert set(clean.used.values()) == {0}

    def test_a_change_at_home_reserves_the_difference(self, clean: Any, triples: Any) -> None:
        clean.decide()
        clean.put(triples.document("waybill", appType="2", appTime="20240309093000", freight="20.00"))

        decision = clean.decide()

        assert list(decision.quota.values()) == [scaled(Decimal("10.00"))]

    def test_another_buyer_at_home_moves_the_reservation(self, clean: Any, triples: Any) -> None:
        clean.decide()
        other = {"appType": "2", "appTime": "20240309093000"}
        clean.put(triples.document("order", buyerIdNumber="99010119911105002X", **other))
        clean.put(triples.document("payment", payerIdNumber="99010119911105002X", **other))

        clean.decide()

        assert clean.used == {
            Person(b"index of 990101198802140011", 2024): 0,
            Person(b"index of 99010119911105002X", 2024): CLEAN_DUTIABLE,
        }

    HOLDS = ("packed", "sent", "uncertain", "received", "forwarded", "unsent", "accepted", "reviewing", "inspecting",
             "detained", "suspended", "decided", "released", "closed", "pending", "unknown")  # fmt: skip

    @pytest.mark.parametrize("state", HOLDS)
    def test_a_declared_case_holds_what_it_reserved(self, clean: Any, state: str) -> None:
        clean.decide()
        clean.move("621", S(state), packed_at=1, message_id=5)

        clean.decide()

        assert set(clean.used.values()) == {CLEAN_DUTIABLE}

    @pytest.mark.parametrize("state", ["refused", "sent_back"])
    def test_what_customs_does_not_let_in_gives_back(self, clean: Any, state: str) -> None:
        clean.decide()
        clean.move("621", S(state), packed_at=1, message_id=5)

        clean.decide()

        assert set(clean.used.values()) == {0}

    def test_a_receipt_gives_back_and_a_later_one_reserves_again(self, clean: Any) -> None:
        clean.decide()
        entry = Entry("receipt", clean.now, "receive", {})

        refused = restate(clean.cases[clean.key], Papers([clean.move("621", S.REFUSED, packed_at=1)]), [entry])
        accepted = restate(refused.case, Papers([clean.move("621", S.ACCEPTED)]), [entry])

        assert list(refused.quota.values()) == [-CLEAN_DUTIABLE]
        assert list(accepted.quota.values()) == [CLEAN_DUTIABLE]

    def test_a_new_year_moves_what_is_not_declared_yet(self, clean: Any) -> None:
        clean.now = parse_china_time("20241231235900")
        clean.decide()
        clean.now = parse_china_time("20250101000100")

        clean.decide()

        assert {person.year: amount for person, amount in clean.used.items()} == {2024: 0, 2025: CLEAN_DUTIABLE}

    def test_what_was_declared_counts_in_its_year_and_for_its_buyer(self, clean: Any, triples: Any) -> None:
        clean.now = parse_china_time("20241231235900")
        clean.decide()
        clean.move("621", S.ACCEPTED, packed_at=1, message_id=5)
        clean.decide()
        clean.now = parse_china_time("20250101000100")
        clean.put(triples.document("order", appType="2", appTime="20241231235930", buyerIdNumber="99010119911105002X"))

        decision = clean.decide()

        assert decision.quota == {}

    def test_the_yearly_limit_counts_cases_in_the_order_they_are_decided(self, desk: Any, triples: Any) -> None:
        desk.book = RuleBook(yearly_limit=(Dated("20190101", Decimal("700.00")),))
        for number in (1, 2, 3):
            desk.put_all(number)
        keys = [desk.key._replace(order_no=f"GX000000000{number}") for number in (2, 3, 1)]

        found = ["yearly-limit" in _rules(desk.decide(key)) for key in keys]

        assert found == [False, False, True]

    def test_the_case_itself_does_not_count_twice(self, clean: Any, triples: Any) -> None:
        clean.book = RuleBook(yearly_limit=(Dated("20190101", Decimal("326.00")),))
        clean.decide()
        clean.put(triples.document("payment", appType="2", appTime="20240309093000", note="附言"))

        assert "yearly-limit" not in _rules(clean.decide())

    def test_no_limit_counts_before_there_was_one(self, clean: Any) -> None:
        clean.book = RuleBook(yearly_limit=(Dated("20250101", Decimal(1)),))

        assert clean.decide().findings == ()


class TestWants:
    def test_a_waiting_case_wants_its_goods_and_transport(self, desk: Any) -> None:
        desk.put_all(without=["goods", "transport"])

        assert set(desk.decide().wants) == {
            (LinkKey("goods", "3301969T01/MILK-3-800"), 0),
            (LinkKey("transport", "3301989T03/99900000001"), 0),
        }

    def test_it_remembers_which_version_it_has_seen(self, desk: Any, triples: Any) -> None:
        desk.put_all(without=["goods"])
        desk.put(triples.document("goods", unit="011"))
        desk.put(triples.document("goods", unit="011", appType="2", appTime="20240302090000", gname="奶粉"))

        decision = desk.decide()

        assert (LinkKey("goods", "3301969T01/MILK-3-800"), 2) in decision.wants

    def test_a_matched_case_wants_them_while_its_inventory_is_at_home(self, clean: Any) -> None:
        """Until it leaves the house its content follows what it was made of."""
        assert set(clean.decide().wants) == {
            (LinkKey("goods", "3301969T01/MILK-3-800"), 1),
            (LinkKey("transport", "3301989T03/99900000001"), 1),
        }

    def test_a_case_whose_inventory_has_left_wants_nothing(self, clean: Any, triples: Any) -> None:
        clean.decide()
        clean.move("621", S.SENT)
        clean.put(triples.document("payment", appType="2", appTime="20240309093000", note="附言"))

        assert clean.decide().wants == ()

    def test_a_case_that_waits_for_people_only_wants_nothing(self, desk: Any) -> None:
        desk.put_all(without=["payment"])

        assert desk.decide().wants == ()

    def test_a_line_without_an_item_number_wants_its_bar_code(self, desk: Any, triples: Any) -> None:
        desk.put_all(without=["goods", "order"])
        line = {n: v for n, v in triples.content("order")["OrderList"][0].items() if n != "itemNo"}
        desk.put(triples.document("order", OrderList=[line]))

        assert (LinkKey("barcode", "3301969T01/2000000000015"), 0) in desk.decide().wants


class TestResults:
    def test_the_first_decision_is_published_with_its_findings(self, desk: Any) -> None:
        desk.put_all(without=["payment"])

        (result,) = desk.decide().results

        assert (result["status"], result["verdict"], result["flags"]) == ("waiting", "waiting", [])
        assert "previousStatus" not in result
        assert [each["rule"] for each in result["findings"]] == ["payment-present"]
        assert result["findings"][0]["zh"] == rules()["payment-present"].zh

    @pytest.mark.parametrize(
        ("changes", "kind", "status"),
        [({}, "status", "matched"), ({"amountPaid": "1.00"}, "ask-for-correction", "discrepant")],
    )
    def test_a_result_says_what_it_is_and_where_the_case_was_before(
        self, desk: Any, triples: Any, changes: Any, kind: str, status: str
    ) -> None:
        desk.put_all(without=["payment"])
        desk.decide()
        desk.put(triples.document("payment", **changes))

        (result,) = desk.decide().results

        assert (result["kind"], result["status"], result["previousStatus"]) == (kind, status, "waiting")

    def test_a_result_is_what_the_contract_says(self, desk: Any) -> None:
        desk.put_all(without=["payment"])

        (result,) = desk.decide().results
        named = {"id": "1-1", "seq": 1, "case": {"direction": "import", "scope": "a", "orderNo": "b"}, **result}

        assert Result.model_validate(named).findings[0].rule == "payment-present"

    def test_findings_that_change_without_the_status_are_published_too(self, desk: Any, triples: Any) -> None:
        desk.put_all(without=["payment", "waybill"])
        desk.decide()
        desk.put(triples.document("waybill"))

        (result,) = desk.decide().results

        assert (result["kind"], result["status"]) == ("finding", "waiting")
        assert [each["rule"] for each in result["findings"]] == ["payment-present"]

    def test_declarations_that_move_without_the_status_are_recorded_but_not_published(self, clean: Any) -> None:
        clean.decide()
        for message in ("311", "411", "511"):
            clean.move(message, S.SENT, packed_at=1, message_id=5)
        clean.decide()
        for message in ("311", "411", "511"):
            clean.move(message, S.ACCEPTED)

        decision = clean.decide()

        assert (len(decision.entries), decision.results) == (1, ())

    def test_an_entry_says_who_decided_what_by_which_book_and_documents(self, clean: Any) -> None:
        (entry,) = clean.decide().entries

        assert (entry.kind, entry.actor, entry.at) == ("decided", "test", clean.now)
        assert entry.facts["rulebook"] == clean.book.edition
        assert [(each["kind"], each["version"]) for each in entry.facts["links"]] == [
            ("order", 1),
            ("waybill", 1),
            ("payment", 1),
        ]
        assert {each["message"]: each["state"] for each in entry.facts["declarations"]} == {
            "CEB311Message": "ready",
            "CEB411Message": "ready",
            "CEB511Message": "ready",
            "CEB621Message": "blocked",
        }

    def test_neither_entries_nor_results_hold_personal_values(self, desk: Any, triples: Any) -> None:
        desk.put_all(without=["payment", "waybill"])
        desk.put(triples.document("payment", payerName="乔望舒", payerIdNumber="99010119911105002X"))
        desk.put(
            triples.document("waybill", consignee="乔望舒", consigneeTelephone="13900000022", consigneeAddress="远山路")
        )

        decision = desk.decide()

        told = f"{decision.entries}{decision.results}{decision.findings}"
        assert {"payer-is-buyer", "consignee-agrees", "consignee-phone-agrees"} <= _rules(decision)
        for value in ("章春苗", "乔望舒", "990101198802140011", "99010119911105002X", "13900000021", "13900000022"):
            assert value not in told
        assert "听涛路" not in told


class TestRestating:
    @pytest.fixture
    def entry(self, clean: Any) -> Entry:
        return Entry("receipt", clean.now, "receive", {})

    def test_a_receipt_moves_the_status_and_is_published_with_the_numbers(self, clean: Any, entry: Entry) -> None:
        clean.decide()
        moved = clean.move("621", S.ACCEPTED, packed_at=1, pre_no="P1", invt_no="I1")
        receipt = {"message": "CEB622Message", "code": "120", "zh": "入库", "en": "stored", "returnTime": "1"}

        decision = restate(clean.cases[clean.key], Papers([moved]), [entry], receipt=receipt)

        (result,) = decision.results
        assert (decision.case.status, result["status"]) == (CaseStatus.ACCEPTED, "accepted")
        assert result["numbers"] == {"copNo": moved.cop_no, "preNo": "P1", "invtNo": "I1"}
        assert result["receipt"] == receipt

    def test_a_move_that_shows_nothing_is_recorded_only(self, clean: Any, entry: Entry) -> None:
        clean.decide()

        decision = restate(clean.cases[clean.key], Papers(list(clean.declarations.values())), [entry])

        assert (decision.results, decision.entries, decision.linkage) == ((), (entry,), None)

    def test_the_numbers_are_those_of_the_newest_attempt_whatever_its_database_id(
        self, clean: Any, entry: Entry
    ) -> None:
        clean.decide()
        first = clean.move("621", S.REFUSED, packed_at=1, pre_no="P1")
        second = replace(first, id=first.id - 900, attempt=2, state=S.ACCEPTED, packed_at=2, pre_no="P2")

        (result,) = restate(clean.cases[clean.key], Papers([first, second]), [entry]).results

        assert (result["status"], result["numbers"]["preNo"]) == ("accepted", "P2")

    def test_a_withdrawn_case_stays_withdrawn(self, clean: Any, triples: Any, entry: Entry) -> None:
        clean.decide()
        clean.put(triples.document("order", appType="3", appTime="20240309093000"))
        clean.decide()

        papers = Papers(list(clean.declarations.values()))
        decision = restate(clean.cases[clean.key], papers, [entry], flags=frozenset({Flag.HELD}))

        assert (decision.case.status, decision.case.flags) == (CaseStatus.WITHDRAWN, {Flag.HELD})

    def test_what_the_schema_refuses_makes_its_case_discrepant_and_says_where(self, clean: Any) -> None:
        clean.decide()

        decision = invalidate(
            clean.cases[clean.key],
            Papers(list(clean.declarations.values())),
            ["/CEB311Message/Order[1]/OrderHead/note"],
            clean.now,
        )

        (finding,) = decision.findings
        assert (decision.case.verdict, decision.case.status) == (Verdict.DISCREPANT, CaseStatus.DISCREPANT)
        assert (finding.rule, finding.left and finding.left.shown) == (
            "declaration-invalid",
            "/CEB311Message/Order[1]/OrderHead/note",
        )
        assert list(decision.quota.values()) == [-CLEAN_DUTIABLE]
        assert decision.results[0]["kind"] == "ask-for-correction"
