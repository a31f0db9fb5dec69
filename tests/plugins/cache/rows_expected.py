"""Statements, and what the row analysis must say of them."""

from __future__ import annotations

# `table.column=$1` is a slice by a parameter, `'x'` or `7` by a literal, `#0` by the answer's first column;
# `!` marks a key. At the end `proves`.
READS = {
    # one table
    "select * from part where id = $1": "part.id=$1! proves",
    "select * from only part where id = $1": "part.id=$1! proves",
    "select * from public.part where part.id = $1": "part.id=$1! proves",
    "select * from part where $1 = id": "part.id=$1! proves",
    "select * from part p where p.id = $2 and price > $1": "part.id=$2! proves",
    "select * from part where project_id = $1": "part.project_id=$1 proves",
    "select * from part where project_id = $1 order by price desc limit 10 offset $2": "part.project_id=$1 proves",
    "select distinct price from part where project_id = $1": "part.project_id=$1 proves",
    "select * from part where project_id = $1 and (price > 5 and (note = 'x' and id = $2))": "part.id=$2! proves",
    "select * from part where id operator(pg_catalog.=) $1": "part.id=$1! proves",
    "select * from part where id = 7": "part.id=7! proves",
    "select * from part where id = -7": "part.id=-7! proves",
    "select * from part where id = 0": "part.id=0! proves",
    "select * from tag where label = 'x'": "tag.label='x' proves",
    "select * from tag where label = e'\\x41'": "tag.label='A' proves",
    "select * from tag where id = $1": "tag.id=$1! proves",
    "select * from tag where id = $1::uuid": "tag.id=$1! proves",
    "select * from part where id = $1::int": "part.id=$1! proves",
    "select * from part where id = $1::bigint": "part.id=$1! proves",
    "select * from part where id = $1::pg_catalog.int8": "part.id=$1! proves",
    "select * from project where kind = $1": "project.kind=$1 proves",
    "select * from project where kind = $1::text": "project.kind=$1 proves",
    "select * from project where kind = $1::varchar": "project.kind=$1 proves",
    "select * from project where id = $1 and id = $2": "project.id=$1! proves",
    "select * from project where id = $1 and parent_id = $1": "project.id=$1! proves",
    "select * from project where kind = $1 and name = $1": "project.name=$1! proves",
    "select twice from part where twice = $1": "part.twice=$1 proves",
    # what is no equality of exact types, or not at the top
    "select * from part": "",
    "select * from part where id > $1": "",
    "select * from part where id <> $1": "",
    "select * from part where id = $1 or note = 'x'": "",
    "select * from part where not id = $1": "",
    "select * from part where (id = $1) is not false": "",
    "select * from part where (id = $1) = true": "",
    "select * from part where id is not distinct from $1": "",
    "select * from part where id = any ($1::int[])": "",
    "select * from part where id in ($1, 2)": "",
    "select * from part where id between $1 and $1": "",
    "select * from part where (id, size) = ($1, $2)": "",
    "select * from part where id = (select $1::int)": "",
    "select * from part where id = size": "",
    "select * from part where id + 0 = $1": "",
    "select * from part where case when true then id = $1 end": "",
    "select * from part where note = 'x'": "",
    "select * from part where id = null": "",
    "select * from part where id = '7'": "",
    "select * from part where id = 7.0": "",
    "select * from part where id = 7::int": "",
    "select * from tag where id = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'": "",
    "select * from tag where label = 'x' collate \"C\"": "",
    "select * from tag where label = ($1 collate \"C\")": "",
    "select * from tag where label = $1::varchar(3)": "",
    "select * from tag where label = $1::char(3)": "",
    "select * from tag where label = $1::name": "",
    "select * from part where id = $1::numeric": "",
    "select * from part where id = $1::float8": "",
    "select * from part where id = ($1::int[])[1]": "",
    "select project_id from part group by project_id having project_id = $1": "",
    # columns that are no lanes
    "select * from odd where soft = $1": "",
    "select * from odd where fixed = $1": "",
    "select * from odd where amount = $1": "",
    "select * from odd where small = $1": "",
    "select * from odd where plain = $1": "",
    "select * from odd where id = $1": "odd.id=$1 proves",  # deferrable: two rows may have it for a while
    "select * from odd where half = $1": "odd.half=$1 proves",  # a key of some rows only
    "select * from odd where pair = $1": "odd.pair=$1 proves",  # a part of a key
    # one parameter, used elsewhere too: the server may take it for a double, where 2^53 + 1 = 2^53
    "select * from part where id = $1 and price > $1": "",
    "select *, $1::float8 from part where id = $1": "",
    "select * from part where price = $1 and id = $1": "",
    "select * from part where id = $1 limit $1": "",
    "select * from part where id = $1 or id = $1": "",
    "select * from part where id = $1 and $1 is not null": "",
    "select * from tag where serial = $1 and label = $1::text": "",  # 7 = 7 and '7' = '7', but 7 is not '7'
    "select * from project where kind = $1 and id = $2 and parent_id = $2": "project.id=$2! proves",
    "select * from odd, tag where odd.fixed = $1 and tag.label = $1": "",
    "select * from tag where label = $1 and exists (select from odd where fixed = $1)": "",
    "with x as (select $1::numeric) select * from part where id = $1": "",
    "select * from part where id = $1 and id = $2 and price < $1": "part.id=$2! proves",
    # several tables
    "select * from part, project where part.id = $1": "part.id=$1! proves",
    "select * from part, project where part.id = $1 and project.id = $2": "part.id=$1! project.id=$2! proves",
    "select part.id from part join project on project.id = part.project_id where project.id = $1":
        "part.project_id=$1 project.id=$1! proves",
    "select part.id from part join project on project.id = part.project_id and project.id = $1":
        "part.project_id=$1 project.id=$1! proves",
    "select c.name from customer c join project p on p.customer_id = c.id join part t on t.project_id = p.id "
    "where p.id = $1 and p.customer_id = $2": "customer.id=$2! project.id=$1! part.project_id=$1 proves",
    "select 1 from (part join project on true) join customer on customer.id = 7 where size = $1":
        "part.size=$1 customer.id=7! proves",
    "select * from part cross join project where project_id = $1": "part.project_id=$1 proves",
    "select * from part, project where id = $1": "",  # ambiguous: the server refuses
    "select * from part, project where project_id = $1": "part.project_id=$1 proves",
    "select * from part, (select 1 as x) s where project_id = $1": "",
    "select * from part, (select 1 as x) s where part.project_id = $1": "part.project_id=$1 proves",
    "select * from part, (select 1 as project_id) s where s.project_id = $1": "",
    "select * from part, generate_series(1, 2) g where project_id = $1": "",
    "select * from part, unnest(array[1]) as u(id) where u.id = $1": "",
    "select * from part as p(project_id, id) where p.id = $1": "",
    "select * from part as p(a, b), project where a = $1 and project.id = $2": "project.id=$2! proves",
    "select * from (part join project on true) as j where size = $1": "",
    # types of different classes do not pass a pin on
    "select 1 from odd join part on part.id = odd.amount where odd.amount = 7": "",
    "select 1 from odd join tag on tag.label = odd.fixed where odd.fixed = 'x'": "",
    "select 1 from odd join tag on tag.label = odd.soft where odd.soft = $1": "",
    "select 1 from tag join project on project.kind = tag.label and tag.label = $1 and tag.label = $2":
        "tag.label=$1 project.kind=$1 proves",
    "select 1 from project join part on part.id = project.id where project.id = $1":
        "project.id=$1! part.id=$1! proves",
    "select 1 from tag join project on project.name = tag.label where project.kind = tag.label and tag.label = $1":
        "tag.label=$1 project.name=$1! proves",
    # outer joins
    "select 1 from project p left join part t on t.project_id = p.id where p.id = $1":
        "project.id=$1! part.project_id=$1 proves",
    "select 1 from part t right join project p on t.project_id = p.id where p.id = $1":
        "part.project_id=$1 project.id=$1! proves",
    "select 1 from part t right join project p on t.project_id = p.id where t.project_id = $1":
        "part.project_id=$1 proves",
    "select 1 from project p left join part t on t.project_id = p.id and p.id = $1": "",
    "select 1 from project p left join part t on t.project_id = p.id and t.project_id = $1":
        "part.project_id=$1 proves",
    "select 1 from part t right join project p on t.project_id = p.id and p.id = $1": "",
    "select 1 from project p left join part t on t.project_id = p.id where t.project_id = $1":
        "part.project_id=$1 proves",
    "select 1 from project p full join part t on t.project_id = p.id where p.id = $1": "",
    "select 1 from project p full join part t on t.project_id = p.id and p.parent_id = $1 and t.size = $2": "",
    "select 1 from project p full join part t on t.project_id = p.id where p.parent_id = $1":
        "project.parent_id=$1 proves",
    "select 1 from project p left join part t on t.id = $1": "",  # a key that need not be there
    "select 1 from project p left join part t on t.id = $1 and t.project_id = $2": "part.project_id=$2 proves",
    "select 1 from project p left join (part t join tag g on g.part_id = t.id) on t.project_id = p.id where p.id = $1":
        "project.id=$1! part.project_id=$1 proves",
    "select 1 from project p left join (part t left join tag g on g.part_id = t.size) on t.project_id = p.id "
    "where p.id = $1 and t.size = $2": "project.id=$1! part.project_id=$1 tag.part_id=$2 proves",
    "select 1 from project p left join (tag g left join part t on t.size = g.part_id) on t.project_id = p.id "
    "where p.id = $1 and t.size = $2": "project.id=$1! part.project_id=$1 proves",
    "select 1 from customer c left join (project p join part t on t.project_id = p.parent_id and p.parent_id = $1) "
    "on p.customer_id = c.id": "project.parent_id=$1 part.project_id=$1 proves",
    "select 1 from customer c left join project p on p.customer_id = c.id left join part t on t.project_id = p.id "
    "where c.id = $1": "customer.id=$1! project.customer_id=$1 proves",
    "select 1 from part t left join project p on p.parent_id = t.project_id left join tag g on g.part_id = p.parent_id "
    "where t.project_id = $1": "part.project_id=$1 project.parent_id=$1 tag.part_id=$1 proves",
    # USING and NATURAL pin nothing, and their columns are ambiguous here
    "select * from project join part using (id) where id = $1": "",
    "select * from project join part using (id) where part.id = $1": "part.id=$1! proves",
    "select * from project natural join part where part.id = $1": "part.id=$1! proves",
    # a table that is mentioned twice
    "select * from part a, part b where a.id = $1": "",
    "select * from part a, part b where a.id = $1 and b.id = $1": "",
    "select * from part where id = $1 and size > (select avg(size) from part)": "",
    "select *, (select count(*) from part x where x.project_id = part.project_id) from part where id = $1": "",
    "select * from part where id = $1 and exists (select from project where id = part.project_id)":
        "part.id=$1! proves",
    "select (select name from project where id = 5) from part where id = $1": "part.id=$1! proves",
    "with x as (select * from part) select * from part where id = $1": "",
    "with x as (select * from part) select * from x where id = $1": "",
    "with part as (select 1 as id) select * from part where id = $1": "",
    "with part as (select 1 as id) select * from public.part where id = $1": "part.id=$1! proves",
    "with x as (select * from project) select part.* from part, x where part.id = $1": "part.id=$1! proves",
    "with recursive r as (select 1 as n union all select n + 1 from r where n < 3) "
    "select * from r, part where part.id = $1": "part.id=$1! proves",
    "select * from project p, lateral (select * from part where project_id = p.id) x where p.id = $1":
        "project.id=$1! proves",
    "select * from (select * from part where id = $1) x": "",
    "select * from part where id = $1 union all select * from part where id = $2": "",
    "select id from part where id = $1 union select id from project where id = $2": "",
    "values ($1)": "",
    "select $1::int": "",
    # views and partitions read what their text does not mention
    "select * from part, shown where part.id = $1": "",
    "select * from parted, part where part.id = $1": "",
    "select * from parted, parted_1 where parted_1.id = $1": "",
    "select peek(1), part.* from part where id = $1": "",
    "select same(1), part.* from part where id = $1": "",
    # a row in the answer that stands for no row of the tables
    "select count(*) from part where id = $1": "",
    "select count(*) from part where project_id = $1": "part.project_id=$1",
    "select count(*) from part where id = $1 and project_id = $2": "part.project_id=$2",
    "select 1 from part where project_id = $1 having true": "part.project_id=$1",
    "select (select count(part.id) from project) from part where project_id = $1": "part.project_id=$1",
    "select 1 from part where project_id = $1 order by count(*)": "part.project_id=$1",
    "select size, count(*) from part where id = $1 group by size": "part.id=$1! proves",
    "select count(*) from part where id = $1 group by ()": "",
    "select size, count(*) from part where project_id = $1 group by rollup (size)": "part.project_id=$1",
    "select size, count(*) from part where project_id = $1 group by size, grouping sets (())": "part.project_id=$1",
    "select lower(note) from part where id = $1": "",
    "select note || 'x', coalesce(note, 'y') from part where id = $1 and lower(note) = 'z'": "part.id=$1! proves",
    # the answer shows which row another table's depends on
    "select t.id, t.project_id, p.name from part t join project p on p.id = t.project_id where t.id = $1":
        "part.id=$1! project.id=#1! proves",
    "select p.name, p.id from part t join project p on p.id = t.project_id where t.id = $1":
        "part.id=$1! project.id=#1! proves",
    "select t.id, t.project_id from part t left join project p on p.id = t.project_id where t.id = $1":
        "part.id=$1! proves",
    "select t.size from part t left join tag g on g.part_id = t.size where t.id = $1":
        "part.id=$1! tag.part_id=#0 proves",
    "select g.part_id from part t left join tag g on g.part_id = t.size where t.id = $1":
        "part.id=$1! tag.part_id=#0 proves",
    "select t.size from tag g left join part t on t.size = g.part_id and t.id = $1": "",
    "select t.size from part t join tag g on true where g.part_id = t.size and t.project_id = $1":
        "part.project_id=$1 proves",
    "select t.id, p.name from part t join project p on p.id = t.project_id where t.id = $1": "part.id=$1! proves",
    "select count(*), t.project_id from part t join project p on p.id = t.project_id where t.id = $1 group by 2":
        "part.id=$1! project.id=#1! proves",
    "select max(t.project_id), t.project_id + 0 from part t join project p on p.id = t.project_id where t.id = $1 "
    "group by t.id": "part.id=$1! proves",
    "select t.*, p.name from part t join project p on p.id = t.project_id where t.id = $1":
        "part.id=$1! project.id=#1! proves",
    "select p.*, t.project_id from part t join project p on p.parent_id = t.project_id where t.id = $1":
        "part.id=$1! project.parent_id=#5 proves",
    "select * from part t join project p on p.id = t.project_id where t.id = $1":
        "part.id=$1! project.id=#1! proves",
    "select p.*, t.size from project p natural join part t join tag g on g.part_id = t.size where t.id = $1":
        "part.id=$1! tag.part_id=#5 proves",
    "select * from project p natural join part t join tag g on g.part_id = t.size where t.id = $1":
        "part.id=$1! proves",
    "select s.*, t.size from (select 1, 2) s, part t join tag g on g.part_id = t.size where t.id = $1":
        "part.id=$1! proves",
    "select t.size, s.* from (select 1, 2) s, part t join tag g on g.part_id = t.size where t.id = $1":
        "part.id=$1! tag.part_id=#0 proves",
    "select (p).*, t.size from project p, part t join tag g on g.part_id = t.size where t.id = $1":
        "part.id=$1! proves",
    "select p, t.size from project p, part t join tag g on g.part_id = t.size where t.id = $1":
        "part.id=$1! tag.part_id=#1 proves",
    "select t.project_id, p.customer_id from part t join project p on p.id = t.project_id "
    "join customer c on c.id = p.customer_id where t.id = $1":
        "part.id=$1! project.id=#0! customer.id=#1! proves",
    "select t.size, lower(t.note) from part t join tag g on g.part_id = t.size where t.id = $1": "",
    "select o.plain, o.amount from odd o join part t on t.id = o.amount where o.half = $1": "odd.half=$1 proves",
    "select name, label from project join tag on label = name where project.id = $1":
        "project.id=$1! tag.label=#0 proves",
}  # fmt: skip

