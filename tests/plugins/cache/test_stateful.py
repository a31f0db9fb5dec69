"""Tables, writers, sessions, transactions, DDL in any order: after every step, every answer must be the database's.

`STATEFUL_EXAMPLES=2000 pytest tests/plugins/cache/test_stateful.py -k true` runs as many, other ones each time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from galvo_cache import touching
from galvo_cache.closures import Closures
from galvo_cache.ledger import Ledger, Pending
from galvo_cache.writing import Writing
from tests.plugins.cache.stateful.machine import CacheMachine
from tests.plugins.cache.stateful.world import World

EXAMPLES = int(os.environ.get("STATEFUL_EXAMPLES", "0"))
USUAL = settings(
    max_examples=EXAMPLES or 40,
    stateful_step_count=30,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


@pytest.fixture
def world(dsn: str) -> Iterator[World]:
    made = World(dsn)
    yield made
    made.close()


def run(world: World, how: settings = USUAL) -> None:
    machine = type("Machine", (CacheMachine,), {"world": world})
    run_state_machine_as_test(machine, settings=how)


@pytest.mark.timeout(36_000 if EXAMPLES else 600)
def test_every_answer_is_true_after_every_step(world: World) -> None:
    run(world)
    # a cache that answers nothing is never wrong
    assert world.counts["hits"] > 2_000
    assert world.counts["checks"] > 4_000
    assert world.counts["session_checks"] > 100
    assert world.counts["done"] > 200


STATIC = touching._static
CONTROL = Writing.control


def _static(change: Any, relation: Any, args: Any) -> Any:
    return {name: [] for name in relation.lanes} if change.verb == "update" else STATIC(change, relation, args)


async def _control(self: Writing, query: Any, proceed: Any, control: Any) -> Any:
    return await (proceed(query) if control.kind == "commit" else CONTROL(self, query, proceed, control))


MUTANTS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "writes are not announced": (Ledger, "begin", lambda self, touch: Pending()),
    "no foreign keys": (Closures, "_consequences", lambda self, step: iter(())),
    "commits are not announced": (Writing, "control", _control),
    "updates touch no lane": (touching, "_static", _static),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", MUTANTS)
def test_the_machine_finds_a_broken_rule(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(*MUTANTS[name])
    with pytest.raises(AssertionError, match=r"got .* is "):
        run(world, settings(USUAL, phases=[Phase.generate], report_multiple_bugs=False))
