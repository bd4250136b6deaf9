"""Consequences: what one document does to others once e-port has taken it in.

An inventory takes its order, payments and waybill along to customs, and its release brings the tax bill; a cancellation
stops the inventory, a full return voids a tax bill that is not summarised yet.
"""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from .admission import inventory_of, matched_with, returned
from .answering import TAX_BILL, TAX_STATUS, Answering
from .course import STORED_BY_CUSTOMS, told_to_the_order
from .filing import TRIPLE, Filing, reaches
from .script import Script, Step
from .world import World

_MADE, _SUMMARISED, _VOID = (Step(status=status) for status in "123")


class Consequences:
    """Works them out in one world; ``script`` may know better about tax bills."""

    def __init__(self, world: World, answering: Answering, script: Script) -> None:
        self._world = world
        self._answering = answering
        self._script = script

    def of(self, filing: Filing, steps: Sequence[Step]) -> None:
        """What follows from a document that was just taken in with these steps."""
        if filing.short == "621":
            self._of_inventory(filing, steps)
        elif filing.short == "623":
            self._of_cancellation(filing)
        elif filing.short == "625":
            self._of_return(filing)
        elif filing.short in TRIPLE and (inventory := inventory_of(self._world, filing, filing.taken_ms)):
            self._take_along(filing, inventory, filing.taken_ms)

    def _of_inventory(self, inventory: Filing, steps: Sequence[Step]) -> None:
        for short in TRIPLE:
            for each in matched_with(self._world, inventory, short):
                self._take_along(each, inventory, inventory.taken_ms)
        for step, (at, status) in zip(steps, inventory.rungs, strict=True):
            if status == "100" and step.code and told_to_the_order(step.code):
                for order in matched_with(self._world, inventory, "311"):
                    if order.present(inventory.taken_ms):
                        self._tell(order, Step(status=status, code=step.code, info=step.info), at)
        if (released := inventory.reached_ms("released")) is not None:
            self._tell_tax(inventory, released)

    def _take_along(self, filing: Filing, inventory: Filing, now_ms: int) -> None:
        """A document that customs has not stored yet is stored together with its inventory."""
        stored = inventory.reached_ms("accepted")
        if stored is not None and filing.present(now_ms) and filing.reached_ms("accepted") is None:
            self._tell(filing, STORED_BY_CUSTOMS, stored)

    def _tell(self, filing: Filing, step: Step, at_ms: int) -> None:
        if not filing.scripted:
            self._world.file(self._answering.add(filing, step, at_ms))

    def _tell_tax(self, inventory: Filing, released_ms: int) -> None:
        told = self._answering.tax(inventory, self._tax_steps(inventory, "816", _MADE), TAX_BILL, released_ms)
        later = max(told, inventory.rungs[-1][0])
        self._answering.tax(inventory, self._tax_steps(inventory, "818", _SUMMARISED), TAX_STATUS, later)

    def _tax_steps(self, inventory: Filing, short: str, ordinary: Step) -> tuple[Step, ...]:
        rule = self._script.rule_for(short, inventory.head | inventory.numbers, 1)
        return (ordinary,) if rule is None or rule.answers is None else rule.answers

    def _of_cancellation(self, cancellation: Filing) -> None:
        granted, inventory = cancellation.reached_ms("decided"), self._inventory_named(cancellation)
        if granted is None or inventory is None:
            return
        now_ms = cancellation.taken_ms
        self._world.withdraw(inventory.id, now_ms)
        happened = tuple(each for each in inventory.rungs if each[0] <= now_ms)
        self._world.file(replace(inventory, rungs=happened, ended_ms=granted))

    def _of_return(self, filing: Filing) -> None:
        granted, inventory = filing.reached_ms("decided"), self._inventory_named(filing)
        if granted is None or inventory is None:
            return
        back = returned(self._world, filing.head["invtNo"], lambda each: reaches(each.step_at(granted), "decided"))
        if any(back.get(line["gnum"], Decimal(0)) < Decimal(line["qty"]) for line in inventory.lines):
            return
        self._world.file(replace(inventory, ended_ms=granted))
        if self._world.withdraw(inventory.id, granted, TAX_STATUS):
            self._answering.tax(inventory, (_VOID,), TAX_STATUS, granted)

    def _inventory_named(self, filing: Filing) -> Filing | None:
        found = self._world.linked(filing.link("inventory"), "621")
        return found[-1] if found else None
