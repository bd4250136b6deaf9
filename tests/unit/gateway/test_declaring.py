"""How the declarations of a case move: new, change, correction, delete, relay, merged payment; every path."""

from dataclasses import replace
from typing import Any

import pytest

from tongguan.gateway.declaring import Situation, main_state, newest, release, state_of
from tongguan.gateway.states import AT_HOME, DeclarationState, Flag
from tongguan.messages.documents.ceb import to_ceb

S = DeclarationState
LATER = "20240309093000"


@pytest.fixture
def decided(clean: Any) -> Any:
    """The clean case, matched and planned."""
    clean.decide()
    return clean


@pytest.fixture
def accepted(decided: Any) -> Any:
    """Order, payment and waybill accepted by customs; the inventory may go."""
    for message in ("311", "411", "511"):
        decided.move(message, S.ACCEPTED, status="120", packed_at=1, message_id=5)
    return decided


@pytest.fixture
def change(triples: Any) -> Any:
    """Put a later version of a document of the case on the desk: ``change(desk, "order", freight="9")``."""

    def make(desk: Any, kind: str, app_type: str = "2", app_time: str = LATER, **changes: Any) -> Any:
        return desk.put(triples.document(kind, appType=app_type, appTime=app_time, **changes))

    return make


class TestNew:
    def test_a_matched_case_declares_each_document_once_and_the_inventory_waits(self, decided: Any) -> None:
        assert decided.states() == {"311": "ready", "411": "ready", "511": "ready", "621": "blocked"}
        assert {each.app_type for each in decided.declarations.values()} == {"1"}
        assert {each.eport for each in decided.declarations.values()} == {"hangzhou-9610"}

    def test_each_is_signed_by_who_answers_for_it(self, decided: Any) -> None:
        signers = {each.message_type[3:6]: each.declarant for each in decided.declarations.values()}

        assert signers == {"311": "3301969T01", "411": "3301969T02", "511": "3301989T03", "621": "3301989T04"}

    def test_only_an_inventory_needs_a_number_inside_the_enterprise(self, decided: Any) -> None:
        numbers = {each.message_type[3:6]: each.cop_no for each in decided.declarations.values()}

        assert {message: bool(number) for message, number in numbers.items()} == {
            "311": False,
            "411": False,
            "511": False,
            "621": True,
        }
        assert decided.own("621")[0].business_key == numbers["621"]

    def test_the_business_keys_are_those_receipts_come_back_with(self, decided: Any) -> None:
        keys = {each.message_type[3:6]: each.business_key for each in decided.declarations.values()}

        assert keys["311"] == "3301969T01/3301969T01/GX0000000001"
        assert keys["411"] == "3301969T02/FB0000000001"
        assert keys["511"] == "3301989T03/SD0000000001"

    def test_a_waiting_case_declares_nothing(self, desk: Any) -> None:
        desk.put_all(without=["payment"])

        desk.decide()

        assert desk.declarations == {}

    def test_a_held_case_is_planned_and_nothing_is_ready(self, clean: Any, triples: Any) -> None:
        clean.cases[clean.key] = triples.case(clean.key, flags=frozenset({Flag.HELD}))

        clean.decide()

        assert set(clean.states().values()) == {"blocked"}

    def test_a_document_that_the_e_port_does_not_want_is_not_declared(self, clean: Any) -> None:
        clean.eports = [clean.eports[0].model_copy(update={"declares": ("621",)})]

        clean.decide()

        assert clean.states() == {"621": "ready"}

    def test_an_e_port_that_takes_no_inventory_from_us_gets_the_rest(self, clean: Any) -> None:
        clean.eports = [clean.eports[0].model_copy(update={"declares": ("311", "411", "511")})]

        clean.decide()

        assert clean.states() == {"311": "ready", "411": "ready", "511": "ready"}

    def test_who_transmits_signs_where_nobody_else_can(self, clean: Any) -> None:
        eport = clean.eports[0]
        keys = tuple(key for key in eport.signers if key.declarant not in ("3301969T02", "3301989T03"))
        clean.eports = [eport.model_copy(update={"signers": keys})]

        clean.decide()

        assert {clean.own(each)[0].declarant for each in ("411", "511")} == {"3301989T04"}


