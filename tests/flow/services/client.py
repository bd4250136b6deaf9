"""A platform's own program, on pika and the standard library: it pushes files, and writes down what comes back.

``python client.py URL push FOLDER OUT``: every file of the folder in the order of its names, which are
``<place>.<party>.<routing key>.<form>``, each from its party's own account; ends when every delivery is answered.
OUT is a journal: a line ``{"delivery": NAME}`` for each delivery the broker confirmed, and each answer as it came.
``python client.py URL listen OUT``: every result is one line of OUT, until the program is stopped.
"""

import json
import sys
import time
from pathlib import Path

import pika
from pika.exceptions import AMQPError

CONTENT_TYPES = {"json": "application/json", "jsonl": "application/x-ndjson", "xml": "application/xml"}
ANSWERS_S = 120
RETRY_S = 0.2
LOST = (AMQPError, OSError)
SUBSCRIBER = "heard"


class Sender:
    """One party's connection, with a queue of its own for answers; its password is its name.

    When the connection is lost, everything not answered yet is published once more: the gateway knows what it has.
    """

    def __init__(self, url, party):
        self.parameters = pika.URLParameters(url)
        self.parameters.credentials = pika.PlainCredentials(party, party)
        self.parameters.heartbeat = 0  # this program does one thing after the other
        self.party = party
        self.left = {}
        self.connect()

    def connect(self):
        """Connect, or connect again, and publish what is not answered."""
        while True:
            try:
                self.channel = pika.BlockingConnection(self.parameters).channel()
                self.queue = self.channel.queue_declare("", exclusive=True).method.queue
                self.channel.confirm_delivery()
                for name, delivery in self.left.items():
                    self.publish(name, *delivery)
            except LOST:
                time.sleep(RETRY_S)
            else:
                return

    def push(self, name, *delivery):
        """Have one delivery (routing key, form, body) confirmed by the broker."""
        self.left[name] = delivery
        try:
            self.publish(name, *delivery)
        except LOST:
            self.connect()

    def publish(self, name, routing_key, form, body):
        """Publish one delivery and wait for its confirmation."""
        properties = pika.BasicProperties(
            content_type=CONTENT_TYPES[form],
            user_id=self.party,
            correlation_id=name,
            reply_to=self.queue,
            delivery_mode=2,
        )
        self.channel.basic_publish("tongguan.documents", routing_key, body, properties, mandatory=True)

    def answers(self):
        """The answers, until every delivery is answered."""
        while self.left:
            try:
                method, properties, body = next(
                    self.channel.consume(self.queue, auto_ack=True, inactivity_timeout=ANSWERS_S)
                )
            except LOST:
                self.connect()
                continue
            if method is None or properties is None or body is None:
                sys.exit(f"{len(self.left)} deliveries are not answered, one is {min(self.left)}")
            if self.left.pop(properties.correlation_id, None):
                yield json.loads(body)


def push(url, folder, out):
    """Publish everything, and write down what was confirmed and answered."""
    senders = {}
    with out.open("w", encoding="utf-8", buffering=1) as lines:
        for file in sorted(folder.iterdir()):
            _, party, *key, form = file.name.split(".")
            sender = senders.get(party) or senders.setdefault(party, Sender(url, party))
            sender.push(file.name, ".".join(key), form, file.read_bytes())
            lines.write(json.dumps({"delivery": file.name}) + "\n")
        for sender in senders.values():
            for answer in sender.answers():
                lines.write(json.dumps(answer) + "\n")


def listen(url, out):
    """Write down every result, from a queue that outlives the broker."""
    with out.open("w", encoding="utf-8", buffering=1) as lines:
        while True:
            try:
                for body in heard(url):
                    for result in json.loads(body or b"[]"):
                        lines.write(json.dumps(result) + "\n")
            except LOST:
                time.sleep(RETRY_S)


def heard(url):
    """The bodies of a subscriber's queue; each is acknowledged when the next is asked for."""
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    channel.queue_declare(SUBSCRIBER, durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind(SUBSCRIBER, "tongguan.results", "#")
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    for method, _, body in channel.consume(SUBSCRIBER):
        yield body
        channel.basic_ack(method.delivery_tag)  # pyright: ignore[reportOptionalMemberAccess]


def main(url, command, *paths):
    """Do what the arguments say."""
    {"push": push, "listen": listen}[command](url, *map(Path, paths))


if __name__ == "__main__":
    main(*sys.argv[1:])
