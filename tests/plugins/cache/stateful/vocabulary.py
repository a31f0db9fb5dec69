"""What the stateful test says to the database: a small shop with most of what lets a write reach further than its text.

`$1` and `$2` are small integers, so that statements meet each other's rows.
"""

from __future__ import annotations

from typing import NamedTuple

RESET = """
set lock_timeout = 0;
set client_min_messages = error;
drop schema if exists public, other cascade;
create schema public;
create schema other;
create table maker(id int primary key, name text, score int default 0, seen timestamptz default '2001-01-01 0:00Z');
create table item(
  id int primary key, maker int references maker on delete cascade on update cascade, price int,
  twice int generated always as (price * 2) stored);
create index on item (maker);
create index on item (twice);
create table note(id int primary key, item int references item on delete set null on update cascade, body text);
create index on note (item);
create table part(id int, kind int, v text) partition by list (kind);
create index on part (id);
create table part_1 partition of part for values in (1);
create table part_2 partition of part for values in (2);
create table part_rest partition of part default;
create table base(id int, v text);
create table heir(id int, v text) inherits (base);
create table audit(line text);
create table late(line text);
create table watched(id int primary key, v int);
create function audited() returns trigger language plpgsql as
  $$begin insert into public.audit values (tg_op); return null; end$$;
create function at_commit() returns trigger language plpgsql as
  $$begin insert into public.late values (tg_op); return null; end$$;
create function writer(n int) returns int language plpgsql as
  $$begin update public.maker set score = score + n; return n; end$$;
create trigger watch after insert or update or delete on watched for each row execute function audited();
create constraint trigger last after insert or update on base deferrable initially deferred
  for each row execute function at_commit();
create table other.maker(
  id int primary key, name text, score int default 0, seen timestamptz default '2001-01-01 0:00Z');
create table other.note(id int primary key, item int, body text);
create table doc(id int primary key, tenant text, title text);
alter table doc enable row level security;
create policy own on doc using (tenant = current_setting('app.tenant', true)) with check (true);
create table rate(r int);
create table other.rate(r int);
create table other.audit(line text);
create view other.item as select public.writer(1) as id, 1 as maker, 1 as price, 2 as twice;
create function logged(n int) returns int language plpgsql as
  $$begin insert into audit values ('f' || n); return n; end$$;
create function rated() returns int language plpgsql stable as
  $$begin return (select sum(r) from rate) + length(coalesce(current_setting('app.tax', true), '')); end$$;
create function to_tokyo(here boolean) returns text language plpgsql as
  $$begin return set_config('TimeZone', 'Asia/Tokyo', here); end$$;
create view cheap as select id, maker, price from item where price < 50;
create view deep as select c.id, m.name from cheap c join maker m on m.id = c.maker;
create materialized view mat as select maker, count(*) from item group by 1;
insert into maker select g, 'm' || g, g % 3 from generate_series(1, 5) g;
insert into other.maker select g, 'o' || g from generate_series(1, 3) g;
insert into other.note values (1, 1, 'o');
insert into item(id, maker, price) select g, 1 + g % 4, g * 10 from generate_series(1, 6) g;
insert into note select g, g, 'n' from generate_series(1, 5) g;
insert into part select g, 1 + g % 3, 'p' from generate_series(1, 6) g;
insert into base select g, 'b' from generate_series(1, 3) g;
insert into heir select g, 'h' from generate_series(2, 4) g;
insert into watched select g, g from generate_series(1, 4) g;
insert into doc select g, chr(97 + g % 3), 'd' || g from generate_series(1, 6) g;
insert into rate values (1);
insert into other.rate values (10);
do $$begin
  if not exists (select from pg_roles where rolname = 'stateful_reader') then create role stateful_reader; end if;
end$$;
grant usage on schema public, other to stateful_reader;
grant all on all tables in schema other to stateful_reader;
grant select, insert, update, delete on maker, note, doc, rate to stateful_reader;
"""
DECLARED = {
    "effects": {"audited": ["audit"], "at_commit": ["late"], "logged": ["audit"]},
    "reads": {"rated": ["rate"]},
    "session_inputs": {"doc": ["app.tenant"]},
}

