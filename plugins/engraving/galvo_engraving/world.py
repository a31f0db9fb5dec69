"""What a client of the shop knows: which rows exist, which are popular, and which are its own."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any, Protocol, TypeVar

from galvo_engraving.generate import MACHINES, zipf

T = TypeVar("T")


class Database(Protocol):
    """What the workload asks of a database: an `asyncpg.Pool` has it, and so has a galvo `Kernel`."""

    async def fetch(self, query: str, /, *args: Any) -> Any: ...
    async def fetchrow(self, query: str, /, *args: Any) -> Any: ...
    async def fetchval(self, query: str, /, *args: Any) -> Any: ...
    async def execute(self, query: str, /, *args: Any) -> str: ...
    def acquire(self) -> AbstractAsyncContextManager[Any]: ...


@dataclass(frozen=True, slots=True)
class World:
    """The loaded shop: row counts (ids count from 1), and the few values that requests are made of."""

    users: int
    settings: int
    templates: int
    materials: int
    projects: int
    jobs: int
    groups: tuple[str, ...]
    families: tuple[str, ...]
    sheets: tuple[tuple[int, Decimal], ...]
    """(material id, thickness in mm)"""

    @classmethod
    async def read(cls, db: Database) -> World:
        """As the generator left it: rows that a workload added do not change what the next one asks for."""
        marker = await db.fetchrow(
            "select users, settings, templates, materials, projects, jobs from engraving.generation"
        )
        if marker is None:
            raise LookupError("the engraving data is not loaded")
        groups = await db.fetch("select distinct template_group from engraving.box_template order by 1")
        families = await db.fetch("select distinct family from engraving.material order by 1")
        sheets = await db.fetch("select distinct material_id, thickness_mm from engraving.laser_setting order by 1, 2")
        return cls(
            **dict(marker),
            groups=tuple(row[0] for row in groups),
            families=tuple(row[0] for row in families),
            sheets=tuple((row[0], row[1]) for row in sheets),
        )


class Client:
    """One client's choices: the same seed and number give the same choices, whatever the database answers."""

    __slots__ = ("clients", "number", "random", "stale", "world")

    def __init__(self, world: World, seed: int, number: int, clients: int) -> None:
        self.world = world
        self.number = number
        self.clients = clients
        self.random = Random(f"{seed}/{number}")  # noqa: S311  # reproducible, not secret
        self.stale = 0
        """Times that this client did not read what it had just written."""

    def popular(self, count: int) -> int:
        """An id from 1 to `count` by Zipf's law, the popular ones scattered over the table."""
        return zipf(self.random, count) * 7_919 % count + 1

    def choice(self, values: tuple[T, ...]) -> T:
        """One of `values`, the first ones more often."""
        return values[zipf(self.random, len(values)) - 1]

    def own(self, count: int) -> int:
        """A popular id that no other client writes to.

        Customers edit their own projects. It also makes the final state independent of who came first.
        """
        chosen = self.popular(count) - 1
        chosen += self.number - chosen % self.clients
        return (chosen if chosen < count else chosen - self.clients) + 1

    def machine(self) -> str:
        return self.random.choice(MACHINES)
