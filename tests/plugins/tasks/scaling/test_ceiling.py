from __future__ import annotations

from galvo import Level
from galvo_tasks.scaling.ceiling import Ceiling
from galvo_tasks.scaling.plan import Plan, planned

MIB = 1 << 20
CALM, HIGH, CRITICAL = Level.NORMAL, Level.HIGH, Level.CRITICAL


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def ceiling(number: int) -> tuple[Ceiling, Clock]:
    clock = Clock()
    return Ceiling(Plan(number, "8 CPUs"), cool=30, step=5, clock=clock), clock


def test_the_plan_is_the_least_of_all() -> None:
    assert planned(cpus=8, most=0, limit=None, others=0, each=MIB) == Plan(8, "8 CPUs")
    assert planned(cpus=8, most=3, limit=None, others=0, each=MIB) == Plan(3, "concurrency = 3")
    assert planned(cpus=8, most=0, limit=1000 * MIB, others=200 * MIB, each=200 * MIB).number == 3
    assert planned(cpus=2, most=0, limit=1000 * MIB, others=200 * MIB, each=200 * MIB) == Plan(2, "2 CPUs")


def test_one_task_runs_always() -> None:
    plan = planned(cpus=8, most=0, limit=100 * MIB, others=200 * MIB, each=200 * MIB)
    assert plan.number == 1
    assert plan.why == "memory: 0 B of 100.0MiB for children of 200.0MiB each" or plan.why.startswith("memory: 0")


def test_high_halves_what_runs_and_again_while_it_lasts() -> None:
    made, _ = ceiling(8)
    made.pressed(HIGH, running=8)
    assert made.now == 4
    assert made.why == "memory is high: 4 of 8"
    made.pressed(HIGH, running=4)
    assert made.now == 2
    made.pressed(HIGH, running=1)
    assert made.now == 1


def test_critical_leaves_one() -> None:
    made, _ = ceiling(8)
    made.pressed(CRITICAL, running=8)
    assert made.now == 1


def test_it_comes_back_one_by_one_after_it_has_been_calm_for_a_while() -> None:
    made, clock = ceiling(4)
    made.pressed(HIGH, running=4)
    clock.now = 20
    made.seen(HIGH)
    clock.now = 49
    made.seen(CALM)
    assert made.now == 2
    found = []
    for now in (50, 54, 55, 56, 60):
        clock.now = now
        made.seen(CALM)
        found.append(made.now)
    assert found == [3, 3, 4, 4, 4]
    assert made.why == "8 CPUs"


def test_the_plan_caps_whatever_pressure_leaves() -> None:
    made, _ = ceiling(8)
    made.pressed(HIGH, running=8)
    made.plan = Plan(2, "memory: ...")
    assert made.now == 2
    assert made.why == "memory: ..."
    made.pressed(Level.ELEVATED, running=2)
    assert made.now == 2
