"""What of a receipt is kept in the clear and published: its free text only as far as it names no person."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from ..messages.ladders import Rung, receipt_codes
from ..messages.personal import mask_text
from ..messages.receipts import AnyReceipt, TaxNotice
from .cases import Case

_NUMBERS = {
    "customs_code": "customsCode",
    "pre_no": "preNo",
    "invt_no": "invtNo",
    "rkd_no": "rkdNo",
    "tax_no": "taxNo",
    "cop_msg_id": "copMsgId",
    "ori_cop_msg_id": "oriCopMsgId",
}
_AMOUNTS = {
    "customs_tax": "customsTax",
    "value_added_tax": "valueAddedTax",
    "consumption_tax": "consumptionTax",
}

_USUAL = re.compile(
    r"(?:订单|支付单|支付凭证|运单|运单状态|清单|撤销申请单|退货申请单)?(?:新增|变更|删除)?申报成功"
    r"(?:\[(?:[0-9A-Za-z_-]{36}|电商企业编码：[0-9A-Z]+订单编号：[0-9A-Za-z_-]+)\])?"
)
_CODED = re.compile(r"\[Code:(-?[0-9]{1,10});Desc:([^\]]*)\]")


def is_usual(text: str) -> bool:
    """Whether a text is one of those e-port and customs always use, which name nobody."""
    texts, coded = _official()
    if not text or text in texts or _USUAL.fullmatch(text):
        return True
    found = _CODED.fullmatch(text)
    return found is not None and found.groups() in coded


@cache
def _official() -> tuple[frozenset[str], frozenset[tuple[str, ...]]]:
    """The texts of the table of receipt codes alone, and each with its code."""
    rows = receipt_codes()
    return frozenset(row.zh for row in rows), frozenset((row.code, row.zh) for row in rows)


def kept_text(text: str, names: Iterable[str] | None) -> str:
    """The text as it is kept: a usual one as it is, another with the case's personal values masked.

    ``names`` is None where the case, and so whom the text may name, is not known: then nothing of it is kept in the
    clear (the file it came in is sealed whole).
    """
    if is_usual(text):
        return text
    return "" if names is None else mask_text(text, names)


def body_of(answer: AnyReceipt, names: Iterable[str] | None) -> dict[str, Any]:
    """What is kept of a receipt in the clear, by official names; ``names`` as for ``kept_text``."""
    body: dict[str, Any] = {"info": kept_text(answer.info, names)}
    for name, official in _NUMBERS.items():
        if value := getattr(answer, name, None):
            body[official] = value
    if isinstance(answer, TaxNotice):
        amounts = {official: getattr(answer, name) for name, official in _AMOUNTS.items()}
        body |= {official: f"{amount:f}" for official, amount in amounts.items() if amount is not None}
    return body


def said(answer: AnyReceipt, rung: Rung, body: Mapping[str, Any]) -> dict[str, Any]:
    """A receipt as it is published with the result it caused; ``body`` is what is kept of it."""
    return {
        "message": answer.message_type,
        "code": answer.status,
        "zh": rung.zh,
        "en": rung.en,
        "returnTime": answer.return_time,
        "info": body["info"],
    }


def tax_result(case: Case, status: str, body: Mapping[str, Any], now: int) -> dict[str, Any]:
    """The result that tells of a tax bill; ``body`` is what is kept of it."""
    told = {name: body[name] for name in _AMOUNTS.values() if name in body}
    return {
        "kind": "tax",
        "at": now,
        "status": case.status.value,
        "verdict": case.verdict.value,
        "flags": sorted(case.flags),
        "findings": [],
        "tax": {"taxNo": body["taxNo"], "status": status, **told},
    }
