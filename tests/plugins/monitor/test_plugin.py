"""The plugin in a kernel on a real server: what is recorded is kept, judged and shown."""

from __future__ import annotations

import gc
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import asyncpg
import httpx
import pytest

from galvo import GalvoError, Kernel, Metric, Plugin
from galvo_cache import CachePlugin
from galvo_embedded import Servers
from galvo_monitor import MonitorPlugin
from galvo_monitor.export.mounting import metrics
from galvo_monitor.export.scrape import NOTHING
from galvo_monitor.view import Chart, View
from galvo_pool import PoolPlugin
from tests.conftest import execute

pytestmark = pytest.mark.anyio
QUICK = {"interval": 0.2, "answer": False, "state": ""}
SOLD = Metric("shop.sold", "counter", "{box}")
QUERY = Metric("db.client.operation.duration", "histogram", "s")
OPEN = Metric("shop.open", "gauge", "{box}")


class Refusing(Plugin):
    """A pool that has no connection to give."""

    name = "refusing"
    provides = ("pool",)

    async def connect(self) -> Any:
        raise ConnectionRefusedError(111, "Connection refused")


def kernel(dsn: str, **monitor: Any) -> Kernel:
    plugins = {CachePlugin: {}, PoolPlugin: {"url": dsn, "min_size": 1, "max_size": 3}, MonitorPlugin: QUICK | monitor}
    return Kernel.of(plugins)


def monitor_of(running: Kernel) -> MonitorPlugin:
    found: MonitorPlugin = running.find_capability("monitor")
    return found


async def seen(running: Kernel, what: Any) -> View:
    """The first view of which `what` is true."""
    monitor, after = monitor_of(running), 0.0
    with anyio.fail_after(20):
        while True:
            view = await monitor.wait(after)
            if what(view):
                return view
            after = view.at


async def scraped(running: Kernel) -> str:
    transport = httpx.ASGITransport(metrics(running, public=True))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return (await client.get("/metrics")).text


def chart(view: View, panel: str, title: str) -> Chart | None:
    charts = [chart for one in view.panels if one.name == panel for chart in one.charts]
    return next((chart for chart in charts if chart.title == title), None)


async def test_what_the_other_plugins_record_is_shown(dsn: str) -> None:
    await execute(dsn, "create table box(id int primary key); insert into box values (1)")
    async with kernel(dsn) as running:
        for _ in range(30):
            await running.fetch("select * from box where id = $1", 1)
        with suppress(asyncpg.DivisionByZeroError):
            await running.fetch("select 1 / 0")
        view = await seen(running, lambda view: chart(view, "database", "Time of a statement"))
        assert (view.status, view.verdict, view.pid) == ("ok", "No alert is firing.", os.getpid())
        view = await seen(running, lambda view: chart(view, "database", "Sessions of the server"))
        assert chart(view, "database", "Time of a statement"), "also when no statement ended meanwhile"
        running.find_capability("cache")._metering.record()  # every 5 s otherwise
        view = await seen(running, lambda view: chart(view, "cache", "Hit ratio"))
        assert {panel.name for panel in view.panels} >= {"database", "cache", "system"}
        tables = {table.title: table for panel in view.panels for table in panel.tables}
        assert [row[0] for row in tables["Kept, by time saved"].rows] == ["select * from box where id = $1"]
        assert all("1 / 0" not in str(table.rows) for table in tables.values()), "no values"
        lines = chart(view, "database", "Statements")
        assert lines is not None
        assert {value.label for value in lines.values} == {"ok", "22012"}, "failures by SQLSTATE"


async def test_its_past(dsn: str) -> None:
    async with kernel(dsn) as running:
        view = await seen(running, lambda view: chart(view, "system", "Memory"))
        first = view.at
        view = await seen(running, lambda view: view.at > first + 0.8)
        found = chart(view, "system", "Memory")
        assert found is not None
        past = monitor_of(running).past(found.values[0].series, first - 10, view.at)
        assert past is not None
        known = [value for value in past.means if value is not None]
        assert len(known) >= 3
        assert all(0 < value < 1 for value in known)
        assert monitor_of(running).past("nothing value", first, view.at) is None


