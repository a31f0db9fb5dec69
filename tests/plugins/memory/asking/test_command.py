"""`galvo memory`: a process that answers, one that does not, one that has ended."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import Any

import pytest

from galvo_local import asking
from galvo_local.sockets import prefix
from galvo_memory import cli
from galvo_memory.asking import look
from galvo_memory.asking.asking import NoAnswer, ask
from galvo_memory.asking.protocol import NAME
from galvo_memory.asking.shown import shown, sparks

GALVO = str(Path(sys.executable).parent / "galvo")
QUIET = {"waiting": [98, 99, 100]}
"""Whatever else this machine does."""
PREFIX = prefix(NAME)
SLEEPS = "print('ready', flush=True); input()"


@contextmanager
def running(*command: str) -> Iterator[int]:
    """A child process until the block ends; gives its pid once it is ready."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path.cwd()) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == b"ready\n"
            yield child.pid
            child.send_signal(signal.SIGCONT)
            child.communicate(b"\n")
        except BaseException:
            child.kill()  # it may wait for what never comes
            raise


@contextmanager
def program(mib: int = 0, *more: str, **settings: Any) -> Iterator[int]:
    arguments = json.dumps({**QUIET, **settings}), str(mib), *more
    with running(sys.executable, "-m", "tests.plugins.memory.asking.program", *arguments) as pid:
        yield pid


@pytest.fixture(scope="module")
def host() -> Iterator[int]:
    with program() as pid:
        yield pid


@pytest.fixture(scope="module")
def other() -> Iterator[int]:
    with program() as pid:
        yield pid


def galvo(*args: str | float) -> subprocess.CompletedProcess[str]:
    """The command, in this process: starting one costs more than all that it does."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = cli.main([str(arg) for arg in args])
        except SystemExit as left:
            code = int(left.code or 0)
    return subprocess.CompletedProcess([], code, out.getvalue(), err.getvalue())


def only(monkeypatch: pytest.MonkeyPatch, *pids: int) -> None:
    """Others' processes may run here, too."""
    real = asking.names
    starts = tuple(f"{PREFIX}{pid}-" for pid in pids)
    monkeypatch.setattr(asking, "names", lambda of: [name for name in real(of) if name.startswith(starts)])


def test_now_trend_verdict_and_who_holds_what(host: int) -> None:
    done = galvo(host)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    labels = [line[:10].strip() for line in lines]
    assert [label for label in labels if label and not label.startswith("-")][:8] == [
        "process", "level", "RSS", "limit", "waiting", "trend", "verdict", "gc",
    ]  # fmt: skip
    assert lines[0].startswith(f"process   {host}, up ")
    assert "normal for" in done.stdout
    assert "no leak. It is too early to tell" in done.stdout
    [shelf] = [line for line in lines if line.startswith("shelf")]
    assert shelf.split() == ["shelf", "3.0", "MiB", "1,234", "entries"]
    assert any(line.startswith("budget") and "admitted" in line for line in lines)
    assert not any(line.startswith("broken") for line in lines)


def test_json(host: int) -> None:
    done = galvo(host, "--json")
    told = json.loads(done.stdout)
    assert told["process"]["pid"] == told["state"]["pid"] == host
    assert told["rss"] == told["state"]["rss"] > 1 << 20
    assert told["bounds"][0]["limit"] > told["rss"]


def test_without_a_pid_it_is_found(host: int, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, host)
    assert json.loads(galvo("--json").stdout)["process"]["pid"] == host


def test_several_are_listed(host: int, other: int, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, host, other)
    lines = galvo().stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["PID", *map(str, sorted([host, other]))]
    assert max(map(len, lines)) <= 80
    done = galvo("--watch")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert f"several processes can be asked: say --pid, one of {min(host, other)}: " in done.stderr
    monkeypatch.setattr("galvo_local.choosing.here", lambda pid: pid == other)
    assert json.loads(galvo("--json").stdout)["process"]["pid"] == other
    assert json.loads(galvo("--json", "--pid", host).stdout)["process"]["pid"] == host


def test_none_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch)
    done = galvo()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "galvo: no process with a memory plugin can be asked here: name a PID, which needs none\n"


