"""TPC-H in a database: its tables, all primary and foreign keys of the specification, statistics."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import asyncpg

TABLES = {
    "region": "r_regionkey int, r_name char(25), r_comment varchar(152)",
    "nation": "n_nationkey int, n_name char(25), n_regionkey int, n_comment varchar(152)",
    "part": """p_partkey int, p_name varchar(55), p_mfgr char(25), p_brand char(10), p_type varchar(25), p_size int,
        p_container char(10), p_retailprice numeric(15, 2), p_comment varchar(23)""",
    "supplier": """s_suppkey int, s_name char(25), s_address varchar(40), s_nationkey int, s_phone char(15),
        s_acctbal numeric(15, 2), s_comment varchar(101)""",
    "partsupp": """ps_partkey int, ps_suppkey int, ps_availqty int, ps_supplycost numeric(15, 2),
        ps_comment varchar(199)""",
    "customer": """c_custkey int, c_name varchar(25), c_address varchar(40), c_nationkey int, c_phone char(15),
        c_acctbal numeric(15, 2), c_mktsegment char(10), c_comment varchar(117)""",
    "orders": """o_orderkey int, o_custkey int, o_orderstatus char(1), o_totalprice numeric(15, 2), o_orderdate date,
        o_orderpriority char(15), o_clerk char(15), o_shippriority int, o_comment varchar(79)""",
    "lineitem": """l_orderkey int, l_partkey int, l_suppkey int, l_linenumber int, l_quantity numeric(15, 2),
        l_extendedprice numeric(15, 2), l_discount numeric(15, 2), l_tax numeric(15, 2), l_returnflag char(1),
        l_linestatus char(1), l_shipdate date, l_commitdate date, l_receiptdate date, l_shipinstruct char(25),
        l_shipmode char(10), l_comment varchar(44)""",
}
KEYS = {
    "region": ["primary key (r_regionkey)"],
    "nation": ["primary key (n_nationkey)", "foreign key (n_regionkey) references region"],
    "part": ["primary key (p_partkey)"],
    "supplier": ["primary key (s_suppkey)", "foreign key (s_nationkey) references nation"],
    "partsupp": [
        "primary key (ps_partkey, ps_suppkey)",
        "foreign key (ps_partkey) references part",
        "foreign key (ps_suppkey) references supplier",
    ],
    "customer": ["primary key (c_custkey)", "foreign key (c_nationkey) references nation"],
    "orders": ["primary key (o_orderkey)", "foreign key (o_custkey) references customer"],
    "lineitem": [
        "primary key (l_orderkey, l_linenumber)",
        "foreign key (l_orderkey) references orders",
        "foreign key (l_partkey, l_suppkey) references partsupp",
    ],
}


async def load(connection: asyncpg.Connection, folder: Path, each: Callable[[str], object]) -> None:
    """Fill an empty database from `folder`; `each` is told every table's name before it is loaded."""
    for table, columns in TABLES.items():
        each(table)
        await connection.execute(f"create table {table} ({columns})")
        await connection.copy_to_table(table, source=folder / f"{table}.csv", format="csv", header=True)
    for table, keys in KEYS.items():
        each(f"keys of {table}")
        for key in keys:
            await connection.execute(f"alter table {table} add {key}")
    each("vacuum and analyze")
    await connection.execute("vacuum (analyze)")
