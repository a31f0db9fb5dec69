"""Commands with options of their own begin and end as a run does. Real processes, real signals, real servers."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import psutil
import pytest

from tests.plugins.bench.running.test_endings import PLANTED, bench, heard
from tests.plugins.index.debian import programs

HERE = os.environ | {"PYTHONPATH": os.getcwd()}


def servers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return [one for one in psutil.Process(process.pid).children(recursive=True) if one.name() == "postgres"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_a_private_server_ends_with_its_command(folder: Path, number: signal.Signals) -> None:
    """Its folder as well; of one that was killed, when the next one begins."""
    programs()
    with bench(folder, "indexes", "engraving") as process:
        heard(process, "loading the shop")
        servers = servers_of(process)
        assert servers
        process.send_signal(number)
        _, err = process.communicate()
    assert psutil.wait_procs(servers, timeout=30)[1] == []
    if number == signal.SIGKILL:
        with bench(folder, "indexes", "engraving") as again:
            heard(again, "loading the shop")
            again.send_signal(signal.SIGTERM)
            again.communicate()
    else:
        assert process.returncode == 130
        assert "Traceback" not in err
        assert "galvo: interrupted" in err
    assert [path.name for path in (folder / "tmp").iterdir() if path.is_dir() and "indexes" in path.name] == []


def test_counts_leave_nothing_in_a_server_of_somebody(folder: Path, server_dsn: str) -> None:
    async def there() -> list[str]:
        connection = await asyncpg.connect(server_dsn)
        try:
            found = await connection.fetch(
                "select datname from pg_database where datname ~ '^galvo_bench_counts' "
                "union all select relname from pg_class where relname ~ '^galvo_bench_counted'"
            )
            return [row[0] for row in found]
        finally:
            await connection.close()

    async def until_counting(process: subprocess.Popen[str]) -> None:
        while not await there():
            assert process.poll() is None
            await asyncio.sleep(0.02)

    with bench(folder, "counts", "shop", "--url", server_dsn, "--json") as process:
        process.communicate()
    assert asyncio.run(there()) == []
    with bench(folder, "counts", "shop", "kernel", "--url", server_dsn) as process:
        asyncio.run(until_counting(process))
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate()
    assert process.returncode == 130, err
    assert asyncio.run(there()) == []


@pytest.mark.parametrize("words, code", [
    (("counts", "nosuch"), 2), (("calibrate", "--tries", "x"), 2), (("versus", ".", "nosuch"), 2),
    (("claims", "--help"), 0), (("hit", "--against", "/etc/passwd"), 2), (("versus", "/nowhere"), 2),
])  # fmt: skip
def test_words_are_read_before_others_are_waited_for(folder: Path, words: tuple[str, ...], code: int) -> None:
    (folder / "tmp").mkdir()
    lock = os.open(folder / "tmp" / f"galvo-bench-{os.getuid()}.lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with bench(folder, *words) as process:
            _, err = process.communicate()
        assert process.returncode == code
        assert "waiting" not in err
    finally:
        os.close(lock)


def test_waiting_says_for_whom(folder: Path) -> None:
    (folder / "tmp").mkdir()
    lock = os.open(folder / "tmp" / f"galvo-bench-{os.getuid()}.lock", os.O_CREAT | os.O_RDWR)
    try:
        os.write(lock, b"123\n")
        fcntl.flock(lock, fcntl.LOCK_EX)
        with bench(folder, "calibrate") as process:
            assert "process 123" in heard(process, "waiting")
            process.send_signal(signal.SIGTERM)
            process.communicate()
        assert process.returncode == 130
    finally:
        os.close(lock)


@pytest.mark.parametrize("words", [("calibrate",), ("quick",)])
def test_a_lock_that_cannot_be_had(folder: Path, words: tuple[str, ...]) -> None:
    (folder / "tmp").mkdir()
    (folder / "tmp" / f"galvo-bench-{os.getuid()}.lock").symlink_to("/etc/passwd")
    with bench(folder, *words) as process:
        _, err = process.communicate()
    assert process.returncode == 1
    assert re.match(r"galvo: cannot lock .*\.lock \(.*\): remove it, or set TMPDIR", err)
    assert "Traceback" not in err


@pytest.mark.parametrize("url", ["postgresql://u:s3cret@127.0.0.1:99999/db", "postgresql://u:s3cret@127.0.0.1:1/db"])
def test_indexes_of_no_server(folder: Path, url: str) -> None:
    with bench(folder, "indexes", "--url", url) as process:
        _, err = process.communicate()
    assert process.returncode == 2
    assert "--url" in err
    assert "s3cret" not in err
    assert "Traceback" not in err


def test_an_output_that_is_full() -> None:
    with Path("/dev/full").open("w") as full:
        words = [sys.executable, str(PLANTED), "--list", "--json"]
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, env=HERE)
    assert (done.returncode, done.stderr) == (1, "galvo: cannot write the output: No space left on device\n")


def test_a_list_in_a_pipe_has_no_padding() -> None:
    done = subprocess.run([sys.executable, str(PLANTED), "--list"], stdout=subprocess.PIPE, text=True, env=HERE)
    assert done.returncode == 0
    assert not re.search(" $", done.stdout, re.M)
