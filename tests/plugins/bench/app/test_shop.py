"""The shop as real processes under load."""

from __future__ import annotations

import pytest

from galvo_bench.app import measure, users
from galvo_bench.app.ready import databases
from galvo_bench.method.rounds import AGAIN
from galvo_bench.reports.table import show
from galvo_bench.results.model import Section
from galvo_bench.running.stand import Stand
from tests.thorough import THOROUGH

pytestmark = pytest.mark.anyio


@pytest.mark.skipif(not THOROUGH, reason="the counts' gate and the claims' test start such applications")
async def test_the_shop_with_everything_asks_its_database_less(stand: Stand) -> None:
    """The whole mix, without an error."""
    async with databases(stand) as (load, urls):
        found = await measure.queries(stand, load, urls)
    assert found["plain"]["queries"] > 1.4 * found["full"]["queries"] > 0
    assert found["plain"]["resets"] > 10 * found["full"]["resets"]


@pytest.mark.timeout(600)
@pytest.mark.skipif(not THOROUGH, reason="five applications start")
async def test_all_sections_are_told(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    sections = await measure.measure(stand)
    assert pictures(sections) == [
        "Throughput against rate",
        "99th percentile against rate",
        "Latencies of what was answered",
        "Latencies of what was answered",
        "Memory of the application's processes",
    ]
    for section in sections:
        show(section)
    told = capsys.readouterr().out
    assert "off again (A/A)" in told
    assert all(len(line) <= 80 for line in told.splitlines())


@pytest.mark.timeout(600)
@pytest.mark.skipif(not THOROUGH, reason="three applications start")
async def test_users(stand: Stand, capsys: pytest.CaptureFixture[str]) -> None:
    one, several, latencies = await users.measure(stand)
    for section in (one, several):
        assert [row.name for row in section.rows] == ["everything off", "everything on", AGAIN]
    assert [row.name for row in latencies.rows] == ["1", "8"]
    assert [len(plot.lines) for plot in latencies.plots] == [3, 3]
    for section in (one, several, latencies):
        show(section)
    assert all(len(line) <= 80 for line in capsys.readouterr().out.splitlines())


def pictures(sections: list[Section]) -> list[str]:
    """Each has a line for every lane."""
    plots = [plot for section in sections for plot in section.plots]
    assert all(len(plot.lines) == 3 and all(plot.lines.values()) for plot in plots)
    return [plot.title for plot in plots]
