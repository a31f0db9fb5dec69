"""The garbage collector's settings: measured, tuned, judged, and in the end as they were."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from galvo_memory.relief import Collector, collector
from galvo_memory.relief.collector import ENOUGH, GROWN, OBJECTS, SETTLED
from galvo_memory.relief.pauses import Pauses, Watch

LOG = logging.getLogger("galvo.memory")
SLOW = Pauses(count=ENOUGH, seconds=0.5, longest=0.15, allocated=700 * ENOUGH)
FAST = Pauses(count=ENOUGH, seconds=0.01, longest=0.002, allocated=OBJECTS * ENOUGH)


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Whatever a test does, the run goes on as before."""
    thresholds, callbacks, enabled = gc.get_threshold(), [*gc.callbacks], gc.isenabled()
    yield
    (gc.enable if enabled else gc.disable)()
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    gc.callbacks[:] = callbacks


class Stage:
    """A collector after its start, with a clock to turn and pauses to say."""

    def __init__(self) -> None:
        self.now = 0.0
        self.watch = Watch()
        self.collector = Collector(LOG, watch=self.watch, clock=lambda: self.now)
        self.collector.start()

    def say(self, pauses: Pauses) -> None:
        self.watch.pauses = Pauses(pauses.count, pauses.seconds, pauses.longest, pauses.allocated)

    def tune(self, before: Pauses = SLOW) -> None:
        self.now += SETTLED
        self.say(before)
        self.collector.look()
        assert self.collector.state == "after"

    def judge(self, after: Pauses) -> str:
        self.say(after)
        self.collector.look()
        return self.collector.state


def test_it_is_tuned_when_there_is_something_to_compare() -> None:
    stage = Stage()
    original, frozen = gc.get_threshold(), gc.get_freeze_count()
    stage.say(SLOW)
    stage.collector.look()
    assert stage.collector.state == "before", "what lives now may not live long"
    stage.now = SETTLED
    stage.say(Pauses(count=ENOUGH - 1))
    stage.collector.look()
    assert stage.collector.state == "before", "there is nothing to gain"
    stage.say(SLOW)
    stage.collector.look()
    assert stage.collector.state == "after"
    assert gc.get_freeze_count() > frozen + 1000
    assert gc.get_threshold()[0] == OBJECTS
    assert gc.get_threshold()[1] > original[1]
    stage.collector.stop()
    assert (gc.get_threshold(), gc.get_freeze_count()) == (original, 0)
    assert not any(getattr(call, "__self__", None) is stage.watch for call in gc.callbacks)


