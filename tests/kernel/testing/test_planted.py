"""For each check a planted plugin that it catches, by name, and that nothing but the kit would notice."""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from importlib import metadata
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from pydantic import Field

from galvo import Freed, MemoryPressure, Metric, Plugin, PluginSettings, Proceed, Query, Rows, hookimpl
from galvo.testing import PluginContract
from galvo.testing.stage import Stage

pytestmark = pytest.mark.anyio
PLANTED: list[tuple[str, type[Plugin], str]] = []


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def caught(check: str, found: str) -> Callable[[type[Plugin]], type[Plugin]]:
    """The class breaks the promise of `check`, whose message has `found` in it."""

    def plant(cls: type[Plugin]) -> type[Plugin]:
        cls.name = "planted"
        PLANTED.append((check, cls, found))
        return cls

    return plant


def stage_of(plugin: type[Plugin], check: str, **more: Any) -> Stage:
    contract = PluginContract
    attributes = {
        name: getattr(contract, name)
        for name in (
            "settings", "changed", "hostile_settings", "beside", "statement", "failing", "budget", "injected",
            "shares_work",
            "thorough",
        )
    }  # fmt: skip
    return Stage(plugin=plugin, check=check, **(attributes | more))


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


@caught("double_switches", "after a double switch")
class OnlyTwice(Layer):
    starts = 0

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        type(self).starts += 1

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
class OldAnswers(Layer):
    starts = 0

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        type(self).starts += 1

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


# -- on_query -----------------------------------------------------------------------------------------


