"""What the gateway's own JSON has in common: answers to deliveries, and results of cases."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from ..faults import Fault

ContractVersion = Literal["1"]
CONTRACT: ContractVersion = "1"
"""The version of everything the gateway takes and says as JSON; it grows by optional fields only."""

Millis = Annotated[int, Field(ge=0, description="UTC 毫秒时间戳 / milliseconds since 1970, UTC")]


class Published(BaseModel):
    """A part of what the gateway says. A reader ignores names it does not know: more may come within a version."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, frozen=True, hide_input_in_errors=True)

    def as_json(self) -> bytes:
        """The bytes that are published: official names, nothing where there is no value."""
        return self.model_dump_json(by_alias=True, exclude_none=True).encode()


class CaseName(Published):
    """What names a case 一单."""

    direction: Literal["import"] = Field(description="进出口方向 / direction")
    scope: str = Field(description="电商平台代码 / platform code (ebpCode)")
    order_no: str = Field(description="订单编号 / order number")


class FaultText(Published):
    """One thing wrong with what was sent, and what to do about it. It repeats no value that was sent."""

    code: str = Field(description="稳定的错误代码 / stable code")
    path: str = Field(description="出错的位置 / where it stands, such as /0/OrderList/1/qty; empty: all of it")
    line: int | None = Field(default=None, description="单证开始的行号 / line on which the document begins, from 1")
    zh: str = Field(description="中文说明 / the sentence in Chinese")
    en: str = Field(description="英文说明 / the sentence in English")

    @classmethod
    def of(cls, fault: Fault) -> Self:
        """The fault as it is published."""
        return cls.model_validate(fault.as_json())
