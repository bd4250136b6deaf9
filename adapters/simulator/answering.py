"""Answering: the steps of a document become answers on the agenda, with guids, numbers, times and texts."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from ...messages.chinatime import china_date, china_year
from ...messages.ladders import rung
from .chance import Chance, Knobs, new_guid
from .course import Event, disturbed, timed
from .filing import Filing, Id, reaches
from .receipts import return_node
from .script import Step
from .tax import tax_bill, tax_status
from .texts import info_of
from .world import Answer, World

TAX_BILL, TAX_STATUS = "CEB816Message", "CEB818Message"

_PRE_NO_LETTERS = {"621": "B", "623": "C", "625": "T", "711": "R"}
"""What a preNo begins with (receipts seen in practice)."""


class Answering:
    """Puts answers on the agenda of a world, as chance and its knobs will have it."""

    def __init__(self, world: World, chance: Chance, knobs: Knobs) -> None:
        self._world = world
        self._chance = chance
        self._knobs = knobs

    def new_numbers(self, short: str, head: dict[str, Any], now_ms: int) -> dict[str, str]:
        """The numbers that e-port and customs give a document: preNo, and invtNo or rkdNo, which is told later."""
        if short not in _PRE_NO_LETTERS:
            return {}
        pre_no = f"{_PRE_NO_LETTERS[short]}{china_date(now_ms)}{self._world.count('preNo'):09d}"
        own = {"621": ("invtNo", "I"), "711": ("rkdNo", "R")}.get(short)
        if own is None:
            return {"preNo": pre_no}
        name, letter = own
        number = f"{head['customsCode']}{china_year(now_ms)}{letter}{self._world.count(name):09d}"
        return {"preNo": pre_no, name: number}

    def begin(self, filing: Filing, steps: Sequence[Step], nth: int) -> Filing:
        """Answer a document that has come for the ``nth`` time; returned is it with the statuses it will have."""
        random = self._chance.draw("course", filing.id, nth)
        events = timed(steps, filing.taken_ms, self._knobs, random)
        return self._answer(filing, self._disturbed(filing, events, random), random)

    def add(self, filing: Filing, step: Step, at_ms: int) -> Filing:
        """A further status of a document, not before those it has."""
        random = self._chance.draw("further", filing.id, len(filing.rungs), at_ms)
        at = max([at_ms, *(at + 1 for at, _ in filing.rungs)])
        return self._answer(filing, self._disturbed(filing, [Event(step, at, at)], random), random)

    def tax(self, inventory: Filing, steps: Iterable[Step], message_type: str, start_ms: int) -> int:
        """Tell of the tax bill of an inventory; returned is when the last of it is told."""
        random = self._chance.draw("tax", message_type, inventory.id, start_ms)
        events = timed(list(steps), start_ms, self._knobs, random)
        for event in self._disturbed(inventory, events, random):
            status, guid = event.step.status, new_guid(random)
            if message_type == TAX_BILL:
                content = tax_bill(inventory, guid, status, event.at_ms, self._knobs.vat_rate)
            else:
                content = tax_status(inventory, guid, status, event.at_ms)
            self._schedule(inventory.eport, message_type, inventory.id, event, content)
        return max((event.at_ms for event in events), default=start_ms)

    def whole(self, eport: str, message_type: str, content: dict[str, Any], status: str, now_ms: int) -> None:
        """Answer a whole message."""
        random = self._chance.draw("whole", message_type, content)
        [event] = timed([Step(status=status)], now_ms, self._knobs, random)
        self._schedule(eport, message_type, (), event, content)

    def _disturbed(self, filing: Filing, events: list[Event], random: Random) -> list[Event]:
        return events if filing.scripted else disturbed(events, self._knobs, random)

    def _answer(self, filing: Filing, events: Sequence[Event], random: Random) -> Filing:
        repeats_guid = random.random() < 0.5  # customs' receipts carry now e-port's guid, now the sender's
        numbered = any(reaches(rung(filing.receipt_type, status), "accepted") for _, status in filing.rungs)
        for each in events:
            step, by_customs = each.step, len(each.step.status) > 2 and each.step.status.isdigit()
            numbered = numbered or reaches(rung(filing.receipt_type, step.status), "accepted")
            guid = filing.head["guid"] if by_customs and repeats_guid else filing.own_guid
            info = info_of(filing.short, filing.receipt_type, step, filing.head)
            content = return_node(filing, guid, step.status, each.at_ms, info, numbered=numbered)
            self._schedule(filing.eport, filing.receipt_type, filing.id, each, content)
        return replace(filing, rungs=(*filing.rungs, *((each.at_ms, each.step.status) for each in events)))

    def _schedule(self, eport: str, message_type: str, subject: Id, event: Event, content: dict[str, Any]) -> None:
        if event.step.lost:
            return
        for again in range(event.step.files):
            self._world.schedule(
                Answer(
                    self._world.count("answer"),
                    eport,
                    message_type,
                    subject,
                    event.step.status,
                    content,
                    event.at_ms,
                    event.deliver_ms,
                    event.step.copies,
                    again,
                    event.step.form,
                )
            )
