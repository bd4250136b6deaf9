"""What a receipt's status code means, and which of two receipts about one document counts.

The codes lie in ``tables/receipt_codes.csv``, written from the specification 202205 and from receipts seen in practice:
one row for each code and the message types that share its meaning. The rungs of a message type are its codes, ordered
by how far they say the document has come.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .catalogue import MessageType, message_types

STANDINGS = (
    "unknown",
    "pending",
    "received",
    "unsent",
    "forwarded",
    "accepted",
    "reviewing",
    "inspecting",
    "detained",
    "suspended",
    "decided",
    "refused",
    "sent_back",
    "released",
    "closed",
)
"""What a receipt can say of a declaration, from the bottom of the ladder to its top."""

TAX_STANDINGS = ("unknown", "made", "summarised", "void")
"""What a tax notice can say of a tax bill."""

_NEGATIVE = re.compile(r"-[0-9]+")
_FREE_EXCHANGE_CODE = re.compile(r"[4-9][0-9]{3}")


@dataclass(frozen=True, slots=True)
class Rung:
    """What one status code of one message type says.

    ``terminal``: the document has its outcome; a higher rung may still come (899 after 800) and, after a refusal, a
    new attempt. ``known``: the code is in our table; a negative code that is not is a refusal all the same. ``retry``
    is what to do about a refusal: ``resend``, ``query`` before anything else, or empty. ``duplicate``: the code says
    that the document is already there, which proves that an earlier sending arrived.
    """

    code: str
    rank: int
    standing: str
    terminal: bool
    known: bool
    retry: str
    duplicate: bool
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class ReceiptCode:
    """One row of the table. ``messages`` are short names, or ``*`` for all; the rest may be empty for kind customs."""

    kind: str
    code: str
    messages: tuple[str, ...]
    zh: str
    en: str
    terminal: bool
    standing: str
    retry: str
    source: str
    date: str


@cache
def receipt_codes() -> tuple[ReceiptCode, ...]:
    """Every receipt code the gateway knows, in the order of the table."""
    text = Path(__file__).with_name("tables").joinpath("receipt_codes.csv").read_text("utf-8")
    return tuple(_code(row) for row in csv.DictReader(text.splitlines()))


@cache
def ladder(message_type: str) -> tuple[Rung, ...]:
    """The rungs of a receipt's message type, the lowest first. Raises KeyError for an unknown message type."""
    asked = message_types()[message_type]
    answered = [each for each in message_types().values() if each.answered_by == message_type]
    duplicates = {code for each in answered for code in each.duplicates}
    rungs = [_rung(row, duplicates) for row in receipt_codes() if _applies(row, asked)]
    return tuple(sorted(rungs, key=lambda rung: rung.rank))


def rung(message_type: str, status: str) -> Rung:
    """What a status says in a receipt of that message type; never the nearest ordinary meaning for an unknown one."""
    return _by_code(message_type).get(status) or _unlisted(message_type, status)


def overtakes(message_type: str, old: tuple[int, str], new: tuple[int, str]) -> bool:
    """Whether a receipt counts instead of the one that counted so far; each is (returnTime in ms, status).

    An end that is no refusal (700, 800, 899; 120 for order, payment and waybill) stands: only a higher end counts
    instead (899 after 800). Before that the later returnTime counts, at the same time the higher rung, and on the same
    rung the greater code. Any order of arrival so ends at the same receipt.
    """
    return _place(message_type, new) > _place(message_type, old)


def customs_code(code: str) -> ReceiptCode | None:
    """What customs mean by the number in ``[Code:n;Desc:text]``, where it has been seen."""
    return next((row for row in receipt_codes() if row.kind == "customs" and row.code == code), None)


def _place(message_type: str, receipt: tuple[int, str]) -> tuple[int, int, int, str]:
    at, status = receipt
    step = rung(message_type, status)
    ended = step.rank if step.terminal and step.standing != "refused" else -1
    return ended, at, step.rank, status


def _code(row: dict[str, str]) -> ReceiptCode:
    return ReceiptCode(
        kind=row["kind"],
        code=row["code"],
        messages=tuple(row["messages"].split()),
        zh=row["zh"],
        en=row["en"],
        terminal=row["terminal"] == "yes",
        standing=row["standing"],
        retry=row["retry"],
        source=row["source"],
        date=row["date"],
    )


@cache
def _by_code(message_type: str) -> dict[str, Rung]:
    return {each.code: each for each in ladder(message_type)}


def _applies(row: ReceiptCode, asked: MessageType) -> bool:
    if row.messages == ("*",):
        return row.kind == "eport" and asked.role in {"receipt", "format receipt"}
    return row.kind != "customs" and asked.short in row.messages


def _rung(row: ReceiptCode, duplicates: set[str]) -> Rung:
    return Rung(
        code=row.code,
        rank=_rank(row.standing),
        standing=row.standing,
        terminal=row.terminal,
        known=True,
        retry=row.retry,
        duplicate=row.code in duplicates,
        zh=row.zh,
        en=row.en,
    )


def _unlisted(message_type: str, status: str) -> Rung:
    if _NEGATIVE.fullmatch(status):
        standing, zh, en = "refused", "处理异常，代码未收录", "refused by e-port, with a code our table lacks"
    elif message_type == "DxpRep" and _FREE_EXCHANGE_CODE.fullmatch(status):
        standing, zh, en = "refused", "交换平台用户自定的错误", "an error that a user of the exchange platform defined"
    else:
        standing, zh, en = "unknown", "状态代码未收录", "a status our table lacks"
    refused = standing == "refused"
    return Rung(status, _rank(standing), standing, refused, known=False, retry="", duplicate=False, zh=zh, en=en)


def _rank(standing: str) -> int:
    return (TAX_STANDINGS if standing in TAX_STANDINGS else STANDINGS).index(standing)
