"""Runs as one: what is missing is filled in, and nothing of unlike machines."""

from __future__ import annotations

import msgspec
import pytest

from galvo_bench.results.model import Problem
from galvo_bench.results.together import together
from galvo_bench.results.unlike import Unlike
from tests.plugins.bench.results.test_baseline import HERE, counted, run_of, timed


def test_what_failed_is_filled_in() -> None:
    first = run_of(timed(0.5))
    first.chosen = ["query", "counts"]
    first.problems = [Problem("counts", "no server")]
    assert first.partial
    later = run_of(counted(3), machine=msgspec.structs.replace(HERE, commit="fedcba"))
    whole = together([first, later])
    assert not whole.partial
    assert (whole.done, whole.problems) == (["query", "counts"], [])
    assert whole.sections == [timed(0.5), counted(3)]
    assert whole.command == "galvo bench; galvo bench"
    assert whole.machine.commit == "0123456789ab, then fedcba"


def test_the_latest_counts() -> None:
    assert together([run_of(timed(0.5), counted(2)), run_of(timed(0.7))]).sections == [counted(2), timed(0.7)]


def test_a_failure_is_kept() -> None:
    later = run_of()
    later.chosen, later.problems = ["counts"], [Problem("counts", "no server")]
    whole = together([run_of(timed(0.5)), later])
    assert whole.partial
    assert whole.problems == later.problems


def test_unlike_machines_are_refused() -> None:
    with pytest.raises(Unlike, match="its number of cores was 2 and is 16"):
        together([run_of(timed(0.5)), run_of(counted(3), machine=msgspec.structs.replace(HERE, cores=16))])
