"""Promises about code that cannot be read: believed exactly as far as they go, on a real server."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from galvo_cache.analysis import Everything, Read, Refused, Write, analyse
from galvo_cache.catalog import CATALOG_SQL, Catalog, Declared

SCHEMA = Path(__file__).with_name("oracle_schema.sql").read_text()
MORE = """
create function before_row() returns trigger language plpgsql as $$begin new.id := new.id + 1; return new; end$$;
create table shifted (id int primary key, v text);
create trigger b before insert or update on shifted for each row execute function before_row();
create table child_of_shifted (id int references shifted on update cascade);
create table two_triggers (id int primary key);
create trigger t1 after insert on two_triggers for each row execute function audit();
create trigger t2 after insert on two_triggers for each row execute function before_row();
create table still (id int primary key, v text);
create trigger s before update on still for each row execute function suppress_redundant_updates_trigger();
create function other.writer(x int) returns int language sql as 'select x';
create function deletes_orders() returns int language plpgsql as $$begin delete from orders; return 1; end$$;
create function tenant() returns text stable language sql as $$select current_setting('app.tenant', true)$$;
create function now(int) returns int stable language sql as 'select 1';
create function query_to_xml(int) returns int language plpgsql as $$begin delete from note; return 1; end$$;
create view v_mixed as select stable_count() as n, deletes_orders() as d;
create view v_count as select stable_count() as n;
create view v_of_audited_child as select * from audited_child;
create table org (id int primary key, tenant text);
create table doc (id int primary key, org_id int references org, tenant text);
alter table doc enable row level security;
create policy p on doc using (tenant = current_setting('app.tenant', true)
  and exists (select from org where org.id = org_id));
