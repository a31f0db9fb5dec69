"""The table. All its statements are here."""

from __future__ import annotations

from typing import Any, Final, Protocol

from galvo_tasks.errors import TasksProblem

_STATE: Final = """
select pg_catalog.to_regclass('galvo.task_outbox') is not null as present,
  coalesce((
    select pg_catalog.bool_and(r.rolsuper or r.rolname = current_user or r.oid = d.datdba)
    from (
      select nspowner as owner from pg_catalog.pg_namespace where nspname = 'galvo'
      union all
      select relowner from pg_catalog.pg_class where oid = pg_catalog.to_regclass('galvo.task_outbox')
    ) owners
    join pg_catalog.pg_roles r on r.oid = owner
    join pg_catalog.pg_database d on d.datname = pg_catalog.current_database()
  ), true) as trusted
"""
_ALONE: Final = "select pg_catalog.pg_advisory_xact_lock(1735158646, 0)"
_CREATE: Final = """
create schema if not exists galvo;
create table if not exists galvo.task_outbox (
  id bigint generated always as identity primary key,
  app text not null,
  task text not null,
  task_id text not null unique,
  priority smallint not null,
  body text not null,
  due timestamptz,
  expires timestamptz,
  at timestamptz not null default pg_catalog.clock_timestamp(),
  problem text
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index if not exists task_outbox_next on galvo.task_outbox (app, priority, id) where problem is null;
comment on table galvo.task_outbox is 'Tasks that galvo has still to publish; those with a problem wait for you'
"""
_ADD: Final = """
insert into galvo.task_outbox (app, task, task_id, priority, body, due, expires)
values ($1, $2, $3, $4, $5, pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $6),
  pg_catalog.clock_timestamp() + pg_catalog.make_interval(secs => $7))
on conflict (task_id) do nothing
"""
_TURN: Final = "select pg_catalog.pg_try_advisory_xact_lock(1735158646, pg_catalog.hashtext($1))"
_TAKE: Final = """
select id, task, task_id, priority, body,
  extract(epoch from due - pg_catalog.clock_timestamp())::float8 as delay,
  extract(epoch from expires - pg_catalog.clock_timestamp())::float8 as expires
from galvo.task_outbox where app = $1 and task = any($2::text[]) and problem is null
order by priority, id limit $3 for update skip locked
"""
_DONE: Final = "delete from galvo.task_outbox where id = any($1::bigint[])"
_HOLD: Final = "update galvo.task_outbox set problem = $2 where id = $1"


class OutboxProblem(TasksProblem):
    """The table cannot be used."""


class Statements(Protocol):
    """What a session of galvo and a connection of asyncpg have in common."""

    async def fetch(self, sql: str, *args: Any) -> list[Any]: ...
    async def execute(self, sql: str, *args: Any) -> str: ...


async def prepare(session: Statements) -> None:
    """Create the table where it is missing; in a transaction. Raises OutboxProblem, and the database's errors."""
    if not await _there(session):
        await session.fetch(_ALONE)
        if not await _there(session):
            await session.execute(_CREATE)


async def add(session: Statements, *values: Any) -> None:
    """`values`: app, task, its id, priority, body, seconds until it is due and until it expires. Once per id."""
    await session.execute(_ADD, *values)


async def take(session: Statements, app: str, tasks: list[str], most: int) -> list[Any]:
    """The next ones, of these tasks; none while another relay of `app` has its turn. In a transaction."""
    (turn,) = await session.fetch(_TURN, app)
    return await session.fetch(_TAKE, app, tasks, most) if turn[0] else []


async def done(session: Statements, ids: list[int]) -> None:
    await session.execute(_DONE, ids)


async def hold(session: Statements, id: int, problem: str) -> None:
    """It stays, and is not tried again until somebody has removed its `problem`."""
    await session.execute(_HOLD, id, problem)


async def _there(session: Statements) -> bool:
    (found,) = await session.fetch(_STATE)
    if not found["trusted"]:
        raise OutboxProblem(
            "galvo.task_outbox, or its schema, belongs to a role that is neither a superuser nor the owner of the "
            "database nor yours, and whose triggers would run as you: have it removed"
        )
    return bool(found["present"])