def test_watch(host: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "EVERY", 3)
    done = galvo(host, "--watch", "--every", 0.1, "--count", 5)
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert [line.startswith("    time") for line in lines].count(True) == 2, "the head comes again"
    assert max(map(len, lines)) <= 80
    assert all("normal" in line and "no leak" in line for line in lines[1:4])
    assert lines[-1].startswith("trend ")


def test_watch_ends_with_the_process() -> None:
    with running(sys.executable, "-c", SLEEPS) as pid:
        watch = subprocess.Popen(
            [GALVO, "memory", str(pid), "--watch", "--every", "0.1"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert watch.stdout is not None
        watch.stdout.readline(), watch.stdout.readline()
    _, said = watch.communicate(timeout=60)
    assert watch.returncode == 1
    assert len(said.splitlines()) == 1
    assert f"process {pid}" in said


@pytest.mark.parametrize("answers", [True, False])
def test_ctrl_c_is_how_watching_ends(host: int, answers: bool) -> None:
    with running(sys.executable, "-c", SLEEPS) as stranger:
        watch = subprocess.Popen(
            [GALVO, "memory", str(host if answers else stranger), "--watch", "--every", "0.1"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert watch.stdout is not None
        for _ in range(3):
            watch.stdout.readline()
        watch.send_signal(signal.SIGINT)
        told, said = watch.communicate(timeout=60)
        assert (watch.returncode, said) == (0, "")
        assert told.splitlines()[-1].startswith("trend ")


def test_critical_is_an_exit_code() -> None:
    with program(60, limit="150MiB", levels=[0.3, 0.4, 0.5], gap=0.2, interval=0.05) as pid:
        done = galvo(pid)
        while "freed" not in done.stdout:  # that it is short is told before anything is freed
            done = galvo(pid)
    assert done.returncode == 3
    assert "critical for" in done.stdout
    assert "[memory] limit" in done.stdout


def test_any_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """By /proc alone, and why there is no more."""
    monkeypatch.setattr(look, "PAUSE", 0.02)
    code = "kept = b'x' * (50 << 20); " + SLEEPS
    with running(sys.executable, "-c", code, "\x1b[31mred") as pid:
        done = galvo(pid)
        assert (done.returncode, done.stderr) == (0, "")
        assert max(map(len, done.stdout.splitlines())) <= 80
        assert "by the default thresholds" in done.stdout
        assert f"process {pid} does not tell of itself: it runs no memory plugin" in done.stdout
        assert "trend " in done.stdout
        assert "\x1b" not in done.stdout
        assert "?[31mred" in done.stdout
        told = json.loads(galvo(pid, "--json").stdout)
        assert told["rss"] > 50 << 20
        assert told["process"]["anonymous"] > 50 << 20
        assert (told["state"], len(told["trend"]) > 1) == (None, True)
        done = galvo(pid, "--trace", 1)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_a_trace_names_the_line() -> None:
    source = (Path(__file__).parent / "program.py").read_text().splitlines()
    line = next(number for number, text in enumerate(source, 1) if "# the leaking line" in text)
    with program(0, "leak") as pid:
        done = galvo(pid, "--trace", 0.5, "--types")
        assert (done.returncode, done.stderr) == (0, "")
        said = done.stdout.replace("\n  ", " ").splitlines()
        assert max(map(len, done.stdout.splitlines())) <= 80 or "/" in done.stdout
        assert re.search(rf"asking/program\.py:{line} keeps", said[0]), said
        assert any("more objects of type" in sentence and "list" in sentence for sentence in said), said
        again = galvo(pid, "--trace", 1)
        assert (again.returncode, len(again.stderr.splitlines())) == (1, 1)
        assert "the last window was just now" in again.stderr
        assert json.loads(galvo(pid, "--json").stdout)["state"]["pid"] == pid


def test_no_such_process() -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # nobody has asked how it ended: it is still there
    done = galvo(ended.pid)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"galvo: process {ended.pid} has ended\n")
    ended.wait()
    done = galvo(ended.pid)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"galvo: no process {ended.pid} that can be looked at: /proc/{ended.pid}/")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "args", [["abc"], ["-1"], ["0"], ["1", "2"], ["--every", "0"], ["--count", "x"], ["--trace", "-3"]]
)
def test_wrong_usage(args: list[str]) -> None:
    assert galvo(*args).returncode == 2


def test_what_others_say_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    cli._print(["\x1b[2J\x07 cleared"])
    assert capsys.readouterr().out == "?[2J? cleared\n"


def test_a_terminal_that_knows_few_characters() -> None:
    with running(sys.executable, "-c", SLEEPS) as stranger:
        environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
        done = subprocess.run([GALVO, "memory", str(stranger)], capture_output=True, env=environment)
        assert (done.returncode, done.stderr) == (0, b"")
        assert b"trend " in done.stdout
        done.stdout.decode("ascii")


def test_a_process_that_is_stuck(other: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "PATIENCE", 0.3)
    os.kill(other, signal.SIGSTOP)
    try:
        with pytest.raises(NoAnswer, match=f"process {other} has not answered for 0.3 s: its event loop is busy"):
            ask(other)
    finally:
        os.kill(other, signal.SIGCONT)


def test_others_names_are_not_believed() -> None:
    """Any user may take a name that another process's would be; the answer would be his."""
    with running(sys.executable, "-c", SLEEPS) as victim, socket.socket(socket.AF_UNIX) as imposter:
        imposter.bind(f"\0{PREFIX}{victim}-00000000")
        imposter.listen()
        with pytest.raises(NoAnswer, match="does not tell of itself"):
            ask(victim)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_other_users_are_refused(host: int) -> None:
    code = f"import os; from galvo_memory.asking.asking import ask; os.setuid(65534); ask({host})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/")
    assert done.returncode == 1
    assert "it answers its own user and root" in done.stderr