class TestAtHome:
    def test_a_change_at_home_is_the_same_attempt_with_the_new_content(self, decided: Any, change: Any) -> None:
        before = decided.own("311")[0]

        change(decided, "order", note="门口放置")
        decided.decide()

        (after,) = decided.own("311")
        assert (after.id, after.guid, after.attempt, after.app_type) == (before.id, before.guid, 1, "1")
        assert (after.document_version, after.content["OrderHead"]["note"]) == (2, "门口放置")

    def test_a_change_of_the_order_changes_the_inventory_at_home(self, decided: Any, change: Any) -> None:
        before = decided.own("621")[0]

        change(decided, "order", buyerTelephone="13900000033")
        decided.decide()

        (after,) = decided.own("621")
        assert (after.id, after.guid, after.cop_no) == (before.id, before.guid, before.cop_no)
        assert after.content["InventoryHead"]["buyerTelephone"] == "13900000033"

    def test_a_change_that_makes_the_case_discrepant_stops_what_is_at_home(self, decided: Any, change: Any) -> None:
        change(decided, "order", acturalPaid="300.00")

        decided.decide()

        assert set(decided.states().values()) == {"blocked"}

    def test_a_change_that_mends_the_case_lets_it_go_again(self, decided: Any, change: Any) -> None:
        change(decided, "order", acturalPaid="300.00")
        decided.decide()

        change(decided, "order", app_time="20240309094000")
        decided.decide()

        assert decided.states() == {"311": "ready", "411": "ready", "511": "ready", "621": "blocked"}
        assert len(decided.own("311")) == 1

    def test_a_deleted_order_withdraws_everything_at_home(self, decided: Any, change: Any) -> None:
        change(decided, "order", "3")

        decision = decided.decide()

        assert decision.case.status.value == "withdrawn"
        assert not [each for each in decided.declarations.values() if each.state is S.READY]
        assert {decided.states()[message] for message in ("311", "621")} == {"withdrawn"}

    @pytest.mark.parametrize(("kind", "message"), [("payment", "411"), ("waybill", "511")])
    def test_a_deleted_payment_or_waybill_withdraws_its_own(
        self, decided: Any, change: Any, kind: str, message: str
    ) -> None:
        change(decided, kind, "3")

        decided.decide()

        states = decided.states()
        assert states.pop(message) == "withdrawn"
        assert set(states.values()) == {"blocked"}

    def test_a_document_that_comes_again_after_its_delete_is_declared_as_new(self, decided: Any, change: Any) -> None:
        change(decided, "payment", "3")
        decided.decide()

        change(decided, "payment", "1", "20240309094000")
        decided.decide()

        assert [(each.attempt, each.app_type, each.state) for each in decided.own("411")] == [
            (1, "1", S.WITHDRAWN),
            (2, "1", S.READY),
        ]

    def test_an_order_that_no_e_port_takes_any_more_is_not_declared(self, decided: Any, change: Any) -> None:
        change(decided, "order", tradeMode="1210")

        decided.decide()

        assert S.READY not in {each.state for each in decided.declarations.values()}

    def test_a_waybill_that_loses_its_case_to_another_is_withdrawn_here(self, decided: Any, triples: Any) -> None:
        unnamed = {"logisticsCode": None, "logisticsName": None, "logisticsNo": None}
        decided.put(triples.document("order", appType="2", appTime=LATER, **unnamed))
        decided.put(triples.document("waybill", appType="2", appTime=LATER, consignee="乔望舒"))
        decided.put(triples.document("waybill", 1, logisticsNo="SD0000000002"))

        decided.decide()

        first = decided.own("511")[0]
        assert (first.business_key, first.state) == ("3301989T03/SD0000000001", S.WITHDRAWN)
        assert [each.business_key for each in decided.own("511") if each.state is S.READY] == [
            "3301989T03/SD0000000002"
        ]


