"""Writes as other processes must know of them: announced before they are sent, settled before their caller goes on.

Without a Redis URL there are no other processes: then this does nothing, and costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from hashlib import blake2b
from itertools import chain
from typing import Any

import anyio
from anyio.abc import TaskGroup

from galvo import Context, ForCaller, GalvoError, PluginError
from galvo_cache.allowed import SESSION_SETTINGS
from galvo_cache.beside import Beside
from galvo_cache.coherence.coherence import Coherence
from galvo_cache.coherence.marks import Mark, Unannounced
from galvo_cache.knowledge import Knowledge
from galvo_cache.l2 import client_of, close
from galvo_cache.ledger import Ledger, Pending
from galvo_cache.settings import CacheSettings
from galvo_cache.touch import Touch

EMBEDDED = "embedded"
SCHEMA = 0
"""Instead of a table's OID: the schema changes."""
JOINING = 3.0
"""Leases that the first writes wait for this process to join."""
RETRY = 0.25
Alongside = Callable[[], Coroutine[Any, Any, None]]
Said = tuple[Coherence, Mark]
"""An announced write, and among whom it was."""

# A copy of a cluster has the same system_identifier, but after its recovery not the same timeline.
NAMESPACE = """
select concat_ws('-', s.system_identifier, c.timeline_id, d.oid)
from pg_control_system() s, pg_control_checkpoint() c, pg_database d where d.datname = current_database()
"""
SESSION = "select json_agg(current_setting(name, true) order by name) from unnest($1::text[]) name"
"""What a query without a session runs under; processes whose settings differ share announcements, but no answers."""


class Following:
    """The ledger, for announcements of others: they change the schema, too."""

    def __init__(self, ledger: Ledger, knowledge: Knowledge, tell: Callable[[Touch | None], None]) -> None:
        self._ledger = ledger
        self._knowledge = knowledge
        self._tell = tell

    def begin(self, touch: Touch | None) -> tuple[Pending, bool]:
        self._tell(touch)
        ddl = touch is not None and SCHEMA in touch
        if ddl:
            self._knowledge.distrust()
        return self._ledger.begin(touch), ddl

    def end(self, handle: Any) -> None:
        pending, ddl = handle
        self._ledger.end(pending)
        if ddl:
            self._knowledge.distrust()
        elif pending.everything:
            self._ledger.flushed()

    def clear(self) -> None:
        self._ledger.clear()
        # Whoever changed the schema while we were away could not tell us.
        self._knowledge.distrust()
        self._ledger.flushed()


