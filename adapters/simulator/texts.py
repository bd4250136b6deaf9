"""The codes and texts of e-port and customs.

Codes and their texts: table 7-2 of the specification 202205; the texts of accepted documents and of customs: receipts
seen in practice. Where a text of the table has a gap, it is filled here; all others come from the table of the ladders.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...messages.ladders import customs_code, rung
from .script import Step

INFO_MAX = 1000
"""Characters of a returnInfo (202205)."""


@dataclass(frozen=True, slots=True)
class Codes:
    """How e-port refuses documents of one kind.

    ``duplicate``: it is here already; ``unknown``: what to change or delete is not here; ``locked``: its state forbids
    it; ``stale``: a newer one is here; ``operation``: no such appType; ``many``: too many in one message;
    ``signature``; ``twice``: two lines with one gnum; ``system``: blames e-port itself, so that the same may be sent
    again (the table has none for waybills). ``operations`` are the appTypes there are.
    """

    duplicate: str
    unknown: str
    locked: str
    stale: str
    operation: str
    many: str
    signature: str
    twice: str = ""
    system: str = ""
    operations: tuple[str, ...] = ("1", "2", "3")


CODES: dict[str, Codes] = {
    "311": Codes(
        duplicate="-301010",
        unknown="-301009",
        locked="-301011",
        stale="-301014",
        operation="-301012",
        many="-301015",
        signature="-301020",
        twice="-301002",
        system="-301013",
    ),
    "411": Codes(
        duplicate="-401007",
        unknown="-401006",
        locked="-401008",
        stale="-401012",
        operation="-401010",
        many="-401013",
        signature="-401009",
        system="-401011",
    ),
    "511": Codes(
        duplicate="-504015",
        unknown="-504014",
        locked="-504016",
        stale="-504015",
        operation="-504014",
        many="-504013",
        signature="-504011",
    ),
    "513": Codes(
        duplicate="-505012",
        unknown="-505014",
        locked="-505014",
        stale="-505016",
        operation="-505014",
        many="-505013",
        signature="-505011",
        system="-505015",
    ),
    "621": Codes(
        duplicate="-621004",
        unknown="-621011",
        locked="-621012",
        stale="-621004",
        operation="-621001",
        many="-621030",
        signature="-621029",
        twice="-621027",
        system="-621017",
    ),
    "623": Codes(
        duplicate="-623009",
        unknown="-623001",
        locked="-623001",
        stale="-623009",
        operation="-623001",
        many="-623008",
        signature="-623029",
        system="-623027",
        operations=("1",),
    ),
    "625": Codes(
        duplicate="-625033",
        unknown="-625032",
        locked="-625022",
        stale="-625033",
        operation="-625001",
        many="-625001",
        signature="-625208",
        twice="-625001",
        system="-625110",
    ),
    "711": Codes(
        duplicate="-800003",
        unknown="-800001",
        locked="-800001",
        stale="-800005",
        operation="-800001",
        many="-800006",
        signature="-800001",
        twice="-800001",
        system="-800004",
    ),
}

_NOUNS = {
    "311": "订单",
    "411": "支付单",
    "511": "运单",
    "513": "运单状态",
    "621": "清单",
    "623": "撤单",
    "625": "退货申请单",
    "711": "入库明细单",
}
_OPERATIONS = {"1": "新增", "2": "变更", "3": "删除"}

_WITH_GAPS = {
    "-401009": "参数校验不通过，[{reason}]",
    "-504011": "参数校验不通过，{reason}",
    "-621001": "清单报文校验失败，[{reason}]",
    "-621003": "清单申报失败，[{reason}]",
    "-621004": "清单[{no}]已经申报过，请勿重复申报",
    "-621005": "清单[{no}]的购买金额超过单笔限额[[{limit}]]",
    "-621008": "清单[{no}]发送海关成功，更新状态时发生错误",
    "-621009": "清单[{no}]发送海关失败，更新状态时发生错误",
    "-621011": "不存在已申报的清单[{no}]，无法进行改单操作",
    "-621012": "清单[{no}]的申报状态不符合改单申报的条件",
    "-621018": "清单[{no}]中购买人[{person}]已用购买额度为[{used}]，本次购买将超过年度限额[{limit}]",
    "-621027": "请确认表体gnum无重复！",
    "-621030": "CEB621Message接收失败[{no}]，清单数据超过限制！",
    "-623001": "报文校验失败，[{reason}]",
    "-623003": "系统中不存在清单编号为[{invt_no}]的清单！",
    "-623005": "清单的状态不符合撤单申报要求(清单编号[{invt_no}])！",
    "-623006": "撤单清单[{no}]发送海关成功，更新状态时发生错误",
    "-623008": "CEB623Message接收失败[{no}]，数据超过限制！",
    "-623009": "撤单清单[{no}]已经申报过",
    "-625001": "退货申请单报文校验失败，[{reason}]",
    "-625004": "退货申请单申报失败，[{reason}]",
    "-625022": "退货申请单[{no}]的申报状态不符合改单申报的条件",
    "-625033": "退货申请单[{no}]已经申报过，请勿重复申报",
    "-625202": "退货申请单[{no}]发送海关成功，更新状态时发生错误",
    "-625209": "退货申请单[{no}],在关联的清单中未找到表体序号为[{gnum}],商品编号为[{gcode}]的数据",
    "-800001": "校验不通过，[{reason}]",
}

CUSTOMS_CODES: dict[tuple[str, str], str] = {
    ("622", "100"): "1300",
    ("622", "300"): "1200",
    ("626", "300"): "1200",
    ("622", "800"): "2600",
    ("626", "800"): "2600",
    ("622", "34"): "2600",
    ("624", "399"): "2300",
}
"""The code in the text of customs for a status of a receipt type; 120 has the same one everywhere."""
_STORED = "1800"


class _Gaps(dict[str, str]):
    """The values of a text's gaps; what is not known stays empty."""

    def __missing__(self, _name: str) -> str:
        return ""


