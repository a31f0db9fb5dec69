"""`galvo explain 'select ...'`: for people and as JSON; nothing is run."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

GALVO = str(Path(sys.executable).parent / "galvo")


def explain(dsn: str, folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "GALVO_POOL__URL": dsn}
    done = subprocess.run(
        [GALVO, "explain", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.fixture
def table(dsn: str) -> str:
    async def make() -> None:
        connection = await asyncpg.connect(dsn)
        await connection.execute("create table sheet (id int primary key, size int, note text)")
        await connection.close()

    asyncio.run(make())
    return dsn


def test_a_cacheable_read(table: str, tmp_path: Path) -> None:
    shown = explain(table, tmp_path, "select size from sheet where id = $1 and note <> 'geheim'")
    lines = [line.split(None, 1) for line in shown.splitlines()]
    assert lines[0] == ["cache"]
    told = {line[0]: line[1] if len(line) > 1 else "" for line in lines}
    assert told["cacheable"] == "yes"
    assert told["tables"] == "public.sheet"
    assert told["rows"] == "public.sheet.id"
    assert told["columns"] == "id, note, size"
    assert told["statement"] == "select size from sheet where id = $1 and note <> ?"
    assert told["public.sheet"] == "ttl", "how writes from outside are noticed"
    assert told["cost"] == "unknown"
    assert {"namespace", "arguments", "result", "session", "ttl", "hits", "misses"} <= told.keys()


def test_others_say_why_not(table: str, tmp_path: Path) -> None:
    told = json.loads(explain(table, tmp_path, "--json", "insert into sheet values (1, 2, 'x')"))["cache"]
    assert told == {"effect": "write", "cacheable": False, "reason": "it writes", "tables": ["public.sheet"]}
    told = json.loads(explain(table, tmp_path, "--json", "select\nnow()"))["cache"]
    assert told == {"effect": "refused", "cacheable": False, "reason": "stable_function: now()"}

    async def rows() -> int:
        connection = await asyncpg.connect(table)
        found: int = await connection.fetchval("select count(*) from sheet")
        await connection.close()
        return found

    assert asyncio.run(rows()) == 0, "it was not run"


def test_a_hook(table: str, tmp_path: Path) -> None:
    assert explain(table, tmp_path, "on_query").startswith("on_query: around, outermost first\n")
