"""A machine for sessions: what each has set decides what it reads, and nobody else reads so."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from galvo import Session
from tests.plugins.cache.stateful import states as words
from tests.plugins.cache.stateful.vocabulary import BEGIN, CONTROL, Ask, Order
from tests.plugins.cache.stateful.world import Shop, World

USED = 2
"""Sessions."""
LIVE = 5
"""Reads that are asked after every step, in every session and without one."""
asks = st.sampled_from(words.ASKS).map(Ask)
settings = st.tuples(st.sampled_from(words.SETTINGS), st.booleans()).map(lambda parts: Order(parts[0], rows=parts[1]))
writes = st.tuples(st.sampled_from(words.WRITES), st.tuples(st.integers(1, 6))).map(lambda parts: Order(*parts))
shared = st.sampled_from(words.SHARED).map(Order)
places = st.integers(0, USED - 1)


class SessionMachine(RuleBasedStateMachine):
    """Needs `world`, which whoever runs it puts there."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.shop: Shop
        self.live: dict[Ask, None] = {}

    def teardown(self) -> None:
        if hasattr(self, "shop"):
            self.world.run(self.shop.close())

    def session(self, place: int) -> Session:
        return self.shop.sessions[place]

    def do(self, place: int, *orders: Order) -> None:
        for order in orders:
            self.world.run(self.shop.do(self.session(place), order))

    def remember(self, *asked: Ask) -> None:
        for ask in asked:
            self.live.pop(ask, None)
            self.live[ask] = None
        self.live = dict.fromkeys([*self.live][-LIVE:])

    @initialize(first=st.lists(asks, min_size=LIVE, max_size=LIVE), inputs=st.booleans())
    def begin_with(self, first: list[Ask], inputs: bool) -> None:
        # Where inputs are declared, only sessions in which nothing was changed share with those who have none.
        self.shop = Shop(self.world, **({} if inputs else {"session_inputs": {}}))
        self.world.run(self.shop.open())
        self.remember(*first)

    @rule(ask=asks)
    def read(self, ask: Ask) -> None:
        self.remember(ask)

    @rule(place=places, order=settings)
    def set(self, place: int, order: Order) -> None:
        self.do(place, order)

    @rule(place=places, order=settings, ask=asks)
    def set_and_read(self, place: int, order: Order, ask: Ask) -> None:
        self.do(place, order)
        self.remember(ask)

    @rule(place=places, orders=st.lists(settings, min_size=1, max_size=2), ask=asks, end=st.sampled_from(CONTROL[:4]))
    def visit(self, place: int, orders: list[Order], ask: Ask, end: str) -> None:
        """A transaction in another state, as most web applications have it."""
        self.do(place, Order("begin"), *orders)
        self.check(place, ask)
        self.do(place, Order(end))
        self.remember(ask)

    @rule(place=places, sql=st.sampled_from([*BEGIN, *CONTROL]))
    def control(self, place: int, sql: str) -> None:
        self.do(place, Order(sql))

    @rule(place=places, order=writes)
    def write(self, place: int, order: Order) -> None:
        self.do(place, order)

    @rule(order=writes)
    def write_without(self, order: Order) -> None:
        self.world.run(self.shop.do(self.shop.kernel, order))

    @rule(
        place=places,
        order=shared,
        fresh=st.lists(asks, min_size=1, max_size=3),
        held=st.lists(st.booleans(), max_size=5),
    )
    def share(self, place: int, order: Order, fresh: list[Ask], held: list[bool]) -> None:
        self.world.run(self.shop.share(self.session(place), order, fresh, held))
        self.remember(*fresh)

    @rule(place=places)
    def replace(self, place: int) -> None:
        self.world.run(self.shop.replace_session(place))

    @rule(sql=st.sampled_from(words.DDL))
    def define(self, sql: str) -> None:
        self.world.run(self.shop.do(self.shop.kernel, Order(sql)))

    @rule(rest=st.integers(0, 3))
    def switch(self, rest: int) -> None:
        if not rest or not self.shop.cached:
            self.world.run(self.shop.switch())

    def check(self, place: int, ask: Ask) -> None:
        wrong = self.world.run(self.shop.check_session(self.session(place), ask))
        assert not wrong, wrong

    @invariant()
    def every_answer_is_true(self) -> None:
        self.world.run(self._every_answer_is_true())

    async def _every_answer_is_true(self) -> None:
        wrong = [found for ask in self.live if (found := await self.shop.check(ask))]
        for session in self.shop.sessions[:USED]:
            if session.pin is not None:  # its first statement is a rule's
                wrong += [found for ask in self.live if (found := await self.shop.check_session(session, ask))]
        assert not wrong, "\n".join(wrong)
