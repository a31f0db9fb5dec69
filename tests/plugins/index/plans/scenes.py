"""A planted problem for each rule, and the same statement where nothing is wrong."""

from __future__ import annotations

from typing import Any

import msgspec

ORDERS = """
create table orders(id int primary key, customer int not null, code text not null, placed timestamptz not null,
                    price numeric not null, note text not null);
insert into orders select n, n % 5000, 'c' || n, timestamptz '2026-01-01 00:00+00' + n * interval '1 minute',
                          n % 1000, repeat('x', 60) from generate_series(1, 30000) n;
create index on orders(customer); create index on orders(code); create index on orders(placed);
create index on orders(price);
create table unindexed as select * from orders;
create table words as select ('w' || n)::varchar(20) as word, ('w' || n)::char(9) as short
    from generate_series(1, 30000) n;
create index on words(word); create index on words(short);
analyze orders; analyze unindexed; analyze words;
"""


class Scene(msgspec.Struct, frozen=True):
    rule: str
    problem: str
    healthy: str
    """The same wish, where nothing is wrong."""
    setup: str = ""
    """Beside `ORDERS`."""
    analyze: bool = False
    settings: tuple[str, ...] = ()
    """Of both."""
    problem_settings: tuple[str, ...] = ()
    args: tuple[Any, ...] = ()
    name: str = ""
    """When a rule has several."""
    sql: bool = True
    """It says which statement makes the change, and after that nothing is found any more."""

    @property
    def id(self) -> str:
        return self.rule + (f"-{self.name}" if self.name else "")


SMALL_MEMORY = ("work_mem = '64kB'", "max_parallel_workers_per_gather = 0")
NO_PARALLEL = ("max_parallel_workers_per_gather = 0",)

