"""Telling a case's story to a person, in Chinese or English."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from ..messages.catalogue import message_types
from ..messages.chinatime import china_time
from ..messages.ladders import rung
from .rules.finding import rules
from .story import Story

STATUS_ZH = {
    "waiting": "待齐",
    "discrepant": "不符",
    "matched": "相符",
    "declaring": "申报中",
    "accepted": "海关入库",
    "reviewing": "人工审核",
    "inspecting": "查验",
    "detained": "扣留",
    "suspended": "挂起",
    "decided": "审结",
    "released": "放行",
    "closed": "结关",
    "refused": "退单",
    "sent_back": "退运",
    "cancelled": "已撤单",
    "returned": "已退货",
    "withdrawn": "已撤回",
}
FLAG_ZH = {"held": "扣下", "late": "迟到", "uncertain": "结果不明", "ambiguous": "归属不明"}
KIND_ZH = {
    "order": "订单",
    "payment": "支付单",
    "waybill": "运单",
    "inventory": "清单草稿",
    "cancellation": "撤销申请",
    "return": "退货申请",
    "waybill-status": "运单状态",
}
BASIS_ZH = {
    "order number": "平台与订单编号",
    "transaction": "支付交易编号",
    "named by the order": "订单写明",
    "sender bound to the platform": "发送方属于该平台",
    "consignee and phone agree": "收货人与电话一致",
    "declared": "已申报",
    "waybill": "运单编号",
}
STATE_ZH = {
    **STATUS_ZH,
    "blocked": "等待",
    "ready": "待发",
    "packed": "已打包",
    "sent": "已发",
    "uncertain": "结果不明",
    "pending": "口岸暂存",
    "received": "口岸申报中",
    "forwarded": "已发海关",
    "unsent": "发海关失败",
    "unknown": "状态未知",
}
STANDING_ZH = {
    "applied": "生效",
    "late": "迟到",
    "doubled": "重复",
    "unknown": "代码未知",
    "unmatched": "未匹配",
    "noted": "登记",
}
ENTRY_ZH = {
    "decided": "比对",
    "sent": "发出",
    "uncertain": "结果不明",
    "receipt": "回执",
    "late": "迟到",
    "again": "再次申报",
    "held": "扣下",
    "lifted": "解除",
    "invalid": "报文校验未过",
}


class _Teller:
    def __init__(self, out: Console, *, chinese: bool) -> None:
        self.out = out
        self.chinese = chinese

    def t(self, zh: str, en: str) -> str:
        return zh if self.chinese else en

    def word(self, table: Mapping[str, str], word: str) -> str:
        return table.get(word, word) if self.chinese else word.replace("_", " ")

    def table(self, title: str, columns: str) -> Table:
        """An empty table; every heading is written ``中文|english``, columns apart by two spaces."""
        table = Table(title=self.t(*title.split("|")), title_justify="left", title_style="bold", expand=False)
        for column in columns.split("  "):
            table.add_column(self.t(*column.split("|")), overflow="fold")
        return table


def print_story(story: Story, out: Console, *, chinese: bool) -> None:
    """Print one case: where it stands, its documents, findings, declarations, receipts, and what was done when."""
    teller = _Teller(out, chinese=chinese)
    case = story.case
    flags = " ".join(teller.word(FLAG_ZH, each) for each in case["flags"].split(",") if each)
    out.print(f"[bold]{case['direction']}/{case['scope']}/{case['order_no']}[/bold]  #{case['id']}")
    status, verdict = teller.word(STATUS_ZH, case["status"]), teller.word(STATUS_ZH, case["verdict"])
    line = teller.t(f"状态 {status}，结论 {verdict}", f"status {status}, verdict {verdict}")
    port = case["eport"] or teller.t("未定", "none yet")
    out.print(
        f"{line}{teller.t('，标记 ', ', flags ') + flags if flags else ''}{teller.t('，口岸 ', ', e-port ')}{port}\n"
    )
    for told in (_documents, _findings, _declarations, _receipts, _entries):
        if (table := told(story, teller)).row_count:
            out.print(table)


def _documents(story: Story, teller: _Teller) -> Table:
    table = teller.table("单证|Documents", "种类|kind  主键|key  版本|version  来自|from  依据|basis  收到|arrived")
    for each in story.documents:
        version = f"{each['version']}{teller.t('（已删除）', ' (deleted)') if each['withdrawn'] else ''}"
        kind = teller.word(KIND_ZH, each["kind"])
        table.add_row(
            kind, each["key"], version, each["sender"], teller.word(BASIS_ZH, each["basis"]), _when(each["first_at"])
        )
    return table


def _findings(story: Story, teller: _Teller) -> Table:
    table = teller.table("比对结果|Findings", "规则|rule  作用|severity  说明|says  一方|one side  另一方|the other")
    severity_zh = {"waits": "等待", "blocks": "不得申报", "warns": "提示"}
    for each in story.findings:
        rule = rules()[each["rule"]]
        says = teller.t(rule.zh, rule.en) + (f" [{each['line']}]" if "line" in each else "")
        sides = [f"{each[side]['value']}\n{each[side]['from']}" if side in each else "" for side in ("left", "right")]
        table.add_row(each["rule"], teller.word(severity_zh, each["severity"]), says, *sides)
    return table


def _declarations(story: Story, teller: _Teller) -> Table:
    table = teller.table("申报|Declarations", "报文|message  次|attempt  状态|state  编号|numbers  文件|file")
    for each in story.declarations:
        known = message_types()[each["message_type"]]
        numbers = "\n".join(str(each[name]) for name in ("cop_no", "pre_no", "invt_no") if each[name])
        name = f"{known.short} {teller.t(known.zh, known.en)}"
        table.add_row(
            name, str(each["attempt"]), teller.word(STATE_ZH, each["state"]), numbers, each["file_name"] or ""
        )
    return table


def _receipts(story: Story, teller: _Teller) -> Table:
    table = teller.table(
        "回执|Receipts", "时间|time  报文|message  状态|status  含义|meaning  去向|standing  信息|info"
    )
    for each in story.receipts:
        step = rung(each["message_type"], each["status"])
        table.add_row(
            _when(each["return_time"]),
            message_types()[each["message_type"]].short,
            each["status"],
            teller.t(step.zh, step.en),
            teller.word(STANDING_ZH, each["standing"]),
            each["body"].get("info", ""),
        )
    return table


def _entries(story: Story, teller: _Teller) -> Table:
    table = teller.table("核对日志|Ledger", "序|no.  时间|time  事|what  谁|who  详|facts")
    for each in story.entries:
        table.add_row(
            str(each["seq"]),
            _when(each["at"]),
            teller.word(ENTRY_ZH, each["kind"]),
            each["actor"],
            _facts(each, teller),
        )
    return table


def _facts(entry: Mapping[str, Any], teller: _Teller) -> str:
    match entry["kind"]:
        case "decided" | "invalid":
            found = " ".join(dict.fromkeys(each["rule"] for each in entry["findings"]))
            verdict = teller.word(STATUS_ZH, entry.get("verdict", "discrepant"))
            return f"{verdict} {found}".strip()
        case "sent" | "uncertain" | "again":
            return " ".join(f"{each['message'][3:6]}#{each['attempt']}" for each in entry["declarations"])
        case "receipt":
            return f"{entry['message'][3:6]} {entry['status']} → {teller.word(STATE_ZH, entry['state'])}"
        case "late":
            return " ".join(entry["missing"])
        case _:
            return str(entry.get("reason", ""))


def _when(at: int | None) -> str:
    return china_time(at).strftime("%m-%d %H:%M:%S") if at else ""
