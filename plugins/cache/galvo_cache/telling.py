"""What the cache says of itself: its counters, the statements that matter most, and its verdict on one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from heapq import nlargest
from typing import Any, Protocol

from galvo import Query
from galvo_cache.effects import Control, Everything, Read, Refused, Write
from galvo_cache.knowledge import Knowledge
from galvo_cache.outside import Outside
from galvo_cache.plans import Plan, Plans
from galvo_cache.settings import CacheSettings
from galvo_cache.sharing import Sharing
from galvo_sql import redacted

NOT_KEPT = frozenset({"refused_too_large", "refused_uncopyable", "refused_argument_changed"})
"""Refused after the read: it is among the misses already."""
COUNTED = (
    "joined", "bypassed", "stored", "overtaken", "unkept", "hits_l2", "refreshed_early", "refreshed_stale",
    "refresh_errors", "stale_hits", "served_stale", "stale_if_error", "lease_waits", "lease_hits",
)  # fmt: skip
LOOKED_AT = 10
"""Statements considered for each one that is shown: they may differ in literals only."""


class Counting(Protocol):
    def stats(self) -> dict[str, float]: ...


class Telling:
    """Reads the counters, and never changes what the cache does."""

    def __init__(
        self,
        settings: CacheSettings,
        plans: Plans,
        computed: Mapping[tuple[str, ...], Plan],
        counts: Counter[str],
        knowledge: Knowledge,
        outside: Outside,
        sharing: Sharing,
        parts: Sequence[Counting],
    ) -> None:
        """`counts` is what those that answer queries count, `parts` are others that count."""
        self._settings = settings
        self._plans = plans
        self._computed = computed
        self._counts = counts
        self._knowledge = knowledge
        self._outside = outside
        self._sharing = sharing
        self._parts: Sequence[Counting] = (outside, sharing, *parts)
        self._retired = Counter[str]()
        self._retired_saved = 0.0

    def retire(self, plan: Plan) -> None:
        """`plan` is dropped: what it counted counts on."""
        self._retired_saved += plan.worth()
        self._retired.update(hits=plan.hits, misses=plan.misses)
        plan.hits = plan.misses = plan.valued = 0
        plan.saved = 0.0

    def _living(self) -> Iterator[tuple[Callable[[], str], Plan]]:
        """The application's plans, and how each may be shown."""
        for _, plan in self._plans:
            yield partial(redacted, plan.text.rpartition("\0")[2]), plan
        for names, plan in self._computed.items():
            yield partial("cached(depends_on={})".format, ", ".join(names)), plan

    # -- counters -------------------------------------------------------------------------------------

    def stats(self) -> dict[str, float]:
        """Counters since the start. `hit_ratio` is of the reads that may be cached, `hit_ratio_all` of all reads."""
        plans = [plan for _, plan in self._living()]
        counts = self._counts
        hits = self._retired["hits"] + sum(plan.hits for plan in plans)
        misses = self._retired["misses"] + sum(plan.misses for plan in plans) - counts["hits_l2"]
        refused = {key: count for key, count in counts.items() if key.startswith("refused_")}
        told: dict[str, float] = {
            "hits": hits + counts["hits_l2"],
            "hits_l1": hits,
            "misses": misses,
            "refused": sum(refused.values()),
            "seconds_saved": self._retired_saved + sum(plan.worth() for plan in plans),
            "statements": len(self._plans),
            **{name: counts[name] for name in COUNTED},
            **{key: count for key, count in counts.items() if key.startswith("misses_")},
            **refused,
        }
        cacheable = told["hits"] + misses + counts["joined"] + counts["stale_hits"]
        every = cacheable + sum(count for key, count in refused.items() if key not in NOT_KEPT)
        told["hit_ratio"] = told["hits"] / cacheable if cacheable else 0.0
        told["hit_ratio_all"] = told["hits"] / every if every else 0.0
        for part in self._parts:
            told |= part.stats()
        return told

    def top(self, count: int = 10) -> dict[str, list[dict[str, Any]]]:
        """The remembered statements that `saved` most seconds, and those whose `refused` runs took most.

        Statements are without literals; those that differ in nothing else are one.
        """
        saved = [(plan.worth(), shown, plan) for shown, plan in self._living() if plan.tables is not None]
        tolls = [
            (toll.seconds, shown, reason, toll)
            for shown, plan in self._living()
            for reason, toll in plan.tolls.items()
        ]  # fmt: skip
        kept: dict[Any, dict[str, Any]] = {}
        for seconds, shown, plan in nlargest(count * LOOKED_AT, saved, key=lambda item: item[0]):
            one = {"statement": shown(), "seconds": seconds, "hits": plan.hits, "misses": plan.misses}
            _merge(kept, one["statement"], one)
        lost: dict[Any, dict[str, Any]] = {}
        for seconds, shown, reason, toll in nlargest(count * LOOKED_AT, tolls, key=lambda item: item[0]):
            one = {"statement": shown(), "reason": reason, "seconds": seconds, "runs": toll.runs}
            _merge(lost, (one["statement"], reason), one)
        return {
            name: nlargest(count, (one for one in found.values() if one["seconds"]), key=lambda one: one["seconds"])
            for name, found in (("saved", kept), ("refused", lost))
        }

    # -- one statement --------------------------------------------------------------------------------

    def explain(self, query: Query, plan: Plan) -> dict[str, Any]:
        """The verdict on `query`. Values of arguments are not told, their types are."""
        effect = plan.effect
        told: dict[str, Any] = {"effect": type(effect).__name__.lower(), "cacheable": isinstance(effect, Read)}
        if isinstance(effect, Refused | Everything):
            told["reason"] = effect.reason + (f": {effect.detail}" if effect.detail else "")
        elif not isinstance(effect, Read):
            told["reason"] = "it controls a transaction or session" if isinstance(effect, Control) else "it writes"
        if isinstance(effect, Read | Write):
            told["tables"] = sorted(self._knowledge.name_of(table) for table in effect.tables)
        if isinstance(effect, Read):
            told |= self._explain_read(query, plan, effect)
        if plan.tolls:
            told["refused"] = {reason: toll.runs for reason, toll in sorted(plan.tolls.items())}
        return told

    def _explain_read(self, query: Query, plan: Plan, effect: Read) -> dict[str, Any]:
        told: dict[str, Any] = {}
        if effect.slices:
            told["rows"] = sorted(f"{self._knowledge.name_of(part.table)}.{part.column}" for part in effect.slices)
        told["columns"] = "all" if effect.columns is None else sorted(effect.columns)
        settings = self._sharing.session or "the pool's settings, and those that a session has changed"
        told["key"] = {
            "namespace": self._sharing.namespace or "this process",
            "statement": redacted(query.sql),
            "arguments": [type(value).__name__ for value in query.args] or "their types and values",
            "result": "all rows (fetch) or the first one (fetchrow, fetchval)",
            "session": ", ".join((settings, *sorted(effect.inputs))),
        }
        told["outside_writes"] = {
            self._knowledge.name_of(table): self._outside.level(table) for table in sorted(effect.tables)
        }
        told |= {"ttl": self._settings.ttl, "hits": plan.hits, "misses": plan.misses}
        told |= {"cost": plan.cost.value, "saved": plan.worth()}
        return told


def _merge(found: dict[Any, dict[str, Any]], key: Any, one: dict[str, Any]) -> None:
    """Add the numbers of `one` to those of another with the same `key`."""
    old = found.setdefault(key, one)
    if old is not one:
        for name, value in one.items():
            if isinstance(value, int | float):
                old[name] += value