# `insert part: id=$1`; of an update the columns after `/`.
WRITES = {
    "insert into part (id, project_id, price) values ($1, $2, $3)": "insert part: id=$1 project_id=$2",
    "insert into part values ($1, $2)": "insert part: id=$1 project_id=$2",
    "insert into part values ($1, 7, $2, $3)": "insert part: id=$1 project_id=7 size=$2",
    "insert into part (id) values ($1::int) on conflict do nothing": "insert part: id=$1",
    "insert into part (id) values ($1) on conflict (id) do update set id = 5": None,
    "insert into part (project_id, id) values ($1, $2), ($1, $3)": "insert part: project_id=$1",
    "insert into part (project_id, id) values ($1, $2), ($1, $3), (default, $4)": "insert part:",
    "insert into part (id, project_id) values (default, $1)": "insert part: project_id=$1",
    "insert into part (id, project_id) values ($1::int, $1::bigint)": "insert part: id=$1 project_id=$1",
    "insert into part (price, id) values ($1::numeric, $1::int)": "insert part:",
    "insert into part (id, note) values ($1, $1::text)": "insert part:",
    "insert into part (id, price) values ($1, $2) returning $1::numeric": "insert part:",
    "insert into part (id) values ($1::numeric)": "insert part:",
    "insert into part (id) values (7.4)": "insert part:",
    "insert into part (id) values ('7')": "insert part:",
    "insert into part (id) values ($1 + 1)": "insert part:",
    "insert into part (id) values ((select $1::int))": "insert part:",
    "insert into part (id) values ($1::int), ($1::int) order by 1": "insert part:",
    "insert into part (id) values ($1::int) limit 1": "insert part:",
    "insert into part (id) with x as (select 1) values ($1::int)": "insert part:",
    "with x as (select 1) insert into part (id) values ($1)": "insert part: id=$1",
    "insert into part (id) select $1::int": "insert part:",
    "insert into part (id, project_id) select id, $1::bigint from project": "insert part:",
    "insert into part (id) select 1 union values (2)": "insert part:",
    "insert into part default values": "insert part:",
    "insert into tag (id, label) values ($1, 'x')": "insert tag: id=$1 label='x'",
    "insert into tag (id, label) values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', $1)": "insert tag: label=$1",
    "insert into tag (id, serial) overriding user value values ($1, $2)": "insert tag:",
    "insert into tag (id, serial) values ($1, $2)": "insert tag: id=$1 serial=$2",
    "insert into project (id, kind, name) values ($1, $2, $3)": "insert project: id=$1 name=$3",  # varchar cuts blanks
    "insert into shown (id) values ($1)": None,
    "insert into parted (id) values (1)": None,
    "insert into part (id, size) values ($1, same(3))": None,
    "update part set price = $2 where id = $1": "update part: id=$1 / price twice",
    "update part set price = $1 where id = $1": "update part: / price twice",
    "update part set project_id = $1 where size = $1": "update part: size=$1 / project_id twice",
    "update part set project_id = $2 where project_id = $1": "update part: / project_id twice",
    "update part set project_id = project_id + 1 where id = $1 and project_id = $2":
        "update part: id=$1 / project_id twice",
    "update part set id = $2 where id = $1 and project_id = $3": "update part: project_id=$3 / id twice",
    "update part set size = 1 where twice = $1": "update part: / size twice",
    "update part set note = 'x' where twice = $1": "update part: / note twice",
    "update part set (price, project_id) = (1, 2) where id = 3 and project_id = $1":
        "update part: id=3 / project_id price twice",
    "update part set (price, note) = (select 1, 'x') where id = $1": "update part: id=$1 / price note twice",
    "update part p set price = 1 from project where project.id = p.project_id and project.id = $1":
        "update part: project_id=$1 / price twice",
    "update part set price = 1 from project where project.id = $1": "update part: / price twice",
    "update part set price = 1 from part other where other.id = $1 and part.project_id = other.project_id":
        "update part: / price twice",
    "update part set price = 1 from part other where other.size = $1 and part.id = other.size":
        "update part: id=$1 / price twice",
    "update part set price = 1 from project p left join customer c on c.id = p.customer_id and p.id = $1 "
    "where part.project_id = p.id": "update part: / price twice",
    "update part set price = 1 from (project p join customer c on c.id = p.customer_id and p.id = $1) "
    "where part.project_id = p.id": "update part: project_id=$1 / price twice",
    "update part set price = 1 from (project natural join customer) as j where part.id = $1": None,
    "update part set price = 1 from (select 1 as size) x where size = $1": "update part: / price twice",
    "update part set price = 1 from (select 1 as other) x where size = $1": "update part: / price twice",
    "update part set price = 1 where id = $1 or id = $2": "update part: / price twice",
    "update part set price = 1": "update part: / price twice",
    "update part set price = same(1) where id = $1": None,
    "update only part set price = 1 where id = $1": "update part: id=$1 / price twice",
    "update shown set price = 1 where id = $1": None,
    "update tag set label = $1 where id = $2": "update tag: id=$2 / label",
    "update odd set plain = 1 where id = $1 and soft = 'x'": "update odd: id=$1 / plain",
    "with part as (select 1) update project set name = 'x' where id = $1": "update project: id=$1 / name",
    "delete from part where id = $1": "delete part: id=$1",
    "delete from part": "delete part:",
    "delete from part where project_id = $1 and price > $2": "delete part: project_id=$1",
    "delete from part t using project p where t.project_id = p.id and p.id = $1": "delete part: project_id=$1",
    "delete from part using project where customer_id = $1": "delete part:",
    "delete from part where id in (select id from project where id = $1)": "delete part:",
    "with d as (delete from tag returning part_id) delete from part where id = $1": None,
    "with d as (delete from tag returning part_id) insert into part (id) values ($1)": None,
    "merge into part using project on false when not matched then insert (id) values (1)": None,
    "truncate part": None,
}  # fmt: skip
# The server refuses these itself: ambiguous names, two types for one parameter.
REFUSED = {
    "select * from part, project where id = $1",
    "insert into part (id, note) values ($1, $1::text)",
    "update part set price = 1 from (select 1 as size) x where size = $1",
}
