"""The table in which roll-ups outlive the process. All its statements are here."""

from __future__ import annotations

from typing import Any, Final

from galvo import Context
from galvo_monitor.errors import MonitorProblem
from galvo_monitor.series import Series
from galvo_monitor.store.apart import Apart
from galvo_monitor.store.naming import parsed
from galvo_monitor.store.ring import Point

TIMEOUT: Final = 4.0
"""Seconds that a statement may take."""
SPANS: Final = {300.0: 7, 3600.0: 90}
"""Which stretches are kept, and for how many days."""
ALREADY: Final = ("23505", "42710", "42P06", "42P07")
"""Another process has just created it (`if not exists` looks before it waits)."""

_CREATE: Final = """
create table if not exists galvo.monitor_history (
  step int not null,
  at timestamptz not null,
  instance text not null,
  series text not null,
  mean real not null,
  high real not null,
  primary key (step, at, instance, series)
);
comment on table galvo.monitor_history is 'What galvo measured: mean and highest of `step` seconds from `at` on'
"""
_SCHEMA: Final = "create schema if not exists galvo"
_STATE: Final = """
select pg_catalog.to_regnamespace('galvo') is not null as schema,
  pg_catalog.to_regclass('galvo.monitor_history') is not null as present,
  coalesce((
    select pg_catalog.bool_and(r.rolsuper or r.rolname = current_user or r.oid = d.datdba)
    from (
      select nspowner as owner from pg_catalog.pg_namespace where nspname = 'galvo'
      union all
      select relowner from pg_catalog.pg_class where oid = pg_catalog.to_regclass('galvo.monitor_history')
    ) owners
    join pg_catalog.pg_roles r on r.oid = owner
    join pg_catalog.pg_database d on d.datname = pg_catalog.current_database()
  ), true) as trusted
"""
_INSERT: Final = """
insert into galvo.monitor_history (step, at, instance, series, mean, high)
select r.step, pg_catalog.to_timestamp(r.at), $1, r.series, r.mean, r.high
from unnest($2::int[], $3::float8[], $4::text[], $5::real[], $6::real[]) as r(step, at, series, mean, high)
on conflict (step, at, instance, series) do update set mean = excluded.mean, high = excluded.high
"""
_READ: Final = """
select series, pg_catalog.array_agg(extract(epoch from at)::float8 order by at) as times,
  pg_catalog.array_agg(mean order by at) as means, pg_catalog.array_agg(high order by at) as highs
from galvo.monitor_history
where step = $1 and at > pg_catalog.to_timestamp($2) and at <= pg_catalog.to_timestamp($3) and instance = $4
group by series order by pg_catalog.max(at) desc, series limit $5
"""
_EXPIRE: Final = """
delete from galvo.monitor_history where step = $1 and (
  at < pg_catalog.now() - pg_catalog.make_interval(days => $2) or at > pg_catalog.now() + interval '1 day')
"""


async def prepare(context: Context | Apart) -> None:
    """Create the table where it is missing. Raises MonitorProblem when somebody else owns it, whose triggers would
    run as us, and the database's errors."""
    (found,) = await context.fetch(_STATE, timeout=TIMEOUT)
    if not found["trusted"]:
        raise MonitorProblem(
            "galvo.monitor_history, or its schema, belongs to a role that is neither a superuser nor the owner of the "
            "database nor yours, and whose triggers would run as you: have it removed, or set history = false under "
            "[monitor]"
        )
    # Only when it is needed: it takes rights that the rest does not, and caches forget what they know of the schema.
    for missing, statement in ((not found["schema"], _SCHEMA), (not found["present"], _CREATE)):
        if missing:
            try:
                await context.execute(statement, timeout=TIMEOUT)
            except Exception as error:
                if getattr(error, "sqlstate", None) not in ALREADY:
                    raise


async def insert(context: Context | Apart, instance: str, columns: list[list[Any]]) -> None:
    """`columns`: of `columns_of`."""
    await context.execute(_INSERT, instance, *columns, timeout=TIMEOUT)


def columns_of(rows: dict[float, list[tuple[float, dict[Series, Point]]]]) -> list[list[Any]]:
    """`rows`: by step, what `Store.rolled` gave. Long, when there are many."""
    # A clock that was set back may have begun a stretch twice: the later counts, as a row cannot be inserted twice.
    flat = {
        (int(step), at // step * step, str(series)): point
        for step, moments in rows.items()
        for at, points in moments
        for series, point in points.items()
    }
    return [list(column) for column in zip(*((*key, *point) for key, point in flat.items()), strict=True)]


async def read(context: Context | Apart, instance: str, step: float, now: float, most: int) -> list[Any]:
    """Rows for `moments_of`: what ended before `now` (seconds since the epoch), of the `most` newest series."""
    since = now - SPANS[step] * 86_400
    return await context.fetch(_READ, int(step), since, now - step, instance, most, timeout=TIMEOUT)


def moments_of(found: list[Any], step: float) -> dict[float, dict[Series, Point]]:
    """By when each stretch ended. Long, when there are many."""
    moments: dict[float, dict[Series, Point]] = {}
    for row in found:
        series = parsed(row["series"])
        if series is not None:
            for at, mean, high in zip(row["times"], row["means"], row["highs"], strict=True):
                moments.setdefault(at + step, {})[series] = (mean, high)
    return moments


async def expire(context: Context | Apart) -> None:
    """Delete what is too old, and what a clock that was wrong has dated in the future."""
    for step, days in SPANS.items():
        await context.execute(_EXPIRE, int(step), days, timeout=TIMEOUT)
