"""What an operator sees when something is wrong: one sentence that names the thing to change, and an exit code."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests import forking
from tests.conftest import until_released

PLUGIN = """
import anyio
from contextlib import asynccontextmanager
from galvo import Plugin, hookimpl
{imports}
class Mine(Plugin):
    '''Mine.'''
    name = "mine"
{body}
"""
STARTS = "    @asynccontextmanager\n    async def lifespan(self):\n        {}\n        yield"
BROKEN = {
    "import error": ("import no_such_module", "", "cannot import mine:Mine", "no_such_module"),
    "wrong signature": (
        "",
        "    @hookimpl\n    async def on_query(self, question, proceed): ...",
        "unknown parameter 'question'",
        "expected `async def on_query(self, query, proceed)`",
    ),
    "wrong colour": ("", "    @hookimpl\n    def on_query(self, query, proceed): ...", "on_query", "`async def`"),
    "exception at start": ("", STARTS.format("raise ValueError('no licence file')"), "no licence file", "mine"),
    "hang at start": ("", STARTS.format("await anyio.sleep_forever()"), "start_timeout under [kernel]", "0.3 s"),
}


def galvo(folder: Path, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return forking.galvo(*args, folder=folder, PYTHONPATH=str(folder), **environment)


def one_sentence(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    said = (done.stdout + done.stderr).strip()
    assert done.returncode != 0
    assert "Traceback" not in said
    assert len(said.splitlines()) == 1, said
    for part in parts:
        assert part in said


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_plugin_is_named(case: str, folder: Path) -> None:
    imports, body, *parts = BROKEN[case]
    (folder / "mine.py").write_text(PLUGIN.format(imports=imports, body=body))
    metadata = folder / "mine-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[galvo.plugins]\nmine = mine:Mine\n")
    (folder / "entrypoints.toml").write_text(
        '[[plugin]]\nname = "mine"\ntarget = "mine:Mine"\ndistribution = "mine"\nversion = "1.0"\n'
    )
    one_sentence(galvo(folder, "try", GALVO_KERNEL__START_TIMEOUT="0.3"), *parts)


@pytest.mark.parametrize(
    "variable, value, parts",
    [
        ("GALVO_CACHE__TTL", "soon", ["[cache] ttl", "valid number"]),
        ("GALVO_CACHE__TTTL", "3", ["no key 'tttl'", "did you mean 'ttl'?"]),
        ("GALVO_CASHE__TTL", "3", ["GALVO_CASHE__TTL", "did you mean 'cache'?"]),
        ("GALVO_POOL__MAX_SIZE", "1", ["[pool] min_size = 2 is larger than max_size = 1"]),
        ("GALVO_POOL__MAX_SIZE", "many", ["[pool] max_size", "valid integer", "'auto'"]),
        ("GALVO_ENV", "prodction", ["prodction.toml", "does not exist"]),
    ],
)
def test_a_bad_setting_is_named(variable: str, value: str, parts: list[str], folder: Path) -> None:
    one_sentence(galvo(folder, "plugins", **{variable: value}), *parts)


def test_nothing_listens(folder: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    url = f"postgresql://me:hunter2@127.0.0.1:{port}/shop"
    done = galvo(folder, "try", GALVO_POOL__URL=url)
    one_sentence(done, f"nothing listens at 127.0.0.1:{port}/shop", "GALVO_POOL__URL")
    assert "hunter2" not in done.stdout + done.stderr
    one_sentence(galvo(folder, "run", "demo", "--url", url), f"127.0.0.1:{port}")


@pytest.fixture
def chatty_port() -> Iterator[int]:
    """The port is in use, by something that is no PostgreSQL."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_the_port_is_somebody_elses(chatty_port: int, folder: Path) -> None:
    url = f"postgresql://127.0.0.1:{chatty_port}/shop"
    one_sentence(galvo(folder, "try", GALVO_POOL__URL=url), f"127.0.0.1:{chatty_port}", "GALVO_POOL__URL")


def test_a_data_folder_of_another_major(folder: Path) -> None:
    assert galvo(folder, "try", GALVO_EMBEDDED__POSTGRES="16").returncode == 0
    home = folder / ".galvo"
    until_released(home)
    (home / "postgres-16").rename(home / "postgres-18")
    one_sentence(galvo(folder, "try"), "PostgreSQL 16", "18", "GALVO_EMBEDDED__")
    assert (home / "postgres-18" / "data" / "PG_VERSION").read_text() == "16\n"
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(folder) in " ".join(p.info["cmdline"] or [])]


@pytest.mark.parametrize(
    "arguments, part",
    [
        (["run", "demo", "--clients", "0"], "--clients"),
        (["run", "demo", "--scale", "-1"], "--scale"),
        (["run", "nothing"], "no application 'nothing'"),
        (["explain", "on_nothing"], "on_nothing"),
        (["bench", "--rounds", "0"], "--rounds"),
    ],
)
def test_wrong_usage(arguments: list[str], part: str, folder: Path) -> None:
    done = galvo(folder, *arguments)
    assert done.returncode in (1, 2)
    assert part in done.stderr
    assert "Traceback" not in done.stderr
