"""Scripts: what shall become of certain documents, whatever the simulated customs would have made of them.

A script is a TOML or JSON file with a list ``rule``. Official element names stand in it as the customs schemas spell
them. A document is treated by the first rule that fits it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from ...config.problems import Table, problems_of, read_toml, refusal, shaped
from ...messages.faults import Refused, fault

DELAY_MS_MAX = 366 * 24 * 3600 * 1000
"""The longest delay a script may ask for: a year."""

Form = Literal["truncated", "gb2312", "no-namespace"]
"""How a receipt file can be broken or odd: cut in the middle, in another encoding, without its namespace."""

Milliseconds = Annotated[int, Field(ge=0, le=DELAY_MS_MAX)]
Key = Annotated[str, Field(min_length=1, max_length=60)]


class Step(Table):
    """One answer: a status, and how it comes.

    ``code`` is the number in the text of customs, ``info`` a whole returnInfo instead. It happens ``after_ms`` after
    the previous answer (else after a latency by chance) and arrives ``held_ms`` later than its returnTime says, or not
    at all when ``lost``. It stands ``copies`` times in its message, and comes in ``files`` files.
    """

    status: Annotated[str, Field(min_length=1, max_length=10)]
    code: Annotated[str | None, shaped("[0-9]{1,10}", "1 至 10 位数字", "1 to 10 digits")] = None
    info: Annotated[str | None, Field(min_length=1, max_length=1000)] = None
    after_ms: Milliseconds | None = None
    held_ms: Milliseconds = 0
    lost: bool = False
    copies: Annotated[int, Field(ge=1, le=100)] = 1
    files: Annotated[int, Field(ge=1, le=10)] = 1
    form: Form | None = None


def _step(value: object) -> object:
    """A status alone is a step, too."""
    return {"status": value} if isinstance(value, str) else value


class Rule(Table):
    """What becomes of the documents that have all the values given.

    Either ``answers``, all of them and in this order, or ``refuse``: the whole message with the document in it is
    turned away, by a CEB900 with that negative status or by a DxpRep with that code of four digits. ``times`` limits
    the rule to the first so many times a document comes. ``message`` 816 and 818 speak of the tax bill of an inventory.
    """

    message: Literal["311", "411", "511", "513", "621", "623", "625", "711", "816", "818"] | None = None
    order_no: Key | None = Field(None, alias="orderNo")
    pay_transaction_id: Key | None = Field(None, alias="payTransactionId")
    logistics_no: Key | None = Field(None, alias="logisticsNo")
    cop_no: Key | None = Field(None, alias="copNo")
    invt_no: Key | None = Field(None, alias="invtNo")
    times: Annotated[int | None, Field(ge=1, le=1000)] = None
    answers: tuple[Annotated[Step, BeforeValidator(_step)], ...] | None = None
    refuse: Annotated[
        str | None,
        shaped(
            "-[0-9]{1,9}|[0-9]{4}", "负数（CEB900）或 4 位代码（DxpRep）", "a negative (CEB900) or 4 digits (DxpRep)"
        ),
    ] = None

    @model_validator(mode="after")
    def _one_outcome(self) -> Self:
        if (self.answers is None) == (self.refuse is None):
            raise refusal(fault("simulator-rule"))
        return self

    def fits(self, short: str, fields: Mapping[str, Any], nth: int) -> bool:
        """Whether it is for a document with these head fields that comes for the ``nth`` time (from 1)."""
        given = {
            "orderNo": self.order_no,
            "payTransactionId": self.pay_transaction_id,
            "logisticsNo": self.logistics_no,
            "copNo": self.cop_no,
            "invtNo": self.invt_no,
        }
        return (
            self.message in (None, short)
            and (self.message is not None or short not in ("816", "818"))
            and (self.times is None or nth <= self.times)
            and all(fields.get(name) == value for name, value in given.items() if value is not None)
        )


class Script(Table):
    """The rules, in the order in which they are tried."""

    rule: tuple[Rule, ...] = ()

    def rule_for(self, short: str, fields: Mapping[str, Any], nth: int) -> Rule | None:
        """The first rule that fits a document."""
        return next((each for each in self.rule if each.fits(short, fields, nth)), None)


def load_script(path: Path) -> Script:
    """Read a script, JSON where the file is named so, else TOML; raises Refused with everything wrong in it."""
    tables = _read_json(path) if path.suffix.lower() == ".json" else read_toml(path)
    return make_script(tables, path.name)


def make_script(tables: Mapping[str, Any], name: str = "script") -> Script:
    """A script from its tables; raises Refused with everything wrong in it, by paths within ``name``."""
    try:
        return Script.model_validate(tables)
    except ValidationError as error:
        raise Refused([each.fault for each in problems_of(error, Script, name)]) from None


def _read_json(path: Path) -> Mapping[str, Any]:
    try:
        tables = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError:
        raise Refused(fault("config-file-missing", file=str(path))) from None
    except ValueError:
        raise Refused(fault("simulator-script", file=path.name)) from None
    if not isinstance(tables, dict):
        raise Refused(fault("simulator-script", file=path.name))
    return tables
