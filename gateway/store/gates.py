"""Gates: e-ports whose channel a person has closed, wholly or for what is new."""

from typing import Literal, NamedTuple

from .database import Statement, Transaction

Gate = Literal["paused", "draining"]
"""``paused``: nothing is handed over. ``draining``: what is packed still is, nothing new is packed."""

_ALL = Statement("SELECT eport, state, reason, actor, at FROM gates ORDER BY eport")
_CLOSE = Statement(
    """
    INSERT INTO gates (eport, state, reason, actor, at) VALUES (:eport, :state, :reason, :actor, :at)
    ON CONFLICT (eport) DO UPDATE SET state = excluded.state, reason = excluded.reason, actor = excluded.actor,
        at = excluded.at
    """
)
_OPEN = Statement("DELETE FROM gates WHERE eport = :eport")
_LOAD = Statement(
    """
    SELECT eport, sum(ready) AS ready, sum(waiting) AS waiting, sum(unanswered) AS unanswered, min(since) AS since
    FROM (
        SELECT eport, count(*) AS ready, 0 AS waiting, 0 AS unanswered, NULL AS since FROM declarations
        WHERE state = 'ready' AND relay_id IS NULL GROUP BY eport
        UNION ALL
        SELECT eport, 0, sum(CASE WHEN state = 'waiting' THEN 1 ELSE 0 END),
            sum(CASE WHEN state = 'waiting' THEN 0 ELSE 1 END), min(packed_at)
        FROM messages WHERE state IN ('packed', 'waiting', 'resend', 'uncertain', 'sent', 'unanswered') GROUP BY eport
    ) AS work GROUP BY eport
    """
)


class Closed(NamedTuple):
    """A gate that is closed: how, why, by whom, and since when (milliseconds UTC)."""

    eport: str
    state: Gate
    reason: str
    actor: str
    at: int


class Load(NamedTuple):
    """What lies before an e-port.

    ``ready`` declarations are not packed yet; ``waiting`` messages could not be handed over; ``unanswered`` ones were,
    or perhaps, and have no receipt; ``since`` is when the oldest of the messages was packed (milliseconds UTC).
    """

    ready: int
    waiting: int
    unanswered: int
    since: int | None


async def closed_gates(transaction: Transaction) -> dict[str, Closed]:
    """The gates that are closed, by e-port."""
    return {row.eport: Closed(*row) for row in await transaction.run(_ALL)}


async def close_gate(transaction: Transaction, closed: Closed) -> None:
    """Close a gate, or change how and why it is closed."""
    await transaction.run(_CLOSE, **closed._asdict())


async def open_gate(transaction: Transaction, eport: str) -> None:
    """Open a gate; nothing happens to one that is open."""
    await transaction.run(_OPEN, eport=eport)


async def loads(transaction: Transaction) -> dict[str, Load]:
    """What lies before each e-port that has anything before it."""
    rows = await transaction.run(_LOAD)
    return {row.eport: Load(int(row.ready), int(row.waiting), int(row.unanswered), row.since) for row in rows}
