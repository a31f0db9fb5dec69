"""Long statements: what is still known of them, against the catalog of a real server."""

import pytest

from galvo_cache.analysis import Control, Effect, Everything, Read, Refused, Write, analyse
from galvo_cache.catalog import Catalog
from tests.plugins.cache.catalogs import catalog_of, oids
from tests.plugins.cache.test_analysis import CUSTOMER

catalog = catalog_of("oracle_schema.sql")

LONG_ONES: dict[str, Effect | str] = {
    "insert into lone(a) values " + "(1), " * 9000 + "(1)": "lone",
    "insert into customer values " + "($1, 'a''b'), " * 9000 + "($1, '') returning id": "customer",
    "insert into lone(a) values (1" + " + 1" * 1000 + ")": "lone",
    "update lone set a = 1 where id in (" + "$1::int, " * 9000 + "$2) and b = $3": "lone",
    "delete from customer where name = '" + "x y, " * 9000 + "'": CUSTOMER,
    "with x as (delete from lone) select 1 where $1 in (" + "1, " * 9000 + "1)": "lone",
    "select a from lone where id = $1 and a in (" + "1, " * 9000 + "1)": Refused("too_long"),
    "-- bulk\ninsert into lone(a) values " + "(nullif(1, 2)), (.5), (E'\\''), ('\\'::json), " * 2000 + "(1)": "lone",
    "insert into lone(a) values " + "(1, '2'::\"int4\", date '3', array[4], cast('5' as int)), " * 2000 + "(1)": "lone",
    "insert into lone(a) values (1); update customer set name = 'b';" * 1500: "lone customer",
    "begin;" * 5000: Everything("mixed_control"),
    "select a from lone where a = 1" + " or a = 1" * 700: Refused("too_long"),
    "insert into lone(a) values " + "(1), " * 9000 + "(loud())": Everything("unknown_function", detail="loud()"),
    "select set_config('a.b', 'x', true) where 1 in (" + "1, " * 9000 + "1)": Control(
        "session", settings=frozenset({"*"})
    ),
    "select 1 where 1 in (" + "1, " * 9000 + "1); drop table lone": Everything("ddl", True, "DropStmt"),
    "select 1 where 1 in (" + "1, " * 9000 + "1::mystery)": Everything("unknown_type", detail="mystery"),
}


@pytest.mark.parametrize("sql", LONG_ONES, ids=range(len(LONG_ONES)))
def test_of_a_long_statement_only_is_known_what_it_changes(catalog: Catalog, sql: str) -> None:
    expected = LONG_ONES[sql]
    if isinstance(expected, str):
        expected = Write(oids(catalog, expected))
    assert analyse(sql, catalog) == expected


def test_lists_of_values_do_not_make_a_statement_long(catalog: Catalog) -> None:
    read = analyse("select a from lone where a in (" + "$1::INTEGER, " * 1000 + "1)", catalog)
    assert read == Read(oids(catalog, "lone"), columns=frozenset({"a"})), read
    assert isinstance(analyse("select a from lone where a in (" + "$1::INTEGER, " * 2000 + "1)", catalog), Refused)