@caught("proceeds_once", "called `proceed` 2 times")
class Retrying(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        try:
            return await proceed(query)
        except ConnectionResetError:
            return await proceed(query)


@caught("hands_queries_on", "proceed was given a str")
class Textual(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(query.sql)  # type: ignore[arg-type]  # that is the fault


@caught("hands_queries_on", "an ordinary query ends in")
class Remade(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(Query(query.sql, query.args, query.kind, query.limit, session=query.session))


@caught("hands_queries_on", "a query with a timeout of 30.0 s is handed on with [None]")
class Patient(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(query.with_(timeout=None))


@caught("session_kept", "outside of it")
class Sessionless(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await proceed(query.with_(session=None))


@caught("session_kept", "the database sees ['SELECT']")
class Swallowing(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return Rows() if query.kind == "status" and "$1" not in query.sql else await proceed(query)


@caught("answers_unchanged", "it changed an answer")
class Scribbling(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        rows = await proceed(query)
        if query.kind == "rows" and query.session is not None:
            rows.records.append("one more")  # type: ignore[attr-defined]  # that is the fault
        return rows


@caught("answers_unchanged", "of three rows the caller gets")
class Losing(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        rows = await proceed(query)
        return Rows(rows.records[:1], rows.status)


@caught("database_errors", "is counted as its fault: on_query: RuntimeError: wrapped")
class Wrapping(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        try:
            return await proceed(query)
        except Exception as error:
            raise RuntimeError("wrapped") from error


@caught("own_faults", "with a fault at await")
class Doubling(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        rows = await proceed(query)
        try:
            await anyio.lowlevel.checkpoint()
        except Exception:
            return Rows()
        return rows


@caught("own_queries_fail", "while its own queries fail")
class Dependent(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        if query.origin:
            return await proceed(query)
        rows = await proceed(query)
        try:
            await self.context.fetch("select $1::int as n", 1)
        except OSError:
            return Rows()
        return rows


@caught("cancelled_query", "goes on as if it were not")
class Stubborn(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        with suppress(BaseException):
            await anyio.lowlevel.checkpoint()
        return await proceed(query)


@caught("cancelled_query", "is still run by the database, for nobody")
class Detached(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        return await asyncio.shield(asyncio.ensure_future(proceed(query)))


@caught("cancelled_query", "was answered with")
class Poisoned(Layer):
    poisoned = False

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        if self.poisoned:
            return Rows()
        self.poisoned = True
        rows = await proceed(query)
        self.poisoned = False
        return rows


@caught("cancelled_cache_miss", "goes on as if it were not")
class StubbornMiss(Plugin):
    @hookimpl
    async def on_cache_miss(self, query: Query, reason: str) -> Rows | None:
        with suppress(BaseException):
            await anyio.lowlevel.checkpoint()
        return None


@caught("cancelled_memory_pressure", "goes on as if it were not")
class StubbornRelief(Plugin):
    @hookimpl
    async def on_memory_pressure(self, pressure: MemoryPressure) -> Freed | None:
        with suppress(BaseException):
            await anyio.lowlevel.checkpoint()
        return None


# -- hostile payloads ---------------------------------------------------------------------------------


@caught("hostile_statements", "is a fault of it: on_query: IndexError")
class Splitting(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        _ = query.sql.split()[0]
        return await proceed(query)


@caught("hostile_statements", "is a fault of it: on_query: UnicodeEncodeError")
class Encoding(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        query.sql.encode()
        return await proceed(query)


@caught("hostile_arguments", "is a fault of it: on_query: RuntimeError: no hash")
class Hashing(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        with suppress(TypeError):
            hash(query.args)
        return await proceed(query)


@caught("hostile_cache_misses", "is a fault of it: on_cache_miss: IndexError")
class Guessing(Plugin):
    @hookimpl
    async def on_cache_miss(self, query: Query, reason: str) -> Rows | None:
        _ = query.sql.split()[0]
        return None


@caught("hostile_metrics", "is a fault of it: on_metric: ValueError")
class Rounding(Plugin):
    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        int(value)


@caught("bounded_metrics", "bytes more, however many there were before")
class Unbounded(Plugin):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.seen: dict[Metric, list[float]] = {}

    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        self.seen.setdefault(metric, [0.0, 0.0])[0] += value


@caught("every_pressure", "is a fault of it: on_memory_pressure: ZeroDivisionError")
class Dividing(Plugin):
    @hookimpl
    async def on_memory_pressure(self, pressure: MemoryPressure) -> Freed | None:
        return Freed(100 // pressure.bytes_over)


@caught("every_pressure", "at NORMAL it gives Freed")
class Negative(Plugin):
    @hookimpl
    async def on_memory_pressure(self, pressure: MemoryPressure) -> Freed | None:
        return Freed(-5, "less")


# -- time ---------------------------------------------------------------------------------------------


def compute(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


@caught("time_of_on_query", "on_query stops the event loop for")
class Sleeping(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        time.sleep(0.03)  # noqa: ASYNC251  # that is the fault
        return await proceed(query)


@caught("time_of_on_query", "of CPU between two awaits")
class Computing(Layer):
    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        compute(0.02)
        return await proceed(query)


@caught("time_of_on_metric", "on_metric takes")
class ComputingMetric(Plugin):
    @hookimpl
    def on_metric(self, metric: Metric, value: float) -> None:
        compute(0.003)


@caught("time_of_on_cache_miss", "on_cache_miss takes")
class ComputingMiss(Plugin):
    @hookimpl
    def on_cache_miss(self, query: Query, reason: str) -> Rows | None:
        compute(0.02)
        return None


@caught("time_of_on_memory_pressure", "on_memory_pressure stops the event loop")
class SleepingRelief(Plugin):
    @hookimpl
    def on_memory_pressure(self, pressure: MemoryPressure) -> Freed | None:
        time.sleep(0.15)
        return None


# -- what it tells ------------------------------------------------------------------------------------


@caught("explain", "explain of '' ends in IndexError")
class Explaining(Plugin):
    async def explain(self, query: Query) -> dict[str, Any] | None:
        return {"first": query.sql.split()[0]}


@caught("stats", "stats() gives 'rate': nan")
class Counting(Plugin):
    def stats(self) -> dict[str, float]:
        return {"rate": float("nan")}


@caught("checkup", "checkup")
class Checking(Plugin):
    async def checkup(self) -> Any:
        class Finding:
            subject, found, verdict, advice = "disk", "full", "problem", ""

        return [Finding()]


@pytest.fixture(autouse=True)
def tidy() -> Any:
    """What the planted ones leave is taken away."""
    Threads.ends.clear()
    Kept.all = []  # what was there when tests/conftest.py froze it is no referrer to gc
    handler = signal.getsignal(signal.SIGUSR2)
    yield
    signal.signal(signal.SIGUSR2, handler)
    Threads.ends.set()
    logging.getLogger("kit.planted").handlers.clear()
    atexit.unregister(int)
    for file in Files.held:
        os.close(file)
    Files.held.clear()
    for task in Tasks.held:
        task.cancel()
    Tasks.held.clear()


@pytest.mark.parametrize("check, plugin, found", PLANTED, ids=[f"{c}-{p.__name__}" for c, p, _ in PLANTED])
async def test_it_is_caught(check: str, plugin: type[Plugin], found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("stage", "leaks"):
        monkeypatch.setattr(f"galvo.testing.{place}.PATIENCE", 0.1)
    text = await said(getattr(PluginContract(), f"test_{check}"), stage_of(plugin, check))
    assert text.startswith(f"plugin 'planted', {check}: "), text
    assert found in text, text


async def said(check: Callable[[Stage], Any], stage: Stage) -> str:
    """By its AssertionError."""
    try:
        if (running := check(stage)) is not None:
            await running
    except AssertionError as error:
        return str(error)
    pytest.fail("it was not caught")


@pytest.mark.parametrize("name", ["Upper", "two__lines", "kernel", "", None, 7])
def test_a_name_that_is_none(name: Any) -> None:
    plugin = type("Planted", (Plugin,), {} if name is None else {"name": name})
    with pytest.raises(AssertionError, match="plugin Planted, name: it is called"):
        PluginContract().test_name(stage_of(plugin, "name"))


@pytest.mark.parametrize(
    "name, value, found",
    [
        ("other", f"{__name__}:Layer", "its entry point is called 'other'"),
        ("planted", "galvo.testing.stage:Stage", "leads to galvo.testing.stage:Stage"),
    ],
)
def test_an_entry_point_that_leads_elsewhere(
    name: str, value: str, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metadata, "entry_points", lambda group: [metadata.EntryPoint(name, value, group)])
    monkeypatch.setattr(Layer, "name", "planted", raising=False)
    with pytest.raises(AssertionError, match=found):
        PluginContract().test_entry_point(stage_of(Layer, "entry_point"))


def test_every_check_catches_something() -> None:
    checks = {name.removeprefix("test_") for name in dir(PluginContract) if name.startswith("test_")}
    assert checks - {check for check, _, _ in PLANTED} == {"name", "entry_point"}