def test_the_word_of_another_user_is_called_that(host: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("galvo_local.owners", lambda name: {host: 65534})
    monkeypatch.setattr("galvo_local.called", lambda user: "nobody")
    assert "this is what a process of user nobody says" in galvo(host).stdout


@pytest.mark.parametrize("junk", [b"", b"\xff\xfe", b"{}garbage", b'{"trace": "x"}', b"x" * 100_000])
def test_bad_questions_do_no_harm(host: int, junk: bytes) -> None:
    [name] = [name for name in asking.names(NAME) if name.startswith(f"{PREFIX}{host}-")]
    for _ in range(10):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(f"\0{name}")
            with suppress(OSError):
                connection.sendall(junk)
    deadline = time.monotonic() + 20
    while True:
        try:
            assert ask(host).pid == host
            return
        except NoAnswer:  # a few at a time
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_sparks() -> None:
    assert sparks([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█"
    assert sparks([5, 5, 5]) == "▁▁▁"
    assert len(sparks(list(range(1000)))) == 40


def test_what_is_shown_fits_the_width() -> None:
    from galvo_memory.asking.look import Look
    from galvo_memory.asking.process import Process
    from galvo_memory.asking.state import Holder, Leak, Relieved, State
    from galvo_memory.signals import Bound

    long = "word " * 60
    bounds = [Bound(f"/sys/fs/cgroup/{'x' * 70}", 1 << 60, 1 << 59), Bound("machine", 1, 2)]
    process = Process(1 << 30, long, 1e9, 1, 1 << 50, 1 << 50, 1 << 50, 1 << 50, 1 << 50)
    trend = [(float(60 * minute), 1 << 50) for minute in range(240, 0, -1)]
    state = State(
        pid=1, level="critical", since=1e9, rss=1 << 50, bounds=bounds, waiting=100.0, blocks=1, trend=trend,
        leak=Leak("fragmentation", 1e15, 0.99, long), found=[long], holders=[Holder(long, 1 << 50, long)],
        relieved=[Relieved(1e9, "critical", 1 << 50, long)], collector=long, problems=[long],
    )  # fmt: skip
    seen = Look(process, 1 << 50, bounds, 100.0, "critical", trend, state, "", [long])
    assert max(map(len, shown(seen))) <= 80
