"""`galvo explain 'select ...'`: for people and as JSON; nothing is run."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from galvo import cli
from galvo_local import asking
from tests import forking
from tests.plugins.live.hosting import Host, hosted
from tests.plugins.live.toys import folder

GALVO = str(Path(sys.executable).parent / "galvo")


def explain(dsn: str, root: Path, *arguments: str) -> str:
    done = forking.galvo("explain", *arguments, folder=root, GALVO_POOL__URL=dsn)
    assert done.returncode == 0, done.stderr
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


def test_a_hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(asking, "names", lambda of: [])  # others' applications run here, too
    monkeypatch.chdir(tmp_path)
    assert cli.main(["explain", "on_query"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("on_query: around, outermost first\n")
    assert "no figures: no running application of yours answers" in " ".join(shown.split())


@pytest.fixture
def host(dsn: str, tmp_path: Path) -> Iterator[Host]:
    """A running application with a pool, the plugin live and one more."""
    url = f'[pool]\nurl = "{dsn}"\nmin_size = 1\n'
    with hosted(folder(tmp_path, f"{url}[value]\nvalue = 7\n")) as running:
        yield running


def test_a_running_application_tells_how_its_layers_do(host: Host) -> None:
    words = [GALVO, "explain", "on_query", "--pid", str(host.process.pid), "--seconds", "1"]
    with subprocess.Popen([*words, "--json"], stdout=subprocess.PIPE, text=True) as asking:
        while asking.poll() is None:
            assert [host.ask("value"), host.ask("select 42")] == ["7", "42"]
        assert asking.stdout is not None
        told = json.loads(asking.stdout.read())
    value, pool = told["layers"]
    assert (told["pid"], told["seconds"]) == (host.process.pid, 1)
    assert [value["plugin"], pool["plugin"]] == ["value", "pool"]
    assert value["calls"] > pool["calls"] > 0, "one of two queries goes no further than the first"
    assert 0 < value["own_median"] <= value["median"]
    assert pool["own_median"] == pool["median"], "nothing is inside it"
    assert pool["why"].endswith("trylast")

    shown = subprocess.run(words, capture_output=True, text=True, check=True, env=os.environ | {"COLUMNS": "80"})
    lines = shown.stdout.splitlines()
    assert lines[0] == f"on_query: around, outermost first; process {host.process.pid}, watched for 1 s"
    assert max(map(len, lines)) <= 80
    assert "pool: marked trylast: inside all that are not, wherever it is listed" in lines
    assert "no figures" not in shown.stdout

    told = json.loads(host.galvo("explain", "select 42", "--json").stdout)
    assert told["pool"]["result"] == ["?column? int4"]
    refused = host.galvo("explain", "select from nowhere where")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("galvo: the database refuses it: syntax error")
    long = host.galvo("explain", "select " + '"' * 3400)
    assert long.stderr == "galvo: that is longer than the 4096 bytes in which an application can be asked\n"


def test_whoever_stops_looking_stops_nothing_else(host: Host) -> None:
    words = [GALVO, "explain", "on_query", "--pid", str(host.process.pid), "--seconds", "60"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as asking:
        while not psutil.Process(asking.pid).net_connections("unix"):
            assert asking.poll() is None
        asking.send_signal(signal.SIGINT)
        assert asking.communicate() == ("", "galvo: interrupted\n")
        assert asking.returncode == 130
    assert host.ask("select 42") == "42"


def test_nobody_to_ask(tmp_path: Path) -> None:
    process = forking.galvo("explain", "on_query", "--pid", str(os.getpid()), folder=tmp_path)
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.startswith(f"galvo: process {os.getpid()} does not tell of itself")
    other = forking.galvo("explain", "on_query", "--pid", "0", folder=tmp_path)
    assert other.returncode == 2