class TestAfterSending:
    @pytest.mark.parametrize(
        ("kind", "message", "changes"),
        [
            ("order", "311", {"note": "改"}),
            ("payment", "411", {"note": "改"}),
            ("waybill", "511", {"note": "改"}),
        ],
    )
    def test_a_change_of_what_was_accepted_is_a_further_attempt_of_type_2(
        self, accepted: Any, change: Any, kind: str, message: str, changes: Any
    ) -> None:
        change(accepted, kind, **changes)

        accepted.decide()

        first, second = accepted.own(message)
        assert (first.state, first.document_version) == (S.ACCEPTED, 1)
        assert (second.attempt, second.app_type, second.state) == (2, "2", S.READY)
        assert second.guid != first.guid
        assert second.business_key == first.business_key

    @pytest.mark.parametrize("state", ["packed", "sent", "uncertain", "pending", "unknown"])
    def test_a_change_waits_until_its_new_has_arrived(self, decided: Any, change: Any, state: str) -> None:
        decided.move("311", S(state), packed_at=1, message_id=5)

        change(decided, "order", note="改")
        decided.decide()

        assert (decided.own("311")[1].app_type, decided.own("311")[1].state) == ("2", S.BLOCKED)

    def test_a_change_whose_new_was_refused_goes_as_new(self, decided: Any, change: Any) -> None:
        decided.move("311", S.SENT, packed_at=1, message_id=5)
        change(decided, "order", note="改")
        decided.decide()

        decided.move_first("311", S.REFUSED, status="-301008")
        decided.decide()

        assert (decided.own("311")[1].app_type, decided.own("311")[1].state) == ("1", S.READY)

    def test_a_refused_declaration_stays_until_its_document_is_corrected(self, decided: Any, change: Any) -> None:
        decided.move("311", S.REFUSED, status="-301008", packed_at=1, message_id=5)

        decided.decide()
        untouched = len(decided.own("311"))
        change(decided, "order", note="改")
        decided.decide()

        assert untouched == 1
        assert [(each.attempt, each.app_type, each.state) for each in decided.own("311")] == [
            (1, "1", S.REFUSED),
            (2, "1", S.READY),
        ]

    def test_a_refused_change_may_be_followed_by_a_corrected_change(self, accepted: Any, change: Any) -> None:
        change(accepted, "order", note="改")
        accepted.decide()
        accepted.move("311", S.REFUSED, status="-301008", packed_at=2, message_id=6)

        change(accepted, "order", app_time="20240309094500", note="再改")
        accepted.decide()

        assert [(each.attempt, each.app_type, each.state) for each in accepted.own("311")] == [
            (1, "1", S.ACCEPTED),
            (2, "2", S.REFUSED),
            (3, "2", S.READY),
        ]

    def test_a_refused_inventory_is_corrected_under_the_same_number(self, accepted: Any, change: Any) -> None:
        first = accepted.move("621", S.REFUSED, status="100", packed_at=1, message_id=5)

        change(accepted, "order", buyerTelephone="13900000033")
        accepted.decide()

        second = accepted.own("621")[1]
        assert (second.attempt, second.app_type, second.cop_no) == (2, "1", first.cop_no)
        assert second.guid != first.guid

    @pytest.mark.parametrize("state", ["packed", "sent", "uncertain", "received", "accepted", "released", "closed"])
    def test_nothing_changes_once_the_inventory_has_left_the_house(
        self, accepted: Any, change: Any, state: str
    ) -> None:
        accepted.move("621", S(state), packed_at=1, message_id=5)

        for kind in ("order", "payment", "waybill"):
            change(accepted, kind, note="改")
        accepted.decide()

        assert {message: len(accepted.own(message)) for message in ("311", "411", "511", "621")} == {
            "311": 1,
            "411": 1,
            "511": 1,
            "621": 1,
        }

    def test_a_delete_after_declaring_leaves_what_was_declared_and_says_so(self, accepted: Any, change: Any) -> None:
        accepted.move("621", S.RELEASED, packed_at=1, message_id=5)

        change(accepted, "waybill", "3")
        decision = accepted.decide()

        assert accepted.states()["511"] == "accepted"
        assert decision.case.status.value == "released"
        assert "withdrawn-after-declaration" in {each.rule for each in decision.findings}

    def test_an_accepted_order_that_is_deleted_and_comes_again_is_changed_not_declared_anew(
        self, accepted: Any, change: Any
    ) -> None:
        change(accepted, "order", note="改")
        accepted.decide()
        change(accepted, "order", "3", "20240309094000")
        accepted.decide()

        change(accepted, "order", "1", "20240309095000", note="又改")
        accepted.decide()

        assert (accepted.own("311")[-1].state, accepted.own("311")[-1].app_type) == (S.READY, "2")


