"""Logs: events with trade identifiers, as JSON lines or for a console. Personal data is masked on the way out."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

from ..messages.personal import mask_text

Shape = Literal["console", "json"]
LOGGER = "tongguan"
"""The logger all events of ours go through."""


def configure(shape: Shape, level: str) -> None:
    """Send every log of the process, libraries included, to standard error in one shape."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _masked,
    ]
    console = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    renderer = structlog.processors.JSONRenderer(ensure_ascii=False) if shape == "json" else console
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    # libraries print what they work on; only their warnings are wanted
    root.setLevel(logging.WARNING)
    logging.getLogger(LOGGER).setLevel(level.upper())


def _masked(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Whatever looks like an ID number or a mobile phone never leaves the process."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = mask_text(value)
    return event