SCENES = [
    Scene("sequential-scan", "select * from unindexed where customer = $1",
          "select * from orders where customer = $1", args=(7,)),
    Scene("sequential-scan", "select * from unindexed where customer = 7 and price > 5",
          "select * from unindexed where price > 5", name="range"),
    Scene("sequential-scan", "select * from unindexed where customer = 7", "select * from orders where customer = 7",
          analyze=True, name="measured"),
    Scene("sequential-scan", "select * from parted where customer = 7", "select * from parted where id = 7",
          setup="""create table parted(id int, customer int, note text) partition by range (id);
          create table parted_1 partition of parted for values from (0) to (15001);
          create table parted_2 partition of parted for values from (15001) to (40000);
          insert into parted select id, customer, note from orders; create index on parted(id);
          analyze parted""", name="partitions"),
    Scene("sequential-scan", "select * from unindexed where customer = 7", "select * from orders where customer = 7",
          settings=("random_page_cost = 1000",), name="refused"),
    Scene("function-on-column", "select * from orders where lower(code) = 'c77'",
          "select * from orders where code = 'c77'"),
    Scene("function-on-column", "select * from orders where date_trunc('day', placed) = '2026-01-03'",
          "select * from orders where placed >= '2026-01-03' and placed < '2026-01-04'", name="range", sql=False),
    Scene("cast-on-column", "select * from orders where customer::text = '77'",
          "select * from orders where customer = '77'::int", sql=False),
    Scene("cast-on-column", "select * from orders where id = 77.0", "select * from orders where id = 77",
          name="numeric", sql=False),
    Scene("expression-on-column", "select * from orders where id + 1 = 77", "select * from orders where id = 77 - 1",
          sql=False),
    Scene("like-prefix", "select * from by_language where code like 'c123%'",
          "select * from byte_order where code like 'c123%'",
          setup="""create table by_language as select * from orders;
          create collation words (provider = libc, locale = 'C.UTF-8'); create index on by_language(code collate words);
          create table byte_order as select * from orders; create index on byte_order(code text_pattern_ops);
          analyze by_language; analyze byte_order"""),
    Scene("like-infix", "select * from orders where note like '%needle%'",
          "select * from orders where note like 'xxx%'",
          sql=False),
    Scene("or-unindexed", "select * from mixed where customer = 7 or shelf = 9",
          "select * from orders where customer = 7 or code = 'c9'",
          setup="""create table mixed as select *, id % 4000 as shelf from orders;
          create index on mixed(customer); analyze mixed"""),
    Scene("or-across-tables",
          "select * from unindexed a join customer c on c.id = a.customer where a.price = 1.5 or c.name = 'n7'",
          "select * from orders a join customer c on c.id = a.customer where a.price = 1.5 "
          "union select * from orders a join customer c on c.id = a.customer where c.name = 'n7'",
          setup="""create table customer as select n as id, 'n' || n as name from generate_series(0, 4999) n;
          create index on customer(name); create index on customer(id); analyze customer""",
          analyze=True, settings=NO_PARALLEL, sql=False),
    Scene("spilled-sort", "select * from orders order by note, code", "select * from orders order by id limit 5000",
          settings=SMALL_MEMORY, sql=False),
    Scene("spilled-sort", "select * from orders order by note, code", "select id from orders order by id",
          settings=SMALL_MEMORY, analyze=True, name="measured", sql=False),
    Scene("spilled-hash", "select count(*) from orders a join unindexed b using (id)",
          "select count(*) from orders a join unindexed b using (id) where a.id < 100",
          settings=(*SMALL_MEMORY, "enable_mergejoin = on"), analyze=True, sql=False),
    Scene("spilled-aggregate", "select code, count(*) from blind group by code",
          "select price, count(*) from blind group by price",
          settings=("work_mem = '200kB'", *NO_PARALLEL), analyze=True, sql=False,
          setup="""create table blind as select price, code from orders;
          alter table blind alter code set (n_distinct = 10);
          analyze blind"""),
    Scene("nested-loop", "select count(*) from orders a join unindexed b on b.price < a.price - 998",
          "select count(*) from orders a join unindexed b on b.id = a.id", settings=NO_PARALLEL, sql=False),
    Scene("cross-join", "select count(*) from orders a, customer c where a.price < 10",
          "select count(*) from orders a, customer c where a.customer = c.id and a.price < 10",
          setup="""create table customer as select n as id from generate_series(0, 4999) n; analyze customer""",
          analyze=True, settings=NO_PARALLEL, sql=False),
    Scene("subplan-per-row", "select id, (select max(price) from unindexed where customer = c.id) from customer c",
          "select id, (select max(price) from orders where customer = c.id) from customer c",
          setup="""create table customer as select n as id from generate_series(0, 4999) n; analyze customer"""),
    Scene("not-in", "select * from orders where id not in (select id from unindexed where price > 1)",
          "select * from orders o where not exists (select from unindexed u where u.id = o.id and u.price > 1)",
          settings=SMALL_MEMORY, sql=False),
    Scene("never-analyzed", "select * from fresh where id = 7", "select * from orders where id = 7",
          setup="""create table fresh(id int, note text);
          insert into fresh select n, repeat('x', 60) from generate_series(1, 30000) n; create index on fresh(id)"""),
    Scene("correlated-columns", "select * from place where city = 7 and zip = 7", "select * from place where zip = 7",
          setup="""create table place(city int, zip int, note text);
          insert into place select n % 12, n % 12, repeat('x', 60) from generate_series(1, 40000) n;
          analyze place""", analyze=True, settings=NO_PARALLEL),
    Scene("unknown-expression", "select * from place where abs(zip) = 7", "select * from place where zip = 7",
          setup="""create table place(zip int, note text);
          insert into place select n % 10, repeat('x', 60) from generate_series(1, 40000) n; analyze place""",
          analyze=True, settings=NO_PARALLEL),
    Scene("skewed-column", "select * from place where zip = 20", "select * from place where zip = 1",
          setup="""create table place(zip int, note text); alter table place alter zip set statistics 1;
          insert into place select case when n % 3 = 0 then 1 when n % 4 = 0 then 20 else n end, repeat('x', 60)
          from generate_series(1, 40000) n; analyze place""", analyze=True, settings=NO_PARALLEL),
    Scene("offset", "select * from orders order by id offset 20000 limit 10",
          "select * from orders where id > 20000 order by id limit 10", sql=False),
    Scene("offset", "select * from orders order by id offset $1 limit 10",
          "select * from orders order by id offset least($1, 0) limit 10", args=(20000,), name="argument", sql=False),
    Scene("filtered-cte", "with o as materialized (select * from orders) select * from o where customer = 7",
          "with o as (select * from orders) select * from o where customer = 7", sql=False, analyze=True),
    Scene("sort-for-limit", "select * from unindexed order by placed desc limit 10",
          "select * from orders order by placed desc limit 10"),
    Scene("sort-for-limit", "select * from kinds where kind = 1 order by placed, id limit 10",
          "select * from kinds where kind = 1 order by placed, id", name="filtered", settings=NO_PARALLEL,
          setup="""create table kinds as select n as id, n % 2 as kind, n % 1000 as placed, repeat('x', 60) as note
          from generate_series(1, 30000) n; analyze kinds"""),
    Scene("lossy-bitmap", "select sum(id) from wide where price < 30 or price > 969",
          "select sum(id) from wide where price < 1 or price > 998",
          setup="""create table wide as select n as id, (n * 7919) % 1000 as price, repeat('x', 700) as note
          from generate_series(1, 40000) n; create index on wide(price); analyze wide""",
          settings=(*SMALL_MEMORY, "random_page_cost = 1"), analyze=True, sql=False),
    Scene("heap-fetches", "select id from written where id < 20000", "select id from written where id < 500",
          setup="""create table written(id int primary key, note text);
          insert into written select n, repeat('x', 60) from generate_series(1, 30000) n; analyze written""",
          analyze=True, settings=("random_page_cost = 1", "enable_bitmapscan = on")),
    Scene("missing-workers", "select count(*) from orders where note like 'x%'",
          "select count(*) from orders where note like 'x%'", analyze=True,
          settings=("min_parallel_table_scan_size = 0", "parallel_setup_cost = 0", "parallel_tuple_cost = 0"),
          problem_settings=("max_parallel_workers = 0",), sql=False),
    Scene("disabled-method", "select * from orders where customer = 7", "select * from orders where customer = 7",
          problem_settings=("enable_mergejoin = off",), sql=False),
    Scene("index-filter", "select * from kinds where kind = 1 and shelf = 7",
          "select * from kinds where kind = 1 and id = 77",
          setup="""create table kinds as select n as id, n % 10 as kind, n % 1500 as shelf, repeat('x', 600) as note
          from generate_series(1, 30000) n; create index on kinds(kind); create index on kinds(id); analyze kinds""",
          analyze=True),
    Scene("stale-statistics", "select * from grown where id > 30",
          "select * from orders where id = 30", setup="""create table grown(id int, note text);
          insert into grown select n, 'x' from generate_series(1, 100) n; analyze grown;
          insert into grown select n, repeat('x', 60) from generate_series(1, 30000) n"""),
]  # fmt: skip

