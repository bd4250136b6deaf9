"""The contract: what parties send to the gateway and what it says, as JSON Schemas and one AsyncAPI document.

Everything is generated from the models and the table of names; ``docs/contract`` holds the generated files and a test
holds them equal to what the models say. The JSON Schemas are draft 2020-12, AsyncAPI is 3.0.0.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core.core_schema import NullableSchema

from .documents.answers import Answer
from .documents.document import BusDocument
from .documents.kinds import BUS_KINDS
from .documents.parsing import DELIVERY_LIMITS, JSON, NDJSON
from .documents.published import CONTRACT
from .documents.results import RESULTS_MAX, Results
from .documents.triple import OrderLine
from .names import name_of

XML = "application/xml"

_MODELS: dict[str, type[BaseModel]] = {**BUS_KINDS, "answer": Answer, "results": Results}
_ENTITIES = {part.__name__: part.entity for part in (*BUS_KINDS.values(), OrderLine)}
_COMPONENTS = "#/components/schemas/"


def write(folder: Path) -> None:
    """Write the contract's files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in contract().items():
        (folder / name).write_text(text, "utf-8")


def check(folder: Path) -> list[str]:
    """The files that are missing, differ from what the models say, or belong to nothing the models know."""
    expected = contract()
    found = {path.name: path.read_text("utf-8") for path in folder.glob("*.json")}
    return sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))


def contract() -> dict[str, str]:
    """Every file of the contract by its name."""
    documents = {f"{name}.schema.json": schema(name) for name in _MODELS} | {"asyncapi.json": asyncapi()}
    return {name: json.dumps(body, ensure_ascii=False, indent=2) + "\n" for name, body in documents.items()}


def examples() -> dict[str, Any]:
    """One invented example for each schema, the same purchase in all of them."""
    return json.loads(Path(__file__).with_name("tables").joinpath("examples.json").read_text("utf-8"))


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of a kind of document, of ``answer`` or of ``results``."""
    body = _MODELS[name].model_json_schema(schema_generator=_Schemas)
    _finish({body["title"]: body, **body.get("$defs", {})})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:tongguan:contract:{CONTRACT}:{name}",
        **body,
        "title": f"{name_of(name).zh} {name_of(name).en}",
        "examples": [examples()[name]],
    }


class _Schemas(GenerateJsonSchema):
    """Optional fields are shown as fields that may be left out; that null and blank mean the same is not part of it."""

    def nullable_schema(self, schema: NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def _finish(parts: Mapping[str, dict[str, Any]]) -> None:
    """Name the fields in both languages, and drop what pydantic says about absent values."""
    for title, part in parts.items():
        for name, field in part.get("properties", {}).items():
            field.pop("title", None)
            if title in _ENTITIES:
                known = name_of(name, _ENTITIES[title])
                field["title"] = f"{known.zh} {known.en}"
            if "default" in field and field["default"] is None:
                del field["default"]


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI document: what is sent where, under which routing key, with which properties."""
    _, definitions = models_json_schema(
        [(model, "validation") for model in _MODELS.values()],
        ref_template=_COMPONENTS + "{model}",
        schema_generator=_Schemas,
    )
    schemas = definitions["$defs"]
    _finish(schemas)
    return {
        "asyncapi": "3.0.0",
        "id": "urn:tongguan:gateway",
        "info": {
            "title": "Tongguan 通关",
            "version": CONTRACT,
            "description": "推送订单、支付单、运单等单证，接收逐份答复与清关结果。"
            " / Push orders, payments, waybills and what belongs to them; receive an answer for each and the results.",
        },
        "defaultContentType": JSON,
        "channels": {
            "tongguan.documents": _documents_channel(),
            "tongguan.answers": _answers_channel(),
            "tongguan.results": _results_channel(),
        },
        "operations": _operations(),
        "components": {"schemas": schemas},
    }


def _operations() -> dict[str, Any]:
    return {
        "takeDocuments": {
            "action": "receive",
            "channel": {"$ref": "#/channels/tongguan.documents"},
            "summary": "接收单证并逐份答复 / take documents and answer each of them",
            "reply": {
                "address": {
                    "location": "$message.header#/reply_to",
                    "description": "没有 reply_to 时，答复送至发送方的答复队列"
                    " / without reply_to the answer goes to the sender's answer queue",
                },
                "channel": {"$ref": "#/channels/tongguan.answers"},
            },
        },
        "publishResults": {
            "action": "send",
            "channel": {"$ref": "#/channels/tongguan.results"},
            "summary": "发布一单的变化 / publish what changes of a case",
        },
    }


