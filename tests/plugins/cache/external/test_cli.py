"""`galvo cache watch, unwatch, watched`: in a process's own settings, on a real database."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from galvo_cache.cli import main

SHOP = """
create table item(id int); create table "It em"(id int); create view seen as select * from item;
create materialized view kept as select * from item; create sequence count; create index x on item(id);
create type pair as (a int);
create table sale(id int) partition by range (id);
create table sale_1 partition of sale for values from (1) to (10);
"""


def run(dsn: str, sql: str, *args: Any) -> list[Any]:
    async def work() -> list[Any]:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetch(sql, *args) if args or sql.startswith("select") else [
                await connection.execute(sql)
            ]  # fmt: skip
        finally:
            await connection.close()

    return asyncio.run(work())


def triggers(dsn: str) -> int:
    return int(run(dsn, "select count(*) from pg_trigger where tgname ~ '^galvo_watch_'")[0][0])


@pytest.fixture
def shop(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    run(dsn, SHOP)
    (tmp_path / "settings").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GALVO_POOL__URL", dsn)
    return dsn


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    out, err = capsys.readouterr()
    assert all(len(line) <= 80 for line in out.splitlines()), out
    return out, err


def test_watch_watched_unwatch(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watched"]) == 0
    assert said(capsys)[0] == "no table is watched: `galvo cache watch TABLE` begins it\n"
    assert main(["watch", "item", "sale", '"It em"', "public.item"]) == 0
    expected = ["public.item", 'public."It em"', "public.sale", "public.sale_1"]
    assert said(capsys)[0].splitlines() == [f"{name}: watched" for name in expected]
    assert triggers(shop) == 7
    assert main(["watch", "sale_1"]) == 0
    assert said(capsys)[0].splitlines() == ["public.sale: already watched", "public.sale_1: already watched"]
    assert main(["watched"]) == 0
    assert said(capsys)[0].splitlines() == expected
    assert main(["watched", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"table": name, "watched": True} for name in expected]
    assert main(["unwatch", "sale", "item"]) == 0
    assert "public.sale_1: not watched any more" in said(capsys)[0]
    assert triggers(shop) == 2
    assert main(["unwatch", "item"]) == 0


def test_watched_fails_when_a_table_needs_it_again(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "sale"]) == 0
    run(shop, "create table sale_2 partition of sale for values from (10) to (20)")
    said(capsys)
    assert main(["watched"]) == 1
    told = "public.sale_2: triggers missing, off or changed; `watch` it again"
    assert said(capsys)[0].splitlines()[-1] == told
    assert main(["watch", "sale"]) == 0
    assert main(["watched"]) == 0


def test_the_printed_sql_does_what_the_command_does(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "--print", "sale", '"It em"']) == 0
    sql = said(capsys)[0]
    assert triggers(shop) == 0
    for _ in range(2):
        run(shop, sql)
    assert main(["watched"]) == 0
    assert said(capsys)[0].splitlines() == ['public."It em"', "public.sale", "public.sale_1"]
    assert main(["watch", "--print", "sale", '"It em"']) == 0
    assert said(capsys)[0] == sql, "also when all is there"
    run(shop, sql.replace("\n", "\r\n"))  # a migration that went through an editor
    assert main(["watched"]) == 0
    said(capsys)
    assert main(["unwatch", "--print", "sale", '"It em"']) == 0
    run(shop, said(capsys)[0])
    assert triggers(shop) == 0


def test_what_is_watched_already_is_not_locked(shop: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["watch", "item"]) == 0

    async def work() -> None:
        busy = await asyncpg.connect(shop)
        await busy.execute("begin; lock item, sale in share row exclusive mode")
        assert await asyncio.to_thread(main, ["watch", "item"]) == 0
        said(capsys)
        assert await asyncio.to_thread(main, ["watch", "item", "sale"]) == 1
        assert said(capsys)[1].startswith("galvo: a table was locked by somebody else for 5 s: nothing was changed")
        assert await asyncio.to_thread(main, ["unwatch", "item"]) == 1
        await busy.close()

    asyncio.run(work())
    assert triggers(shop) == 2


BAD = {
    "nope": "there is no table 'nope': write table or schema.table, quoted as in SQL",
    "It em": "there is no table 'It em': write table or schema.table, quoted as in SQL",
    "no.where.at.all": "no.where.at.all",
    '"': "quoted as in SQL",
    "": "quoted as in SQL",
    "x; drop table item": "quoted as in SQL",
    "a\0b": "is not a table's name",
    "seen": "'seen' is a view: watch the tables that it reads",
    "kept": "'kept' is a materialized view, which changes by REFRESH only: PostgreSQL allows no triggers there",
    "count": "'count' is a sequence, which is never cached",
    "x": "'x' is an index: watch its table",
    "pair": "'pair' is a composite type",
    "pg_class": "'pg_class' is a system catalog, which is never cached",
    "information_schema.sql_features": "is a system catalog",
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("command", ["watch", "unwatch"])
def test_a_bad_name_is_one_sentence_and_changes_nothing(
    shop: str, capsys: pytest.CaptureFixture[str], name: str, command: str
) -> None:
    assert main([command, "item", name]) == 1
    out, err = said(capsys)
    assert not out
    assert BAD[name] in err
    assert err.startswith("galvo: ")
    assert err.count("\n") == 1
    assert triggers(shop) == 0


def test_without_permission(shop: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    role = "guest_" + run(shop, "select current_database()")[0][0]
    run(shop, f"create role {role} login; grant select on item to {role}")
    try:
        monkeypatch.setenv("GALVO_POOL__URL", shop.replace("postgres@", f"{role}@"))
        assert main(["watch", "item"]) == 1
        err = said(capsys)[1]
        assert "the database refused: permission denied for database" in err
        assert "; hand the SQL of --print to the owner of the table" in err
        assert err.count("\n") == 1
        assert main(["watch", "--print", "item"]) == 0
        run(shop, said(capsys)[0])
        assert main(["unwatch", "item"]) == 1
        assert "must be owner of" in said(capsys)[1]
        assert main(["watched"]) == 0
        # The function is there: the owner of a table needs no right on the database.
        monkeypatch.setenv("GALVO_POOL__URL", shop)
        run(shop, f"alter table sale owner to {role}; alter table sale_1 owner to {role}")
        run(shop, f"grant create on schema public to {role}")
        monkeypatch.setenv("GALVO_POOL__URL", shop.replace("postgres@", f"{role}@"))
        assert main(["watch", "sale"]) == 0
        assert triggers(shop) == 5
    finally:
        run(shop, f"drop owned by {role} cascade; drop role {role}")


def test_without_a_database(shop: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALVO_POOL__URL", "postgresql://me:s3cret@127.0.0.1:1/shop")
    assert main(["watched"]) == 1
    assert said(capsys)[1] == (
        "galvo: plugin 'pool': nothing listens at 127.0.0.1:1/shop: set url under [pool] (or "
        "GALVO_POOL__URL), or start the server\n"
    )
    monkeypatch.setenv("GALVO_POOL__REQUIRED", "false")
    assert main(["watch", "item"]) == 1
    assert "nothing listens at 127.0.0.1:1/shop" in said(capsys)[1]
    monkeypatch.setenv("GALVO_POOL__ON", "false")
    assert main(["watch", "item"]) == 1
    assert "set `on = true` under [pool]" in said(capsys)[1]


@pytest.mark.parametrize(
    "argv", [[], ["watch"], ["unwatch", "--print"], ["fly"], ["watched", "item"], ["watch", "--x"]]
)
def test_wrong_usage_is_2(shop: str, capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2
    assert "usage: galvo cache" in said(capsys)[1]
