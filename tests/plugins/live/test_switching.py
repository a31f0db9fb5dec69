"""`galvo enable`, `disable`, `reload`, `changes`, asked of this process."""

from __future__ import annotations

import asyncio
import json
import os
import re
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import anyio.lowlevel
import pytest
from anyio.from_thread import start_blocking_portal
from anyio.to_thread import run_sync

from galvo import Kernel, KernelClosed, Plugin, cli
from galvo_live import LivePlugin, kernels
from galvo_live.commands import asking, changes, switching
from galvo_live.questions import LOOKS, NAME
from galvo_local import ask, named, processes
from galvo_local.asking import names
from galvo_local.sockets import prefix
from tests.plugins.live.toys import Broken, Value, folder, write

pytestmark = pytest.mark.anyio
QUIET = "[pool]\non = false\n[live]\nsighup = false\n"
ME = os.getpid()


@asynccontextmanager
async def hosted(root: Path, settings: str = QUIET) -> AsyncIterator[Kernel]:
    async with Kernel.from_settings(folder(root, settings)) as kernel:
        yield kernel


def state(kernel: Kernel, name: str) -> str:
    return {info["name"]: info["state"] for info in kernel.plugins()}[name]


async def said(what: str, *words: str) -> int:
    return await run_sync(partial(switching.main, what, [*words, "--pid", str(ME)]))


async def listed(*words: str) -> int:
    return await run_sync(changes.main, ["--pid", str(ME), *words])


async def test_what_is_asked_for_is_done_logged_and_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    async with hosted(tmp_path) as kernel:
        assert await listed() == 0
        assert await said("disable", "value", "--why", "it is wrong since\nthe last release") == 0
        assert state(kernel, "value") == "stopped"
        assert await said("enable", "value") == 0
        write(tmp_path, f"{QUIET}[value]\nvalue = 3\n")
        assert await said("reload") == 0
        assert await kernel.fetchval("value") == 3
        assert await said("enable", "left") == 1
        told = capsys.readouterr()
        assert await listed() == 0
        table = capsys.readouterr().out
        assert await listed("--json") == 0
        data = json.loads(capsys.readouterr().out)
    done = ["nothing was changed since its start", "value has stopped", "value runs now", "changed: value"]
    assert told.out.splitlines() == [f"process {ME}: {line}" for line in done]
    assert told.err == "galvo: plugin 'left': requires 'right', which is not active\n"
    me = named(os.geteuid())
    assert [message for message in caplog.messages if "asked for by" in message] == [
        f"disable value, asked for by {me} (it is wrong since the last release): done: value",
        f"enable value, asked for by {me}: done: value",
        f"reload, asked for by {me}: done: value",
        f"enable left, asked for by {me}: refused: plugin 'left': requires 'right', which is not active",
    ]
    assert data["pid"] == ME
    assert [one["what"] for one in data["changes"]] == ["disable", "enable", "reload", "enable"]
    assert max(map(len, table.splitlines())) <= 80
    assert "disable value" in table
    assert "reload" in table
    assert "refused" in table


async def test_the_asker_of_a_reload_that_replaces_who_answers_gets_an_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with hosted(tmp_path) as kernel:
        for watch in ("0", "0.5", "0.25"):
            write(tmp_path, f"{QUIET}watch = {watch}\n")
            assert await said("reload") == 0
            assert ME in await run_sync(processes, NAME)
        write(tmp_path, f"{QUIET}on = false\n")
        assert await said("reload") == 0
        assert state(kernel, "live") == "listed"
        assert await said("reload") == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == [f"process {ME}: changed: live"] * 4
    assert told.err.startswith(f"galvo: process {ME} does not tell of itself: it runs no live plugin")


async def test_what_is_refused_is_one_sentence_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {
        ("disable", "live"): "plugin 'live': nobody could ask it to come back",
        ("enable", "nix"): "plugin 'nix': is not listed",
        ("enable", "broken"): "plugin 'broken': ValueError: a file of it is missing",
    }
    async with hosted(tmp_path) as kernel:
        before = kernel.plugins()[0]
        for words, sentence in asked.items():
            assert await said(*words) == 1
            told = capsys.readouterr().err
            assert told.count("\n") == 1
            assert sentence in told
        assert await said("enable", "nix", "--json") == 1
        assert json.loads(capsys.readouterr().out)["problem"].startswith("plugin 'nix': is not listed")
        assert kernel.plugins()[0] == before
        assert state(kernel, "live") == "active"
        assert [(change.what, change.name) for change in kernel.control.changes] == [*asked, ("enable", "nix")]
        assert all(change.problem for change in kernel.control.changes)


@pytest.mark.parametrize("question", [b"{", b"[]", b'{"do": "explode"}', b"null", b'"enable"', b"\xff", b'{"do": []}'])
async def test_what_is_no_question_is_not_answered(question: bytes, tmp_path: Path) -> None:
    async with hosted(tmp_path) as kernel:
        with pytest.raises(Exception, match="gave no answer"):
            await run_sync(ask, NAME, ME, question)
        assert not kernel.control.changes


