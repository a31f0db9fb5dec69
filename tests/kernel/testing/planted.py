"""Plugins that break a promise by what they say of themselves, at their start and stop, and by what they leave."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
from pydantic import Field

from galvo import Plugin, PluginSettings, Proceed, Query, Rows, hookimpl

PLANTED: list[tuple[str, type[Plugin], str]] = []
"""Check, plugin, and what its message has in it."""


def caught(check: str, found: str) -> Callable[[type[Plugin]], type[Plugin]]:
    """The class breaks the promise of `check`, whose message has `found` in it."""

    def plant(cls: type[Plugin]) -> type[Plugin]:
        cls.name = "planted"
        PLANTED.append((check, cls, found))
        return cls

    return plant


class Layer(Plugin):
    """A plugin without fault."""

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(query)


# -- what it says of itself ---------------------------------------------------------------------------


@caught("hooks", "Did you mean on_query?")
class Misspelt(Plugin):
    async def on_querry(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(query)


@caught("hooks", "is not marked")
class Unmarked(Plugin):
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(query)


@caught("api", "wants plugin API '>=9'")
class Future(Plugin):
    api = ">=9"


@caught("needs", "`requires` is 'pool'")
class Needy(Plugin):
    requires = "pool"  # type: ignore[assignment]  # that is the fault


class Bare(PluginSettings):
    size: int = 3


@caught("settings_described", "setting size has no description")
class Undescribed(Plugin):
    settings_type = Bare


class Demanding(PluginSettings):
    size: int = Field(description="Rows.")


@caught("settings_defaults", "setting size has no default")
class Undefaulted(Plugin):
    settings_type = Demanding


class Lax(PluginSettings):
    model_config = PluginSettings.model_config | {"extra": "ignore"}


@caught("settings_refused", "{'no_such_key': 1} is taken")
class Unknowing(Plugin):
    settings_type = Lax


class Open(PluginSettings):
    api_token: str = Field("", description="To get in.")


@caught("secrets", "setting api_token shows")
class Telltale(Plugin):
    settings_type = Open


# -- starting and stopping ----------------------------------------------------------------------------


@caught("starts_and_stops", "after its second start")
class OnlyOnce(Layer):
    used = False

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        type(self).used, before = True, type(self).used
        self.late = before
        yield

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return Rows() if self.late else await proceed(query)


@caught("toggles_under_load", "while it is switched")
class Forgetful(OnlyOnce):
    used = False


async def ticking() -> None:
    while True:  # noqa: ASYNC110  # somebody has to stop it
        await anyio.sleep(0.01)


@caught("failing_start", "there is still task")
class LeakyStart(Layer):
    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        task = asyncio.get_running_loop().create_task(ticking())
        await anyio.lowlevel.checkpoint()
        try:
            yield
        finally:
            task.cancel()


@caught("slow_start", "there is still task")
class LeakySlowStart(LeakyStart):
    pass


@caught("cancelled_start", "there is still task")
class LeakyCancelledStart(LeakyStart):
    pass


@caught("cancelled_stop", "there is still task")
class LeakyStop(Layer):
    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        task = asyncio.get_running_loop().create_task(ticking())
        try:
            yield
        finally:
            await anyio.lowlevel.checkpoint()
            task.cancel()


class Counted(Layer):
    """Knows how often it was made."""

    starts = 0

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        type(self).starts += 1


@caught("double_switches", "after a double switch")
class OnlyTwice(Counted):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return Rows() if self.starts > 1 else await proceed(query)


@caught("crashed_tasks", "an")
class Wedged(Layer):
    """Answers wrongly once its background task has failed."""

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self.broken = False
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._run)
            yield
            tasks.cancel_scope.cancel()

    async def _run(self) -> None:
        try:
            await anyio.sleep_forever()
        except Exception:
            self.broken = True

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return Rows() if self.broken else await proceed(query)


@caught("ended_tasks", "was answered with")
class Stale(Layer):
    """Answers wrongly once its background task has ended."""

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self._task = asyncio.get_running_loop().create_task(ticking())
        yield
        self._task.cancel()

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return Rows() if self._task.done() else await proceed(query)


@caught("reload", "was answered with")
class OldAnswers(Counted):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return Rows() if self.settings.mode == "active" and self.starts > 1 else await proceed(query)


@caught("refused_reload", "during a reload, ")
class Usurper(Layer):
    newest: Plugin | None = None

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        type(self).newest = self
        await anyio.lowlevel.checkpoint()
        yield

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(query) if self.newest is self else Rows()


# -- what it leaves -----------------------------------------------------------------------------------


@caught("leaves_nothing", "open pipe")
class Files(Layer):
    held: list[int] = []  # noqa: RUF012  # that is the fault

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self.held += os.pipe()
        yield


@caught("leaves_nothing", "thread 'forgotten")
class Threads(Layer):
    ends = threading.Event()

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        threading.Thread(target=self.ends.wait, name="forgotten").start()
        yield


@caught("leaves_nothing", "logging handlers")
class Handlers(Layer):
    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        logging.getLogger("kit.planted").addHandler(logging.NullHandler())
        yield


@caught("leaves_nothing", "atexit functions")
class Exits(Layer):
    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        atexit.register(int)
        yield


@caught("leaves_nothing", "signal handlers")
class Signals(Layer):
    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        signal.signal(signal.SIGUSR2, lambda *_: None)
        yield


@caught("leaves_nothing", "there is still task")
class Tasks(Layer):
    held: list[Any] = []  # noqa: RUF012  # that is the fault

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self.held.append(asyncio.get_running_loop().create_task(ticking()))
        yield


@caught("leaves_no_memory", "something still holds its instance: list")
class Kept(Layer):
    all: list[Any] = []  # noqa: RUF012  # that is the fault

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        type(self).all = [*self.all, self]  # a new one: gc does not see what was there when the tests froze it
        yield


@caught("leaves_no_memory", "bytes more, most of them from")
class Hoard(Layer):
    all: list[Any] = []  # noqa: RUF012  # that is the fault

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        self.all.append(bytearray(2000))
        yield
