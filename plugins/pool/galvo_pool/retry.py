"""Runs a whole transaction again when the database says that it may be: what it did is undone, so nothing runs twice.

Retried are serialization failures and deadlocks (SQLSTATE 40001 and 40P01), and a lost connection if COMMIT had not
been sent, or if nothing was to be written. Never an error after COMMIT was sent: it may have taken effect.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import asyncpg

from galvo import Isolation
from galvo_pool.errors import AWAY

T = TypeVar("T")
UNDONE = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
SHORTEST, LONGEST = 0.01, 1.0
"""Seconds between attempts."""


class Budget:
    """Retries are at most a share of the calls, so that an overloaded server is not given more to do.

    Envoy's and Finagle's retry budgets work alike: each call pays in, each retry takes out.
    """

    def __init__(self, share: float = 0.2, most: float = 10.0) -> None:
        """`share`: retries per call in the long run; `most`: how many can be saved up."""
        self.share = share
        self.most = most
        self._saved = most

    def call(self) -> None:
        self._saved = min(self.most, self._saved + self.share)

    def retry(self) -> bool:
        """Whether one more is affordable; it is paid with that."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True


async def transact(
    source: Any,
    work: Callable[[Any], Awaitable[T]],
    *,
    isolation: Isolation | None = None,
    readonly: bool = False,
    attempts: int = 5,
    budget: Budget,
    rng: random.Random | None = None,
) -> T:
    """`await work(connection)` inside a transaction on a connection of `source` (a pool or a kernel), and COMMIT.

    `attempts` in all, with a growing random pause between them, as long as the `budget` allows. Raises the last
    attempt's error. `work` may run several times: what it does besides the database should not mind.
    """
    if attempts < 1:
        raise ValueError(f"attempts is at least 1, not {attempts}")
    pause, draw = SHORTEST, (rng or random).uniform
    budget.call()
    for attempt in range(1, attempts + 1):
        began = committing = lost = False
        try:
            async with source.acquire() as connection:
                try:
                    transaction = connection.transaction(isolation=isolation, readonly=readonly)
                    await transaction.start()
                    began = True
                    try:
                        result = await work(connection)
                    except BaseException:
                        await _rolled_back(transaction)
                        raise
                    committing = not _closed(connection)
                    await transaction.commit()
                    return result
                except BaseException:
                    lost = _closed(connection)
                    raise
        except UNDONE:
            if attempt == attempts or not budget.retry():
                raise
        except (*AWAY, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
            if (
                not _of_connection(error, began=began, lost=lost)
                or (committing and not readonly)
                or attempt == attempts
                or not budget.retry()
            ):
                raise
        pause = min(LONGEST, draw(SHORTEST, 3 * pause))
        await asyncio.sleep(pause)
    raise AssertionError("unreachable")  # pragma: no cover


def _of_connection(error: BaseException, *, began: bool, lost: bool) -> bool:
    """Whether it was the connection that failed, and neither `work` itself nor its patience."""
    if isinstance(error, TimeoutError):
        return False
    if isinstance(error, asyncpg.InternalClientError):
        return True  # the server's last word has come while a statement was being sent
    return lost or (not began and not isinstance(error, asyncpg.InterfaceError))


def _closed(connection: Any) -> bool:
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:  # it went back to the pool when it was lost
        return True


async def _rolled_back(transaction: Any) -> None:
    # When the connection is lost, so is the transaction; what `work` raised says why.
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        await transaction.rollback()