class TestInventory:
    def test_it_goes_when_order_payment_and_waybill_have_arrived(self, accepted: Any) -> None:
        accepted.decide()

        assert accepted.states()["621"] == "ready"

    @pytest.mark.parametrize("state", [state for state in S if state not in AT_HOME])
    @pytest.mark.parametrize("message", ["311", "411", "511"])
    def test_it_waits_for_each_of_them_by_its_state(self, accepted: Any, message: str, state: S) -> None:
        arrived = {
            "received", "forwarded", "unsent", "accepted", "reviewing", "inspecting", "detained", "suspended",
            "decided", "released", "closed", "sent_back",
        }  # fmt: skip
        if state is S.WITHDRAWN:
            return
        accepted.move(message, state)

        accepted.decide()

        assert accepted.states()["621"] == ("ready" if state.value in arrived else "blocked")

    def test_it_waits_for_a_change_that_is_under_way(self, accepted: Any, change: Any) -> None:
        change(accepted, "order", note="改")
        accepted.decide()
        while_at_home = accepted.states()["621"]

        accepted.move("311", S.RECEIVED, packed_at=2, message_id=6)
        accepted.decide()

        assert (while_at_home, accepted.states()["621"]) == ("blocked", "ready")

    def test_it_waits_only_for_what_the_e_port_wants_from_us(self, clean: Any) -> None:
        clean.eports = [clean.eports[0].model_copy(update={"declares": ("311", "621")})]
        clean.decide()

        clean.move("311", S.ACCEPTED, packed_at=1, message_id=5)
        clean.decide()

        assert clean.states() == {"311": "accepted", "621": "ready"}

    def test_a_draft_supplies_fields_and_is_no_second_declaration(self, decided: Any, triples: Any) -> None:
        decided.put(triples.document("draft"))

        decided.decide()

        (only,) = decided.own("621")
        assert only.content["InventoryHead"]["trafNo"] == "示例卡车 07"


@pytest.fixture
def merged(desk: Any, triples: Any) -> Any:
    """Three orders of one buyer, paid by one transaction that names the second."""
    transaction = {"payTransactionId": "FB0000000888"}
    for number in (1, 2, 3):
        desk.put(triples.document("order", number, **transaction))
        desk.put(triples.document("waybill", number))
    desk.put(triples.document("payment", 2, amountPaid="1067.01", **transaction))
    for kind in ("transport", "goods"):
        desk.put(triples.document(kind))
    return desk


