"""The application's worker: started in a folder that is not there yet, and told of when it cannot be."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from galvo_engraving.serving import hand
from tests.plugins.cache.coherence.own_redis import OwnRedis

pytestmark = pytest.mark.anyio


async def test_it_is_there_and_gone_with_the_block(
    tmp_path: Path, own_redis: OwnRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GALVO_TASKS__BROKER", own_redis.url)
    monkeypatch.setenv("GALVO_TASKS__KERNEL", "false")
    log = tmp_path / "new" / hand.LOG
    async with asyncio.timeout(90), hand.kept_running(tmp_path / "new"):
        while not log.exists() or "ready." not in log.read_text():  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.05)
    assert "waits for the tasks that run" in log.read_text()


async def test_one_that_cannot_start_is_told_of_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / hand.LOG).mkdir()
    one = hand.Hand(tmp_path / hand.LOG)
    keeping = asyncio.create_task(one.keep())
    while not (told := capsys.readouterr().err):  # noqa: ASYNC110  # what it says
        await asyncio.sleep(0.01)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    assert told.startswith("galvo: the worker cannot be started, which is tried again: ")
    assert told.count("\n") == 1


def test_another_application_in_the_same_folder_leaves_the_log_to_the_first(tmp_path: Path) -> None:
    log = tmp_path / hand.LOG
    log.write_text("the last time")
    with hand.begun(log):
        assert log.read_text() == ""
        log.write_text("the first")
        with hand.begun(log):
            assert log.read_text() == "the first"
    with hand.begun(log):
        assert log.read_text() == ""
