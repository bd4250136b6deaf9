"""What is wrong in the operators' folder, all of it at once: file, key and what is allowed, never the value found."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from ..messages.faults import Fault, Refused, fault

TOML_BYTES_MAX = 1024 * 1024

_BETWEEN_ZH, _BETWEEN_EN = "、", ", "
_BOUNDS = (
    ("minimum", "maximum", "", ""),
    ("minLength", "maxLength", " 个字符", " characters"),
    ("minItems", "maxItems", " 项", " entries"),
)


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault in one file of the operators' folder; a warning does not keep the gateway from starting."""

    file: str
    fault: Fault
    warning: bool = False


class Table(BaseModel):
    """A TOML table of ours: no unknown keys, and unchanged once it is read."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def shaped(pattern: str, zh: str, en: str) -> Any:
    """A field whose whole text matches ``pattern``; ``zh`` and ``en`` say the same to people."""
    return Field(pattern=f"^(?:{pattern})$", json_schema_extra={"zh": zh, "en": en})


def refusal(problem: Fault) -> PydanticCustomError:
    """A fault of ours as a validator of a model raises it."""
    return PydanticCustomError("fault", "{code}", {"code": problem.code, "fault": problem})


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; raises Refused when it cannot be read, with the line where the syntax breaks."""
    try:
        data = path.read_bytes()
    except OSError:
        raise Refused(fault("config-file-missing", file=str(path))) from None
    if len(data) > TOML_BYTES_MAX:
        raise Refused(fault("config-file-large", file=path.name, limit=TOML_BYTES_MAX))
    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Refused(fault("config-encoding", line=data.count(b"\n", 0, error.start) + 1)) from None
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"at line (\d+), column \d+\)$", str(error))
        line = int(at[1]) if at else data.count(b"\n") + 1
        raise Refused(fault("config-syntax", line=line)) from None


def problems_of(error: ValidationError, model: type[BaseModel], file: str) -> list[Problem]:
    """Every fault pydantic found in one file, in our words."""
    schema = model.model_json_schema()
    found = error.errors(include_url=False, include_input=False)
    # a list whose only entry is wrong is not also too short
    lists = {each["loc"][:-1] for each in found}
    return [Problem(file, _fault(e, schema)) for e in found if not (e["type"] == "too_short" and e["loc"] in lists)]


def _fault(error: Mapping[str, Any], schema: Mapping[str, Any]) -> Fault:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        path, parent = _located(schema, error["loc"][:-1])
        known = sorted(parent["properties"])
        return fault(
            "config-unknown-key",
            f"{path}/{error['loc'][-1]}",
            key=error["loc"][-1],
            known_zh=_BETWEEN_ZH.join(known),
            known_en=_BETWEEN_EN.join(known),
        )
    path, node = _located(schema, error["loc"])
    if kind == "fault":
        return replace(context["fault"], path=path)
    if kind.startswith("union_tag"):
        path = f"{path}/{node['discriminator']['propertyName']}"
        node = {"enum": list(node["discriminator"]["mapping"])}
    zh, en = _wording(node)
    code = "config-missing" if kind in {"missing", "union_tag_not_found"} else "config-value"
    key = next((part for part in reversed(path.split("/")) if not part.isdigit()), "")
    return fault(code, path, key=key, allowed_zh=zh, allowed_en=en)


def _located(schema: Mapping[str, Any], place: tuple[str | int, ...]) -> tuple[str, Mapping[str, Any]]:
    """The path a person would write for pydantic's place, and what the schema says there."""
    path, node = "", _resolved(schema, schema)
    for part in place:
        if "discriminator" in node:  # pydantic names the chosen kind of table, the file does not
            node = _resolved(schema, {"$ref": node["discriminator"]["mapping"][part]})
            continue
        path = f"{path}/{part}"
        inside = node["items"] if isinstance(part, int) else node.get("properties", {}).get(part)
        node = _resolved(schema, inside or node["additionalProperties"])
    return path, node


def _resolved(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    while True:
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].rpartition("/")[2]]
        elif "anyOf" in node and "zh" not in node:
            node = node["anyOf"][0]
        else:
            return node


def _wording(node: Mapping[str, Any]) -> tuple[str, str]:
    """What a JSON Schema node allows, in Chinese and English."""
    if "zh" in node:
        return node["zh"], node["en"]
    if "const" in node:
        return f'"{node["const"]}"', f'"{node["const"]}"'
    if values := node.get("enum"):
        return _BETWEEN_ZH.join(values) + " 之一", "one of " + _BETWEEN_EN.join(values)
    zh, en = {
        "integer": ("整数", "a whole number"),
        "number": ("数字", "a number"),
        "boolean": ("true 或 false", "true or false"),
        "array": ("列表", "a list"),
        "string": ("加引号的文本", "text in quotes"),
    }.get(node.get("type", ""), ("表", "a table"))
    for low, high, unit_zh, unit_en in _BOUNDS:
        if low in node or high in node:
            least, most = node.get(low, 0), node.get(high)
            zh += f"（{least} 至 {most}{unit_zh}）" if most is not None else f"（至少 {least}{unit_zh}）"
            en += f", {least} to {most}{unit_en}" if most is not None else f", {least} or more{unit_en}"
    return zh, en
