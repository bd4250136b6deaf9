"""What is left to chance, and that a seed brings it back."""

import pytest

from tongguan.adapters.simulator.world import World
from tongguan.messages.ladders import rung


def orders(doc, count=30):
    return [doc("311", orderNo=f"TG-{n:04}") for n in range(count)]


def told(port):
    """The files that come within an hour, by their bytes."""
    return [(file.name, file.data) for file in port.customs.due(port.now_ms + 3_600_000)]


def test_the_same_seed_and_input_bring_the_same_bytes(port, doc):
    data = port().sign("311", *orders(doc))
    one, same, other = port(seed=1, loss=0.2), port(seed=1, loss=0.2), port(seed=2, loss=0.2)

    for each in (one, same, other):
        each.send(data)

    assert told(one) == told(same)
    assert told(one) != told(other)


def test_a_document_meets_the_same_fate_whatever_else_is_declared(port, doc):
    alone, among = port(seed=5, loss=0.4, double=0.4), port(seed=5, loss=0.4, double=0.4)

    alone.declare("311", doc("311", orderNo="TG-0007"))
    among.declare("311", *orders(doc))

    def of_it(port):
        receipts = [each for each in port.collect() if each.key[2] == "TG-0007"]
        return [(each.status, each.guid) for each in receipts]

    assert of_it(alone) == of_it(among)


def test_latency_lies_in_its_range(port, doc):
    port = port(latency_ms=(100, 120))

    port.declare("311", *orders(doc))

    taken = port.now_ms
    delays = {each.status: each.return_ms - taken for each in port.receipts("311")}
    assert 100 <= delays["2"] <= 120
    assert 200 <= delays["3"] <= 240


def test_answers_without_latency_come_at_once(port, doc):
    port = port(latency_ms=(0, 0))

    port.declare("311", doc("311"))

    assert [each.status for each in port.collect(0)] == ["2", "3"]


@pytest.mark.parametrize(("loss", "least", "most"), [(0.0, 60, 60), (0.5, 15, 45), (1.0, 0, 0)])
def test_answers_are_lost(port, doc, loss, least, most):
    port = port(loss=loss)

    port.declare("311", *orders(doc))

    assert least <= len(port.answers("311")) <= most


def test_answers_are_doubled_in_one_message_and_in_two_files(port, doc):
    port = port(double=1)

    port.declare("311", *orders(doc))

    receipts = port.receipts("311")
    assert len(receipts) == 120
    assert any(each.doubled for each in receipts)
    assert len(port.files) == 2


def test_later_statuses_come_before_earlier_ones(port, doc):
    port = port(reorder=1, assume_documents=True, latency_ms=(100, 100))
    port.declare("621", doc("621"))

    arrived = [each for each in port.collect() if each.message_type == "CEB622Message"]

    assert sorted(each.status for each in arrived) == ["120", "2", "3", "800", "899"]
    times = [each.return_ms for each in arrived]
    assert times != sorted(times)


def test_inventories_are_refused_by_e_port_and_by_officers(port, doc):
    port = port(refuse=1, assume_documents=True)
    numbers = [{"copNo": f"TG-{n}", "orderNo": f"TG-{n}", "logisticsNo": f"TG-{n}"} for n in range(20)]

    port.declare("621", *[doc("621", **each) for each in numbers])

    receipts = port.receipts("621")
    assert {each.status for each in receipts} == {"2", "3", "100", "-621017"}
    assert {each.customs_code for each in receipts if each.status == "100"} == {"1300"}


@pytest.mark.parametrize("short", ["311", "411", "513", "623", "625", "711"])
def test_a_refusal_by_chance_blames_e_port_so_that_the_same_may_be_sent_again(port, doc, short):
    port = port(refuse=1, for_=short)

    port.declare(short, doc(short))

    [receipt] = port.receipts(short)
    assert rung(receipt.message_type, receipt.status).retry == "resend"


def test_a_document_refused_by_chance_was_not_taken_in(port, doc):
    world = World()
    bad, good = port(refuse=1, world=world), port(world=world)
    bad.declare("311", doc("311"))
    bad.collect()

    good.declare("311", doc("311"))

    assert good.answers("311") == ["2", "3"]


@pytest.mark.parametrize(("batch", "sizes"), [(100, [60]), (25, [25, 25, 10])])
def test_a_receipt_message_holds_at_most_a_batch_of_returns(port, doc, batch, sizes):
    port = port(batch=batch)

    port.declare("311", *orders(doc))
    port.collect()

    assert [len(file.answers) for file in port.files] == sizes


def test_the_schema_limits_a_batch_even_with_doubled_answers(port, doc):
    port = port(double=1)

    port.declare("311", *orders(doc, 100))
    port.collect()

    assert max(file.data.count(b"<OrderReturn>") for file in port.files) <= 100