async def test_a_reload_goes_on_where_it_was(dsn: str) -> None:
    async with kernel(dsn) as running:
        running.record(SOLD, 3)
        view = await seen(running, lambda view: chart(view, "system", "Memory"))
        series = chart(view, "system", "Memory").values[0].series  # type: ignore[union-attr]
        old = monitor_of(running)
        changed = kernel(dsn, disks=("/", "."))
        blueprints = [unit.blueprint for unit in changed.supervisor.units.values()]
        assert await running.supervisor.reload(blueprints) == ["monitor"]
        new = monitor_of(running)
        assert new is not old
        assert dict(new.snapshot().counters)[SOLD] == 3
        assert new.past(series, view.at - 10, view.at + 1) is not None


async def test_what_was_long_before_a_reload_is_not_of_its_first_interval(dsn: str) -> None:
    name = f'{QUERY.name}{{total="true"}} p95'
    async with kernel(dsn) as running:
        for _ in range(100):
            running.record(QUERY, 5.0)
        await seen(running, lambda view: monitor_of(running).past(name, 0, view.at))
        after = (await monitor_of(running).wait(monitor_of(running).view().at)).at
        await running.supervisor.reload(
            [unit.blueprint for unit in kernel(dsn, disks=("/", ".")).supervisor.units.values()]
        )
        running.record(QUERY, 0.001)
        await seen(running, lambda view: chart(view, "database", "Time of a statement") and view.at > after)
        past = monitor_of(running).past(name, after, after + 60)
        assert past is not None
        assert all(high < 1 for high in past.highs if high is not None)


async def test_it_can_be_switched_off_and_on(dsn: str) -> None:
    async with kernel(dsn) as running:
        await seen(running, lambda view: view.at)
        callbacks = len(gc.callbacks)
        await running.disable("monitor")
        assert len(gc.callbacks) == callbacks - 1
        assert await running.fetchval("select 7") == 7
        count = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        with anyio.fail_after(10):
            while await running.fetchval(count) > 2:  # noqa: ASYNC110  # the server's own view of it
                await anyio.sleep(0.02)
        await running.enable("monitor")
        await running.fetchval("select 8")
        await seen(running, lambda view: chart(view, "database", "Statements"))


async def test_history_survives_a_restart(dsn: str) -> None:
    """In the table, in its own schema; an hour's worth of 5-minute figures is written at once."""
    async with kernel(dsn, history=True) as running:
        await seen(running, lambda view: view.panels)
        await running.fetchval("select 1")
        with anyio.fail_after(10):
            made = "select to_regclass('galvo.monitor_history') is not null"
            while not await running.fetchval(made):  # noqa: ASYNC110  # the plugin makes it when it likes
                await anyio.sleep(0.05)
    async with kernel(dsn, history=True) as running:
        await seen(running, lambda view: view.panels)
        assert running.plugin_stats("monitor")["faults"] == 0


async def test_without_a_server_the_machine_is_still_shown() -> None:
    async with Kernel.of({MonitorPlugin: QUICK}) as running:
        view = await seen(running, lambda view: chart(view, "system", "Processor"))
        assert "database" not in {panel.name for panel in view.panels}
        assert running.plugin_stats("monitor")["faults"] == 0


async def test_an_alert_fires_resolves_and_survives_a_restart(dsn: str, tmp_path: Path) -> None:
    rule = {"name": "OpenMuch", "metric": "shop.open", "above": 100, "until": 50, "for": 0, "window": 1}
    settings = {"rules": [rule], "state": str(tmp_path / "alerts")}

    def state(view: View) -> str:
        return next((alert.state for alert in view.alerts if alert.name == "OpenMuch"), "")

    async with kernel(dsn, **settings) as running:
        running.record(OPEN, 200)
        view = await seen(running, lambda view: state(view) == "firing")
        since = view.alerts[0].since
        assert (view.status, running.plugin_stats("monitor")["alerts"]) == ("warning", 1)
        assert view.verdict.startswith("Shop.open is 200, above 100.")
    async with kernel(dsn, **settings) as running:
        running.record(OPEN, 70)
        view = await seen(running, state)
        assert (state(view), view.alerts[0].since) == ("firing", since), "it is the same alert"
        running.record(OPEN, 40)
        view = await seen(running, lambda view: state(view) == "resolved")
        assert view.status == "ok"


