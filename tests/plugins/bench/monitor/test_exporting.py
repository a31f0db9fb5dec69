"""Exports of the same series: all say the same, and one that leaves something out ends the run."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from galvo import GalvoError
from galvo_bench.method.rounds import AGAIN
from galvo_bench.monitor import exporting
from galvo_bench.reports.table import show
from galvo_bench.results.model import Missing, Values
from galvo_bench.running.stand import Stand

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "NAMES", 2)
    monkeypatch.setattr(exporting, "LABELS", 3)
    monkeypatch.setattr(exporting, "TOLD", 20)


async def test_sections(capsys: pytest.CaptureFixture[str]) -> None:
    scrape, text, collection = await exporting.measure(Stand(rounds=1))
    texts = [exporting.GALVO, exporting.BY_CLIENT, exporting.CLIENT]
    assert [row.name for row in scrape.rows] == [*texts, AGAIN]
    assert [row.name for row in collection.rows][1:] == ["galvo by OpenTelemetry", "OpenTelemetry", AGAIN]
    lines = {row.name: row.values["lines"] for row in text.rows if isinstance(row, Values)}
    series = 6 * (15 + len(["+Inf", "sum", "count"]) + len(["a counter"]))
    assert lines == {
        exporting.GALVO: series + 1,  # how many were left out
        exporting.BY_CLIENT: series,
        exporting.CLIENT: series - 6 + 12,  # each of its series has a time of creation, and its buckets are 14 and +Inf
    }
    for section in (scrape, text, collection):
        show(section)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


async def test_without_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("prometheus_client", "opentelemetry")]:
        monkeypatch.setitem(sys.modules, name, None)
    scrape, text, collection = await exporting.measure(Stand(rounds=1))
    assert {row.missing for row in (*scrape.rows, *collection.rows) if isinstance(row, Missing)} == {"not installed"}
    assert [row.name for row in text.rows] == [exporting.GALVO]


async def test_an_export_that_leaves_something_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made = exporting.prometheus()

    def half() -> exporting.Scrape:
        def scrape() -> Iterator[bytes]:
            text = b"".join(made())
            yield text[: len(text) // 2]

        return scrape

    monkeypatch.setattr(exporting, "prometheus", half)
    with pytest.raises(GalvoError, match=r"prometheus_client exports .* durations"):
        await exporting.measure(Stand(rounds=1))