def noun(short: str) -> str:
    """What texts call a kind of document."""
    return _NOUNS[short]


def accepted_text(short: str, head: Mapping[str, Any]) -> str:
    """The text of status 2: an inventory's names its order, all others the guid that was sent."""
    names = f"电商企业编码：{head['ebcCode']}订单编号：{head['orderNo']}" if short == "621" else head["guid"]
    return f"{_NOUNS[short]}{_OPERATIONS.get(head['appType'], '')}申报成功[{names}]"


def customs_text(code: str, detail: str = "") -> str:
    """A text of customs, ``[Code:n;Desc:text]``; the description of an unlisted code is the detail alone."""
    listed = customs_code(code)
    description = "，".join(each for each in (listed.zh if listed else "", detail) if each)
    return f"[Code:{code};Desc:{description}]"


def info_of(short: str, receipt: str, step: Step, head: Mapping[str, Any]) -> str:
    """The returnInfo of one answer about a document of a kind, in a receipt of a message type."""
    code = step.code or (_STORED if step.status == "120" else CUSTOMS_CODES.get((receipt[3:6], step.status)))
    if step.info:
        info = step.info
    elif code:
        info = customs_text(code)
    elif step.status == "2":
        info = accepted_text(short, head)
    elif step.status in _WITH_GAPS:
        info = refusal_text(step.status, head)
    else:
        info = rung(receipt, step.status).zh
    return info[:INFO_MAX]


def refusal(code: str, head: Mapping[str, Any], **gaps: object) -> Step:
    """The answer by which e-port refuses a document."""
    return Step(status=code, info=refusal_text(code, head, **gaps)[:INFO_MAX] or None)


def refusal_text(code: str, head: Mapping[str, Any], **gaps: object) -> str:
    """The text of a code of e-port with its gaps filled; empty for a text that has none."""
    values = {"no": head.get("copNo", ""), "invt_no": head.get("invtNo", "")} | {k: str(v) for k, v in gaps.items()}
    return _WITH_GAPS.get(code, "").format_map(_Gaps(values))
