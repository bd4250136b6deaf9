"""Route: results go out in the order of each case, at least once, up to a hundred of one routing key together."""

from collections.abc import Iterable, Iterator, Sequence

from ...messages.documents.results import RESULTS_MAX
from ...queue.bus import Bus, Message
from ...queue.topology import RESULTS
from ..composition import Gateway
from ..store.database import in_transaction
from ..store.decisions import LANES
from ..store.results import Waiting, lease_lanes, open_lanes, results_published, waiting_results

BATCH = 1000
"""Results published in one round."""


class Route:
    """Publishes what waits in the lanes this router holds."""

    def __init__(self, gateway: Gateway, bus: Bus, owner: str) -> None:
        self._gateway = gateway
        self._bus = bus
        self._owner = owner
        self._opened = False

    async def run(self) -> int:
        """One round; returns how many results were published."""
        gateway = self._gateway
        if not self._opened:
            await in_transaction(gateway.database, lambda tx: open_lanes(tx, LANES))
            self._opened = True
        now = gateway.clock()
        until = now + gateway.settings.route_lease_seconds * 1000
        lanes = await in_transaction(gateway.database, lambda tx: lease_lanes(tx, self._owner, now, until))
        if not lanes:
            return 0
        waiting = await in_transaction(gateway.database, lambda tx: waiting_results(tx, lanes, BATCH))
        await self._bus.publish([_message(group) for group in _grouped(waiting)])
        positions: list[tuple[int, int]] = []
        for each in waiting:
            lanes[each.lane] += 1
            positions.append((each.id, lanes[each.lane]))
        await in_transaction(gateway.database, lambda tx: results_published(tx, positions, lanes.items(), self._owner))
        gateway.metrics.results.inc(len(waiting))
        return len(waiting)


def _grouped(waiting: Iterable[Waiting]) -> Iterator[Sequence[Waiting]]:
    """Runs of one routing key, in order.

    A run ends where one of its cases goes on under another key, so that publishing run by run keeps each case in order.
    """
    open_runs: dict[str, list[Waiting]] = {}
    key_of_lane: dict[int, str] = {}
    for each in waiting:
        earlier = key_of_lane.get(each.lane)
        if earlier is not None and earlier != each.routing_key and earlier in open_runs:
            yield open_runs.pop(earlier)
        run = open_runs.setdefault(each.routing_key, [])
        run.append(each)
        key_of_lane[each.lane] = each.routing_key
        if len(run) == RESULTS_MAX:
            yield open_runs.pop(each.routing_key)
    yield from open_runs.values()


def _message(group: Sequence[Waiting]) -> Message:
    return Message(
        exchange=RESULTS,
        routing_key=group[0].routing_key,
        body=f"[{','.join(each.body for each in group)}]".encode(),
        content_type="application/json",
        message_id=f"r{group[0].id}",
    )
