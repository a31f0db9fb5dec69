"""`galvo status` and `galvo top`: processes that answer, one that does not, one that has ended."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import msgspec
import pytest

from galvo_local import asking
from galvo_local.sockets import prefix
from galvo_monitor import status, top
from galvo_monitor.asking.protocol import NAME
from galvo_monitor.view import View
from tests.plugins.monitor.terminal.views import CALM, INCIDENT

ROOT = Path.cwd()
GALVO = str(Path(sys.executable).parent / "galvo")


class Host:
    """A process that shows what it is told to."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self.pid = process.pid

    def show(self, view: View) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(view) + b"\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == b"shown\n"

    def end(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.communicate()


@contextmanager
def hosting(view: View = CALM) -> Iterator[Host]:
    command = [sys.executable, "-m", "tests.plugins.monitor.asking.program"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd()) as process:
        host = Host(process)
        try:
            host.show(view)
            yield host
        finally:
            host.end()


@pytest.fixture(scope="module")
def calm() -> Iterator[Host]:
    with hosting() as host:
        yield host


@pytest.fixture(scope="module")
def other() -> Iterator[Host]:
    with hosting(INCIDENT) as host:
        yield host


def run(main: Callable[[Sequence[str]], int], *args: str | int) -> subprocess.CompletedProcess[str]:
    """The command, in this process: starting one costs more than all that it does."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = main([str(arg) for arg in args])
        except SystemExit as left:
            code = int(left.code or 0)
    return subprocess.CompletedProcess([], code, out.getvalue(), err.getvalue())


def only(monkeypatch: pytest.MonkeyPatch, *hosts: Host) -> None:
    """Others' processes may run here, too."""
    real = asking.names
    starts = tuple(f"{prefix(NAME)}{host.pid}-" for host in hosts)
    monkeypatch.setattr(asking, "names", lambda of: [name for name in real(of) if name.startswith(starts)])


# -- status -------------------------------------------------------------------------------------------


def test_status(calm: Host) -> None:
    done = run(status.main, calm.pid)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"galvo process {calm.pid}, up 3 h")
    assert "All is well" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_critical_is_an_exit_code(other: Host) -> None:
    done = run(status.main, other.pid)
    assert (done.returncode, done.stderr) == (3, "")
    assert "pool_saturated" in done.stdout


def test_json(calm: Host, other: Host) -> None:
    told = json.loads(run(status.main, calm.pid, "--json").stdout)
    assert msgspec.convert(told, View) == msgspec.structs.replace(CALM, pid=calm.pid)
    assert run(status.main, other.pid, "--json").returncode == 3


def test_json_does_not_steer_the_terminal() -> None:
    with hosting(msgspec.structs.replace(CALM, verdict="\x1b[2J\x9b ü")) as host:
        out = run(status.main, host.pid, "--json").stdout
        assert out.isascii()
        assert json.loads(out)["verdict"] == "\x1b[2J\x9b ü"
        assert "?[2J? ü" in run(status.main, host.pid).stdout


def test_without_a_pid_it_is_found(calm: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, calm)
    assert json.loads(run(status.main, "--json").stdout)["pid"] == calm.pid


def test_the_one_in_this_folder_is_meant(
    calm: Host, other: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only(monkeypatch, calm, other)
    monkeypatch.setattr("galvo_local.choosing.here", lambda pid: pid == other.pid)
    for main in (status.main, top.main):
        assert f"process {other.pid}," in run(main).stdout
        assert f"process {calm.pid}," in run(main, "--pid", calm.pid).stdout
    monkeypatch.undo()
    only(monkeypatch, calm)
    monkeypatch.chdir(tmp_path)
    for main in (status.main, top.main):
        assert f"It runs in {ROOT}." in run(main).stdout
        assert "It runs in" not in run(main, calm.pid).stdout


def test_several_are_listed(calm: Host, other: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, calm, other)
    done = run(status.main)
    assert (done.returncode, done.stderr) == (3, "")
    assert [line.split()[0] for line in done.stdout.splitlines()] == sorted(map(str, (calm.pid, other.pid)))
    assert {view["status"] for view in json.loads(run(status.main, "--json").stdout)} == {"ok", "critical"}


def test_nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch)
    for main in (status.main, top.main):
        done = run(main)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("galvo: no process with a monitor plugin can be asked here")
        assert len(done.stderr.splitlines()) == 1


def test_a_process_without_the_plugin() -> None:
    done = run(status.main, os.getpid())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"galvo: process {os.getpid()} does not tell of itself: it runs no monitor plugin")


def test_no_such_process() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for main in (status.main, top.main):
        done = run(main, ended.pid)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"galvo: there is no process {ended.pid}\n")


def test_another_version(monkeypatch: pytest.MonkeyPatch, calm: Host) -> None:
    monkeypatch.setattr("galvo_local.ask", lambda *args: b'{"at": "now"}')
    done = run(status.main, calm.pid)
    assert (done.returncode, done.stdout) == (1, "")
    assert "answers what is not understood here: is it of another version?" in done.stderr


