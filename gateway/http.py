"""HTTP: health, metrics, and documents for those who have no AMQP client. It takes and answers what the bus does."""

import hashlib
import os
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from ..messages.documents.answers import Answer
from ..messages.documents.published import FaultText
from ..messages.faults import Refused, fault
from .composition import Gateway
from .serving import Service
from .store.database import Statement, in_transaction
from .submissions import Pushed

_PING = Statement("SELECT 1 AS one")
_SENDER = "Bearer "
_GATEWAY = web.AppKey("gateway", Gateway)
_SERVICE = web.AppKey("service", Service)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(gateway: Gateway, service: Service) -> web.Application:
    """The HTTP application of one process."""
    # one byte more than allowed, so that the limit is ours to explain
    app = web.Application(client_max_size=gateway.limits.bytes_max + 1)
    app[_GATEWAY] = gateway
    app[_SERVICE] = service
    app.add_routes(
        [
            web.get("/health/live", _live),
            web.get("/health/ready", _ready),
            web.get("/metrics", _metrics),
            web.post("/v1/documents", _documents),
        ]
    )
    return app


async def _live(_request: web.Request) -> web.Response:
    """The process answers."""
    return web.json_response({"live": True})


async def _ready(request: web.Request) -> web.Response:
    """The store answers and intake, where it runs here, is consuming."""
    gateway, service = request.app[_GATEWAY], request.app[_SERVICE]
    store = True
    try:
        await in_transaction(gateway.database, lambda tx: tx.run(_PING))
    except Exception:  # noqa: BLE001 - whatever keeps the store from answering, it is not ready
        store = False
    ready = store and service.is_ready
    return web.json_response(
        {"ready": ready, "store": store, "consuming": service.is_ready}, status=200 if ready else 503
    )


async def _metrics(request: web.Request) -> web.Response:
    gateway, service = request.app[_GATEWAY], request.app[_SERVICE]
    gateway.metrics.consuming.set(service.is_ready)
    body = generate_latest(gateway.metrics.registry)
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _documents(request: web.Request) -> web.Response:
    """POST /v1/documents?routing_key=import.order, content type as on the bus; 200, or 422 if unreadable."""
    gateway, service = request.app[_GATEWAY], request.app[_SERVICE]
    allowed, party = _party(gateway, request.headers.get("Authorization", ""))
    if not allowed:
        return _refused(gateway, "http-token", 401)
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return _refused(gateway, "document-too-large", 413, limit=gateway.limits.bytes_max)
    correlation = request.headers.get("X-Correlation-Id")
    pushed = Pushed(request.query.get("routing_key", ""), request.content_type, body, party, correlation)
    try:
        answered = await service.intake.take([pushed])
    except Exception as error:  # noqa: BLE001 - its text may hold what was sent
        gateway.log.error("failed", step="http", error=type(error).__name__)
        return _refused(gateway, "http-not-ready", 503)
    answer = answered[0].answer
    return web.Response(body=answer.as_json(), content_type="application/json", status=422 if answer.faults else 200)


def _party(gateway: Gateway, authorization: str) -> tuple[bool, str | None]:
    """Whether a request may push, and for whom: once any party has a token, every request needs one."""
    if not any(party.token_sha256 for party in gateway.directory.parties):
        return True, None
    if not authorization.startswith(_SENDER):
        return False, None
    digest = hashlib.sha256(authorization.removeprefix(_SENDER).encode()).hexdigest()
    party = gateway.directory.holder_of(digest)
    return party is not None, party


def _refused(gateway: Gateway, code: str, status: int, **values: int) -> web.Response:
    answer = Answer(at=gateway.clock(), faults=(FaultText.of(fault(code, "", None, **values)),))
    return web.Response(body=answer.as_json(), content_type="application/json", status=status)


async def serve_http(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Listen; the runner is cleaned up by whoever asked. Raises Refused where it cannot listen."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        raise Refused(fault("http-listen", host=host, port=port, reason=reason)) from None
    return runner
