"""Results waiting to be published, lane by lane, each lane served by one router at a time."""

from collections.abc import Iterable
from typing import NamedTuple

from .database import Statement, Transaction, columns

_OPEN_LANES = Statement(
    """
    INSERT INTO lanes (lane, owner, leased_until, position) SELECT lane, '', 0, 0 FROM {lanes} WHERE true
    ON CONFLICT (lane) DO NOTHING
    """,
    {"lanes": columns(lane="int")},
)
_LEASE = Statement(
    """
    UPDATE lanes SET owner = :owner, leased_until = :until
    WHERE lane IN (
        SELECT lane FROM lanes WHERE (owner = :owner OR leased_until <= :now)
            AND EXISTS (SELECT 1 FROM results WHERE results.lane = lanes.lane AND results.position IS NULL)
        ORDER BY lane {skip}
    )
    RETURNING lane, position
    """
)
_WAITING = Statement(
    """
    SELECT results.id, results.lane, results.routing_key, results.body FROM results
    JOIN {lanes} ON results.lane = lanes.lane
    WHERE results.position IS NULL
    ORDER BY results.id LIMIT :count
    """,
    {"lanes": columns(lane="int")},
)
_PUBLISHED = Statement(
    "UPDATE results SET position = new.position FROM {new} WHERE results.id = new.id",
    {"new": columns(id="int", position="int")},
)
_RELEASE = Statement(
    """
    UPDATE lanes SET position = new.position, leased_until = 0 FROM {new}
    WHERE lanes.lane = new.lane AND lanes.owner = :owner
    """,
    {"new": columns(lane="int", position="int")},
)


class Waiting(NamedTuple):
    """One result to publish: its JSON, and where it goes."""

    id: int
    lane: int
    routing_key: str
    body: str


async def open_lanes(transaction: Transaction, lanes: int) -> None:
    """Make the lanes that are not there yet."""
    await transaction.run(_OPEN_LANES, lanes=[(lane,) for lane in range(lanes)])


async def lease_lanes(transaction: Transaction, owner: str, now: int, until: int) -> dict[int, int]:
    """Lease every free lane that has something waiting; returns the last position published in each."""
    return {row.lane: row.position for row in await transaction.run(_LEASE, owner=owner, now=now, until=until)}


async def waiting_results(transaction: Transaction, lanes: Iterable[int], count: int) -> list[Waiting]:
    """The oldest waiting results of these lanes, in the order they were decided."""
    rows = await transaction.run(_WAITING, lanes=[(lane,) for lane in lanes], count=count)
    return [Waiting(row.id, row.lane, row.routing_key, row.body) for row in rows]


async def results_published(
    transaction: Transaction, positions: Iterable[tuple[int, int]], lanes: Iterable[tuple[int, int]], owner: str
) -> None:
    """Record positions (result id, position) and give back lanes (lane, last position)."""
    await transaction.run(_PUBLISHED, new=list(positions))
    await transaction.run(_RELEASE, new=list(lanes), owner=owner)
