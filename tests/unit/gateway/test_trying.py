"""Trying documents at one e-port without a store and without sending anything."""

from typing import Any

import pytest

from tongguan.gateway.rules.book import built_in
from tongguan.gateway.trying import try_documents, trying_context
from tongguan.messages.codec import load_codec
from tongguan.messages.xml import parse


@pytest.fixture
def tried(triples: Any) -> Any:
    def make(*documents: Any, at: int = 0) -> Any:
        eport = triples.eports()[at]
        signers = {key.declarant: triples.signer(key.declarant) for key in eport.signers}
        return try_documents(documents, eport, signers, trying_context(eport, built_in(), triples.parties()))

    return make


def test_a_clean_triple_shows_every_message_it_would_become(triples: Any, tried: Any) -> None:
    (one,) = tried(*(triples.document(kind) for kind in triples.KINDS_OF_A_CASE))

    assert one.decision.case.verdict.value == "matched"
    assert [name for name, _ in one.messages] == [
        "CEB311Message",
        "CEB411Message",
        "CEB511Message",
        "CEB621Message",
    ] or {name for name, _ in one.messages} == {"CEB311Message", "CEB411Message", "CEB511Message", "CEB621Message"}


def test_what_is_shown_is_a_readable_message_of_that_type_without_envelope(triples: Any, tried: Any) -> None:
    (one,) = tried(*(triples.document(kind) for kind in triples.KINDS_OF_A_CASE))

    for name, text in one.messages:
        assert name in text
        assert "\n  " in text
        assert {fault.code for fault in load_codec().check(parse(text.encode()))} == set()


def test_a_triple_that_waits_shows_why_and_no_message(triples: Any, tried: Any) -> None:
    (one,) = tried(triples.document("order"))

    assert one.messages == []
    assert {"payment-present", "waybill-present"} <= {each.rule for each in one.decision.findings}


def test_every_case_of_the_documents_is_tried(triples: Any, tried: Any) -> None:
    documents = [triples.document(kind, number) for number in (1, 2) for kind in ("order", "payment", "waybill")]

    found = tried(*documents, triples.document("goods"), triples.document("transport"))

    assert [one.decision.case.key.order_no for one in found] == ["GX0000000001", "GX0000000002"]
    assert {one.decision.case.verdict.value for one in found} == {"matched"}


def test_only_the_one_e_port_is_tried(triples: Any, tried: Any) -> None:
    (one,) = tried(*(triples.document(kind) for kind in triples.KINDS_OF_A_CASE), at=1)

    assert "eport-known" in {each.rule for each in one.decision.findings}


def test_a_waybill_alone_makes_no_case(triples: Any, tried: Any) -> None:
    assert tried(triples.document("waybill")) == []


def test_a_deleted_document_is_not_tried_as_if_it_were_there(triples: Any, tried: Any) -> None:
    documents = [triples.document(kind) for kind in ("payment", "waybill", "goods", "transport")]

    (one,) = tried(triples.document("order", appType="3"), *documents)

    assert one.messages == []