async def test_an_alert_fires_when_all_lines_are_taken() -> None:
    rule = {"name": "OpenMuch", "metric": "shop.open", "above": 100, "for": 0}
    async with Kernel.of({MonitorPlugin: QUICK | {"series": 1, "rules": [rule]}}) as running:
        await seen(running, lambda view: any("do not fit into the 1" in one.sentence for one in view.insights))
        running.record(OPEN, 200)
        await seen(running, lambda view: [alert.name for alert in view.alerts] == ["OpenMuch"])


@pytest.mark.parametrize(
    "settings, told",
    [
        ({"rules": [{"name": "A", "metric": "galvo.loop.lag", "aggregate": "value", "above": 1}]}, "is a histogram"),
        ({"rules": [{"name": "A", "metric": "galvo.memory.level", "above": 1, "until": 2}]}, "lower it"),
        ({"rules": [{"name": "A", "metric": "galvo.memory.level", "above": 1, "window": 0}]}, "window"),
        ({"without": ["QueuOld"]}, "did you mean 'QueueOld'"),
        ({"webhook": "ftp://host"}, "http"),
        ({"redis": "redis://localhost"}, "openssl rand"),
        ({"interval": 0}, "interval"),
    ],
)
async def test_settings_that_make_no_sense(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(GalvoError, match=told):
        async with Kernel.of({MonitorPlugin: settings | {"required": True}}):
            pass


async def test_a_server_that_cannot_be_asked_is_told() -> None:
    async with Kernel.of({Refusing: {}, MonitorPlugin: QUICK}) as running:
        view = await seen(running, lambda view: view.insights)
        assert view.insights[0].sentence.startswith("the database cannot be asked how it is: ")
        assert view.verdict.startswith("No alert is firing. The database cannot be asked how it is: ")


async def test_what_the_server_said_before_it_was_gone_is_not_shown_as_if_it_were_so(dsn: str) -> None:
    def sessions(view: View) -> list[float | None]:
        shown = chart(view, "database", "Sessions of the server")
        return [] if shown is None else [value.now for value in shown.values]

    async with kernel(dsn) as running:
        await seen(running, lambda view: None not in sessions(view) and sessions(view))
        monitor_of(running)._gathers.database._connect = Refusing.connect  # type: ignore[union-attr]
        await monitor_of(running)._gathers.database._connection.close()  # type: ignore[union-attr]
        view = await seen(running, lambda view: set(sessions(view)) == {None})
        assert "cannot be asked" in view.verdict


async def test_several_processes_are_one(dsn: str, servers: Servers) -> None:
    key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    shared = {"redis": await servers.redis(), "signing_key": key, "namespace": dsn}
    async with kernel(dsn, **shared) as one, kernel(dsn, **shared) as two:
        one.record(OPEN, 40)
        two.record(OPEN, 2)
        one.record(SOLD, 1000)
        two.record(SOLD, 10)
        for running in (one, two):
            await seen(running, lambda view: view.processes == 2)
        with anyio.fail_after(20):
            for running in (one, two):
                while "shop_sold_total 1010" not in await scraped(running):  # noqa: ASYNC110  # until both have told
                    await anyio.sleep(0.02)
    async with kernel(dsn, redis="redis://127.0.0.1:1/0", signing_key=key) as running:
        view = await seen(running, lambda view: view.insights)
        assert await scraped(running) == NOTHING.decode(), "counters of one process would go backwards"
        assert "Redis does not answer" in view.insights[-1].sentence


def test_under_trio_it_says_what_it_needs_and_leaves_nothing() -> None:
    async def main() -> None:
        async with Kernel.of({MonitorPlugin: QUICK | {"required": True}}):
            pass

    before = len(gc.callbacks)
    with pytest.raises(GalvoError, match="asyncio only"):
        anyio.run(main, backend="trio")
    assert len(gc.callbacks) == before
