"""Judging, telling and remembering together."""

from __future__ import annotations

import errno
import logging
import os
import threading
from pathlib import Path

import anyio
import pytest

from galvo_monitor.alerts import Alerting, StateFile
from tests.plugins.monitor.alerts.stand import LOG, START, STEP, engine, numbers, rule

pytestmark = pytest.mark.anyio


def alerting(path: Path | None = None, *, shared: bool = False, **given: float) -> Alerting:
    return Alerting(engine(rule()), [], LOG, file=StateFile(path) if path else None, shared=shared, **given)


async def steps(judge: Alerting, *values: float, first: int = 0) -> str:
    source = numbers(*[0.0] * first, *values)
    seen = ""
    for number in range(first, first + len(values)):
        alerts = await judge.judge(START + number * STEP, source)
        seen += "".join(alert.state[0] for alert in alerts) or "-"
    return seen


async def test_a_restart(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    path = tmp_path / "made" / "alerts.json"
    first = alerting(path)
    assert await steps(first, 90, 90) == "ff"
    first._file.close()  # type: ignore[union-attr]
    assert path.stat().st_mode & 0o077 == 0
    second = alerting(path)
    assert await steps(second, 90, 5, first=2) == "fr"
    second._file.close()  # type: ignore[union-attr]
    assert [message.partition(":")[0] for message in caplog.messages] == ["warning", "resolved"]
    assert "after 3 min" in caplog.messages[1]


async def test_a_full_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last good state stays, no rubbish is left, it is said once, and later it is written after all."""
    path = tmp_path / "alerts.json"
    judge = alerting(path)
    await steps(judge, 90)
    good = path.read_bytes()
    with monkeypatch.context() as full:

        def no_space(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        full.setattr(os, "fsync", no_space)
        assert await steps(judge, 5, 5, first=1) == "rr"
    assert path.read_bytes() == good
    assert sorted(os.listdir(tmp_path)) == ["alerts.json", "alerts.json.lock"]
    assert [message for message in caplog.messages if "No space left" in message] == [
        f"alerts: {path} cannot be written, so a restart would forget newer alerts: No space left on device"
    ]
    await steps(judge, 5, first=3)
    assert path.read_bytes() != good
    judge._file.close()  # type: ignore[union-attr]


async def test_a_disk_that_hangs(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alerts go on, nothing is written by two at once, it is said once, and later it is written after all."""
    go, began = threading.Event(), threading.Event()

    def hanging(_: int) -> None:
        began.set()
        go.wait(20)

    monkeypatch.setattr(os, "fsync", hanging)
    path = tmp_path / "alerts.json"
    judge = alerting(path, deadline=0.05)
    assert await steps(judge, 90, 5, 90) == "frf"
    assert began.is_set()
    assert not go.is_set()
    assert not path.exists()
    assert len([message for message in caplog.messages if "does not answer" in message]) == 1
    go.set()
    await judge._apart.ended()
    await steps(judge, 5, first=3)
    assert b"resolved" in path.read_bytes()
    judge._file.close()  # type: ignore[union-attr]


async def test_it_ends_while_a_disk_hangs_and_leaves_the_file_to_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()
    path = tmp_path / "alerts.json"
    first, second = alerting(path, deadline=0.05), alerting(path)
    with monkeypatch.context() as hangs:
        hangs.setattr(os, "fsync", lambda _: go.wait(20))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(first.run)
            await steps(first, 90)
            tasks.cancel_scope.cancel()
    assert not go.is_set()
    await steps(second, 90, 5)
    written = path.read_bytes()
    go.set()
    await first._apart.ended()
    assert path.read_bytes() == written
    assert b"resolved" in written
    second._file.close()  # type: ignore[union-attr]


@pytest.mark.parametrize("shared", [False, True])
async def test_no_place_for_a_file(caplog: pytest.LogCaptureFixture, shared: bool) -> None:
    """It is said once, and what it means is not said wrongly; alerts are told even if others tell them, too."""
    judge = alerting(Path("/proc/nowhere/alerts.json"), shared=shared)
    assert await steps(judge, 90, 90, 90, 90) == "ffff"
    assert [message.partition(":")[0] for message in caplog.messages] == ["alerts", "warning"]
    assert "cannot keep the state" in caplog.messages[0]


async def test_a_place_for_a_file_that_comes_later(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What was told meanwhile is not told again."""
    (tmp_path / "made").write_text("no folder")
    judge, other = (alerting(tmp_path / "made" / "alerts.json", shared=True) for _ in range(2))
    await steps(judge, 90)
    (tmp_path / "made").unlink()
    await steps(judge, 90, 90, first=1)
    assert await steps(other, 90) == "f"
    assert [message.partition(":")[0] for message in caplog.messages] == ["alerts", "warning"]
    judge._file.close()  # type: ignore[union-attr]


@pytest.mark.parametrize("rubbish", [b"", b"\0" * 100, b"[" * 100_000, b" " * (5 << 20)])
async def test_a_file_that_is_none(tmp_path: Path, caplog: pytest.LogCaptureFixture, rubbish: bytes) -> None:
    path = tmp_path / "alerts.json"
    path.write_bytes(rubbish)
    judge = alerting(path)
    assert await steps(judge, 90, 5) == "fr"
    judge._file.close()  # type: ignore[union-attr]
    assert "begin anew" in caplog.text or "begun anew" in caplog.text
    assert path.read_bytes().startswith(b'{"at":')


async def test_two_processes_with_the_same_numbers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One of them tells; the other knows, and goes on where it ends."""
    path = tmp_path / "alerts.json"
    first, second = alerting(path, shared=True), alerting(path, shared=True)
    assert await steps(first, 90) == await steps(second, 90) == "f"
    assert len(caplog.messages) == 1
    first._file.close()  # type: ignore[union-attr]
    assert await steps(second, 90, first=1) == "f"
    assert len(caplog.messages) == 1
    second._file.close()  # type: ignore[union-attr]


async def test_two_processes_with_their_own_numbers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first, second = alerting(tmp_path / "a"), alerting(tmp_path / "a")
    await steps(first, 90)
    await steps(second, 90, 90, 90, 90)
    assert len([message for message in caplog.messages if message.startswith("warning: High")]) == 2
    assert len([message for message in caplog.messages if "belongs to another process" in message]) == 1
    first._file.close()  # type: ignore[union-attr]


async def test_settings_loaded_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is forgotten, told twice or complained about; the file changes hands."""
    caplog.set_level(logging.INFO)
    first, second = alerting(tmp_path / "a"), alerting(tmp_path / "a")
    await steps(first, 90)
    second.inherit(first)
    assert await steps(second, 90, first=1) == "f"
    first._file.close()  # type: ignore[union-attr]
    assert await steps(second, 90, 5, first=2) == "fr"
    assert [message.partition(":")[0] for message in caplog.messages] == ["warning", "resolved"]
    assert b"resolved" in (tmp_path / "a").read_bytes()
    second._file.close()  # type: ignore[union-attr]
