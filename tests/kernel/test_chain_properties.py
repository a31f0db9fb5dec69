"""The composed `on_query` onion against a naive model of the design's "Rules of the chain".

The model knows no coroutines: a layer turns what the inner layers would do into what the caller sees.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from galvo import ProceedTwice, Query, Rows
from galvo.chain import Chains, Implementation, around
from galvo.hookspecs import KINDS
from tests.thorough import examples

pytestmark = pytest.mark.anyio
Proceed = Callable[[Query], Awaitable[Rows]]


class DatabaseError(Exception):
    pass


class Broken(Exception):
    pass


@dataclass
class Owner:
    name: str
    mode: str
    on_error: str
    faults: int = 0
    agreed: int = 0
    differed: int = 0

    def fault(self, hook: str, error: Exception) -> None:
        assert hook == "on_query"
        assert isinstance(error, Exception)
        self.faults += 1

    def compared(self, same: bool) -> None:
        if same:
            self.agreed += 1
        else:
            self.differed += 1


# -- what plugins do ----------------------------------------------------------------------------------

TIMEOUTS = ("timeout_rows", "timeout_none", "timeout_raise")
BEHAVIOURS = (
    "pass", "short", "modify", "replace", "raise_before", "raise_after", "twice", "twice_quietly", "concurrent",
    "swallow", "translate", "group", "none_before", "list_before", "none_after", *TIMEOUTS,
)  # fmt: skip


def plugin(name: str, behaviour: str, events: list[str], raised: dict[str, Exception]) -> Any:
    own = Rows((name,))

    def broken() -> Exception:
        raised[name] = Broken(name)
        return raised[name]

    async def timed(query: Query, proceed: Proceed) -> Any:
        with anyio.CancelScope() as scope:
            scope.cancel()  # a deadline that is over: whatever waits inside is cancelled
            return await proceed(query)
        if behaviour == "timeout_raise":
            raise broken()
        return own if behaviour == "timeout_rows" else None

    async def concurrent(query: Query, proceed: Proceed) -> Any:
        answers = []

        async def one() -> None:
            try:
                answers.append(await proceed(query))
            except ProceedTwice as error:
                if error.plugin != name:
                    raise
                events.append(f"{name} refused")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(one)
            tasks.start_soon(one)
        return answers[0]

    async def body(query: Query, proceed: Proceed) -> Any:
        if behaviour in TIMEOUTS:
            return await timed(query, proceed)
        if behaviour == "concurrent":
            return await concurrent(query, proceed)
        if behaviour == "short":
            return own
        if behaviour == "raise_before":
            raise broken()
        if behaviour == "none_before":
            return None
        if behaviour == "list_before":
            return [own]
        try:
            rows = await proceed(query.with_(sql=f"{query.sql}+{name}") if behaviour == "modify" else query)
        except Exception as error:
            if behaviour == "swallow":
                return own
            if behaviour == "translate":
                raise broken() from error
            if behaviour == "group":
                raise ExceptionGroup("wrapped", [error]) from None
            raise
        if behaviour == "raise_after":
            raise broken()
        if behaviour == "twice":
            return await proceed(query)
        if behaviour == "twice_quietly":
            try:
                await proceed(query)
            except ProceedTwice:
                events.append(f"{name} refused")
        return {"none_after": None, "replace": own}.get(behaviour, rows)

    async def on_query(query: Query, proceed: Proceed) -> Any:
        events.append(f"{name} in")
        answer = await body(query, proceed)
        events.append(f"{name} out")
        return answer

    return on_query


# -- the model: ("rows", x), ("error", x) or ("cancelled", None) -----------------------------------------

Outcome = tuple[str, Any]


@dataclass
class Model:
    layers: list[tuple[Owner, str]]
    database: str
    events: list[str] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    compared: dict[str, list[bool]] = field(default_factory=dict)

    def call(self, depth: int, sql: str, late: bool) -> Outcome:
        """`late`: some layer further out has a deadline that is over."""
        if depth == len(self.layers):
            self.events.append(f"run {sql}")
            if self.database == "error":
                return "error", "database"
            if self.database == "slow" and late:
                return "cancelled", None
            return "rows", sql
        owner, behaviour = self.layers[depth]
        if owner.mode == "shadow":
            return self.shadow(depth, owner, behaviour, sql, late)
        return self.active(depth, owner, behaviour, sql, late)

    def active(self, depth: int, owner: Owner, behaviour: str, sql: str, late: bool) -> Outcome:
        name = owner.name
        self.events.append(f"{name} in")
        inner: Outcome | None = None
        if behaviour not in ("short", "raise_before", "none_before", "list_before"):
            sent = f"{sql}+{name}" if behaviour == "modify" else sql
            inner = self.call(depth + 1, sent, late or behaviour in TIMEOUTS)
            if inner[0] == "cancelled" and (late or behaviour not in TIMEOUTS):
                return inner
        did = self.outcome(name, behaviour, inner)
        if inner is not None and inner[0] == "error":  # the rule above all others
            if did[0] == "error" and did[1] != inner[1]:
                self.count(name)
            return inner
        if did[0] == "rows":
            return did
        if owner.on_error != "raise" or inner is not None:  # else it may well be the database's own error
            self.count(name)
        error = ("error", (name, "TypeError")) if did[0] == "wrong" else did
        if owner.on_error == "raise":
            return error
        if inner is None:
            return self.call(depth + 1, sql, late)
        return inner if inner[0] == "rows" else error

    def shadow(self, depth: int, owner: Owner, behaviour: str, sql: str, late: bool) -> Outcome:
        name = owner.name
        self.events.append(f"{name} in")
        asks = behaviour not in ("short", "raise_before", "none_before", "list_before")
        if not asks:
            did = self.outcome(name, behaviour, None)
        elif behaviour in TIMEOUTS:
            did = self.outcome(name, behaviour, ("cancelled", None))
        inner = self.call(depth + 1, sql, late)
        if asks and behaviour not in TIMEOUTS:
            did = self.outcome(name, behaviour, inner)
        if did[0] == "error":
            if inner[0] != "error" or did[1] != inner[1]:
                self.count(name)
        elif inner[0] == "rows":
            self.compared.setdefault(name, []).append(did == inner)
        return inner

    def outcome(self, name: str, behaviour: str, inner: Outcome | None) -> Outcome:
        """What the plugin's own code comes to: also ("wrong", None) for something else than rows."""
        own, broken = ("rows", name), ("error", (name, "Broken"))
        if inner is not None and inner[0] == "error":
            did = {"swallow": own, "translate": broken}.get(behaviour, inner)
            if behaviour == "concurrent":
                self.events.append(f"{name} refused")
        elif inner is not None and inner[0] == "cancelled":
            did = {"timeout_rows": own, "timeout_none": ("wrong", None), "timeout_raise": broken}[behaviour]
        else:
            if behaviour in ("twice_quietly", "concurrent"):
                self.events.append(f"{name} refused")
            did = {
                "short": own, "replace": own, "none_before": ("wrong", None), "list_before": ("wrong", None),
                "none_after": ("wrong", None), "raise_before": broken, "raise_after": broken,
                "twice": ("error", (name, "ProceedTwice")),
            }.get(behaviour, inner)  # type: ignore[arg-type]  # fmt: skip
        assert did is not None
        if did[0] != "error":
            self.events.append(f"{name} out")
        return did

    def count(self, name: str) -> None:
        self.faults[name] = self.faults.get(name, 0) + 1


