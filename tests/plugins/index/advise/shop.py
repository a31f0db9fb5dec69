"""A schema with some rows, for advice."""

from __future__ import annotations

from collections.abc import Sequence

from galvo_index.advise import Advice

SCHEMA = """
create table customer (id int primary key, email text not null, city text not null, note text not null);
create table orders (id int primary key, customer int not null references customer, status text not null,
    placed timestamp not null, total numeric not null, tags jsonb not null, words text[] not null, note text not null);
create table line (id int primary key, orders int not null, product int not null, amount int not null,
    name text not null);
insert into customer select i, 'User' || i || '@example.org', 'city' || i % 50, repeat('x', 60)
    from generate_series(1, 10000) i;
insert into orders select i, i % 5000 + 1, case when i % 500 = 0 then 'pending' else 'done' end,
    timestamp '2020-01-01' + i * interval '10 minutes', (i * 37) % 1000, jsonb_build_object('a', i % 1000),
    array['w' || i % 1000], repeat('y', 80) from generate_series(1, 20000) i;
insert into line select i, i % 30000 + 1, i % 2000, i % 7, repeat('z', 50) from generate_series(1, 20000) i;
create index on line (product, amount);
create index on customer (lower(city));
"""


def keys(advice: Sequence[Advice]) -> list[str]:
    """Each index as `table (keys) ...`."""
    return [one.definition.sql("").removeprefix("create index on public.") for one in advice]
