"""Reads, and what the analysis must say of the rows that their answers show."""

from __future__ import annotations

# `table(key=$1) lane=#2` is a row found by a parameter, and a lane that stands in the answer's third column.
SHOWN = {
    # one table
    "select * from part where id = $1":
        "part(id=#0) project_id=#1 size=#2 twice=#5",
    "select id, project_id from part where size = $1": "part(id=#0) project_id=#1 size=$1",
    "select project_id, price, id from part": "part(id=#2) project_id=#0",
    "select project_id from part where id = $1": "part(id=$1) project_id=#0",
    "select project_id from part where id = 7": "part(id=7) project_id=#0",
    "select price from part where id = $1 and project_id = $2": "part(id=$1) project_id=$2",
    "select distinct on (size) size, id from part order by size, price limit 3": "part(id=#1) size=#0",
    "select id as project_id, project_id as id from part": "part(id=#0) project_id=#1",
    "select id from part where project_id = $1 order by price desc limit 10": "part(id=#0) project_id=$1",
    "select id, id + 1, project_id from part": "part(id=#0) project_id=#2",
    "select id, project_id, count(*) from part group by id": "part(id=#0) project_id=#1",
    "select size, project_id, count(*) from part group by 1, 2": "",
    "select serial, label from tag where id = $1":
        "tag(id=$1) label=#1 serial=#0 tag(serial=#0) id=$1 label=#1",
    "select id, name, kind from project": "project(id=#0) name=#1 kind=#2 project(name=#1) id=#0 kind=#2",
    "select half, plain from odd": "",  # no key: of some rows only
    "select id from part": "",  # and nothing besides
    "select project_id, size from part": "",
    "select id + 0, project_id from part": "",
    "select id, project_id + 0, -size from part": "",
    # what is no row of a table
    "select max(id), max(project_id) from part": "",
    "select id, project_id from part group by grouping sets ((id), (project_id))": "",
    "select id, project_id from part group by rollup (id, project_id)": "",
    "select id, project_id from part union select 1, 2": "",
    "select id, project_id from (select 1 as id, project_id from part) part": "",
    "select x.id, x.project_id from part as x(project_id, id)": "",
    "with part as (select 1 as id, 2 as project_id) select id, project_id from part": "",
    "select id, project_id from parted": "",
    "select id, project_id from shown": "",
    # several tables
    "select t.id, t.project_id, p.name from part t join project p on p.id = t.project_id":
        "part(id=#0) project_id=#1 project(id=#1) name=#2 project(name=#2) id=#1",
    "select t.id, p.id from part t join project p on p.id = t.project_id": "part(id=#0) project_id=#1",
    "select p.id as project_id, p.name from part t join project p on p.id = t.project_id where t.id = $1":
        "part(id=$1) project_id=#0 project(id=#0) name=#1 project(name=#1) id=#0",
    "select t.project_id, p.customer_id from part t join project p on p.id = t.project_id where t.id = $1":
        "part(id=$1) project_id=#0 project(id=#0) customer_id=#1",
    "select t.id, p.name from part t join project p on p.id = t.project_id where p.id = $1":
        "part(id=#0) project_id=$1 project(id=$1) name=#1 project(name=#1) id=$1",
    "select a.id, a.size, b.id, b.size from part a join part b on b.project_id = a.project_id":
        "part(id=#0) size=#1 part(id=#2) size=#3",
    "select t.id, t.size, p.id from part t join project p using (id)":
        "part(id=#0) size=#1",
    # an outer join fills rows of its own
    "select p.id, p.customer_id, t.id, t.project_id from project p left join part t on t.project_id = p.id":
        "project(id=#0) customer_id=#1 part(id=#2) project_id=#3",
    "select p.id, t.id from project p left join part t on t.project_id = p.id": "part(id=#1) project_id=#0",
    "select p.id, t.id from project p left join part t on p.parent_id = t.project_id": "",
    "select p.name, t.project_id from part t left join project p on p.id = t.project_id":
        "project(name=#0) id=#1",  # where there is none, the name is NULL, but the id it should have is not
    "select p.kind, t.project_id from part t left join project p on p.id = t.project_id": "",
    "select t.project_id from project p left join part t on t.id = $1": "",
    "select t.project_id, t.id from project p left join part t on t.id = $1 and t.size = $2":
        "part(id=#1) project_id=#0 size=$2",
    "select p.id, p.kind, t.id, t.size from project p full join part t on t.project_id = p.id and p.kind = $1":
        "project(id=#0) kind=#1 part(id=#2) size=#3",
    "select p.id, t.id from project p full join part t on t.project_id = p.id": "",
}  # fmt: skip
