"""Numbers and times, for people."""

from __future__ import annotations

import math

import pytest

from galvo_local import printable
from galvo_monitor.terminal.figures import figure, span, sparks


@pytest.mark.parametrize(
    "value, unit, expected",
    [
        (None, "s", "-"), (math.nan, "s", "-"), (math.inf, "By", "-"),
        (0, "s", "0 s"), (0.0012, "s", "1.2 ms"), (0.01234, "s", "12 ms"), (4.2e-5, "s", "42 µs"), (3e-9, "s", "3 ns"),
        (2e-10, "s", "0.2 ns"), (31.2, "s", "31 s"), (600, "s", "10 min"), (1e6, "s", "12 d"), (-600, "s", "-10 min"),
        (0, "By", "0 B"), (1023, "By", "1,023 B"), (1536, "By", "1.5 KiB"), (3e8, "By", "286 MiB"),
        (-3e8, "By", "-286 MiB"), (5e6, "By/h", "4.8 MiB/h"),
        (0.634, "1", "63 %"), (0.0012, "1", "0.1 %"), (1, "1", "100 %"), (1.5, "%", "1.5 %"),
        (812.4, "{query}/s", "812/s"), (0.25, "{query}/s", "0.2/s"), (12, "{session}", "12"),
        (9999, "{read}", "9,999"), (12_345, "{read}", "12k"), (1.5e6, "{read}", "1.5M"), (0.004, "{read}", "0.004"),
        (3, "", "3"), (7, "Cel", "7 Cel"),
    ],
)  # fmt: skip
def test_figures(value: float | None, unit: str, expected: str) -> None:
    assert figure(value, unit) == expected


def test_spans() -> None:
    assert [span(seconds) for seconds in (-3, 0, 119, 120, 7200, 200_000)] == [
        "0 s",
        "0 s",
        "119 s",
        "2 min",
        "2 h",
        "2 d",
    ]


def test_sparks() -> None:
    assert sparks([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert sparks([1, 2, None, 4], 3) == "▅ █"
    assert sparks([0, 0, -1], 8) == "▁▁▁"
    assert sparks([math.nan, math.inf], 8) == "  "
    assert sparks([], 8) == ""


def test_what_others_say_does_not_steer_the_terminal() -> None:
    assert printable("\x1b[2J\x07\x9b\u202e cleared") == "?[2J??? cleared"
