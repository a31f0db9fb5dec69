"""Tables, writers, sessions, transactions, DDL in any order: after every step, every answer must be the database's.

`STATEFUL_EXAMPLES=2000 pytest tests/plugins/cache/test_stateful.py -k true` runs as many, other ones each time.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from galvo_cache import reading, touching
from galvo_cache.closures import Closures
from galvo_cache.effects import Control
from galvo_cache.ledger import Ledger, Pending
from galvo_cache.sessions import PLAIN, Sessions
from galvo_cache.writing import Writing
from galvo_pool.pinned import Pinned
from tests.plugins.cache.stateful.machine import CacheMachine
from tests.plugins.cache.stateful.sessions import SessionMachine
from tests.plugins.cache.stateful.world import World
from tests.thorough import some

EXAMPLES = int(os.environ.get("STATEFUL_EXAMPLES", "0"))
FEW = len(some(range(24), every=3))
USUAL = settings(
    max_examples=EXAMPLES or FEW,
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


def run(world: World, how: settings = USUAL, kind: type[CacheMachine | SessionMachine] = CacheMachine) -> None:
    machine = type("Machine", (kind,), {"world": world})
    run_state_machine_as_test(machine, settings=how)


def find(world: World, kind: type[CacheMachine | SessionMachine]) -> None:
    """A wrong answer. Hypothesis repeats what led to it, and what depends on timing may go another way then."""
    with pytest.raises((AssertionError, Flaky)):
        run(world, settings(USUAL, max_examples=EXAMPLES or 24, report_multiple_bugs=False), kind)
    assert world.counts["wrong"]


@pytest.mark.timeout(36_000 if EXAMPLES else 600)
def test_every_answer_is_true_after_every_step(world: World) -> None:
    run(world)
    # a cache that answers nothing is never wrong
    assert world.counts["hits"] > 42 * FEW
    assert world.counts["checks"] > 84 * FEW
    assert world.counts["session_checks"] > 15 * FEW // 24
    assert world.counts["done"] > 4 * FEW


@pytest.mark.timeout(36_000 if EXAMPLES else 600)
def test_every_session_reads_as_its_connection(world: World) -> None:
    """The same, true of what each session has set."""
    run(world, kind=SessionMachine)
    assert world.counts["session_checks"] > 84 * FEW
    assert world.counts["session_hits"] > 21 * FEW


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
@pytest.mark.parametrize("name", some(MUTANTS))
def test_the_machine_finds_a_broken_rule(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(*MUTANTS[name])
    find(world, CacheMachine)


STATE = Sessions.state
CHANGES = Sessions.changes


async def _state(self: Any, session: Any, timeout: Any) -> Any:
    if await STATE(self, session, timeout) is None:
        return None
    note = self.note(session)
    note.state = note.names = PLAIN
    return PLAIN


def _deaf(self: Any, session: Any, note: Any, effect: Any) -> None:
    if not isinstance(effect, Control):
        CHANGES(self, session, note, effect)


def _trusting(self: Any, session: Any, note: Any, effect: Any) -> None:
    CHANGES(self, session, note, effect)
    note.custom = False


SESSION_MUTANTS: dict[str, tuple[Any, str, Callable[..., Any]]] = {
    "a session's settings do not count": (Sessions, "state", _state),
    "nobody sees a SET": (Sessions, "changes", _deaf),
    "two tasks use a session one after the other": (reading, "turn_of", lambda session: 0),
    "what is prepared stays": (Pinned, "forget_prepared", lambda self: None),
    "a function depends on no setting": (Sessions, "changes", _trusting),
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", some(SESSION_MUTANTS))
def test_the_machine_of_sessions_finds_a_broken_rule(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(*SESSION_MUTANTS[name])
    find(world, SessionMachine)
