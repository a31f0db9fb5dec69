"""`galvo enable`, `disable`, `reload`, asked of this process."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from functools import partial

import anyio
import pytest
from anyio.to_thread import run_sync

from galvo_local import ask, switching, toggling

pytestmark = pytest.mark.anyio


class Board:
    def __init__(self) -> None:
        self.done: list[str] = []

    async def enable(self, name: str) -> None:
        if name == "nix":
            raise ValueError("nix is not listed")
        self.done.append(f"enable {name}")

    async def disable(self, name: str) -> None:
        self.done.append(f"disable {name}")

    async def reload(self) -> list[str]:
        self.done.append("reload")
        return ["cache", "pool"]


@asynccontextmanager
async def hosted() -> AsyncIterator[Board]:
    board = Board()
    async with anyio.create_task_group() as tasks:
        end = toggling.toggled(board, logging.getLogger("host"), lambda what: nullcontext())
        tasks.start_soon(end.run)
        await end.ready.wait()
        yield board
        tasks.cancel_scope.cancel()


async def said(what: str, *words: str) -> int:
    return await run_sync(partial(switching.main, what, [*words, "--pid", str(os.getpid())]))


async def test_what_is_asked_for_is_done_and_logged_with_who_asked(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    me = os.getpid()
    async with hosted() as board:
        for what, *words in (("enable", "cache"), ("disable", "pool"), ("reload",)):
            assert await said(what, *words) == 0
    assert board.done == ["enable cache", "disable pool", "reload"]
    out = [f"cache {switching.DONE['enable']}", f"pool {switching.DONE['disable']}", "changed: cache, pool"]
    assert capsys.readouterr().out.splitlines() == [f"process {me}: {line}" for line in out]
    who = f"asked for by process {me} of the same user: done"
    assert caplog.messages == [f"enable cache, {who}", f"disable pool, {who}", f"reload cache, pool, {who}"]


async def test_what_is_refused_is_one_sentence_and_the_host_goes_on(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with hosted() as board:
        assert await said("enable", "nix") == 1
        assert await said("enable", "nix", "--json") == 1
        assert await said("enable", "cache") == 0
    told = capsys.readouterr()
    assert told.err == "galvo: nix is not listed\n"
    assert json.loads(told.out.splitlines()[0]) == {"pid": os.getpid(), "problem": "nix is not listed"}
    assert board.done == ["enable cache"]
    assert "refused: nix is not listed" in caplog.messages[0]


@pytest.mark.parametrize("question", [b"{", b"[]", b'{"do": "explode"}', b"null", b'"enable"', b"\xff"])
async def test_what_is_no_question_is_not_answered(question: bytes) -> None:
    async with hosted() as board:
        with pytest.raises(Exception, match="gave no answer"):
            await run_sync(ask, toggling.NAME, os.getpid(), question)
    assert board.done == []


def test_nobody_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert switching.main("disable", ["cache", "--pid", "1"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert switching.main("disable", []) == 2
    assert switching.main("reload", ["--pid", "x"]) == 2
