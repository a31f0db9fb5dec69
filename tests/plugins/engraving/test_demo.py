from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from galvo_engraving.demo import databases, main, report
from galvo_engraving.demo.lanes import LANES, turns
from galvo_engraving.demo.options import parse, redacted
from galvo_engraving.histogram import Histogram


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--clients", "0"], ["--clients", "from 1 to"]),
        (["--clients", "2.5"], ["--clients", "whole number"]),
        (["--seconds", "-1"], ["--seconds", "'-1'"]),
        (["--seconds", "nan"], ["--seconds"]),
        (["--scale", "0"], ["--scale"]),
        (["--rounds", "many"], ["--rounds"]),
        (["--url", "mysql://here"], ["--url", "postgresql://"]),
        (["--fast"], ["--fast"]),
        (["--serve", "-1"], ["--serve", "from 0"]),
        (["--clients", "500", "--scale", "0.01"], ["--clients", "at most 200", "rows of its own"]),
    ],
)
def test_a_bad_option_is_one_sentence(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("galvo: ")
    assert err.count("\n") == 1
    assert all(word in err for word in words)


def test_an_unreachable_database_is_one_sentence_without_the_password(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--url", "postgresql://me:s3cret@127.0.0.1:1/shop"]) == 2
    err = capsys.readouterr().err
    assert "cannot connect to postgresql://me:***@127.0.0.1:1/shop" in err
    assert "s3cret" not in err
    assert "Traceback" not in err


def test_help_is_not_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "--clients" in capsys.readouterr().out


def test_defaults() -> None:
    options = parse([])
    assert options is not None
    assert (options.seconds, options.clients, options.scale, options.url) == (10, 16, 1, None)


@pytest.mark.parametrize(
    "url, expected",
    [
        ("postgresql://u:p@h:5432/shop", "postgresql://u:p@h:5432/x"),
        ("postgresql://u@h", "postgresql://u@h/x"),
        ("postgresql:///shop?host=/run/pg", "postgresql:///x?host=%2Frun%2Fpg"),
        ("postgresql://u:@/shop?host=/run/pg&dbname=y", "postgresql://u:@/x?host=%2Frun%2Fpg"),
    ],
)
def test_another_database_on_the_same_server(url: str, expected: str) -> None:
    assert databases.with_database(url, "x") == expected


@pytest.mark.parametrize(
    "url, expected",
    [
        ("postgresql://u:p@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:p:q@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u@h/d", "postgresql://u@h/d"),
        ("postgresql://h/d?user=u&password=p&x=y", "postgresql://h/d?user=u&password=***&x=y"),
    ],
)
def test_passwords_are_not_shown(url: str, expected: str) -> None:
    assert redacted(url) == expected


def test_every_lane_has_every_place_in_the_order() -> None:
    rounds = [turns(number) for number in range(len(LANES))]
    assert all(set(order) == set(LANES) for order in rounds)
    assert all({order[place] for order in rounds} == set(LANES) for place in range(len(LANES)))


def answer(requests: int, milliseconds: float, **more: Any) -> dict[str, Any]:
    histogram = Histogram()
    for _ in range(requests):
        histogram.record(int(milliseconds * 1e6))
    numbers = {"requests": requests, "writes": 3, "errors": 0, "first_error": "", "stale": 0}
    numbers |= {"queries": 2 * requests, "database_queries": 2 * requests}
    return numbers | {
        "seconds": 2.0,
        "cpu_seconds": 1.0,
        "peak_rss_mib": 30.0,
        "histogram": histogram.buckets(),
        **more,
    }


ANSWERS = {
    "plain": [answer(1_000, 8), answer(1_000, 8)],
    "again": [answer(1_100, 7), answer(1_000, 8)],
    "pool": [answer(900, 9)] * 2,
    "full": [answer(123_456, 0.0123, database_queries=20_000, hits=220_000, misses=9_000, refused=800)] * 2,
}


def test_the_numbers_are_those_of_all_rounds() -> None:
    plain, again, _, full = (report.summary(lane, ANSWERS[lane.name]) for lane in LANES)
    assert (plain["requests"], plain["requests_per_second"], plain["queries_per_second"]) == (
        2_000,
        500,
        1_000,
    )
    assert plain["p50_ms"] == pytest.approx(8, rel=0.011)
    assert plain["hit_ratio"] is None
    assert again["requests_per_second"] == 525
    assert full["hit_ratio"] == pytest.approx(220_000 / 229_800)
    assert full["database_queries_per_request"] == pytest.approx(0.162, rel=0.01)
    noise = report.noise(ANSWERS)
    assert noise["percent"] == pytest.approx(5)
    assert noise["worst_round_percent"] == pytest.approx(10)


def test_the_table_fits_80_columns() -> None:
    console = Console(width=200, record=True, file=StringIO())
    console.print(report.table([report.summary(lane, ANSWERS[lane.name]) for lane in LANES]))
    lines = console.export_text().splitlines()
    assert max(map(len, lines)) <= 80
    assert any("hit ratio" in line and "95.7 %" in line for line in lines)
    assert any("requests/s" in line and "123x" in line for line in lines)
    assert any("p50 ms" in line and "<0.01x" in line for line in lines)


@pytest.mark.parametrize(
    "arguments, terminal, seconds",
    [([], True, None), ([], False, 20.0), (["--serve", "0"], True, 0.0), (["--serve", "3"], False, 3.0),
     (["--json"], True, 0.0), (["--json", "--serve", "5"], True, 0.0)],
)  # fmt: skip
def test_how_long_the_shop_is_served_afterwards(arguments: list[str], terminal: bool, seconds: float | None) -> None:
    options = parse(arguments)
    assert options is not None
    assert options.for_people(terminal) == seconds