async def test_a_long_reason_is_cut_and_not_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with hosted(tmp_path) as kernel:
        assert await said("reload", "--why", '"\\é\x1b' * 1000) == 0
        assert "\x1b" not in kernel.control.changes[0].why
        assert 50 < len(kernel.control.changes[0].why) <= switching.LONGEST


async def test_a_change_that_takes_long_is_told_to_be_under_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switching, "SECONDS", 0.2)
    async with hosted(tmp_path) as kernel:
        async with kernel.supervisor._lock:  # as another change would
            assert await said("disable", "value") == 1
            assert "`galvo changes` tells when it is done" in capsys.readouterr().err
            assert await listed() == 0
            assert "under way" in capsys.readouterr().out
        while kernel.control.pending:
            await anyio.lowlevel.checkpoint()
        assert state(kernel, "value") == "stopped"
        assert await listed() == 0
        assert "done: value" in capsys.readouterr().out


@asynccontextmanager
async def within(thread: bool, make: Callable[[], Kernel]) -> AsyncIterator[Kernel]:
    """A kernel in this event loop, or in that of another thread."""
    if thread:
        with start_blocking_portal() as portal, portal.wrap_async_context_manager(portal.call(make)) as kernel:
            yield kernel
    else:
        async with make() as kernel:
            yield kernel


@pytest.mark.parametrize("thread", [False, True], ids=["in one event loop", "in two threads"])
async def test_one_process_answers_for_all_its_kernels(thread: bool, capsys: pytest.CaptureFixture[str]) -> None:
    class Only(Plugin):
        name = "only"

    class Well(Plugin):
        name = "broken"

    live = {"sighup": False, "watch": 0}
    async with (
        Kernel.of({Broken: {"on": False}, Value: {}, LivePlugin: live}) as one,
        within(thread, lambda: Kernel.of({Only: {}, Value: {}, Well: {"on": False}, LivePlugin: live})) as other,
    ):
        assert await said("disable", "only") == 0
        assert capsys.readouterr().out == f"process {ME}: only has stopped\n"  # one was asked
        assert await said("disable", "value") == 0
        assert state(other, "only") == state(one, "value") == state(other, "value") == "stopped"
        first, second = told_apart(capsys.readouterr().out, "value has stopped", "value has stopped")
        assert await said("enable", "broken") == 1  # refused here, done there
        told = capsys.readouterr()
        assert told.err == f"galvo: process {ME}, {first}: plugin 'broken': ValueError: a file of it is missing\n"
        assert told.out == f"process {ME}, {second}: broken runs now\n"
        assert (state(one, "broken"), state(other, "broken")) == ("failed", "active")
        assert await said("enable", "nix") == 1
        capsys.readouterr()
        assert await said("reload", "--json") == 1
        refused = json.loads(capsys.readouterr().out)["kernels"]
        assert [each["kernel"] for each in refused] == [first, second]
        assert all("not made from settings" in each["problem"] for each in refused)
        assert await listed("--json") == 0
        changes = json.loads(capsys.readouterr().out)["changes"]
        assert await listed() == 0
        await see_apart(first, second, capsys)
    assert [change["name"] for change in changes] == ["only", *["value"] * 2, *["broken"] * 2, "nix", "", ""]
    assert changes[0]["kernel"] == second
    assert {change["kernel"] for change in changes[1:3]} == {first, second}


def told_apart(out: str, *results: str) -> list[str]:
    """The names of the kernels that tell so, in the order of their start."""
    found = [re.fullmatch(r"process \d+, (kernel \d+ \(thread .*\)): (.*)", line) for line in out.splitlines()]
    assert [match and match[2] for match in found] == [*results]
    return [match[1] for match in found if match]


async def see_apart(first: str, second: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    pid = ["--pid", str(ME)]
    assert await run_sync(cli.main, ["plugins", *pid, "--json"]) == 1
    told = [(info["name"], info["kernel"]) for info in json.loads(capsys.readouterr().out)]
    listed = [("broken", first), ("value", first), ("live", first)]
    assert told == [*listed, *((name, second) for name in ("only", "value", "broken", "live"))]
    assert await run_sync(cli.main, ["plugins", *pid]) == 1  # one has failed
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.startswith("kernel")] == [f"{first}:", f"{second}:"]
    assert out.index("live") < out.index(second) < out.index("only")
    assert await run_sync(cli.main, ["explain", "on_query", "--seconds", "0.01", *pid]) == 0
    heads = [line for line in capsys.readouterr().out.splitlines() if line.startswith("on_query")]
    assert [head.partition(f"process {ME}, ")[2] for head in heads] == [
        f"{kernel}, watched for 0.01 s" for kernel in (first, second)
    ]
    assert await run_sync(cli.main, ["explain", "select 1", *pid]) == 0
    assert [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()] == [first, second]


