"""Answers: what became of each document of a delivery (收单结果)."""

from typing import Literal

from pydantic import Field

from .published import CONTRACT, CaseName, ContractVersion, FaultText, Millis, Published

Outcome = Literal["taken", "duplicate", "stale", "conflict", "rejected"]


class FirstAnswer(Published):
    """What was answered when the document came for the first time."""

    at: Millis
    outcome: Outcome = Field(description="当时的收单结果 / the outcome then")
    case: CaseName | None = Field(default=None, description="当时所属的一单 / the case it belonged to")


class DocumentAnswer(Published):
    """What became of one document."""

    index: int = Field(ge=0, description="单证在投递中的位置，从 0 开始 / place in the delivery, from 0")
    kind: str = Field(description="单证种类 / kind of document")
    guid: str | None = Field(default=None, description="单证的 guid / guid of the document")
    key: tuple[str, ...] = Field(default=(), description="业务主键的各个值 / the values of its business key")
    outcome: Outcome = Field(
        description="taken 已收，duplicate 重复，stale 过时，conflict 冲突，rejected 不收"
        " / taken, duplicate, stale (an older copy), conflict (same key, other content), rejected (faulty)"
    )
    case: CaseName | None = Field(default=None, description="所属的一单 / the case it belongs to")
    first: FirstAnswer | None = Field(
        default=None, description="重复时：首次的答复 / for a duplicate: the first answer"
    )
    faults: tuple[FaultText, ...] = Field(default=(), description="问题，最多 20 项 / the first 20 faults")
    fault_count: int | None = Field(default=None, description="问题总数，多于所列时给出 / how many, if more than named")


class Answer(Published):
    """The answer to one delivery: to its reply_to, else to the sender's answer queue."""

    contract: ContractVersion = CONTRACT
    correlation_id: str | None = Field(
        default=None, description="投递的 correlation_id / correlation_id of the delivery"
    )
    at: Millis
    documents: tuple[DocumentAnswer, ...] = Field(
        default=(), description="各单证的结果 / one answer per document, in order"
    )
    faults: tuple[FaultText, ...] = Field(
        default=(), description="整次投递无法拆分为单证时的问题 / why the delivery as a whole could not be read"
    )
    notices: tuple[FaultText, ...] = Field(
        default=(), description="已容忍但应改正之处 / what was tolerated in customs XML and should be mended"
    )