class TestMergedPayment:
    @pytest.fixture
    def keys(self, merged: Any) -> list[Any]:
        return [merged.key._replace(order_no=f"GX000000000{number}") for number in (1, 2, 3)]

    def test_it_is_declared_once_by_the_case_it_names(self, merged: Any, keys: Any) -> None:
        for key in keys:
            assert merged.decide(key).case.verdict.value == "matched"

        assert [len(merged.own("411", key)) for key in keys] == [0, 1, 0]

    def test_every_inventory_waits_for_it(self, merged: Any, keys: Any) -> None:
        for key in keys:
            merged.decide(key)
            for message in ("311", "511"):
                merged.move(message, S.ACCEPTED, key, packed_at=1, message_id=5)
            merged.decide(key)
        waiting = [merged.states(key)["621"] for key in keys]

        merged.move("411", S.RECEIVED, keys[1], packed_at=1, message_id=5)
        for key in keys:
            merged.decide(key)

        assert waiting == ["blocked"] * 3
        assert [merged.states(key)["621"] for key in keys] == ["ready"] * 3

    def test_every_inventory_waits_for_the_orders_of_all(self, merged: Any, keys: Any) -> None:
        first, second, third = keys
        for key in (first, second):
            for message in ("311", "411", "511"):
                merged.decide(key)
                if merged.own(message, key):
                    merged.move(message, S.ACCEPTED, key, packed_at=1, message_id=5)
            merged.decide(key)
        before = [merged.states(key)["621"] for key in (first, second)]
        merged.decide(third)
        merged.move("311", S.RECEIVED, third, packed_at=1, message_id=5)
        for key in (first, second):
            merged.decide(key)

        assert before == ["blocked", "blocked"]
        assert [merged.states(key)["621"] for key in (first, second)] == ["ready", "ready"]

    def test_an_inventory_of_another_order_does_not_keep_a_correction_at_home(
        self, merged: Any, keys: Any, triples: Any
    ) -> None:
        for key in keys:
            merged.decide(key)
            merged.move("311", S.ACCEPTED, key, packed_at=1, message_id=5)
        merged.move("621", S.RELEASED, keys[1], packed_at=1, message_id=6)
        transaction = {"payTransactionId": "FB0000000888"}
        merged.put(triples.document("order", 1, **transaction, buyerRegNo="another"))

        merged.decide(keys[0])

        assert [each.app_type for each in merged.own("311", keys[0])] == ["1", "2"]

    def test_another_case_never_moves_it(self, merged: Any, keys: Any) -> None:
        for key in keys:
            merged.decide(key)
        before = merged.own("411", keys[1])

        merged.cases[keys[0]] = replace(merged.cases[keys[0]], flags=frozenset({Flag.HELD}))
        merged.decide(keys[0])

        assert merged.own("411", keys[1]) == before


class TestRelayed:
    @pytest.fixture
    def relayed(self, clean: Any, triples: Any) -> Any:
        """The order came as customs XML signed by the merchant."""
        clean.put(triples.document("order", guid="0C000000-0000-4000-8000-000000000001"), version=1, relay_id=77)
        clean.decide()
        return clean

    def test_a_signed_document_keeps_its_guid_and_needs_no_key_of_ours(self, relayed: Any) -> None:
        (only,) = relayed.own("311")

        assert (only.relay_id, only.guid, only.state) == (77, "0C000000-0000-4000-8000-000000000001", S.READY)

    def test_it_is_relayed_even_where_nobody_here_could_sign(self, clean: Any, triples: Any) -> None:
        eport = clean.eports[0]
        keys = tuple(key for key in eport.signers if key.declarant == "3301989T04")
        clean.eports = [
            eport.model_copy(
                update={"signers": keys, "transfer": eport.transfer.model_copy(update={"cop_code": "3301989T99"})}
            )
        ]
        clean.put(triples.document("order"), version=1, relay_id=77)

        decision = clean.decide()

        said = [each.left.shown for each in decision.findings if each.rule == "signer-known" and each.left]
        assert said == ["CEB411Message", "CEB511Message"]

    def test_a_change_that_is_not_signed_is_not_declared_with_the_old_signed_bytes(
        self, relayed: Any, change: Any
    ) -> None:
        changed = change(relayed, "order", note="改")

        relayed.decide()

        current = relayed.own("311")[-1]
        assert current.relay_id is None
        assert current.content["OrderHead"]["note"] == to_ceb(changed.document)["OrderHead"]["note"]

    def test_a_relayed_document_that_was_refused_is_not_repeated_by_us(self, relayed: Any) -> None:
        relayed.move("311", S.REFUSED, packed_at=1, message_id=77)

        relayed.decide()

        assert len(relayed.own("311")) == 1


