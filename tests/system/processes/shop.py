"""The tables that several processes read and write, and the statements.

Versions only grow: `v` of a row with each write to it; a deleted row's absence counts as one version more, and it
comes back with the next. So of two answers about a row one can tell which is older.
"""

from __future__ import annotations

ITEMS = 24
OWNERS = 6
MORTALS = 12
SCHEMA = f"""
    create table owner (id int primary key, v int not null);
    create table item (id int primary key, owner int not null references owner, v int not null);
    create table mortal (id int primary key, owner int not null, v int not null);
    create index on item (owner);
    insert into owner select n, 0 from generate_series(0, {OWNERS - 1}) n;
    insert into item select n, n % {OWNERS}, 0 from generate_series(0, {ITEMS - 1}) n;
    insert into mortal select n, n % {OWNERS}, 0 from generate_series(0, {MORTALS - 1}) n;
"""
SIZES = {"owner": OWNERS, "item": ITEMS, "mortal": MORTALS}
GONE = -1
"""Instead of an owner: the row is deleted."""

READS = {
    "item": "select id, v from item where id = $1",
    "join": "select i.id, i.v, o.id, o.v from item i join owner o on o.id = i.owner where i.id = $1",
    "owner": "select id, v from owner where id = $1",
    "items": "select id, v from item where owner = $1",
    "mortal": "select id, v from mortal where id = $1",
    "mortals": "select id, v from mortal where owner = $1",
    "sum": "select sum(v)::int from item",
}
SHARES = {"item": 45, "join": 15, "owner": 5, "items": 15, "mortal": 10, "mortals": 5, "sum": 5}
"""How often each is read, in percent."""
RANGES = {"item": ITEMS, "join": ITEMS, "owner": OWNERS, "items": OWNERS, "mortal": MORTALS, "mortals": OWNERS}

RAISE = "update item set v = v + 1 where id = $1 returning id, v, owner"
RAISE_ALL = "update {} set v = v + 1 where owner = $1 returning id, v, owner"
MOVE = "update item set owner = $2, v = v + 1 where id = $1 returning id, v, owner"
SET = "update owner set v = $2 where id = $1"
DELETE = "delete from mortal where id = $1 returning v"
INSERT = "insert into mortal (id, owner, v) values ($1, $2, $3)"
