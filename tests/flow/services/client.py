"""A platform's own program, on pika and the standard library: it pushes files, and writes down what comes back.

``python client.py URL push FOLDER OUT``: every file of the folder in the order of its names, which are
``<place>.<party>.<routing key>.<form>``, each from its party's own account; ends when every delivery is answered.
OUT is a journal: a line ``{"delivery": NAME}`` for each delivery the broker confirmed, and each answer as it came.
``python client.py URL listen OUT``: every result is one line of OUT, until the program is stopped.
"""

import json
import sys
from pathlib import Path

import pika

CONTENT_TYPES = {"json": "application/json", "jsonl": "application/x-ndjson", "xml": "application/xml"}
ANSWERS_S = 120


class Sender:
    """One party's connection, with a queue of its own for answers; its password is its name."""

    def __init__(self, url, party):
        parameters = pika.URLParameters(url)
        parameters.credentials = pika.PlainCredentials(party, party)
        parameters.heartbeat = 0  # this program does one thing after the other
        self.party = party
        self.channel = pika.BlockingConnection(parameters).channel()
        self.queue = self.channel.queue_declare("", exclusive=True).method.queue
        self.channel.confirm_delivery()
        self.left = set()

    def push(self, name, routing_key, form, body):
        """Publish one delivery, confirmed by the broker."""
        properties = pika.BasicProperties(
            content_type=CONTENT_TYPES[form],
            user_id=self.party,
            correlation_id=name,
            reply_to=self.queue,
            delivery_mode=2,
        )
        self.channel.basic_publish("tongguan.documents", routing_key, body, properties, mandatory=True)
        self.left.add(name)

    def answers(self):
        """The answers, until every delivery is answered."""
        while self.left:
            method, properties, body = next(
                self.channel.consume(self.queue, auto_ack=True, inactivity_timeout=ANSWERS_S)
            )
            if method is None or properties is None or body is None:
                sys.exit(f"{len(self.left)} deliveries are not answered, one is {min(self.left)}")
            self.left.discard(properties.correlation_id)
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
    """Write down every result."""
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, "tongguan.results", "#")
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    with out.open("w", encoding="utf-8", buffering=1) as lines:
        for _, _, body in channel.consume(queue, auto_ack=True):
            for result in json.loads(body or b"[]"):
                lines.write(json.dumps(result) + "\n")


def main(url, command, *paths):
    """Do what the arguments say."""
    {"push": push, "listen": listen}[command](url, *map(Path, paths))


if __name__ == "__main__":
    main(*sys.argv[1:])
