"""However a run ends, what is known is kept, and nothing is left behind. Real processes, real signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from galvo_bench.results.store import LAST, load
from tests import forking
from tests.conftest import until_released
from tests.forking import Fork, shared
from tests.plugins.bench.running.planted import WAITING

PLANTED = Path(__file__).with_name("planted.py")


@contextmanager
def bench(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """In a session of its own, as from a terminal; it waits for no other bench."""
    (folder / "tmp").mkdir(exist_ok=True)
    (folder / "tmp").chmod(0o711)
    process = Fork(
        shared(),
        forking.SCRIPT,
        [str(PLANTED), *arguments],
        cwd=folder,
        env=os.environ | {"TMPDIR": str(folder / "tmp"), "PYTHONPATH": os.getcwd()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def waiting(process: subprocess.Popen[str]) -> psutil.Process:
    """The child of a subject that waits."""
    return psutil.Process(int(heard(process, WAITING).split()[-1]))


def heard(process: subprocess.Popen[str], words: str) -> str:
    """The line in which it says so."""
    assert process.stderr is not None
    told = []
    for line in process.stderr:
        told.append(line)
        if words in line:
            return line
    raise AssertionError("".join(told))


@pytest.mark.parametrize("subject, number", [
    ("slow", signal.SIGINT), ("stubborn", signal.SIGTERM), ("slow", signal.SIGHUP),
])  # fmt: skip
def test_an_interrupted_run(folder: Path, subject: str, number: signal.Signals) -> None:
    """What was measured before is reported as partial; neither a child nor a server is left."""
    words = ("quick", subject, "wrong", "--json", "--save", "kept.json", "--markdown", "kept.md", "--html", "kept.html")
    with bench(folder, *words) as process:
        child = waiting(process)
        os.killpg(process.pid, number)
        out, err = process.communicate()
    assert process.returncode == 130
    assert "interrupted: 1 of 3 are measured" in err
    assert f"interrupted {subject} in" in err
    assert f"measured {subject} in" not in err
    assert "Traceback" not in err
    run = load(folder / "kept.json")
    assert run == load(folder / LAST)
    assert (run.partial, run.done, run.chosen) == (True, ["quick"], ["quick", subject, "wrong"])
    assert [section.title for section in run.sections] == ["Counted"]
    assert run.problems == []
    assert json.loads(out)["partial"] is True
    for report in ("kept.md", "kept.html"):
        assert "partial" in (folder / report).read_text().lower()
    assert not child.is_running()
    until_released(folder)


def test_a_second_time_ends_at_once(folder: Path) -> None:
    """Even a subject that holds the event loop."""
    with bench(folder, "quick", "stuck", "--save", "kept.json") as process:
        child = waiting(process)
        process.send_signal(signal.SIGINT)
        heard(process, "once more")
        assert child.is_running()
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == 130
    assert load(folder / "kept.json").done == ["quick"]
    assert not child.is_running()


def test_a_killed_run(folder: Path) -> None:
    """It can say nothing, but what it had measured is there, and its servers end."""
    with bench(folder, "quick", "held") as process:
        child = waiting(process)
        process.kill()
        process.communicate()
    run = load(folder / LAST)
    assert (run.partial, run.done) == (True, ["quick"])
    assert [path.name for path in (folder / LAST).parent.iterdir() if path.is_file()] == ["last.json"]
    psutil.wait_procs([child])
    until_released(folder)
