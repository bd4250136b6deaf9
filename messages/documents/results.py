"""Results: changes of a case, published to whoever has a right to them (结果)."""

from typing import Literal, Self

from pydantic import Field, RootModel

from .published import CONTRACT, CaseName, ContractVersion, Millis, Published

RESULTS_MAX = 100
"""Results in one delivery."""

ResultKind = Literal["status", "finding", "ask-for-correction", "tax"]
CaseStatus = Literal[
    "waiting",
    "discrepant",
    "matched",
    "declaring",
    "accepted",
    "reviewing",
    "inspecting",
    "detained",
    "suspended",
    "decided",
    "released",
    "closed",
    "refused",
    "sent_back",
    "cancelled",
    "returned",
    "withdrawn",
]
Verdict = Literal["waiting", "discrepant", "matched"]
Severity = Literal["waits", "blocks", "warns"]
CaseFlag = Literal["late", "held", "uncertain", "ambiguous"]


class ResultValue(Published):
    """One side of a comparison; personal data is masked."""

    value: str = Field(description="值，个人信息已遮盖 / the value, masked if personal")
    origin: str = Field(alias="from", description="来自哪份单证的哪个字段 / where it stands, such as order.buyerName")

    @classmethod
    def of(cls, value: str, origin: str) -> Self:
        """A value, masked already, and where it stands."""
        return cls.model_validate({"value": value, "from": origin})


class ResultFinding(Published):
    """What one rule said about the case."""

    rule: str = Field(description="规则代码 / stable code of the rule")
    severity: Severity = Field(description="waits 等待，blocks 不得申报，warns 提示 / what it does to the case")
    zh: str = Field(description="中文说明 / the sentence in Chinese")
    en: str = Field(description="英文说明 / the sentence in English")
    line: int | None = Field(default=None, description="商品序号 / line number (gnum), if it is about one line")
    left: ResultValue | None = Field(default=None, description="一方的值 / one value")
    right: ResultValue | None = Field(default=None, description="另一方的值 / the other value")


class ResultReceipt(Published):
    """The receipt of e-port or customs that changed the case."""

    message: str = Field(description="回执报文类型 / message type, such as CEB622Message")
    code: str = Field(description="回执状态 / returnStatus")
    zh: str = Field(description="状态的中文说明 / what the status means, in Chinese")
    en: str = Field(description="状态的英文说明 / what the status means, in English")
    return_time: str = Field(description="回执时间，北京时间 / returnTime, YYYYMMDDhhmmssSSS, China time")
    info: str | None = Field(default=None, description="回执信息，个人信息已遮盖 / returnInfo, personal data masked")


class ResultNumbers(Published):
    """The numbers by which e-port and customs know the case."""

    cop_no: str | None = Field(default=None, description="企业内部编号 / declarant's own number")
    pre_no: str | None = Field(default=None, description="预录入编号 / pre-entry number")
    invt_no: str | None = Field(default=None, description="清单编号 / inventory number")


class ResultTax(Published):
    """A tax bill of the case, or what became of one. Amounts are CNY, as decimal strings."""

    tax_no: str = Field(description="电子税单编号 / tax bill number")
    status: str = Field(description="1 已生成，2 已汇总，3 作废 / 1 made, 2 summarised, 3 void")
    customs_tax: str | None = Field(default=None, description="应征关税 / customs duty")
    value_added_tax: str | None = Field(default=None, description="应征增值税 / value-added tax")
    consumption_tax: str | None = Field(default=None, description="应征消费税 / consumption tax")


class Result(Published):
    """One change of a case. The same id may come again; in one case ``seq`` never goes back."""

    contract: ContractVersion = CONTRACT
    id: str = Field(description="结果的稳定编号，用于去重 / stable id, to recognise a repetition")
    kind: ResultKind = Field(
        description="status 状态，finding 比对结果，ask-for-correction 请求更正，tax 税单 / what happened"
    )
    case: CaseName = Field(description="所属的一单 / the case")
    seq: int = Field(ge=1, description="该单的结果序号，从 1 递增 / place among the results of the case, from 1")
    at: Millis
    status: CaseStatus = Field(description="状态 / status of the case")
    previous_status: CaseStatus | None = Field(default=None, description="先前的状态 / status before, if it changed")
    verdict: Verdict = Field(description="waiting 待齐，discrepant 不符，matched 相符 / what all findings add up to")
    flags: tuple[CaseFlag, ...] = Field(
        default=(),
        description="标志：late 迟迟未齐，held 已扣下，uncertain 是否送达不明，ambiguous 对应不唯一"
        " / what else is to be known",
    )
    findings: tuple[ResultFinding, ...] = Field(default=(), description="当前的比对结果 / findings of the case now")
    receipt: ResultReceipt | None = Field(default=None, description="引起变化的回执 / the receipt behind the change")
    numbers: ResultNumbers | None = Field(default=None, description="各方的编号 / numbers given so far")
    tax: ResultTax | None = Field(default=None, description="税单 / the tax bill, for kind tax")


class Results(RootModel[tuple[Result, ...]]):
    """One delivery of results: all of one routing key, in order."""

    root: tuple[Result, ...] = Field(min_length=1, max_length=RESULTS_MAX)

    def as_json(self) -> bytes:
        """The bytes that are published."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()