def test_the_process_is_the_one_that_was_asked(calm: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it says of itself."""
    monkeypatch.setattr("galvo_local.ask", lambda *args: msgspec.json.encode(msgspec.structs.replace(CALM, pid=1)))
    assert json.loads(run(status.main, calm.pid, "--json").stdout)["pid"] == calm.pid


def test_another_users_word_is_called_that(calm: Host, other: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, calm, other)
    real = asking.peer

    def peer(connection: socket.socket) -> tuple[int, int]:
        pid, user = real(connection)
        return pid, 65534 if pid == other.pid else user

    monkeypatch.setattr(asking, "peer", peer)
    monkeypatch.setattr(asking, "believed", lambda user: True)
    monkeypatch.setattr("galvo_local.called", lambda user: "nobody" if user == 65534 else "")
    lines = run(status.main).stdout.splitlines()
    assert lines[0].split()[0] == str(calm.pid), "one's own come first"
    assert "(user nobody)" in lines[1]
    assert [view["user"] for view in json.loads(run(status.main, "--json").stdout)] == ["", "nobody"]
    for main in (status.main, top.main):
        assert "This is what a process of user nobody says." in run(main, other.pid).stdout
        assert "of user" not in run(main, calm.pid).stdout
    assert f"{other.pid} (user nobody)" in run(top.main).stderr


def test_one_that_does_not_answer_is_named_beside_the_others(calm: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are asked all at once, so that several cost no more than one."""
    monkeypatch.setattr(asking, "PATIENCE", 0.5)
    with hosting() as stuck:
        only(monkeypatch, calm, stuck)
        os.kill(stuck.pid, signal.SIGSTOP)
        for words in ([], ["--json"]):
            done = run(status.main, *words)
            assert done.returncode == 1
            assert "All is well" in done.stdout
            assert done.stderr == f"galvo: process {stuck.pid} has not answered for 0.5 s: its event loop is busy\n"


def test_a_terminal_that_knows_few_characters(calm: Host) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = subprocess.run([GALVO, "status", str(calm.pid)], capture_output=True, env=environment)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"All is well" in done.stdout


@pytest.mark.parametrize("junk", [b"\xff", b"[]", b'{"live": 3}'])
def test_bad_questions_get_no_answer(calm: Host, junk: bytes) -> None:
    with pytest.raises(asking.NoAnswer):
        asking.ask(NAME, calm.pid, junk)
    assert run(status.main, calm.pid).returncode == 0


@pytest.mark.parametrize("args", [["abc"], ["-1"], ["0"], ["²"], ["1", "2"], ["99999999999"]])
def test_wrong_usage(args: list[str]) -> None:
    assert run(status.main, *args).returncode == 2
    assert run(top.main, *args).returncode == 2
    assert run(top.main, "--every", "0").returncode == 2


# -- top ----------------------------------------------------------------------------------------------


def test_one_frame_without_a_terminal(other: Host) -> None:
    done = run(top.main, other.pid)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("pool_saturated") == 1
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_one_of_several_has_to_be_named(calm: Host, other: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, calm, other)
    done = run(top.main)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"several processes can be asked: say --pid, one of {min(calm.pid, other.pid)}: " in done.stderr


class Terminal:
    """`galvo top` in one of 80 columns and 24 rows."""

    def __init__(self, *args: str) -> None:
        self.end, child = pty.openpty()
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}
        self.process = subprocess.Popen(
            [GALVO, "top", *args], stdin=child, stdout=child, stderr=subprocess.PIPE, env=environment
        )
        os.close(child)
        self.seen = b""

    def until(self, text: str) -> str:
        """All that it has written until it wrote `text`, which it has not before."""
        deadline = time.monotonic() + 60
        start = len(self.seen)
        while text not in plain(self.seen[start:]):
            ready, _, _ = select.select([self.end], [], [], deadline - time.monotonic())
            assert ready, f"{text!r} did not come: {plain(self.seen[start:])}"
            self.seen += os.read(self.end, 1 << 16)
        return plain(self.seen[start:])

    def rest(self) -> None:
        try:
            while part := os.read(self.end, 1 << 16):
                self.seen += part
        except OSError:  # that is how a terminal ends
            return


def plain(told: bytes) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", told.decode("utf-8", "replace"))


@contextmanager
def terminal(*args: str | int) -> Iterator[Terminal]:
    made = Terminal(*map(str, args))
    try:
        yield made
    finally:
        made.process.kill()
        made.process.communicate()
        os.close(made.end)


def test_it_is_live_until_ctrl_c() -> None:
    with hosting() as host, terminal(host.pid, "--every", "0.2") as shown:
        shown.until("All is well")
        host.show(INCIDENT)
        shown.until("pool_saturated")
        shown.process.send_signal(signal.SIGINT)
        shown.rest()
        _, said = shown.process.communicate(timeout=60)
        assert (shown.process.returncode, said) == (0, b"")
        assert b"\x1b[?1049l" in shown.seen, "the screen as it was"
        assert shown.seen.rindex(b"\x1b[?25h") > shown.seen.rindex(b"\x1b[?25l"), "with its cursor"


def test_a_process_that_hangs_is_still_shown() -> None:
    with hosting() as host, terminal(host.pid, "--every", "0.2") as shown:
        shown.until("All is well")
        os.kill(host.pid, signal.SIGSTOP)
        assert "All is well" in shown.until("its event loop is busy")
        os.kill(host.pid, signal.SIGCONT)
        host.show(INCIDENT)
        shown.until("pool_saturated")


def test_it_ends_with_the_process() -> None:
    with hosting() as host, terminal(host.pid, "--every", "0.2") as shown:
        shown.until("All is well")
        host.end()
        shown.rest()
        _, said = shown.process.communicate(timeout=60)
        assert (shown.process.returncode, said.decode()) == (1, f"galvo: there is no process {host.pid}\n")
