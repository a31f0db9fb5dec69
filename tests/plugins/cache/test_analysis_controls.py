"""Statements that steer a session or a transaction, against the catalog of a real server."""

import pytest

from galvo_cache.analysis import Control, analyse
from galvo_cache.catalog import Catalog
from tests.plugins.cache.catalogs import catalog_of

catalog = catalog_of("oracle_schema.sql")

CONTROL = {
    "begin": "begin",
    "start transaction isolation level serializable": "begin",
    "commit": "commit",
    "end": "commit",
    "rollback": "rollback",
    "abort": "rollback",
    "savepoint x": "savepoint",
    "rollback to x": "rollback_to",
    "release x": "release",
    **dict.fromkeys(
        [
            "show all", "listen x", "unlisten *", "notify x", "prepare x as delete from lone",
            "deallocate x", "close c", "lock table lone", "checkpoint", "select pg_advisory_lock(1)",
            "select 1 where pg_try_advisory_lock_shared(1, 2)",
        ],
        "session",
    ),
}  # fmt: skip
SETTINGS = {
    "set timezone = 'UTC'": {"timezone"}, "set time zone 'UTC'": {"timezone"}, "reset TimeZone": {"timezone"},
    "set local role x": {"role"}, "set session authorization x": {"session_authorization"},
    "set schema 'x'": {"search_path"}, "reset all": {"*"}, "discard all": {"*"}, "discard temp": {"*"},
    "set transaction read only": {"transaction"}, "set x.y = 1; select 1": {"x.y"},
    "set a.b = 1; reset c": {"a.b", "c"},
    "select set_config('A.b', 'c', false)": {"a.b"}, "select set_config($1, 'c', false)": {"*"},
    "select set_config('a' || '.b', 'c', false)": {"*"}, "select 1 from (select set_config('x', '', true)) y": {"x"},
    "explain analyze select set_config('a.b', 'c', false)": {"a.b"},
}  # fmt: skip


@pytest.mark.parametrize("sql", CONTROL)
def test_controls(catalog: Catalog, sql: str) -> None:
    assert analyse(sql, catalog) == Control(CONTROL[sql])


@pytest.mark.parametrize("sql", SETTINGS)
def test_which_settings_a_statement_changes(catalog: Catalog, sql: str) -> None:
    assert analyse(sql, catalog) == Control("session", settings=frozenset(SETTINGS[sql]))


def test_chain_leaves_a_transaction_open(catalog: Catalog) -> None:
    assert analyse("commit and chain", catalog) == Control("commit", chain=True)
