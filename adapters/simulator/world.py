"""The simulated world: the documents that e-port and customs know, and the answers they have yet to give.

It lives in memory and tells which entries have changed, so that a file can follow it. The documents in it are those of
a test, personal data included, in plain form.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from .filing import Filing, Id, Link, text_of
from .script import Form


@dataclass(frozen=True, slots=True)
class Answer:
    """One return to be given: what it says, when that happened and when it is delivered, in milliseconds UTC.

    ``subject`` is the document it is about, empty for a whole message; ``content`` the return as the codec encodes it.
    """

    id: int
    eport: str
    message_type: str
    subject: Id
    status: str
    content: dict[str, Any] = field(repr=False)
    return_ms: int
    deliver_ms: int
    copies: int = 1
    again: int = 0
    """How many files have given it before; each time it comes in another one."""
    form: Form | None = None


class Entry(NamedTuple):
    """One thing of the world as it is kept: its kind, its name within the kind, and its JSON; None when it is gone."""

    kind: str
    name: str
    body: str | None


_FILING, _ANSWER = TypeAdapter(Filing), TypeAdapter(Answer)


class World:
    """Documents, pending answers, counters and notes; made from the entries it has told of before."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._filings: dict[Id, Filing] = {}
        self._by_link: dict[Link, dict[Id, None]] = {}
        self._answers: dict[int, Answer] = {}
        self._about: dict[Id, dict[int, None]] = {}
        self._agenda: list[tuple[int, int]] = []
        self._notes: dict[str, str] = {}
        self._changed: dict[tuple[str, str], Filing | Answer | str | None] = {}
        for each in entries:
            self._recall(each)
        self._changed.clear()

    def _recall(self, entry: Entry) -> None:
        body = entry.body or ""
        match entry.kind:
            case "filing":
                self.file(_FILING.validate_json(body))
            case "answer":
                self.schedule(_ANSWER.validate_json(body))
            case _:
                self.note(entry.name, body)

    def changes(self) -> list[Entry]:
        """What has changed since it was last ``saved``."""
        return [Entry(kind, name, _body(value)) for (kind, name), value in self._changed.items()]

    def saved(self) -> None:
        """The changes are kept now."""
        self._changed.clear()

    def filing(self, id_: Id) -> Filing | None:
        """A document by its kind and key."""
        return self._filings.get(id_)

    def linked(self, link: Link, short: str) -> list[Filing]:
        """The documents of one kind that have something in common, in the order in which they came."""
        found = [self._filings[id_] for id_ in self._by_link.get(link, ()) if id_[0] == short]
        return sorted(found, key=lambda each: (each.taken_ms, each.id))

    def file(self, filing: Filing) -> None:
        """Keep a document, in the place of the one with its key."""
        if before := self._filings.get(filing.id):
            for link in before.links:
                del self._by_link[link][filing.id]
        self._filings[filing.id] = filing
        for link in filing.links:
            self._by_link.setdefault(link, {})[filing.id] = None
        self._changed["filing", text_of(filing.id)] = filing

    def schedule(self, answer: Answer) -> None:
        """Have an answer given when its time comes."""
        self._answers[answer.id] = answer
        self._about.setdefault(answer.subject, {})[answer.id] = None
        insort(self._agenda, (answer.deliver_ms, answer.id))
        self._changed["answer", str(answer.id)] = answer

    def forget(self, answer: Answer) -> None:
        """Take an answer that was given, or shall not be given any more, off the agenda."""
        del self._answers[answer.id]
        del self._about[answer.subject][answer.id]
        del self._agenda[bisect_left(self._agenda, (answer.deliver_ms, answer.id))]
        self._changed["answer", str(answer.id)] = None

    def due(self, now_ms: int) -> list[Answer]:
        """The answers whose time has come, in the order in which they are to be given."""
        return [self._answers[id_] for _, id_ in self._agenda[: bisect_right(self._agenda, (now_ms, inf))]]

    @property
    def next_due_ms(self) -> int | None:
        """When the next answer is to be given; None when none is."""
        return self._agenda[0][0] if self._agenda else None

    def withdraw(self, subject: Id, after_ms: int, message_type: str | None = None) -> int:
        """Take what would happen to a document after a moment off the agenda: all of it, or one message type.

        Returned is how many answers that were.
        """
        about = [self._answers[id_] for id_ in self._about.get(subject, ())]
        pending = [each for each in about if each.return_ms > after_ms and message_type in (None, each.message_type)]
        for each in pending:
            self.forget(each)
        return len(pending)

    def count(self, name: str) -> int:
        """The next number of a series, from 1."""
        number = int(self.noted(name) or 0) + 1
        self.note(name, str(number))
        return number

    def noted(self, name: str) -> str | None:
        """What was noted under a name."""
        return self._notes.get(name)

    def note(self, name: str, text: str) -> None:
        """Note something under a name, in the place of what was noted before."""
        self._notes[name] = text
        self._changed["note", name] = text


def _body(value: Filing | Answer | str | None) -> str | None:
    match value:
        case Filing():
            return _FILING.dump_json(value).decode()
        case Answer():
            return _ANSWER.dump_json(value).decode()
    return value