class TestRiders:
    @pytest.fixture
    def wide(self, clean: Any) -> Any:
        """An e-port that takes everything, and a released case."""
        eport = clean.eports[0]
        clean.eports = [eport.model_copy(update={"declares": ("311", "411", "511", "513", "621", "623", "625")})]
        clean.decide()
        for message in ("311", "411", "511", "621"):
            clean.move(message, S.RELEASED, packed_at=1, message_id=5)
        return clean

    @pytest.mark.parametrize(
        ("kind", "message"), [("waybill-status", "513"), ("cancellation", "623"), ("return", "625")]
    )
    def test_what_follows_the_goods_is_declared_beside_them(
        self, wide: Any, triples: Any, kind: str, message: str
    ) -> None:
        wide.put(triples.document(kind))

        wide.decide()

        assert wide.states()[message] == "ready"

    def test_it_waits_for_no_verdict(self, wide: Any, triples: Any, change: Any) -> None:
        change(wide, "order", acturalPaid="1.00")
        wide.put(triples.document("cancellation"))

        decision = wide.decide()

        assert (decision.case.verdict.value, wide.states()["623"]) == ("discrepant", "ready")

    def test_a_hold_stops_it_too(self, wide: Any, triples: Any) -> None:
        wide.cases[wide.key] = replace(wide.cases[wide.key], flags=frozenset({Flag.HELD}))
        wide.put(triples.document("cancellation"))

        wide.decide()

        assert wide.states()["623"] == "blocked"

    @pytest.mark.parametrize(
        ("kind", "message", "state", "status"),
        [
            ("cancellation", "623", S.DECIDED, "cancelled"),
            ("cancellation", "623", S.REFUSED, "released"),
            ("return", "625", S.RELEASED, "returned"),
            ("return", "625", S.ACCEPTED, "released"),
        ],
    )
    def test_it_ends_the_case_once_customs_agrees(
        self, wide: Any, triples: Any, kind: str, message: str, state: S, status: str
    ) -> None:
        wide.put(triples.document(kind))
        wide.decide()
        wide.move(message, state, packed_at=1, message_id=6)

        assert wide.decide().case.status.value == status


class TestStates:
    def test_the_newest_attempt_counts_whatever_its_database_id(self, accepted: Any, change: Any) -> None:
        """Ids come in blocks, one block per process: a later attempt may have the smaller id."""
        first = accepted.move("621", S.REFUSED, packed_at=1, message_id=5)
        second = replace(first, id=first.id - 900, attempt=2, state=S.ACCEPTED)

        assert newest([second, first])[first.subject] is second
        assert main_state(1, [first, second]) is S.ACCEPTED
        assert state_of(1, [first, second], "CEB621Message") is S.ACCEPTED

    def test_other_cases_declarations_do_not_count(self, accepted: Any) -> None:
        accepted.move("621", S.RELEASED, packed_at=1, message_id=5)

        assert main_state(99, accepted.declarations.values()) is None

    def test_while_something_is_at_home_the_rest_decides_nothing(self, accepted: Any) -> None:
        declarations = [each for each in accepted.declarations.values() if each.message_type != "CEB621Message"]
        at_home = [*declarations[:2], replace(declarations[2], state=S.READY)]

        assert main_state(1, declarations) is S.ACCEPTED
        assert main_state(1, at_home) is None

    def test_releasing_twice_moves_nothing_the_second_time(self, accepted: Any, triples: Any) -> None:
        decision = accepted.decide()
        predecessors = decision.plan.predecessors
        situation = Situation(1, decision.case.verdict, on_hold=False, eport=accepted.eports[0], now=triples.NOW)

        assert release(accepted.declarations.values(), predecessors, situation) == []
