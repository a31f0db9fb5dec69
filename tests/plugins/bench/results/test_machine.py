"""What a run says of its machine, and what it keeps to itself."""

from __future__ import annotations

import getpass
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from galvo_bench.results.machine import commit_of, machine, with_servers
from galvo_bench.results.settings import fingerprint
from galvo_embedded import Servers

pytestmark = pytest.mark.anyio


async def test_servers_tell_their_versions(server_dsn: str, servers: Servers) -> None:
    found = await with_servers(machine(), server_dsn, await servers.redis())
    assert found.postgres.split(".")[0].isdecimal()
    assert found.redis.count(".") == 2


async def test_a_server_that_is_gone_stays_unknown() -> None:
    gone, here = "postgresql://postgres:secret@127.0.0.1:1/postgres", machine()
    assert await with_servers(here, gone, "redis://127.0.0.1:1") == here


def test_nobody_learns_whose_machine_it_is() -> None:
    told = msgspec.json.encode(machine()).decode()
    for secret in (platform.node(), getpass.getuser(), str(Path.home()), str(Path.cwd())):
        assert f'"{secret}"' not in told


def test_a_commit_is_that_of_the_sources(tmp_path: Path) -> None:
    source = tmp_path / "galvo" / "__init__.py"
    source.parent.mkdir()
    source.write_text("")
    git = _git(tmp_path)
    assert commit_of(source) == ""
    git("init", "-q")
    assert commit_of(source) == "", "in a repository, but not of it: as in a virtual environment"
    git("add", ".")
    git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "-m", "x")
    commit = commit_of(source)
    assert len(commit) == 12
    (tmp_path / "new").write_text("")
    assert commit_of(source) == commit
    source.write_text("changed")
    assert commit_of(source) == commit + "+"


def _git(folder: Path) -> Callable[..., object]:
    return lambda *words: subprocess.run(["git", *words], cwd=folder, check=True)


def test_settings_are_told_apart_but_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = fingerprint(tmp_path)
    monkeypatch.setenv("GALVO_POOL__URL", "postgresql://me:secret@one/x")
    one = fingerprint(tmp_path)
    monkeypatch.setenv("GALVO_POOL__URL", "postgresql://you@two/y")
    assert fingerprint(tmp_path) == one != plain
    monkeypatch.delenv("GALVO_POOL__URL")
    monkeypatch.setenv("GALVO_POOL__MAX_SIZE", "7")
    assert fingerprint(tmp_path) not in (plain, one)
