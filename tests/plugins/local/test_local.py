"""Questions to this process, on both event loops; names that others took; users that may not ask."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import anyio
import pytest
from anyio.to_thread import run_sync

from galvo_local import (
    Answering,
    Ended,
    NoAnswer,
    answering,
    ask,
    asking,
    called,
    elsewhere,
    near,
    only,
    owners,
    processes,
)
from galvo_local.choosing import LONGEST
from galvo_local.sockets import LARGEST_ANSWER, LARGEST_QUESTION, prefix

pytestmark = pytest.mark.anyio
NAME = f"test{os.getpid()}"
Answer = Callable[[bytes], Awaitable[bytes | None]]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def echo(question: bytes) -> bytes | None:
    return None if question == b"no question" else b"you said " + question


@asynccontextmanager
async def answered(answer: Answer = echo) -> AsyncIterator[list[Exception]]:
    faults: list[Exception] = []

    @contextmanager
    def part(what: str) -> Iterator[None]:
        assert what == f"answering `galvo {NAME}`"
        try:
            yield
        except Exception as error:
            faults.append(error)

    async with anyio.create_task_group() as tasks:
        end = Answering(NAME, answer, part)
        tasks.start_soon(end.run)
        await end.ready.wait()
        yield faults
        tasks.cancel_scope.cancel()


async def asked(question: bytes = b"hello", pid: int | None = None) -> bytes:
    return await run_sync(ask, NAME, pid or os.getpid(), question)


async def test_one_question_one_answer() -> None:
    async with answered() as faults:
        assert await run_sync(processes, NAME) == [os.getpid()]
        assert await asked() == b"you said hello"
        assert await asked(b"again") == b"you said again"
    assert faults == []
    assert processes(NAME) == []


async def test_a_long_answer_comes_whole() -> None:
    async def answer(question: bytes) -> bytes:
        return b"x" * LARGEST_ANSWER

    async with answered(answer):
        assert len(await asked()) == LARGEST_ANSWER


async def test_what_is_no_question_gets_no_answer() -> None:
    async with answered() as faults:
        with pytest.raises(NoAnswer, match=f"process {os.getpid()} gave no answer"):
            await asked(b"no question")
        assert await asked() == b"you said hello"
    assert faults == []


async def test_a_question_is_cut_at_its_largest() -> None:
    async with answered():
        assert len(await asked(b"x" * LARGEST_QUESTION)) == len("you said ") + LARGEST_QUESTION


async def test_a_fault_is_told_and_survived() -> None:
    async def answer(question: bytes) -> bytes:
        raise ValueError("broken")

    async with answered(answer) as faults:
        with pytest.raises(NoAnswer):
            await asked()
        assert [str(error) for error in faults] == ["broken"]
        with pytest.raises(NoAnswer):
            await asked()


async def test_whoever_says_nothing_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take all the places until then."""
    monkeypatch.setattr(answering, "PATIENCE", 0.2)
    async with answered():
        silent = [await anyio.connect_unix("\0" + asking.names(NAME)[0]) for _ in range(answering.AT_ONCE)]
        for stream in silent:
            with pytest.raises(anyio.EndOfStream):
                await stream.receive()
            await stream.aclose()
        assert await asked() == b"you said hello"


async def test_nobody_goes_on_for_one_who_is_gone() -> None:
    inside, ended = anyio.Event(), anyio.Event()

    async def answer(question: bytes) -> bytes:
        inside.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    async with answered(answer) as faults:
        stream = await anyio.connect_unix("\0" + asking.names(NAME)[0])
        await stream.send(b"hello")
        await inside.wait()
        await stream.aclose()
        with anyio.fail_after(30):
            await ended.wait()
    assert faults == []


async def test_a_few_at_a_time() -> None:
    release, inside = anyio.Event(), anyio.Semaphore(0)

    async def answer(question: bytes) -> bytes:
        inside.release()
        await release.wait()
        return b"at last"

    async with answered(answer), anyio.create_task_group() as tasks:
        got: list[bytes] = []

        async def one() -> None:
            got.append(await asked())

        for _ in range(answering.AT_ONCE):
            tasks.start_soon(one)
        for _ in range(answering.AT_ONCE):
            await inside.acquire()
        with pytest.raises(NoAnswer, match="a few at a time"):
            await asked()
        release.set()
    assert got == [b"at last"] * answering.AT_ONCE