def _documents_channel() -> dict[str, Any]:
    keys = [*(f"import.{kind}" for kind in BUS_KINDS), "ceb"]
    messages = {kind: _document_message(kind, model) for kind, model in BUS_KINDS.items()}
    messages["lines"] = {
        "title": "NDJSON",
        "summary": "每行一份单证，种类由路由键决定 / one document on each line, of the kind the routing key names",
        "contentType": NDJSON,
        "headers": _PROPERTIES,
        "correlationId": _CORRELATION,
        "payload": {"type": "string"},
    }
    messages["ceb"] = {
        "title": "CEB XML",
        "summary": "海关报文，已签名或未签名，任何种类 / customs XML of any message type, signed or unsigned",
        "contentType": XML,
        "headers": _PROPERTIES,
        "correlationId": _CORRELATION,
        "payload": {"type": "string"},
    }
    return {
        "address": "{routingKey}",
        "description": f"每次投递 1 至 {DELIVERY_LIMITS.documents_max} 份单证，最多 {DELIVERY_LIMITS.bytes_max} 字节。"
        f" / 1 to {DELIVERY_LIMITS.documents_max} documents in a delivery, at most {DELIVERY_LIMITS.bytes_max} bytes.",
        "parameters": {
            "routingKey": {
                "enum": keys,
                "description": "import. 加单证种类；海关报文用 ceb / import. and the kind; ceb for XML",
            }
        },
        "messages": messages,
        "bindings": _exchange("tongguan.documents", "topic"),
    }


def _document_message(kind: str, model: type[BusDocument]) -> dict[str, Any]:
    name = name_of(kind)
    one = {"$ref": _COMPONENTS + model.__name__}
    many = {"type": "array", "items": one, "minItems": 1, "maxItems": DELIVERY_LIMITS.documents_max}
    return {
        "title": f"{name.zh} {name.en}",
        "summary": f"路由键 import.{kind} / routing key import.{kind}",
        "contentType": JSON,
        "headers": _PROPERTIES,
        "correlationId": _CORRELATION,
        "payload": {"anyOf": [one, many]},
        "examples": [{"name": kind, "payload": examples()[kind]}],
    }


def _answers_channel() -> dict[str, Any]:
    return {
        "address": None,
        "description": "答复送至投递的 reply_to；没有时送至队列 tongguan.answers.<企业代号>；"
        "无人接收的进入 tongguan.unrouted。"
        " / To the reply_to of the delivery, else to the queue tongguan.answers.<party>; what nobody takes goes to"
        " tongguan.unrouted.",
        "messages": {
            "answer": {
                "title": "答复 answer",
                "contentType": JSON,
                "headers": {
                    "type": "object",
                    "properties": {"correlation_id": _PROPERTIES["properties"]["correlation_id"]},
                },
                "correlationId": _CORRELATION,
                "payload": {"$ref": _COMPONENTS + Answer.__name__},
                "examples": [{"name": "answer", "payload": examples()["answer"]}],
            }
        },
        "bindings": _exchange("tongguan.answers", "direct"),
    }


def _results_channel() -> dict[str, Any]:
    return {
        "address": "{direction}.{status}.{party}",
        "description": f"每次投递 1 至 {RESULTS_MAX} 条结果，同一单的结果按顺序、至少送达一次。"
        f" / 1 to {RESULTS_MAX} results in a delivery; those of one case in order, each at least once.",
        "parameters": {
            "direction": {"enum": ["import"], "description": "进出口方向 / direction"},
            "status": {"description": "一单的状态 / status of the case"},
            "party": {"description": "企业代号 / party code"},
        },
        "messages": {
            "results": {
                "title": "结果 results",
                "contentType": JSON,
                "payload": {"$ref": _COMPONENTS + Results.__name__},
                "examples": [{"name": "results", "payload": examples()["results"]}],
            }
        },
        "bindings": _exchange("tongguan.results", "topic"),
    }


def _exchange(name: str, kind: str) -> dict[str, Any]:
    exchange = {"name": name, "type": kind, "durable": True, "autoDelete": False}
    return {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}}


_PROPERTIES: dict[str, Any] = {
    "type": "object",
    "description": "AMQP 消息属性 / properties of the AMQP message",
    "properties": {
        "reply_to": {"type": "string", "description": "答复送往的队列，可省略 / queue for the answer, optional"},
        "correlation_id": {"type": "string", "description": "原样写入答复 / comes back in the answer"},
        "app_id": {
            "type": "string",
            "description": "发送方代号；总线已验证用户身份时以 user_id 为准"
            " / code of the sender; a user_id the broker has verified goes first",
        },
    },
}
_CORRELATION = {"location": "$message.header#/correlation_id"}