create view v_doc as select * from doc;
create table by_function (id int primary key, tenant text);
alter table by_function enable row level security;
create policy p on by_function using (tenant = tenant());
create table computed_name (id int primary key, tenant text);
alter table computed_name enable row level security;
create policy p on computed_name using (tenant = current_setting('app.' || tenant, true));
create table clocked (id int primary key, at timestamptz);
alter table clocked enable row level security;
create policy p on clocked using (at < now() and id = current_setting('app.id', true)::int);
create table part_doc (id int, tenant text) partition by list (id);
create table part_doc_1 partition of part_doc for values in (1);
alter table part_doc enable row level security;
alter table part_doc_1 enable row level security;
create policy p on part_doc using (tenant = current_setting('APP.tenant'));
"""


def _load(dsn: str, declared: Declared | None = None) -> Catalog:
    return Catalog.load(_answer(dsn), declared)


def _answer(dsn: str) -> str:
    async def run() -> str:
        connection = await asyncpg.connect(dsn)
        try:
            await connection.execute(SCHEMA + MORE)
            answer: str = await connection.fetchval(CATALOG_SQL)
            return answer
        finally:
            await connection.close()

    return asyncio.run(run())


def _check(catalog: Catalog, statements: dict[str, str]) -> None:
    for sql, expected in statements.items():
        effect = analyse(sql, catalog)
        kind, _, names = expected.partition(" ")
        if kind in ("read", "write"):
            assert isinstance(effect, Read if kind == "read" else Write), (sql, effect)
            oids = {relation.oid for name in names.split() if (relation := catalog.resolve(None, name))}
            assert len(oids) == len(names.split())
            assert effect.tables == oids, sql
        else:
            assert isinstance(effect, Refused | Everything), (sql, effect)
            assert effect.reason == expected, (sql, effect)


def test_a_declared_trigger_writes_its_tables_and_no_more(dsn: str) -> None:
    declared = Declared(
        effects={"audit": ("public.audit_log",), "b on shifted": (), "public.writer": ("audit_log",),
                 "query_to_xml": ("note",), "deletes_orders": ("orders",)}
    )  # fmt: skip
    catalog = _load(dsn, declared)
    assert not catalog.mistakes
    _check(
        catalog,
        {
            "insert into audited values (1)": "write audited audit_log",
            "delete from audited": "write audited audit_log",
            "copy audited from stdin": "write audited audit_log",
            "insert into deferred values (1)": "write deferred audit_log",
            "delete from parent_of_audited": "write parent_of_audited audited_child audit_log",
            "insert into v_of_audited_child values (1)": "write audited_child audit_log",
            "insert into shifted values (1)": "write shifted",
            # the trigger may set any column, so also the one that is referred to
            "update shifted set v = 'x'": "write shifted child_of_shifted",
            "insert into two_triggers values (1)": "triggers",
            "update still set v = 'x'": "write still",
            "select deletes_orders()": "write orders line",
            "select deletes_orders() from lone": "write orders line",
            "insert into lone select deletes_orders()": "write lone orders line",
            "explain select deletes_orders()": "write orders line",
            "declare c cursor with hold for select deletes_orders()": "write orders line",
            "copy (select deletes_orders()) to stdout": "write orders line",
            "select public.writer(1)": "write audit_log",
            "select writer(1)": "user_function",  # other.writer() may be meant, and is not declared
            "select other.writer(1)": "user_function",
            "select query_to_xml(1)": "side_effects",  # the built-in runs any statement
            "select of_row(lone) from lone": "user_function",
            "insert into ruled values (1)": "rules",
            "insert into defaulted values (1)": "user_code",
            "select deletes_orders(), set_config('a.b', 'c', false)": "session_function",
        },
    )


def test_without_a_declaration_all_of_them_are_feared(dsn: str) -> None:
    _check(
        _load(dsn),
        {
            "insert into audited values (1)": "triggers",
            "insert into shifted values (1)": "triggers",
            "update still set v = 'x'": "write still",
            "select deletes_orders()": "user_function",
            "select stable_count()": "user_function",
            "select * from v_count": "user_code",
            "select * from doc": "row_security",
            "select * from v_doc": "view: row_security",
            "select * from by_function": "user_code",
        },
    )


def test_rows_are_not_followed_where_code_may_change_them(dsn: str) -> None:
    declared = Declared(effects={"b on public.shifted": (), "deletes_orders": ("orders",)})
    catalog = _load(dsn, declared)
    for sql in ("update shifted set v = 'x' where id = 1", "insert into shifted values (1)",
                "delete from orders where id = $1 and customer_id = deletes_orders()"):  # fmt: skip
        effect = analyse(sql, catalog)
        assert isinstance(effect, Write)
        assert not effect.changes, sql
    for sql in ("delete from lone where id = $1", "delete from orders where id = $1 and customer_id = 7"):
        control = analyse(sql, catalog)
        assert isinstance(control, Write)
        assert control.changes, sql


def test_a_function_that_reads_and_writes_is_run(dsn: str) -> None:
    answer = _answer(dsn)
    both = Declared(effects={"stable_count": ("note",)}, reads={"stable_count": ("lone",)})
    _check(Catalog.load(answer, both), {"select stable_count()": "write note"})
    quiet = Declared(effects={"stable_count": ()}, reads={"stable_count": ("lone",)})
    _check(Catalog.load(answer, quiet), {"select stable_count()": "read lone"})
    silent = Declared(effects={"stable_count": ()})
    _check(Catalog.load(answer, silent), {"select stable_count()": "write "})
    # what it changes has a trigger of which nobody says what that changes
    fearful = Declared(effects={"stable_count": ("audited",)})
    _check(Catalog.load(answer, fearful), {"select stable_count()": "user_function"})


def test_a_function_that_is_declared_to_read_is_cached(dsn: str) -> None:
    declared = Declared(reads={"stable_count": ("parted", "v_customer"), "public.now": (), "tenant": ()})
    catalog = _load(dsn, declared)
    assert not catalog.mistakes
    count = "parted parted_1 parted_2 customer"
    _check(
        catalog,
        {
            "select stable_count()": f"read {count}",
            "select public.stable_count() from lone": f"read {count} lone",
            "select * from v_count": f"read {count}",
            "select * from v_mixed": "user_code",
            "insert into lone select stable_count()": "write lone",
            "select now(1)": "stable_function",  # now() is a built-in, too
            "select deletes_orders()": "user_function",
        },
    )


def test_row_security_with_declared_inputs(dsn: str) -> None:
    inputs = {
        "public.doc": ("app.tenant",),
        "by_function": ("app.tenant",),
        "computed_name": ("app.tenant",),
        "clocked": ("app.id",),
        "part_doc": ("app.tenant",),
        "secured": ("role",),
    }
    catalog = _load(dsn, Declared(reads={"tenant": ()}, session_inputs=inputs))
    assert not catalog.mistakes
    _check(
        catalog,
        {
            "select * from doc": "read doc org",  # the policy reads org
            "select * from v_doc": "read doc org",
            "select * from by_function": "read by_function",
            "select * from computed_name": "policy: stable_function",
            "select * from clocked": "policy: stable_function",
            "select * from part_doc": "read part_doc part_doc_1",
            "select * from part_doc_1": "row_security",
            "select * from secured": "read secured",
        },
    )
    for sql, names in {"select * from doc": ("app.tenant",), "select * from doc, secured": ("app.tenant", "role"),
                       "select * from v_doc": ("app.tenant",), "select * from lone": ()}.items():  # fmt: skip
        effect = analyse(sql, catalog)
        assert isinstance(effect, Read)
        assert effect.inputs == names
        assert not effect.slices


def test_an_undeclared_setting_refuses_the_table(dsn: str) -> None:
    catalog = _load(dsn, Declared(session_inputs={"doc": ("app.other",), "secured": ("app.x",)}))
    assert analyse("select * from doc", catalog) == Refused("policy: stable_function", "current_setting()")
    assert analyse("select * from secured", catalog) == Refused("policy: sql_value_function")


MISTAKES = {
    Declared(effects={"nobody": ("lone",)}): "effects: 'nobody' is not a function of this database",
    Declared(effects={"writer": ("lone",)}): "effects: 'writer' is in other and public; say which",
    Declared(effects={"audit": ("public.lgo",)}): "effects: the table 'public.lgo' of 'audit' is not in this database",
    Declared(effects={"t on nowhere": ()}): "effects: the table 'nowhere' of 't on nowhere' is not in this database",
    Declared(effects={"x on audited": ()}): "effects: 'audited' has no trigger 'x'",
    Declared(reads={"deletes_orders": ()}): "reads: 'deletes_orders' is a VOLATILE function",
    Declared(session_inputs={"dco": ("a.b",)}): "session_inputs: the table 'dco' is not in this database",
}


@pytest.mark.parametrize("declared", MISTAKES, ids=MISTAKES.values())
def test_a_declaration_that_does_not_fit_is_named_and_not_believed(dsn: str, declared: Declared) -> None:
    catalog = _load(dsn, declared)
    assert any(MISTAKES[declared] in mistake for mistake in catalog.mistakes), catalog.mistakes
    _check(
        catalog,
        {
            "insert into audited values (1)": "triggers",
            "select public.writer(1)": "user_function",
            "select deletes_orders()": "user_function",
            "select * from doc": "row_security",
        },
    )