@pytest.mark.parametrize("closed", [False, True], ids=["stopped", "closed"])
async def test_a_kernel_whose_loop_ends_first_is_told_to_have_ended(closed: bool) -> None:
    loop, asked, begun = asyncio.new_event_loop(), asyncio.Event(), threading.Event()

    async def ends() -> None:
        begun.set()
        await asked.wait()

    async def ask() -> dict[str, Any]:
        asked.set()
        return await asyncio.Event().wait() and {}

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) if closed else nullcontext(loop) as runner:
            (runner.run if isinstance(runner, asyncio.Runner) else loop.run_until_complete)(ends())

    thread = threading.Thread(target=run)
    thread.start()
    assert await run_sync(begun.wait, 60)
    try:
        with pytest.raises(KernelClosed):
            await kernels.within(loop, ask())
    finally:
        await run_sync(thread.join)
        if not closed:
            await run_sync(asyncio.Runner(loop_factory=lambda: loop).close)


async def test_one_that_does_not_answer_does_not_keep_the_others_answers() -> None:
    async def answers() -> dict[str, Any]:
        return {"changed": []}

    asked = {"one": anyio.sleep_forever, "other": answers}
    assert await kernels.together(asked, 0.05) == {
        "kernels": [{"kernel": "one", "problem": kernels.LATE}, {"kernel": "other", "changed": []}]
    }


async def test_those_who_look_keep_nobody_from_a_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    look = json.dumps({"do": "explain", "what": "on_query", "seconds": 60}).encode()
    async with hosted(tmp_path) as kernel:
        (name,) = (one for one in names(NAME) if one.startswith(f"{prefix(NAME)}{ME}-"))
        looking = [await anyio.connect_unix(f"\0{name}") for _ in range(LOOKS)]
        for stream in looking:
            await stream.send(look)
        while len(kernel.supervisor.generations.observations) < LOOKS:
            await anyio.lowlevel.checkpoint()
        assert b"others look already" in await run_sync(ask, NAME, ME, look)
        assert await said("disable", "value") == 0
        for stream in looking:
            await stream.aclose()
        while kernel.supervisor.generations.observations:  # their looks end with them
            await anyio.lowlevel.checkpoint()


async def test_without_answer_nobody_answers(tmp_path: Path) -> None:
    async with hosted(tmp_path, f"{QUIET}answer = false\n"):
        assert ME not in await run_sync(processes, NAME)


async def test_the_states_of_what_runs_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("galvo_local.processes", lambda name: [ME])
    async with hosted(tmp_path) as kernel:
        monkeypatch.chdir(tmp_path)
        await kernel.disable("value")
        assert await run_sync(cli.main, ["plugins"]) == 0
        assert f"process {ME} runs in this folder: `galvo plugins --pid {ME}`" in capsys.readouterr().out
        assert await run_sync(cli.main, ["plugins", "--pid", str(ME), "--json"]) == 0
        assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(kernel.plugins()))
        assert await run_sync(cli.main, ["plugins", "--pid", str(ME)]) == 0
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert {line[0]: line[1] for line in lines if line and line[0] in ("value", "live", "pool")} == {
            "value": "stopped",
            "live": "active",
            "pool": "off",
        }
    assert await run_sync(cli.main, ["plugins", "--pid", "1"]) == 1
    assert capsys.readouterr().err.startswith("galvo: process 1 does not tell of itself")


async def test_the_one_in_another_folder_is_told_to_be_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "owners", lambda name: {ME: os.geteuid()})
    async with hosted(tmp_path):
        assert await run_sync(partial(switching.main, "disable", ["value"])) == 0
        monkeypatch.setattr(asking, "elsewhere", lambda pid: "/srv/shop")
        assert await run_sync(partial(switching.main, "enable", ["value"])) == 0
        monkeypatch.setattr(asking, "owners", lambda name: {ME: os.geteuid(), 1: 0})
        monkeypatch.setattr("galvo_local.choosing.here", lambda pid: False)
        assert await run_sync(partial(switching.main, "disable", ["value"])) == 1
    told = capsys.readouterr()
    assert told.out.splitlines() == [f"process {ME}: value has stopped", f"process {ME} in /srv/shop: value runs now"]
    assert f"say --pid, one of {ME}: " in told.err


def test_nobody_there_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert switching.main("disable", ["cache", "--pid", "1"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert changes.main(["--pid", "1"]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert switching.main("disable", []) == 2
    assert switching.main("reload", ["--pid", "x"]) == 2
    assert changes.main(["x"]) == 2


def test_times_are_of_today_or_days() -> None:
    assert len(changes.when(1e9, 1e9 + 10).split(":")) == 3
    assert ":" not in changes.when(1e9, 1e9 + 2 * changes.DAY)
