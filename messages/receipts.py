"""Receipts: what e-port, customs and the exchange platform answered, taken from a reading.

One record for each answer. Nothing is judged here: what a status means is in ``ladders``, and which declaration an
answer belongs to is decided where the declarations are.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from .catalogue import MessageType, message_type
from .chinatime import parse_china_time
from .reading import Reading

NAMED_MAX = 200
"""How many guids and how many copNos of a refused message are taken from a format receipt."""

_GUID_IN_INFO = re.compile(r"\[([0-9A-Za-z_-]{36})\]")
_CUSTOMS_CODE = re.compile(r"\[\s*Code\s*[:：]\s*(-?[0-9]{1,10})\s*[;；\]]", re.IGNORECASE)
_GUID_IN_MESSAGE = re.compile(r"""(?:\bguid\s*=\s*["']|<(?:\w+:)?guid>)\s*([^"'<>\s]{36})\s*["'<]""")
_COP_NO_IN_MESSAGE = re.compile(r"<(?:\w+:)?copNo>\s*([^<>\s]{1,20})\s*<")
_AMOUNT = re.compile(r"[+-]?(?:[0-9]{1,19}(?:\.[0-9]{0,19})?|\.[0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class Answer:
    """What every answer has.

    ``index`` counts the answers of a message from 0; ``doubled`` says that an earlier one of the same message is
    exactly the same. ``key`` holds the values of the catalogue's key fields, in its order, empty where one is missing.
    """

    message_type: str
    index: int
    doubled: bool
    key: tuple[str, ...]
    status: str
    guid: str
    info: str
    return_time: str
    return_ms: int | None
    """The returnTime in milliseconds UTC; None when it is missing or no time."""


@dataclass(frozen=True, slots=True)
class Receipt(Answer):
    """One return of a business receipt (312, 412, 512, 514, 622, 624, 626, 712).

    ``guid`` is the return's own, as a rule made by e-port; ``named_guid`` is the sender's, where returnInfo names it.
    ``customs_code`` is the n of the first ``[Code:n;Desc:…]`` there. Numbers not given are None.
    """

    named_guid: str | None
    customs_code: str | None
    pre_no: str | None
    invt_no: str | None
    rkd_no: str | None


@dataclass(frozen=True, slots=True)
class TaxNotice(Answer):
    """One tax bill (816) or its later state (818). Amounts are yuan, None where the notice has none."""

    invt_no: str
    tax_no: str
    customs_tax: Decimal | None
    value_added_tax: Decimal | None
    consumption_tax: Decimal | None
    ent_duty_no: str | None
    order_no: str | None
    logistics_no: str | None


@dataclass(frozen=True, slots=True)
class FormatReceipt(Answer):
    """A CEB900: the format check's answer about a whole message, which it holds as text.

    ``guids`` and ``cop_nos`` are those found in that text, each once, at most NAMED_MAX; the text may be cut or broken.
    """

    ori_cop_msg_id: str
    ori_message_type: str
    guids: tuple[str, ...]
    cop_nos: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExchangeReceipt(Answer):
    """One response of the exchange platform (DxpRep) about an envelope.

    ``return_time`` is its NoticeTime, a plain date; ``results`` are (receiver, code, text) for the receivers it names.
    """

    cop_msg_id: str
    ori_message_type: str
    results: tuple[tuple[str, str, str], ...]


AnyReceipt = Receipt | TaxNotice | FormatReceipt | ExchangeReceipt


def receipts_of(reading: Reading) -> list[AnyReceipt]:
    """Every answer of a reading, in its order. A reading of a declaration has none."""
    entry = message_type(reading.message_type)
    make = _MAKERS.get(entry.role)
    if make is None:
        return []
    found: list[AnyReceipt] = []
    seen: set[str] = set()
    for index, node in enumerate(reading.nodes):
        same = json.dumps(node.content, sort_keys=True)
        fields = node.content | node.content.get(entry.head or "", {})
        found.append(make(fields, _common(entry, fields, index, doubled=same in seen)))
        seen.add(same)
    return found


def _common(entry: MessageType, fields: dict[str, Any], index: int, *, doubled: bool) -> dict[str, Any]:
    notice_date = fields.get("NoticeTime", "")
    time = fields.get("returnTime", notice_date)
    return {
        "message_type": entry.code,
        "index": index,
        "doubled": doubled,
        "key": tuple(fields.get(name, "") for name in entry.key),
        "status": fields.get("returnStatus", fields.get("status", fields.get("ResponseCode", ""))),
        "guid": fields.get("guid", ""),
        "info": fields.get("returnInfo", fields.get("note", fields.get("ResponseInfo", ""))),
        "return_time": time,
        "return_ms": _ms(notice_date[:10].replace("-", "") if notice_date else time),
    }


def _receipt(fields: dict[str, Any], common: dict[str, Any]) -> Receipt:
    return Receipt(
        **common,
        named_guid=_first(_GUID_IN_INFO, common["info"]),
        customs_code=_first(_CUSTOMS_CODE, common["info"]),
        pre_no=fields.get("preNo") or None,
        invt_no=fields.get("invtNo") or None,
        rkd_no=fields.get("rkdNo") or None,
    )


def _tax_notice(fields: dict[str, Any], common: dict[str, Any]) -> TaxNotice:
    return TaxNotice(
        **common,
        invt_no=fields.get("invtNo", ""),
        tax_no=fields.get("taxNo", ""),
        customs_tax=_amount(fields.get("customsTax", "")),
        value_added_tax=_amount(fields.get("valueAddedTax", "")),
        consumption_tax=_amount(fields.get("consumptionTax", "")),
        ent_duty_no=fields.get("entDutyNo") or None,
        order_no=fields.get("orderNo") or None,
        logistics_no=fields.get("logisticsNo") or None,
    )


def _format_receipt(fields: dict[str, Any], common: dict[str, Any]) -> FormatReceipt:
    message = fields.get("oriBizMessage", "")
    return FormatReceipt(
        **common,
        ori_cop_msg_id=fields.get("oriCopMsgId", ""),
        ori_message_type=fields.get("oriMessageType", ""),
        guids=_all(_GUID_IN_MESSAGE, message),
        cop_nos=_all(_COP_NO_IN_MESSAGE, message),
    )


def _exchange_receipt(fields: dict[str, Any], common: dict[str, Any]) -> ExchangeReceipt:
    results = fields.get("Results", {}).get("Result", [])
    return ExchangeReceipt(
        **common,
        cop_msg_id=fields.get("CopMsgId", ""),
        ori_message_type=fields.get("MsgType", ""),
        results=tuple((each.get("RecId", ""), each.get("Code", ""), each.get("Info", "")) for each in results),
    )


_MAKERS: dict[str, Callable[[dict[str, Any], dict[str, Any]], AnyReceipt]] = {
    "receipt": _receipt,
    "tax": _tax_notice,
    "format receipt": _format_receipt,
    "exchange receipt": _exchange_receipt,
}


def _ms(text: str) -> int | None:
    try:
        return parse_china_time(text)
    except ValueError:
        return None


def _amount(text: str) -> Decimal | None:
    return Decimal(text) if _AMOUNT.fullmatch(text) else None


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return found[1] if found else None


def _all(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for match in pattern.finditer(text):
        found[match[1]] = None
        if len(found) == NAMED_MAX:
            break
    return tuple(found)
