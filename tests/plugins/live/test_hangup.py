"""SIGHUP, sent to real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from galvo import Kernel, Plugin
from galvo_live import LivePlugin
from tests.plugins.live.hosting import PATIENCE, hosted
from tests.plugins.live.toys import folder, write

REFUSED = {
    "a file that is no TOML": ("[value\n", "galvo.toml: Expected ']'"),
    "a value of the wrong type": ("[value]\nvalue = 'much'\n", "[value] value: input should be a valid integer"),
    "a key that there is not": ("[value]\nvalu = 2\n", "[value] has no key 'valu'; did you mean 'value'?"),
    "a table that there is not": ("[vlue]\nvalue = 2\n", "no plugin table 'vlue'; did you mean 'value'?"),
    "a plugin that cannot start": ("[broken]\non = true\n", "plugin 'broken': ValueError: a file of it is missing"),
    "a cycle": ("[left]\non = true\n[right]\non = true\n", "requires"),
    "a requirement that is off": ("[left]\non = true\n", "plugin 'left': requires 'right', which is not on"),
    "a server that is away": ("[pool]\nurl = 'postgresql://nobody@127.0.0.1:1/nowhere'\n", "plugin 'pool': "),
}


def test_settings_are_read_again_and_what_cannot_work_leaves_everything_as_it_was(dsn: str, tmp_path: Path) -> None:
    pool = f'[pool]\nurl = "{dsn}"\nmin_size = 1\n'
    root = folder(tmp_path, f"{pool}[value]\nvalue = 1\n")
    with hosted(root) as host:
        assert [host.ask("value"), host.ask("select 6 * 7")] == ["1", "42"]
        for what, (settings, sentence) in REFUSED.items():
            write(root, settings if "[pool]" in settings else pool + settings)
            host.process.send_signal(signal.SIGHUP)
            told = host.next("asked for by SIGHUP")
            assert told.startswith("reload, asked for by SIGHUP: refused: "), what
            assert sentence in told, what
            assert [host.ask("value"), host.ask("select 6 * 7")] == ["1", "42"], what
        write(root, f"{pool}[value]\nvalue = 2\n")
        host.process.send_signal(signal.SIGHUP)
        assert host.next("asked for by SIGHUP") == "reload, asked for by SIGHUP: done: value"
        assert [host.ask("value"), host.ask("select 6 * 7")] == ["2", "42"]
        # The handler stays while the plugin that has it is replaced, more than once.
        for watch in ("0.5", "0", "0.25"):
            write(root, f"{pool}[value]\nvalue = 2\n[live]\nwatch = {watch}\n")
            host.process.send_signal(signal.SIGHUP)
            assert host.next("asked for by SIGHUP").endswith("done: live")
        assert host.ask("select 6 * 7") == "42"
        # And goes with it.
        write(root, f"{pool}[value]\nvalue = 2\n[live]\nsighup = false\n")
        assert host.galvo("reload").stdout.endswith("changed: live\n")
        host.process.send_signal(signal.SIGHUP)
        assert host.process.wait(PATIENCE) == -signal.SIGHUP


def test_a_handler_of_the_applications_own_is_left_alone(tmp_path: Path) -> None:
    root = folder(tmp_path, "[pool]\non = false\n")
    with hosted(root, "own") as host:
        host.process.send_signal(signal.SIGHUP)
        assert host.said() == "my own hang-up"
        assert host.galvo("reload").returncode == 0
        host.process.send_signal(signal.SIGHUP)
        assert host.said() == "my own hang-up"
        assert "asked for by SIGHUP" not in host.log


@pytest.mark.anyio
async def test_it_does_not_kill_those_that_stop_after_it(caplog: pytest.LogCaptureFixture) -> None:
    class Slow(Plugin):
        name = "slow"

        @asynccontextmanager
        async def lifespan(self) -> AsyncIterator[None]:
            yield
            if signal.getsignal(signal.SIGHUP) is not signal.SIG_DFL:
                os.kill(os.getpid(), signal.SIGHUP)
                while not caplog.messages:
                    await anyio.lowlevel.checkpoint()

    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        for _ in range(2):
            caplog.clear()
            async with Kernel.of({Slow: {}, LivePlugin: {"answer": False, "watch": 0}}) as kernel:
                pass
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
            assert not kernel.control.changes
            assert caplog.messages == ["SIGHUP while the application ends: nothing is read again"]
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.anyio
async def test_one_that_comes_while_the_kernel_starts_is_kept_until_all_run() -> None:
    class Late(Early):
        name = "late"

    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        async with Kernel.of({Early: {}, LivePlugin: {"answer": False, "watch": 0}, Late: {}}) as kernel:
            with anyio.fail_after(PATIENCE):
                while not kernel.control.changes:
                    await anyio.lowlevel.checkpoint()
            assert [(change.what, change.who) for change in kernel.control.changes] == [("reload", "SIGHUP")]
            assert {info["state"] for info in kernel.plugins()} == {"active"}
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGHUP, before)


class Early(Plugin):
    """Sends the signal to itself as it starts."""

    name = "early"

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        os.kill(os.getpid(), signal.SIGHUP)
        yield


UNHEARD = """
import os, signal
import anyio
from contextlib import asynccontextmanager
from galvo import Kernel, Plugin

class Early(Plugin):
    name = "early"

    @asynccontextmanager
    async def lifespan(self):
        os.kill(os.getpid(), signal.SIGHUP)
        os.write(1, b"starts")
        yield

async def main():
    async with Kernel.of({Early: {}}):
        os.write(1, b", runs")

anyio.run(main)
"""


def test_without_this_plugin_the_signal_ends_the_process_after_the_start() -> None:
    ended = subprocess.run([sys.executable, "-c", UNHEARD], stdout=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stdout) == (-signal.SIGHUP, b"starts")


@pytest.mark.parametrize("nohup", [False, True], ids=["ends it", "does not end what ignores it"])
def test_the_end_of_its_terminal(tmp_path: Path, nohup: bool) -> None:
    root = folder(tmp_path, "[pool]\non = false\n")
    terminal, inside = os.openpty()
    try:
        with hosted(root, preexec_fn=lambda: _own(inside, nohup), start_new_session=True) as host:
            if not nohup:
                host.process.send_signal(signal.SIGHUP)  # while the terminal is there, somebody means it
                assert host.next("asked for by SIGHUP").endswith("done: nothing has changed")
            os.close(inside)
            os.close(terminal)
            inside = terminal = -1
            if nohup:
                assert host.ask("value") == "1"
            else:
                assert host.process.wait(PATIENCE) == -signal.SIGHUP
    finally:
        for end in (inside, terminal):
            if end >= 0:
                os.close(end)


def _own(terminal: int, nohup: bool) -> None:
    """In the new process, which leads a session: this is its terminal."""
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)
    if nohup:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
