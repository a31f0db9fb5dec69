"""Where a check runs: a kernel with the plugin, what is beside it, and a witness in front of the database."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, NoReturn

import anyio
import msgspec

from galvo.blueprint import of_classes
from galvo.errors import NoBackend
from galvo.events import Query
from galvo.kernel import Kernel
from galvo.plugin import Plugin
from galvo.registry import hooks_of
from galvo.testing.database import Database, Witness
from galvo.testing.leftovers import Leftovers
from galvo.testing.owning import noticed
from galvo.testing.probe import Probe, probed
from galvo.unit import State, Unit

NUMBERS = itertools.count(1)
ANSWERED = 10
"""Seconds that a query may take."""
PATIENCE = 3.0
"""Seconds that what is about to end may take."""
WORKING = "Give the contract settings with which it does"


class Stage(msgspec.Struct, kw_only=True):
    """A contract's attributes, for one check."""

    plugin: type[Plugin]
    check: str
    settings: Mapping[str, Any]
    changed: Mapping[str, Any]
    hostile_settings: Sequence[Mapping[str, Any]]
    beside: Mapping[type[Plugin], Mapping[str, Any]]
    statement: str
    failing: str
    budget: Mapping[str, float]
    injected: bool
    shares_work: bool
    thorough: bool

    def fail(self, found: str, remedy: str) -> NoReturn:
        """Raises AssertionError that names the plugin, the check, what was found and what to change."""
        raise AssertionError(f"plugin {self.plugin.name!r}, {self.check}: {found}. {remedy}")

    def ensure(self, holds: object, found: str, remedy: str) -> None:
        if not holds:
            self.fail(found, remedy)

    @property
    def is_database(self) -> bool:
        """The plugin itself runs the queries."""
        return "pool" in self.plugin.provides and "on_query" in hooks_of(self.plugin)

    def some(self, count: int, most: int = 6) -> list[int]:
        """Of 1 to `count`, as many as this run has time for: the first, the last and some between."""
        if self.thorough or count <= most:
            return list(range(1, count + 1))
        return sorted({1 + round(step * (count - 1) / (most - 1)) for step in range(most)})

    def classes(self, plugin: type[Plugin], table: Mapping[str, Any]) -> dict[type[Plugin], Mapping[str, Any]]:
        """Outermost first: the plugin, the witness, what is beside it; those with `trylast` are inside the witness."""
        database: type[Plugin] = type("Database", (Database,), {"known": self.statement})
        real = any("pool" in cls.provides and "on_query" in hooks_of(cls) for cls in (plugin, *self.beside))
        mine: dict[type[Plugin], Mapping[str, Any]] = {plugin: {"required": False, **self.settings, **table}}
        witness: dict[type[Plugin], Mapping[str, Any]] = {Witness: {"on_error": "raise"}}
        order = {**witness, **mine} if self.is_database else {**mine, **witness}
        return {**order, **self.beside, **({} if real else {database: {"on_error": "raise"}})}

    async def wait(self, left: Callable[[], list[str]], when: str, remedy: str) -> None:
        """Until nothing is `left`. Raises AssertionError when something stays."""
        end = monotonic() + PATIENCE
        while (found := left()) and monotonic() < end:  # noqa: ASYNC110  # what ends tells nobody
            await anyio.sleep(0.002)
        self.ensure(not found, f"{when}, there is still {', '.join(found[:5])}", remedy)

    @asynccontextmanager
    async def running(
        self, *, on: bool = True, plugin: type[Plugin] | None = None, **kernel: Any
    ) -> AsyncIterator[Running]:
        """A kernel in which the plugin runs, or with `on=False` is only listed. No task may outlive it."""
        probe = Probe()
        cls = plugin or probed(self.plugin, probe)
        before = Leftovers.now()
        with noticed():
            async with Kernel.of(self.classes(cls, {"on": on}), **kernel) as made:
                run = Running(self, made, cls, probe)
                for unit in made.supervisor.units.values():
                    if unit.state is State.FAILED:
                        self.fail(f"{unit.name} does not start: {unit.reason}", WORKING)
                yield run
        await self.wait(before.more, "after the kernel has ended", "End in lifespan() whatever it began")


class Running:
    """A stage's kernel."""

    def __init__(self, stage: Stage, kernel: Kernel, cls: type[Plugin], probe: Probe) -> None:
        self.stage = stage
        self.kernel = kernel
        self.probe = probe
        self.name = cls.name
        self._cls = cls

    @property
    def unit(self) -> Unit:
        return self.kernel.supervisor.units[self.name]

    @property
    def plugin(self) -> Plugin:
        """The running instance."""
        return self.unit.instance

    @property
    def witness(self) -> Witness:
        found = self.kernel.supervisor.units[Witness.name].instance
        assert isinstance(found, Witness)  # noqa: S101  # for the type
        return found

    @property
    def serving(self) -> bool:
        """There is somebody who runs queries."""
        return not self.stage.is_database or self.unit.state is State.ACTIVE

    async def ask(self, when: str, number: int | None = None, *, may_fail: bool = False) -> None:
        """One query, which has to get its answer; from a new number it is one that nobody has asked before.

        `may_fail`: the plugin is the database and has just crashed.
        """
        stage, number = self.stage, number or next(NUMBERS)
        served = self.serving and not may_fail
        try:
            with anyio.fail_after(ANSWERED):
                rows = (await self.kernel.run(Query(stage.statement, (number,)))).records
        except TimeoutError:
            stage.fail(f"{when}, a query got no answer within {ANSWERED} s", "Wait for nothing that may never come")
        except NoBackend as error:
            if not stage.is_database or (served and self.serving):
                stage.fail(f"{when}, a query was lost: {error}", "Run it")
        except Exception as error:  # noqa: BLE001  # whatever a query that has an answer gets instead of it
            if served and self.serving:
                stage.fail(f"{when}, a query was lost: {shown(error)}", "Let its answer through")
        else:
            right = len(rows) == 1 and list(rows[0]) == [number]
            stage.ensure(right, f"{when}, {number} was answered with {rows!r}", "Give each query its own answer")

    async def reload(self, **table: Any) -> list[str]:
        """Bring the kernel to the contract's settings with `table` laid over; gives what changed."""
        plan = of_classes(self.stage.classes(self._cls, table), self.kernel.settings.model_dump())
        known = self.kernel.supervisor.units
        return await self.kernel.supervisor.reload(
            [
                msgspec.structs.replace(new, cls=known[new.name].blueprint.cls) if new.name != self.name else new
                for new in plan.blueprints
            ]
        )

    def faults(self) -> tuple[int, str]:
        """How many faults the kernel has counted of the plugin, and the last one."""
        return self.unit.faults, self.unit.last_fault

    def no_fault(self, what: str, remedy: str) -> None:
        count, last = self.faults()
        self.stage.ensure(not count, f"{what} is a fault of it: {last}", remedy)

    async def own_tasks_end(self, when: str, remedy: str) -> None:
        """Wait until none of the plugin's tasks runs."""

        def running() -> list[str]:
            return [f"task {task.get_name()!r}" for task in self.probe.owned.running()]

        await self.stage.wait(running, when, remedy)


def shown(error: BaseException) -> str:
    """In one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
