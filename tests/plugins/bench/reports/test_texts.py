"""Numbers, places and elements: what all reports are made of."""

from __future__ import annotations

from html import unescape
from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galvo_bench.reports.markup import INVALID, Markup, prose, tag
from galvo_bench.reports.scale import Scale, around
from galvo_bench.reports.units import duration, human, number, shown, span


@pytest.mark.parametrize(
    "value, said",
    [(0, "0"), (1, "1"), (0.338, "0.338"), (12.345, "12.3"), (999.7, "1,000"), (1234.5, "1,234"), (-0.5, "-0.5"),
     (-4321.9, "-4,322"), (1e-5, "1e-05"), (nan, "unknown"), (inf, "unknown")],
)  # fmt: skip
def test_numbers(value: float, said: str) -> None:
    assert number(value) == said


@pytest.mark.parametrize(
    "seconds, said",
    [(3.2e-8, "32 ns"), (9.999e-7, "1 us"), (4.1e-5, "41 us"), (8.84e-3, "8.84 ms"), (0.9999, "1 s"), (12, "12 s")],
)
def test_durations_of_operations(seconds: float, said: str) -> None:
    assert human(seconds) == said


def test_durations_of_runs() -> None:
    assert [duration(seconds) for seconds in (0.4, 59.6, 754.2)] == ["0 s", "1 min 0 s", "12 min 34 s"]


def test_a_unit_is_said_once() -> None:
    assert span("-68 %", "-65 %") == "-68 to -65 %"
    assert span("900 us", "1.1 ms") == "900 us to 1.1 ms"
    assert span("1", "2") == "1 to 2"


def test_nothing_moves_the_cursor() -> None:
    assert shown("a\x1b[31mb\r\n\u202ec") == "a\ufffd[31mb\ufffd\ufffd\ufffdc"


@given(st.floats(1e-6, 1e6), st.floats(1.0, 1e6), st.booleans(), st.integers(3, 8))
def test_ticks_are_within_and_few(low: float, factor: float, log: bool, most: int) -> None:
    scale = around([low, low * factor], log)
    ticks = scale.ticks(most)
    assert ticks == sorted(set(ticks))
    assert 1 <= len(ticks) <= most + 1
    assert all(-0.01 <= scale.at(tick) <= 1.01 for tick in ticks)
    assert 0 <= scale.at(low) <= scale.at(low * factor) <= 1


@pytest.mark.parametrize(
    "scale, ticks",
    [
        (Scale(0, 1), [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (Scale(0, 760), [0, 200, 400, 600]),
        (Scale(1, 1000, log=True), [1, 10, 100, 1000]),
        (Scale(0.2, 5, log=True), [0.2, 0.5, 1, 2, 5]),
        (Scale(0.9, 1.3, log=True), [0.9, 1, 1.1, 1.2, 1.3]),
    ],
)
def test_ticks_are_round(scale: Scale, ticks: list[float]) -> None:
    assert scale.ticks(5) == pytest.approx(ticks)


def test_a_linear_scale_begins_at_nothing() -> None:
    assert around([80, 120]) == Scale(0, 120)
    assert around([80, 120]).rounded(5) == Scale(0, 125)
    assert around([-3, -1]) == Scale(-3, 0)


def test_what_has_no_place_is_left_out() -> None:
    assert around([0, nan, 2, 20, inf], log=True) == Scale(2, 20, log=True)
    assert around([]) == Scale(0, 1)
    assert around([0.0]) == Scale(0, 1)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_texts_are_escaped(said: str) -> None:
    made = tag("p", said, title=said)
    inside = made.removeprefix("<p title=").removesuffix("</p>")
    assert inside.count("<") == 0
    assert inside.count(">") == 1
    assert unescape(inside[1:].partition('">')[2]) == INVALID.sub("\ufffd", said)


def test_elements() -> None:
    assert tag("p", tag("b", "<"), class_="one", aria_label='"', hidden=True, id=None, title=False) == (
        '<p class="one" aria-label="&quot;" hidden><b>&lt;</b></p>'
    )
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8">'
    assert isinstance(tag("p"), Markup)


def test_backticks_are_code() -> None:
    assert prose("a `b<` c") == ["a ", "<code>b&lt;</code>", " c"]
    assert prose("a ` b") == ["a ` b"]
