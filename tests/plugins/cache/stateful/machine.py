"""The machine: hypothesis chooses who does what next; after every step all answers are compared with the truth."""

from __future__ import annotations

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis import target
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from galvo import Kernel, Level, Session
from tests.plugins.cache.stateful import vocabulary as words
from tests.plugins.cache.stateful.vocabulary import Ask, Order
from tests.plugins.cache.stateful.world import SESSIONS, Shop, World

LIVE = 14
"""Reads that are asked after every step; the oldest go."""
numbers = st.integers(1, 6)
# Not st.builds: it would make up the fields that have defaults, too.
asks = st.one_of(
    st.tuples(st.sampled_from(words.BY_ROW), st.tuples(numbers), st.booleans()).map(lambda parts: Ask(*parts)),
    st.tuples(st.sampled_from(words.BY_LANE), st.tuples(numbers)).map(lambda parts: Ask(*parts)),
    st.sampled_from(words.WHOLE).map(Ask),
    st.tuples(st.sampled_from(words.BY_LANE[:2]), st.tuples(numbers)).map(lambda parts: Ask(*parts, computed=True)),
)


@st.composite
def _orders(draw: st.DrawFn) -> Order:
    sql = draw(st.sampled_from(words.WRITES))
    args = st.tuples(*[numbers] * (1 + ("$2" in sql)))
    if draw(st.integers(0, 7)) == 7:
        return Order(sql, many=tuple(draw(st.lists(args, min_size=1, max_size=3))))
    return Order(sql, draw(args))


orders = _orders()
alone = st.sampled_from(words.WRITES_ALONE).map(Order)
places = st.integers(0, SESSIONS - 1)
anybody = st.integers(-3, SESSIONS - 1)
"""A session, or below zero the kernel."""


class CacheMachine(RuleBasedStateMachine):
    """Needs `world`, which whoever runs it puts there."""

    world: ClassVar[World]

    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop(self.world)
        self.live: dict[Ask, None] = {}
        self.writers: set[int] = set()
        self.world.run(self.shop.open())

    def teardown(self) -> None:
        self.world.run(self.shop.close())
        target(float(self.shop.hits), label="hits")

    def who(self, place: int) -> Kernel | Session:
        return self.shop.kernel if place < 0 else self.shop.sessions[place]

    def do(self, place: int, order: Order) -> None:
        self.world.run(self.shop.do(self.who(place), order))

    def remember(self, ask: Ask) -> None:
        self.live.pop(ask, None)
        self.live[ask] = None
        if len(self.live) > LIVE:
            del self.live[next(iter(self.live))]

    # -- reads ----------------------------------------------------------------------------------------

    @initialize(first=st.lists(asks, min_size=6, max_size=10))
    def begin_with(self, first: list[Ask]) -> None:
        for ask in first:
            self.remember(ask)

    @rule(ask=asks)
    def read(self, ask: Ask) -> None:
        self.remember(ask)

    @rule(ask=asks, place=places)
    def read_in_session(self, ask: Ask, place: int) -> None:
        wrong = self.world.run(self.shop.check_session(self.shop.sessions[place], ask))
        assert not wrong, wrong

    @rule(ask=asks, after=st.integers(0, 12))
    def cancel_a_read(self, ask: Ask, after: int) -> None:
        self.world.run(self.shop.cancel(ask, after))
        self.remember(ask)

    # -- writes ---------------------------------------------------------------------------------------

    @rule(order=orders, place=anybody)
    def write(self, order: Order, place: int) -> None:
        self.do(place, order)
        self.look(place)

    @rule(order=orders, place=anybody)
    def write_more(self, order: Order, place: int) -> None:
        self.write(order, place)

    @rule(order=alone, place=anybody)
    def write_without_arguments(self, order: Order, place: int) -> None:
        self.do(place, order)
        self.look(place)

    @rule(order=orders, fresh=st.lists(asks, max_size=4), place=anybody, head=st.integers(0, 12))
    def write_during_reads(self, order: Order, fresh: list[Ask], place: int, head: int) -> None:
        self.world.run(self.shop.race([*self.live, *fresh], self.who(place), order, head))
        for ask in fresh:
            self.remember(ask)

    @rule(place=places, work=st.lists(orders, min_size=1, max_size=4), end=st.sampled_from(words.CONTROL[:4]))
    def transact(self, place: int, work: list[Order], end: str) -> None:
        for order in (Order("begin"), *work, Order(end)):
            self.do(place, order)

    @rule(fresh=st.lists(asks, max_size=4), place=places, head=st.integers(0, 12))
    def commit_during_reads(self, fresh: list[Ask], place: int, head: int) -> None:
        self.world.run(self.shop.race([*self.live, *fresh], self.who(place), Order("commit"), head))

    # -- sessions -------------------------------------------------------------------------------------

    @rule(place=places, sql=st.sampled_from(words.BEGIN))
    def open_transaction(self, place: int, sql: str) -> None:
        self.do(place, Order(sql))

    @rule(place=places, sql=st.sampled_from(words.CONTROL))
    def control(self, place: int, sql: str) -> None:
        self.do(place, Order(sql))

    @rule(place=places, sql=st.sampled_from(words.SETTINGS))
    def set(self, place: int, sql: str) -> None:
        self.do(place, Order(sql))

    @rule(place=places)
    def replace_session(self, place: int) -> None:
        self.world.run(self.shop.replace_session(place))

    # -- everything else ------------------------------------------------------------------------------

    @rule(sql=st.sampled_from(words.DDL), place=anybody)
    def define(self, sql: str, place: int) -> None:
        self.do(place, Order(sql))

    @rule()
    def switch(self) -> None:
        self.world.run(self.shop.switch())

    @rule(level=st.sampled_from([Level.ELEVATED, Level.HIGH, Level.CRITICAL]))
    def squeeze(self, level: Level) -> None:
        self.world.run(self.shop.squeeze(level))

    # -- the oracle -----------------------------------------------------------------------------------

    def look(self, place: int) -> None:
        """A session must see what it wrote."""
        if place >= 0 and self.shop.sessions[place].in_transaction:
            for ask in list(self.live)[-5:]:
                wrong = self.world.run(self.shop.check_session(self.shop.sessions[place], ask))
                assert not wrong, wrong

    @invariant()
    def every_answer_is_true(self) -> None:
        self.world.run(self._every_answer_is_true())

    async def _every_answer_is_true(self) -> None:
        wrong = [found for ask in self.live if (found := await self.shop.check(ask))]
        assert not wrong, "\n".join(wrong)