async def test_a_busy_process(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(question: bytes) -> bytes:
        await anyio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr(asking, "PATIENCE", 0.2)
    async with answered(answer):
        with pytest.raises(NoAnswer, match=r"has not answered for 0\.2 s: its event loop is busy"):
            await asked()


async def test_nobody_is_there() -> None:
    with pytest.raises(NoAnswer, match=f"runs no {NAME} plugin, has `answer = false` under .{NAME}., or is in another"):
        await asked()
    async with await anyio.open_process(["true"]) as ended:
        await ended.wait()
    with pytest.raises(Ended, match=f"there is no process {ended.pid}"):
        await asked(pid=ended.pid)


async def test_names_are_not_believed() -> None:
    """Any user may take a name that another process's would be; the answer would be his."""
    with socket.socket(socket.AF_UNIX) as imposter:
        imposter.bind(f"\0{prefix(NAME)}{os.getppid()}-00000000")
        imposter.listen()
        with pytest.raises(NoAnswer, match="does not tell of itself"):
            await asked(pid=os.getppid())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
async def test_other_users_are_refused() -> None:
    code = f"import os; from galvo_local import ask; os.setuid(65534); ask({NAME!r}, {os.getpid()}, b'hello')"
    async with answered():
        done = await anyio.run_process([sys.executable, "-c", code], check=False, stderr=subprocess.PIPE, cwd="/")
    assert done.returncode == 1
    assert b"it answers its own user and root" in done.stderr


async def test_another_users_word_is_for_root_only(monkeypatch: pytest.MonkeyPatch) -> None:
    own = os.geteuid()
    async with answered():
        monkeypatch.setattr(asking, "peer", lambda connection: (os.getpid(), own + 1))
        for caller, heard in ((0, True), (own + 1, True), (own + 2, False)):
            monkeypatch.setattr(os, "geteuid", lambda caller=caller: caller)
            assert await run_sync(owners, NAME) == ({os.getpid(): own + 1} if heard else {})
            assert await run_sync(processes, NAME) == ([os.getpid()] if heard else [])
        with pytest.raises(NoAnswer, match="is another user's: ask as that user, or as root"):
            await asked()


def test_whose_it_is() -> None:
    assert called(os.geteuid()) == ""
    assert called(2**31 - 7) == str(2**31 - 7)


@contextmanager
def crowded(name: str) -> Iterator[None]:
    """A socket of this process's that takes no more connections, since its loop is stuck."""
    with socket.socket(socket.AF_UNIX) as stuck, socket.socket(socket.AF_UNIX) as waiting:
        stuck.bind(f"\0{name}")
        stuck.listen(0)
        waiting.connect(f"\0{name}")
        yield


def test_one_that_is_stuck_is_not_left_out() -> None:
    with crowded(f"{prefix(NAME)}{os.getpid()}-00000000"):
        assert owners(NAME) == {os.getpid(): os.geteuid()}
        with pytest.raises(NoAnswer, match="its event loop is busy"):
            ask(NAME, os.getpid(), b"hello")


def test_nobody_is_called_stuck_by_others() -> None:
    with crowded(f"{prefix(NAME)}{os.getppid()}-00000000"):
        assert owners(NAME) == {}
        with pytest.raises(NoAnswer, match="does not tell of itself"):
            ask(NAME, os.getppid(), b"hello")


@contextmanager
def working(*folders: Path) -> Iterator[list[int]]:
    """A process in each of them."""
    command = [sys.executable, "-S", "-c", "print(flush=True); input()", "\x1b[2J", "x" * LONGEST]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder) for folder in folders
    ]
    try:
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()  # its command line can be seen
        yield [process.pid for process in started]
    finally:
        for process in started:
            process.communicate(b"\n")


def test_of_several_the_one_in_this_folder_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    mine.mkdir()
    theirs.mkdir()
    with working(mine, theirs, theirs) as (one, *others):
        found = {pid: "nobody" if pid == others[1] else "" for pid in (*others, one)}
        monkeypatch.chdir(mine)
        assert (near(found), only(found)) == ([one], one)
        assert near(others) == others, "none is here"
        assert (elsewhere(one), elsewhere(others[0])) == ("", str(theirs))
        monkeypatch.chdir(theirs)
        assert near(found) == others
        with pytest.raises(NoAnswer) as refused:
            only(found)
        command = f"{Path(sys.executable).name} -S -c print(flush=True); input() ?[2J {'x' * LONGEST}"[:LONGEST] + "..."
        told = f"one of {others[0]}: {command} in {theirs}; {others[1]} (user nobody): {command} in {theirs}"
        assert str(refused.value) == f"several processes can be asked: say --pid, {told}"
        assert only({others[0]: ""}) == others[0]
    with pytest.raises(NoAnswer, match="no process can be asked here"):
        only({})
    assert near(others) == others, "they have ended"
