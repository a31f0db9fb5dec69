"""N+1: all ways show the same page, queries are counted exactly, and the watch notices or the run ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from galvo import GalvoError
from galvo_bench.index import n_plus_one
from galvo_bench.reports.table import show
from galvo_bench.results.model import Values
from galvo_bench.running.stand import Stand

pytestmark = pytest.mark.anyio
N = 12


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(n_plus_one, "PROJECTS", N)
    monkeypatch.setattr(n_plus_one, "PARTS", 2)


async def test_what_it_costs_and_who_notices(server_dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    sections = await n_plus_one.measure(Stand(server_dsn, rounds=1))
    _, counts, said = sections
    assert counts.exact
    found = {row.name: row.values for row in counts.rows if isinstance(row, Values)}
    plain, joined, uncached, cached, cached_join = found.values()
    always = {"first, queries": N + 1, "first, trips": 2 * N + 2, "again, queries": N + 1, "again, trips": 2 * N + 2}
    assert plain == uncached == always
    assert joined == {"first, queries": 1, "first, trips": 2, "again, queries": 1, "again, trips": 2}
    assert cached == {"first, queries": N + 1, "first, trips": N + 1, "again, queries": 0, "again, trips": 0}
    assert cached_join == {"first, queries": 1, "first, trips": 1, "again, queries": 0, "again, trips": 0}
    assert "where project_id = $1" in said.explains
    assert "any($1)" in said.explains
    for section in sections:
        show(section)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


async def test_a_watch_that_does_not_notice_ends_the_run(server_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(n_plus_one, "ENOUGH", 1)
    with pytest.raises(GalvoError, match="did not notice 1 pages"):
        await n_plus_one.measure(Stand(server_dsn, rounds=1))


async def test_a_way_that_shows_another_page_ends_the_run(server_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def shorter(fetch: Callable[..., Awaitable[list[object]]]) -> n_plus_one.Show:
        page = joined(fetch)

        async def most() -> n_plus_one.Page:
            return (await page())[1:]

        return most

    joined = n_plus_one._joined
    monkeypatch.setattr(n_plus_one, "_joined", shorter)
    with pytest.raises(GalvoError, match=r"asyncpg.Pool, joined shows another page"):
        await n_plus_one.measure(Stand(server_dsn, rounds=1))