LAYER = st.tuples(
    st.sampled_from(BEHAVIOURS),
    st.sampled_from(["skip", "raise", "eject"]),
    st.sampled_from(["active", "active", "active", "shadow"]),
)


def ordered(events: list[str], owners: list[Owner]) -> list[str]:
    """Without what happens in a task beside the query: of that only the number is certain."""
    shadows = {f"{owner.name} out" for owner in owners if owner.mode == "shadow"}
    return [event for event in events if event not in shadows and not event.endswith("refused")]


@settings(max_examples=examples(500), deadline=None)
@given(stack=st.lists(LAYER, max_size=5), database=st.sampled_from(["ok", "error", "slow"]))
async def test_the_onion_is_the_model(stack: list[tuple[str, str, str]], database: str) -> None:
    late = [i for i, (what, _, mode) in enumerate(stack) if what in TIMEOUTS and mode == "active"]
    tasks = [i for i, (what, _, mode) in enumerate(stack) if what == "concurrent" or mode == "shadow"]
    assume(not late or not tasks or min(late) > max(tasks))  # the model knows no task that dies in between

    events: list[str] = []
    raised: dict[str, Exception] = {}
    failure = DatabaseError("unique")

    async def run(query: Query) -> Rows:
        events.append(f"run {query.sql}")
        if database == "error":
            raise failure
        if database == "slow":
            await anyio.lowlevel.checkpoint()
        return Rows((query.sql,))

    owners = [Owner(f"p{i}", mode, on_error) for i, (_, on_error, mode) in enumerate(stack)]
    onion = around(
        [
            Implementation(owner, plugin(owner.name, what, events, raised))
            for owner, (what, _, _) in zip(owners, stack, strict=True)
        ],
        run,
        Chains(dict.fromkeys(KINDS, ())),
    )
    model = Model(list(zip(owners, (what for what, _, _ in stack), strict=True)), database)
    kind, value = model.call(0, "q", False)

    if kind == "rows":
        assert (await onion(Query("q"))).records == (value,)
    else:
        assert kind == "error", "nobody outside cancels here"
        with pytest.raises(Exception) as caught:  # noqa: PT011
            await onion(Query("q"))
        if value == "database":
            assert caught.value is failure
        elif value[1] == "Broken":
            assert caught.value is raised[value[0]]
        else:
            assert type(caught.value).__name__ == value[1]
    assert ordered(events, owners) == ordered(model.events, owners)
    assert sorted(events) == sorted(model.events)
    assert sum(event.startswith("run ") for event in events) <= 1
    assert {o.name: o.faults for o in owners if o.faults} == model.faults
    for owner in owners:
        verdicts = model.compared.get(owner.name, [])
        assert (owner.agreed, owner.differed) == (verdicts.count(True), verdicts.count(False))