class Sharing:
    """This process among those that share a database and a Redis."""

    def __init__(
        self,
        settings: CacheSettings,
        context: Context,
        ledger: Ledger,
        knowledge: Knowledge,
        tell: Callable[[Touch | None], None],
        on_lease: Callable[[float], None],
        on_joining: Callable[[Coherence], Awaitable[Alongside | None]],
    ) -> None:
        self._settings = settings
        self._context = context
        self._following = Following(ledger, knowledge, tell)
        self._on_lease = on_lease
        self._on_joining = on_joining
        self._url = settings.redis.get_secret_value()
        self._joined = anyio.Event()
        self._moved = anyio.Event()
        self._missed = False
        self._older: Sharing | None = None
        self._settled = False
        self._behind = False
        """Whoever is joined is owed word of everything: this process may have written without any."""
        self.moves = 0
        self.namespace = ""
        self.session = ""
        self.client: Any = None
        self.coherence: Coherence | None = None
        on_lease(0.0 if self._url else math.inf)

    @property
    def on(self) -> bool:
        return bool(self._url)

    @property
    def url(self) -> str:
        """With its password; "" while this process shares with nobody."""
        return self._url

    async def connect(self) -> None:
        """Make the client; it connects when it is used. Raises PluginError for a URL that cannot be one."""
        url = self._url
        if url == EMBEDDED:
            servers = self._context.capability("servers")
            if servers is None:
                raise PluginError("cache", 'redis = "embedded" needs the plugin embedded: set [embedded] on = true')
            self._url = url = await servers.redis()
        try:
            self.client = client_of(url, timeout=self._settings.redis_timeout)
        except ValueError as error:
            raise PluginError("cache", f"{error} (redis under [cache])") from None

    def succeed(self, older: Sharing) -> None:
        """`older` has told of what this process wrote until now."""
        self._older = older

    def settled(self, *, continuous: bool) -> None:
        """From now on all that this process writes is told of here.

        `continuous`: until now it was, by the one before, or nothing was written. Else others, and what they and this
        process have left in Redis, may be older than that.
        """
        older, self._older = self._older, None
        if self.on and not (continuous and (older is None or older._followed(self))):
            self._fall_behind()
        self._settled = True

    def _fall_behind(self) -> None:
        self._behind = True
        if self.coherence is not None:
            self.coherence.owe_everything()

    def _followed(self, by: Sharing) -> bool:
        """Those whom `by` joins have been told of all that was written."""
        same = self._url == by._url and self._settings.namespace == by._settings.namespace
        behind = self._behind and (self.coherence is None or self.moves > 0)
        owes = self.coherence is not None and self.coherence.owes
        return same and self._settled and not (behind or owes or self._missed)

    async def run(self) -> None:
        """Find out which database this is, join those who share it, and follow them until cancelled; all that again
        when the pool has moved."""
        async with anyio.create_task_group() as finishing:
            while True:
                await self._share(finishing)

    async def _share(self, finishing: TaskGroup) -> None:
        self._moved = moved = anyio.Event()
        if not await self._identify():
            await anyio.sleep(RETRY)  # nothing tells
            return
        if moved.is_set():
            return
        coherence = Coherence(
            self.client,
            self.namespace,
            self._following,
            lease=self._settings.lease,
            unknown_outcome=self._settings.unknown_outcome,
            on_lease=partial(self._leased, moved),
            log=self._context.log,
        )
        alongside = await self._on_joining(coherence)
        if moved.is_set():
            return
        self.coherence = coherence
        if self._behind:
            coherence.owe_everything()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._tell_missed)
            tasks.start_soon(coherence.run)
            if alongside is not None:
                tasks.start_soon(alongside)
            await moved.wait()
            tasks.cancel_scope.cancel()
        self._behind = self._behind or coherence.owes
        finishing.start_soon(self._finish, coherence)

    async def _finish(self, coherence: Coherence) -> None:
        try:
            await coherence.finish()
        finally:
            if coherence.owes:
                self._fall_behind()

    def moved(self) -> None:
        """The pool leads to another database, or under other settings: what others say is not about it."""
        self.moves += 1
        if self.on:
            self.coherence = None
            if self._joined.is_set():
                self._joined = anyio.Event()
            self._moved.set()
            self._on_lease(0.0)

    def _leased(self, moved: anyio.Event, until: float) -> None:
        if not moved.is_set():
            self._on_lease(until)

    async def _identify(self) -> bool:
        pool = self._context.capability("pool")
        if pool is None:
            return False
        settings = [*SESSION_SETTINGS, *chain.from_iterable(self._settings.session_inputs.values())]
        try:
            self.namespace = self._settings.namespace or str(await self._context.fetchval(NAMESPACE))
            session = str(await self._context.fetchval(SESSION, settings))
        except GalvoError:
            return False
        except Exception as error:  # noqa: BLE001  # without a database there is nothing to cache either
            self._context.log.warning("cannot identify the database: %s", type(error).__name__)
            await anyio.sleep(1)
            return False
        # Without an identity it is not known whose answers others have kept.
        self.session = blake2b(f"{session}{pool.identity}".encode(), digest_size=8).hexdigest() if pool.identity else ""
        return True

    async def _tell_missed(self) -> None:
        self._joined.set()
        missed, self._missed = self._missed, False
        if missed:
            await self.end(await self.begin(None, ddl=True))

    def beside(self) -> Beside | None:
        """See CachePlugin.beside."""
        if not (self.on and self.namespace):
            return None
        settings = self._settings
        return Beside(
            client_of(self._url, timeout=settings.redis_timeout),
            self.namespace,
            lease=settings.lease,
            unknown_outcome=settings.unknown_outcome,
            log=self._context.log,
        )

    async def close(self) -> None:
        if self.client is not None:
            await close(self.client)

    # -- writes ---------------------------------------------------------------------------------------

    async def begin(self, touch: Touch | None, *, ddl: bool) -> list[Said]:
        """Make a write known. With `strict_invalidation` raises ForCaller when it cannot be; the write is not sent."""
        if not self._url:
            return []
        with anyio.move_on_after(JOINING * self._settings.lease):
            await self._joined.wait()
        coherence = self.coherence
        if coherence is None:
            self._missed = True
            self._refuse("this process has not joined the others yet")
            return []
        marks: list[Said] = []
        parts: list[Touch | None] = [None, {SCHEMA: None}] if ddl else [touch]
        for part in parts:
            try:
                marks.append((coherence, await coherence.announce(part)))
            except Unannounced as away:
                self.abandon(marks, unknown=False)
                marks = [(coherence, away.mark)]
                self._refuse(str(away))
            except BaseException:
                self.abandon(marks, unknown=False)
                raise
        return marks

    async def correct(self, touch: Touch | None) -> None:
        """A write is over that was not announced, or as another one, or to others: it touched `touch`."""
        with anyio.CancelScope(shield=True):
            try:
                await self.end(await self.begin(touch, ddl=False))
            except ForCaller:
                self._missed = True  # told as soon as it can be

    def _refuse(self, why: str) -> None:
        if self._settings.strict_invalidation:
            raise ForCaller(
                GalvoError(f"not written, as other processes cannot be told: {why} (strict_invalidation under [cache])")
            )

    async def end(self, marks: list[Said]) -> None:
        """The write has ended well; on return all know what they must."""
        for coherence, mark in marks:
            with anyio.CancelScope(shield=True):
                await coherence.settle(mark)

    def abandon(self, marks: list[Said], *, unknown: bool) -> None:
        """The write has failed, or nobody knows."""
        for coherence, mark in marks:
            coherence.release(mark, open=unknown)

    def stats(self) -> dict[str, float]:
        return self.coherence.stats() if self.coherence is not None else {}
