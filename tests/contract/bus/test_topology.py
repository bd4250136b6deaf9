"""Routing patterns, answer routes and the cutting of lists: pure functions that both buses lean on."""

import pytest

from tongguan.queue.bus import cut
from tongguan.queue.topology import (
    ANSWERS,
    DEAD,
    DEFAULT_EXCHANGE,
    INTAKE,
    answer_queue,
    answer_route,
    fits,
    topology,
)


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("import.order", "import.order", True),
        ("import.order", "import.orders", False),
        ("import.*", "import.order", True),
        ("import.*", "import", False),
        ("import.*", "import.order.late", False),
        ("*.order", "import.order", True),
        ("*", "", False),
        ("#", "", True),
        ("#", "import.order.late", True),
        ("import.#", "import", True),
        ("import.#", "import.order.late", True),
        ("#.late", "import.order.late", True),
        ("#.order.#", "order", True),
        ("#.order.#", "import.order.late", True),
        ("#.order.#", "import.late", False),
        ("*.#.late", "late", False),
        ("*.#.late", "import.late", True),
        ("", "", True),
        ("", "import", False),
    ],
)
def test_a_topic_pattern_fits_as_amqp_says(pattern, key, expected):
    assert fits("topic", pattern, key) is expected


def test_a_direct_binding_knows_no_wildcards():
    assert not fits("direct", "#", "import.order")


def test_a_fanout_binding_fits_every_key():
    assert fits("fanout", "", "import.order")


def test_every_binding_of_the_gateway_joins_things_that_are_declared():
    made = topology(["a", "b", "a"], delivery_limit=5, intake_length_max=9, answers_length_max=9, dead_length_max=9)

    exchanges, queues = {each.name for each in made.exchanges}, {each.name for each in made.queues}
    assert all(binding.exchange in exchanges and binding.queue in queues for binding in made.bindings)
    assert len(queues) == len(made.queues) == len(made.bindings)


def test_intake_keeps_its_dead_and_refuses_rather_than_drops():
    made = topology([], delivery_limit=5, intake_length_max=9, answers_length_max=9, dead_length_max=9)

    (intake,) = [queue for queue in made.queues if queue.name == INTAKE]
    assert (intake.overflow, intake.delivery_limit, intake.dead_letter_exchange) == ("reject-publish", 5, DEAD)


@pytest.mark.parametrize(
    "reply_to", ["shop.replies", answer_queue("shop"), "amq.rabbitmq.reply-to.g1h2AA.abc", "amq.gen-x"]
)
def test_an_answer_goes_to_the_queue_the_sender_named(reply_to):
    assert answer_route(reply_to, "shop") == (DEFAULT_EXCHANGE, reply_to)


@pytest.mark.parametrize(
    "reply_to",
    [None, "", INTAKE, DEAD, answer_queue("carrier"), answer_queue("shop") + "2", "tongguan.", "amq.topic"],
)
def test_an_answer_is_never_put_where_the_sender_may_not_write(reply_to):
    assert answer_route(reply_to, "shop") == (ANSWERS, "shop")


@pytest.mark.parametrize(
    ("waiting", "expected"),
    [
        ([], 0),
        ([(10, 0)], 1),
        ([(10, 0)] * 5, 3),
        ([(40, 0), (40, 0), (40, 0)], 2),
        ([(500, 0), (1, 0)], 1),
        ([(10, 0), (10, 1), (10, 2)], 2),
        ([(10, 2), (10, 0)], 1),
        ([(10, 2), (10, 2)], 1),
    ],
)
def test_a_list_is_cut_by_count_by_bytes_and_before_a_suspect(waiting, expected):
    assert cut(waiting, batch=3, batch_bytes=100) == expected
