"""HTTP: health, metrics, and documents for those without AMQP."""

import hashlib
import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from tongguan.config.parties import Party
from tongguan.gateway.directory import Directory
from tongguan.gateway.http import make_app
from tongguan.gateway.serving import Service

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def service(bench: Any, bus: Any) -> Service:
    return Service(bench.gateway, bus, bench.seal_key, ["dispatch"])


@pytest.fixture
async def client(bench: Any, service: Service) -> AsyncIterator[Any]:
    async with TestClient(TestServer(make_app(bench.gateway, service))) as made:
        yield made


@pytest.fixture
def token(bench: Any) -> str:
    """A token of the party youxuan."""
    parties = [
        each.model_copy(update={"token_sha256": hashlib.sha256(b"secret").hexdigest()})
        if each.code == "youxuan"
        else each
        for each in bench.triples.parties()
    ]
    assert all(isinstance(each, Party) for each in parties)
    bench.gateway.directory = Directory(parties)
    return "secret"


async def _post(client: Any, body: Any, key: str = "import.order", **headers: str) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    sent = BytesIO(data)
    response = await client.post("/v1/documents", params={"routing_key": key}, data=sent, headers=JSON | headers)
    return response.status, await response.json()


async def test_the_process_answers(client: Any) -> None:
    response = await client.get("/health/live")

    assert (response.status, await response.json()) == (200, {"live": True})


async def test_it_is_ready_when_the_store_answers_and_its_steps_run(client: Any) -> None:
    response = await client.get("/health/ready")

    assert (response.status, await response.json()) == (200, {"ready": True, "store": True, "consuming": True})


async def test_it_is_not_ready_while_the_store_is_gone(
    client: Any, bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down() -> Any:
        raise OSError("unreachable")

    monkeypatch.setattr(bench.database, "transaction", down)
    response = await client.get("/health/ready")

    assert (response.status, (await response.json())["store"]) == (503, False)


async def test_it_is_not_ready_before_intake_consumes(bench: Any, bus: Any) -> None:
    service = Service(bench.gateway, bus, bench.seal_key)
    async with TestClient(TestServer(make_app(bench.gateway, service))) as client:
        response = await client.get("/health/ready")

        assert (response.status, (await response.json())["consuming"]) == (503, False)


async def test_metrics_are_what_prometheus_reads(client: Any, bench: Any, content: Any) -> None:
    await bench.push("order", content("order"))

    response = await client.get("/metrics")
    text = await response.text()

    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/plain")
    assert 'tongguan_documents_total{kind="order",outcome="taken"} 1.0' in text
    statements = next(line for line in text.splitlines() if line.startswith("tongguan_statements_total"))
    assert float(statements.split()[1]) > 10


async def test_metrics_hold_no_value_of_a_document(client: Any, bench: Any, content: Any) -> None:
    await bench.match()
    await bench.released()

    text = await (await client.get("/metrics")).text()

    for value in ("章春苗", "990101198802140011", "GX0000000001", "3301969T01"):
        assert value not in text
    assert content("order")["orderNo"] == "GX0000000001"


async def test_a_document_is_taken_and_answered_as_on_the_bus(client: Any, content: Any) -> None:
    status, answer = await _post(client, content("order"), **{"X-Correlation-Id": "c-9"})

    assert (status, answer["correlationId"]) == (200, "c-9")
    assert [each["outcome"] for each in answer["documents"]] == ["taken"]


async def test_a_faulty_document_is_answered_in_its_place(client: Any, content: Any) -> None:
    status, answer = await _post(client, [content("order"), content("order", 2, x="1")])

    assert (status, [each["outcome"] for each in answer["documents"]]) == (200, ["taken", "rejected"])


@pytest.mark.parametrize(
    ("body", "key", "code"),
    [
        (b"{", "import.order", "document-unreadable"),
        (b"{}", "", "delivery-routing-key"),
        (b"{}", "import.x", "document-kind"),
    ],
)
async def test_what_cannot_be_read_is_unprocessable_and_kept(
    client: Any, bench: Any, body: bytes, key: str, code: str
) -> None:
    status, answer = await _post(client, body, key)

    assert (status, answer["faults"][0]["code"]) == (422, code)
    assert len(await bench.rows("SELECT id FROM rejections")) == 1


async def test_customs_xml_is_taken_too(client: Any, bench: Any, triples: Any) -> None:
    pushed = bench.xml(triples.document("order"))

    response = await client.post(
        "/v1/documents?routing_key=ceb", data=pushed.body, headers={"Content-Type": "application/xml"}
    )

    assert [each["outcome"] for each in (await response.json())["documents"]] == ["taken"]


@pytest.mark.parametrize(
    ("more", "status", "code"), [(0, 422, "document-none"), (1, 422, ""), (2, 413, ""), (9999, 413, "")]
)
async def test_a_body_larger_than_allowed_is_refused_with_the_limit(
    client: Any, bench: Any, more: int, status: int, code: str
) -> None:
    limit = bench.settings.delivery_bytes_max

    found, answer = await _post(client, b" " * (limit + more))

    assert (found, answer["faults"][0]["code"]) == (status, code or "document-too-large")
    assert more == 0 or str(limit) in answer["faults"][0]["en"]


class TestTokens:
    @pytest.mark.parametrize(
        "header", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic secret", "secret", "bearer secret"]
    )
    async def test_once_any_party_has_one_every_request_needs_one(
        self, client: Any, token: str, content: Any, header: str | None
    ) -> None:
        status, answer = await _post(
            client, content("order"), **({"Authorization": header} if header is not None else {})
        )

        assert (status, answer["faults"][0]["code"]) == (401, "http-token")
        assert token not in json.dumps(answer)

    async def test_its_holder_is_the_sender(self, client: Any, bench: Any, token: str, content: Any) -> None:
        await _post(client, content("waybill"), "import.waybill", Authorization=f"Bearer {token}")

        (row,) = await bench.rows("SELECT sender, bound_to FROM documents")
        assert tuple(row) == ("youxuan", "3301969T01")

    async def test_health_and_metrics_need_none(self, client: Any, token: str) -> None:
        assert token
        assert [(await client.get(path)).status for path in ("/health/live", "/health/ready", "/metrics")] == [200] * 3


async def test_a_failure_is_not_ready_and_tells_nothing_of_what_was_sent(
    client: Any, bench: Any, service: Service, content: Any, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    async def broken(pushed: Any) -> Any:
        raise ValueError(pushed[0].body.decode())

    monkeypatch.setattr(service.intake, "take", broken)
    status, answer = await _post(client, content("order"))

    told = json.dumps(answer, ensure_ascii=False) + "".join(capsys.readouterr())
    assert (status, answer["faults"][0]["code"]) == (503, "http-not-ready")
    assert "章春苗" not in told
    assert bench.now > 0


async def test_only_what_is_offered_is_there(client: Any) -> None:
    assert (await client.get("/v1/documents")).status == 405
    assert (await client.get("/")).status == 404
