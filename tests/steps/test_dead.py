"""Dead letters: a person looks at them, works them again under their sender's name, or drops them."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tongguan.gateway import serving
from tongguan.gateway.assembly import configure, open_bus, open_gateway, seal_key
from tongguan.gateway.dead import graveyard
from tongguan.gateway.serving import Service
from tongguan.queue.bus import Message
from tongguan.queue.topology import ANSWERS, DEAD

PROGRAM = Path(sys.executable).with_name("tongguan")


@pytest.fixture
def bury(bus: Any) -> Any:
    """Put a delivery among the dead as it came from a party."""

    async def put(body: Any, number: int = 1, **more: Any) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        values: dict[str, Any] = {
            "content_type": "application/json",
            "message_id": f"m{number}",
            "app_id": "youxuan-erp",
        } | more
        # a fanout exchange keeps the routing key of what it is given
        await bus.publish([Message(exchange=DEAD, routing_key="import.order", body=data, **values)])

    return put


@pytest.fixture
def service(bench: Any, bus: Any) -> Service:
    return Service(bench.gateway, bus, bench.seal_key, ())


class TestWorking:
    async def test_a_letter_worked_again_is_stored_answered_and_dead_no_longer(
        self, bench: Any, bus: Any, bury: Any, service: Service, content: Any, drained: Any
    ) -> None:
        await bury(content("order"), correlation_id="c7")

        async with graveyard(bus, 10) as yard:
            worked = await yard.work(service, yard.letters[0])

        (answer,) = await drained(f"{ANSWERS}.youxuan")
        assert worked
        assert await bus.depth(DEAD) == 0
        assert len(await bench.rows("SELECT id FROM documents")) == 1
        assert answer.correlation_id == "c7"
        assert json.loads(answer.body)["documents"][0]["outcome"] == "taken"

    async def test_one_that_fails_again_stays_dead_and_the_others_do_not(
        self, bus: Any, bury: Any, service: Service, content: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = serving.Intake.take

        async def poisoned(intake: Any, pushed: Sequence[Any]) -> Any:
            if b"GX0000000002" in pushed[0].body:
                raise ZeroDivisionError
            return await real(intake, pushed)

        monkeypatch.setattr(serving.Intake, "take", poisoned)
        for number in (1, 2, 3):
            await bury(content("order", number), number)

        async with graveyard(bus, 10) as yard:
            worked = [await yard.work(service, each) for each in yard.letters]

        async with graveyard(bus, 10) as yard:
            (left,) = yard.letters
        assert worked == [True, False, True]
        assert json.loads(left.delivery.body)["orderNo"] == "GX0000000002"


class TestLooking:
    async def test_an_id_stays_the_same_and_names_one_letter(self, bus: Any, bury: Any, content: Any) -> None:
        for number in (1, 2):
            await bury(content("order", number), number)

        async with graveyard(bus, 10) as yard:
            first = [each.id for each in yard.letters]
        async with graveyard(bus, 10) as yard:
            again = [each.id for each in yard.letters]
            found, missing = yard.find([first[1], "0000000000"])

        assert first == again
        assert [each.id for each in found] == [first[1]]
        assert missing == ["0000000000"]

    async def test_no_more_are_held_than_asked_for_and_the_rest_is_counted(self, bus: Any, bury: Any) -> None:
        for number in range(5):
            await bury(b"{}", number)

        async with graveyard(bus, 3) as yard:
            held, beyond = len(yard.letters), yard.beyond

        assert (held, beyond) == (3, 2)


@pytest.fixture
def dead(tmp_path: Path, content: Any) -> Callable[..., tuple[int, str]]:
    """The command, on a gateway of its own with three dead letters: its exit code and what it says in English."""
    folder = tmp_path / "operators"
    folder.mkdir()
    places = {
        "data_folder": tmp_path,
        "store_url": f"sqlite:///{tmp_path / 'tongguan.db'}",
        "bus_url": f"embedded:{tmp_path / 'bus.db'}",
        "keys_file": tmp_path / "keys.toml",
        "seals_file": tmp_path / "seals.jsonl",
    }
    (folder / "tongguan.toml").write_text("".join(f"{name} = {json.dumps(str(at))}\n" for name, at in places.items()))
    asyncio.run(_bury(folder, [json.dumps(content("order", number)).encode() for number in (1, 2, 3)]))

    def run(*arguments: str) -> tuple[int, str]:
        command = [PROGRAM, "dead", *arguments, "--config", folder, "--lang", "en"]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "120"}
        )
        return done.returncode, done.stdout + done.stderr

    return run


async def _bury(folder: Path, bodies: Sequence[bytes]) -> None:
    configuration = configure(folder, {})
    async with open_gateway(configuration) as gateway, open_bus(configuration.settings, gateway.sealer) as bus:
        await Service(gateway, bus, seal_key(gateway), ()).declare()
        values: dict[str, Any] = {"exchange": DEAD, "routing_key": "import.order", "content_type": "application/json"}
        await bus.publish([Message(message_id=f"m{at}", body=each, **values) for at, each in enumerate(bodies)])


def _ids(listed: str) -> list[str]:
    return re.findall(r"\b[0-9a-f]{10}\b", listed)


class TestCommand:
    def test_it_lists_what_is_dead_and_shows_one_without_what_it_holds(self, dead: Any, tmp_path: Path) -> None:
        code, listed = dead("list")
        first = _ids(listed)[0]
        shown_code, shown = dead("show", first, "--save", str(tmp_path / "letter.json"))

        assert (code, shown_code) == (0, 0)
        assert len(_ids(listed)) == 3
        assert "import.order" in shown
        assert "GX0000000001" not in listed + shown
        assert json.loads((tmp_path / "letter.json").read_bytes())["orderNo"] == "GX0000000001"
        assert (tmp_path / "letter.json").stat().st_mode & 0o077 == 0

    def test_it_works_letters_again_and_they_are_dead_no_longer(self, dead: Any) -> None:
        first = _ids(dead("list")[1])[0]

        one = dead("requeue", first)
        every = dead("requeue", "--all")

        assert one[0] == every[0] == 0
        assert _ids(every[1]) != [first]
        assert len(_ids(every[1])) == 2
        assert "no dead letters" in dead("list")[1]

    def test_it_drops_only_what_is_named(self, dead: Any) -> None:
        first, *others = _ids(dead("list")[1])

        code, said = dead("drop", first, "0000000000", "--yes")

        assert code == 1
        assert "no dead letter 0000000000" in said
        assert _ids(dead("list")[1]) == others

    @pytest.mark.parametrize("arguments", [("drop",), ("requeue",), ("drop", "--all", "0000000000")])
    def test_it_does_nothing_to_letters_nobody_named(self, dead: Any, arguments: tuple[str, ...]) -> None:
        code, said = dead(*arguments)

        assert code == 2
        assert "--all" in said
        assert len(_ids(dead("list")[1])) == 3