BY_ROW = [
    "select * from maker where id = $1",
    "select name from maker where id = $1",
    "select id, seen::text from maker where id = $1",
    "select * from other.maker where id = $1",
    "select * from item where id = $1",
    "select i.id, i.price, m.id, m.name from item i join maker m on m.id = i.maker where i.id = $1",
    "select * from note where id = $1",
    "select * from watched where id = $1",
]
"""At most one row, so the first is all."""
BY_LANE = [
    "select * from item where maker = $1",
    "select count(*), sum(price) from item where maker = $1",
    "select id from item where twice = 20 * $1::int",
    "select i.id, m.name from item i join maker m on m.id = i.maker where m.id = $1",
    "select i.id, i.maker, m.name from item i join maker m on m.id = i.maker where i.maker = $1",
    "select id, body from note where item = $1",
    "select n.id, i.price from note n left join item i on i.id = n.item where n.item = $1",
    "select n.id, n.item, i.id, i.maker from note n join item i on i.id = n.item where i.maker = $1",
    "select * from part where id = $1",
    "select * from part where kind = $1",
    "select id from maker where score = $1",
]
WHOLE = [
    "select * from maker",
    "select * from item",
    "select count(*) from note",
    "select m.name, count(i.id) from maker m left join item i on i.maker = m.id group by 1",
    "select name from maker where not exists (select from item where maker = maker.id)",
    "with x as (select * from watched) select x.id, v from x union all select id, 0 from heir",
    "select * from part",
    "select * from part_1",
    "select * from part_2",
    "select * from base",
    "select * from only base",
    "select * from heir",
    "select * from audit",
    "select * from late",
    "select * from cheap",
    "select * from deep",
    "select * from mat",
    "select * from other.note",
    "select * from fresh",
    "select now() > '2001-01-01'",
]
WRITES = [
    "insert into maker(id, name) values ($1, 'new')",
    "insert into maker(id, name) values ($1, 'up') on conflict (id) do update set score = maker.score + 1",
    "insert into maker(id, name) values ($1, 'no') on conflict do nothing",
    "update maker set score = score + 1 where id = $1",
    "update maker set name = name || '.' where id = $1",
    "update maker set id = $2 where id = $1",
    "update maker set name = name || '!'",
    "delete from maker where id = $1",
    "delete from maker where score = $1",
    "merge into maker m using (values ($1::int)) v(id) on m.id = v.id when matched then update set score = m.score + 1 "
    "when not matched then insert (id, name) values (v.id, 'merged')",
    "insert into item(id, maker, price) values ($1, $2, 15)",
    "insert into item(id, maker, price) values ($1, $2, 5) on conflict (id) do update set maker = excluded.maker",
    "update item set maker = $2 where id = $1",
    "update item set maker = $2 where maker = $1",
    "update item set price = price + 7 where id = $1",
    "update item set price = price - 9 where maker = $1",
    "update item set price = 10 * $2::int where id = $1",
    "update item set id = $2 where id = $1",
    "delete from item where id = $1",
    "delete from item where maker = $1",
    "insert into note values ($1, $2, 'new')",
    "update note set item = $2 where id = $1",
    "update note set body = body || '.' where item = $1",
    "update note set body = body || ',' where id = $1",
    "delete from note where id = $1",
    "with d as (delete from item where id = $1 returning *) insert into note select $2, null, 'moved' from d",
    "insert into part values ($1, $2, 'new')",
    "update part set kind = $2 where id = $1",
    "update part set v = v || '.' where kind = $1",
    "delete from part_1 where id = $1",
    "insert into part_2 values ($1, 2, 'direct')",
    "update part_1 set v = v || ':'",
    "insert into base values ($1, 'new')",
    "insert into heir values ($1, 'new')",
    "update base set v = v || '.' where id = $1",
    "delete from only base where id = $1",
    "insert into watched values ($1, $2) on conflict (id) do update set v = excluded.v",
    "update watched set v = v + 1 where id = $1",
    "delete from watched where id = $1",
    "update cheap set price = price + 1 where id = $1",
    "delete from cheap where id = $1",
    "update other.maker set score = score + 1 where id = $1",
    "select writer($1)",
]
WRITES_ALONE = [
    "truncate note",
    "truncate item cascade",
    "truncate maker cascade",
    "refresh materialized view mat",
    "do $$begin delete from public.note where id < 3; end$$",
    "update maker set score = score + 1; delete from note where id = 1",
    "explain analyze delete from item where id = 2",
    "prepare gone as delete from item where id = 3; execute gone; deallocate gone",
    "begin; delete from watched where id = 1; commit",
    "insert into fresh values (1)",
    "insert into maker select g, 'refill' from generate_series(1, 6) g on conflict do nothing;"
    "insert into item select g, g, 10 * g from generate_series(1, 6) g on conflict do nothing;"
    "insert into note select g, g, 'refill' from generate_series(1, 6) g on conflict do nothing",
]
"""Without arguments; some are scripts."""
DDL = [
    "alter table maker add column if not exists extra int default 7",
    "alter table maker drop column if exists extra",
    "create index on item (price)",
    "create index if not exists by_score on maker (score)",
    "drop index if exists by_score",
    "create or replace view cheap as select id, maker, price from item where price < 25",
    "create or replace view cheap as select id, maker, price from public.item where price >= 25",
    "drop view if exists deep",
    "create or replace view deep as select id, name from maker",
    "create table if not exists fresh(id int)",
    "create table fresh as select id from item",
    "drop table if exists fresh",
    "alter table note rename to note_old; create table note(id int primary key, item int, body text)",
    "drop table note; alter table note_old rename to note",
    "alter table item drop constraint if exists item_maker_fkey",
    "alter table item drop constraint if exists item_maker_fkey, add constraint item_maker_fkey foreign key (maker) "
    "references maker on delete set null on update cascade not valid",
    "create or replace trigger watch after update or delete on maker for each row execute function audited()",
    "drop trigger if exists watch on maker",
    "drop trigger if exists watch on watched",
    "alter table part detach partition part_2",
    "alter table part attach partition part_2 for values in (2)",
    "alter table heir no inherit base",
    "alter table heir inherit base",
    "alter table note alter body type varchar(40)",
    "alter table maker alter score type bigint",
]
SETTINGS = [
    "set search_path = other, public",
    "set local search_path = other, public",
    "select set_config('search_path', 'other,public', false)",
    "set search_path = public",
    "set timezone = 'Asia/Tokyo'",
    "set role stateful_reader",
    "reset role",
    "create temp table if not exists note(id int, item int, body text)",
    "discard temp",
    "reset all",
    "set default_transaction_isolation = 'repeatable read'",
]
"""What only a session may do."""
CONTROL = [
    "commit",
    "commit",
    "commit",
    "rollback",
    "commit and chain",
    "rollback and chain",
    "savepoint a",
    "rollback to a",
    "release a",
]
BEGIN = [
    "begin",
    "begin",
    "begin isolation level repeatable read",
    "begin isolation level serializable",
    "begin read only",
]


class Ask(NamedTuple):
    """A read: `one` wants the first row only; `computed` keeps a value that was made from it."""

    sql: str
    args: tuple[int, ...] = ()
    one: bool = False
    computed: bool = False


class Order(NamedTuple):
    """A write; `many` holds the arguments of every run; `rows` are wanted, so it is prepared."""

    sql: str
    args: tuple[int, ...] = ()
    many: tuple[tuple[int, ...], ...] = ()
    rows: bool = False
