"""The machine's values, of this machine and of files of the test's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from time import process_time

import psutil
import pytest

from galvo_monitor.system import Machine


def test_values_are_those_of_this_machine() -> None:
    clock = iter([100.0, 101.0])
    machine = Machine(clock=lambda: next(clock))
    first = machine.sample()
    assert first.cpu is first.own_cpu is None
    assert not first.pressure
    until = process_time() + 0.1
    while process_time() < until:
        pass
    second = machine.sample()
    assert second.cpu is not None
    assert 0 < second.cpu <= 1
    assert second.own_cpu is not None
    assert 0 < second.own_cpu <= 0.5
    assert second.memory is not None
    assert 0 < second.memory < 1
    assert second.rss == pytest.approx(psutil.Process().memory_info().rss, rel=0.2)
    assert second.files is not None
    assert second.files >= len(os.listdir("/proc/self/fd")) - 3
    assert second.threads is not None


@pytest.fixture
def times() -> Iterator[float]:
    return iter([10.0, 20.0, 30.0, 40.0])


def test_pressure_is_the_share_of_the_interval(tmp_path: Path, times: Iterator[float]) -> None:
    machine = Machine(pressure=tmp_path, clock=lambda: next(times))
    io = tmp_path / "io"
    io.write_text(
        "some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
    )
    machine.sample()
    io.write_text(
        "some avg10=9.99 avg60=0.00 avg300=0.00 total=4000000\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n"
    )
    pressure = machine.sample().pressure
    assert pressure == {("io", "some"): pytest.approx(0.3), ("io", "full"): pytest.approx(0.05)}
    io.write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=1\n")
    assert machine.sample().pressure == {("io", "some"): 0.0}  # counters that began anew are no negative time
    io.write_text("gibberish")
    assert machine.sample().pressure == {}


def test_a_clock_that_stands_still_divides_by_nothing() -> None:
    machine = Machine(clock=lambda: 5.0)
    machine.sample()
    again = machine.sample()
    assert again.own_cpu is None
    assert again.pressure == {}
