"""From a query to its plan: made once for each statement and state of sessions, dropped when the schema changes."""

from __future__ import annotations

from collections.abc import Callable

from galvo import Computed, Query, Session
from galvo_cache.effects import Everything, Read, Refused
from galvo_cache.knowledge import Knowledge
from galvo_cache.ledger import Ledger
from galvo_cache.plans import Plan, Plans
from galvo_cache.sessions import LOST, PLAIN, Note, Sessions, State
from galvo_cache.sieve import Sieve
from galvo_cache.texts import MAX_TEXT, stripped
from galvo_cache.traces import traceless

LONGEST = 128 * 1024
"""Characters. Plans of longer statements are not kept, as their texts would be; without answers, of those longer than
MAX_TEXT neither, if they have no parameters: such hardly repeat."""


class Planning:
    """Makes plans, keeps them, and enters what they read into the ledger."""

    def __init__(
        self,
        plans: Plans,
        computed: dict[tuple[str, ...], Plan],
        knowledge: Knowledge,
        sessions: Sessions,
        ledger: Ledger,
        sieve: Sieve,
        retire: Callable[[Plan], None],
        *,
        declared: bool,
    ) -> None:
        """`computed`: plans of computed values, by what they depend on. `retire` is called with each plan that is
        dropped. `declared`: as in `traceless`.
        """
        self._plans = plans
        self._computed = computed
        self._knowledge = knowledge
        self._sessions = sessions
        self._ledger = ledger
        self._sieve = sieve
        self._retire = retire
        self._declared = declared

    async def plan(self, sql: str, state: State = PLAIN) -> Plan:
        """The plan of a statement. It is kept by its text without comments, and so are its answers."""
        plan = self._plans.get(state.place(sql))
        if plan is None:
            bare = stripped(sql)
            plan = self._plans.get(state.place(bare)) or await self._made(bare, state)
        return plan

    async def plan_in(self, session: Session, note: Note, query: Query) -> Plan:
        """The plan of a statement in the state of its session, as far as that is known."""
        if session.holding and not self._knowledge.loaded:
            # It must not wait for the catalog on another connection: it may hold the last.
            plain = note.state is PLAIN and not session.in_transaction
            if not (plain and await self._knowledge.load_on(session)):
                return Plan(self._knowledge.guess(query.sql))
        if note.state is None and query.kind == "rows" and not session.in_transaction:
            plan = await self.plan(query.sql, note.names or LOST)
            if not isinstance(plan.effect, Read | Refused):
                return plan
            await self._sessions.state(session, query.timeout)
            if not self._knowledge.loaded:  # somebody changed the schema meanwhile
                return Plan(self._knowledge.guess(query.sql))
        return await self.plan(query.sql, note.names or LOST)

    async def plan_of_value(self, query: Computed) -> Plan | Refused:
        """A plan of a computed value that has none yet: like that of a read of the tables it depends on."""
        tables = await self._knowledge.tables(query.depends_on)
        if isinstance(tables, Refused):
            return tables
        plan = self._computed.setdefault(query.depends_on, Plan(Read(tables)))
        self._ledger.enter(plan)
        return plan

    async def _made(self, sql: str, state: State) -> Plan:
        place = state.place(sql)
        while True:
            epoch = self._knowledge.epoch
            plan = Plan(await self._knowledge.effect(sql, state.path), state.prefix + sql)
            if epoch == self._knowledge.epoch:
                break
        if (known := self._plans.get(place)) is not None:
            return known
        if state.epoch not in (None, epoch):
            return Plan(Everything("schema_changed"))  # and with it what the session's search_path leads to
        plan.traceless = traceless(plan.effect, declared=self._declared)
        if plan.tables is None and len(sql) > (LONGEST if "$1" in sql else MAX_TEXT):
            return plan
        if (dropped := self._plans.add(place, plan)) is not None:
            self._drop(dropped)
        if plan.tables is not None:
            self._ledger.enter(plan)
        return plan

    def forget(self) -> None:
        """Drop all plans, and with them all answers."""
        for plan in [*self._plans.clear(), *self._computed.values()]:
            self._drop(plan)
        self._computed.clear()
        self._ledger.unlearn()

    def _drop(self, plan: Plan) -> None:
        self._ledger.leave(plan)
        self._retire(plan)
        for entry in [*plan.one.values(), *plan.many.values()]:
            self._sieve.remove(entry)