def test_it_stays_so_when_pauses_are_shorter(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    stage = Stage()
    stage.tune()
    assert stage.judge(Pauses(count=ENOUGH - 1)) == "after"
    assert stage.judge(FAST) == "kept"
    assert stage.judge(SLOW) == "kept", "it is judged once"
    [record] = caplog.records
    assert record.getMessage() == (
        "garbage collector: it stays tuned, as pauses take 40 ns for each object, 142857 before, and 2.0 ms at most, "
        "150.0 before"
    )
    assert stage.collector.stats()["gc_tuned"] == 1


@pytest.mark.parametrize(
    "before, after",
    [(FAST, SLOW), (FAST, FAST), (SLOW, Pauses(ENOUGH, 0.4, 0.16, OBJECTS * ENOUGH))],
    ids=["slower", "the same", "one is longer"],
)
def test_it_is_taken_back_when_pauses_are_no_better(
    caplog: pytest.LogCaptureFixture, before: Pauses, after: Pauses
) -> None:
    stage, original = Stage(), gc.get_threshold()
    stage.tune(before)
    assert stage.judge(after) == "reverted"
    assert (gc.get_threshold(), gc.get_freeze_count()) == (original, 0)
    [record] = caplog.records
    assert "all is as it was before (pauses take" in record.getMessage()
    assert stage.judge(FAST) == "reverted"
    stage.collector.stop()


def test_a_longer_pause_that_nobody_notices_is_no_reason() -> None:
    """A small program: the youngest are more at once, and all together take less."""
    stage = Stage()
    stage.tune(Pauses(ENOUGH, 0.0005, 0.0001, 700 * ENOUGH))
    assert stage.judge(Pauses(ENOUGH, 0.01, 0.003, OBJECTS * ENOUGH)) == "kept"


class Node:
    def __init__(self) -> None:
        self.itself = self


def test_it_is_taken_back_when_memory_grows_by_garbage(caplog: pytest.LogCaptureFixture) -> None:
    stage, original = Stage(), gc.get_threshold()
    stage.tune()
    stage.judge(FAST)
    nodes = [Node() for _ in range(int(sys.getallocatedblocks() * GROWN))]
    for _ in range(2):
        gc.collect(1)  # now they are old, and nobody looks at them for a long time
    del nodes
    stage.collector.look()
    assert stage.collector.state == "reverted"
    assert "blocks of memory were garbage that it had not collected yet" in caplog.records[-1].getMessage()
    assert (gc.get_threshold(), gc.get_freeze_count()) == (original, 0)


def test_what_died_after_it_was_frozen_is_collected_when_all_is() -> None:
    stage = Stage()
    nodes = [Node() for _ in range(1000)]
    stage.tune()
    frozen = gc.get_freeze_count()
    del nodes
    assert stage.collector.collect(1) < 1000
    assert stage.collector.collect() >= 1000
    assert 0 < gc.get_freeze_count() < frozen


def test_memory_that_is_in_use_is_no_reason_and_looked_at_once() -> None:
    stage = Stage()
    stage.tune()
    nodes = [Node() for _ in range(int(sys.getallocatedblocks() * GROWN))]
    assert stage.judge(FAST) == "kept"
    asked: list[Any] = []
    stage.watch.collect = asked.append  # type: ignore[method-assign, assignment]
    stage.collector.look()
    assert asked == []
    assert nodes


# -- what is the application's ------------------------------------------------------------------------


def test_a_collector_that_is_off_stays_off() -> None:
    gc.disable()
    stage = Stage()
    stage.now = SETTLED
    stage.say(SLOW)
    stage.collector.look()
    assert stage.collector.state == "left alone"
    assert not gc.isenabled()
    stage.collector.stop()


def test_thresholds_that_somebody_sets_later_hold() -> None:
    stage = Stage()
    stage.tune()
    gc.set_threshold(123, 4, 5)
    assert stage.judge(FAST) == "left alone"
    assert gc.get_freeze_count() == 0
    stage.collector.stop()
    assert gc.get_threshold() == (123, 4, 5)


def test_thresholds_that_somebody_sets_while_it_is_measured_are_the_original_ones() -> None:
    """An older instance of the plugin ends, perhaps."""
    stage = Stage()
    gc.set_threshold(800, 9, 8)
    stage.now = SETTLED
    assert stage.judge(SLOW) == "before"
    assert stage.watch.pauses.count == 0
    stage.tune()
    stage.collector.stop()
    assert gc.get_threshold() == (800, 9, 8)


def test_higher_thresholds_are_not_lowered() -> None:
    gc.set_threshold(OBJECTS * 3, 10, 10)
    stage = Stage()
    stage.tune()
    assert gc.get_threshold()[0] == OBJECTS * 3


def test_an_incremental_collector_has_no_older_generations_to_make_rarer() -> None:
    """3.14: the third threshold is 0, and the second says how much is collected at once."""
    gc.set_threshold(2000, 10, 0)
    stage = Stage()
    stage.tune()
    assert gc.get_threshold() == (OBJECTS, 10, 0)


def test_what_the_application_has_frozen_stays_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "FROZEN", 0)
    gc.freeze()
    stage, frozen = Stage(), gc.get_freeze_count()
    stage.tune()
    stage.collector.stop()
    assert gc.get_freeze_count() > frozen * 0.9  # some of it dies: it is the whole test run's


# -- what is measured ---------------------------------------------------------------------------------


def test_collections_that_begin_by_themselves_are_measured_and_those_asked_for_are_not() -> None:
    ticks = iter(range(1_000_000))
    watch = Watch(clock=lambda: float(next(ticks)))
    gc.set_threshold(100, 10, 10)
    watch.start()
    watch.collect()
    assert watch.pauses.count == 0
    nodes = [Node() for _ in range(1000)]
    watch.stop()
    found = watch.again()
    assert found.count == pytest.approx(len(nodes) / 100, abs=3)
    assert (found.seconds, found.longest, found.allocated) == (found.count, 1, found.count * 100)
    assert found.per_object == pytest.approx(0.01)
    assert watch.pauses.count == 0
    assert Pauses().per_object == 0


def test_nothing_is_measured_after_the_end() -> None:
    watch = Watch()
    watch.start()
    watch.stop()
    watch.stop()
    gc.collect()
    assert watch.pauses.count == 0