HEALTHY = [
    "select * from orders where customer = 7 order by placed limit 5",
    "select * from orders where id in (select customer from unindexed where price < 500)",
    "select count(*) from orders where id not in (select customer from unindexed where price < 500)",
    "select id, id in (select customer from unindexed) from orders",
    "select * from orders o where exists (select from unindexed u where u.id = o.id) and o.price = 7",
    "select * from orders o where not exists (select from unindexed u where u.customer = o.id)",
    "select o.*, (select code from orders x where x.id = o.id + 1) from orders o where customer = 7",
    "select count(*) from orders",
    "select price, count(*), sum(id) from unindexed group by price",
    "select * from unindexed where price > 10",
    "select * from unindexed where note like 'x%' limit 5",
    "select * from unindexed where customer = 7 limit 1",
    "select * from orders where lower(code) like 'c%' limit 3",
    "select * from orders order by placed desc, id limit 1000 offset 100",
    "select o.id, u.code from orders o join unindexed u on u.id = o.id",
    "select o.id, u.code from orders o left join lateral (select code from orders x where x.customer = o.customer"
    " order by placed desc limit 1) u on true where o.id < 100",
    "with o as (select customer, max(price) as p from orders group by 1) select a.p from o a join o b using (p)",
    "with recursive r(n) as (select 1 union all select n + 1 from r where n < 20000) select n from r where n = 7",
    "select d, o.id from generate_series(1, 30) d cross join (select id from orders where id < 20) o",
    "select row_number() over (partition by customer order by placed) from orders where customer < 50",
    "insert into unindexed select * from orders where id = 7",
    "update unindexed set price = 1 where price > 500",
    "select id, price from orders where id between 20 and 40 or id = 7",
    "select * from words where word = 'w7'",
    "select * from words where short = 'w7 ' and word > 'a'",
    "select 1",
    "values (1), (2)",
]  # fmt: skip
"""Statements that look like problems, and are none, or cannot be better."""
