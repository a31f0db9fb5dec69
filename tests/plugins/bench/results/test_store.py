"""Runs as files: what was written is read, and a broken file is a clear sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from galvo import GalvoError
from galvo_bench.method.rounds import Result
from galvo_bench.results import store
from galvo_bench.results.machine import machine
from galvo_bench.results.model import Missing, Plot, Problem, Run, Section, Values


def a_run(done: list[str]) -> Run:
    rows: list[Result | Values | Missing] = [
        Result("plain", 0.1, 1, 1, 1),
        Values("counted", {"queries": 3}),
        Missing("cashews", "not installed"),
    ]
    plot = Plot("memory", "s", "MiB", {"galvo": [(0, 1), (1, 2.5)]})
    section = Section("hit", "A hit", "What is measured.", rows, exact=True, plots=[plot])
    return Run(
        command="galvo bench hit l2",
        began="2026-01-01T00:00:00+00:00",
        machine=machine(),
        rounds=3,
        chosen=["hit", "l2"],
        done=done,
        sections=[section],
        problems=[Problem("l2", "OSError: secret <b>")],
    )


@pytest.mark.parametrize("done", [["hit"], ["hit", "l2"]])
def test_a_run_comes_back_as_it_was(tmp_path: Path, done: list[str]) -> None:
    run, path = a_run(done), tmp_path / "deep" / "run.json"
    store.save(path, run)
    assert store.load(path) == run
    assert json.loads(path.read_text())["partial"] is (done == ["hit"])
    assert [entry.name for entry in path.parent.iterdir()] == ["run.json"]


def test_a_link_goes_on_being_one(tmp_path: Path) -> None:
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    link.symlink_to(real)
    store.write_text(link, "{}")
    assert link.is_symlink()
    assert real.read_text() == "{}"


@pytest.mark.parametrize("text", [b"", b"{}", b'{"command": 3}', b"\xff\xfe", b"[1, 2"])
def test_something_else_is_not_a_run(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(text)
    with pytest.raises(GalvoError, match=r"run\.json is not a run"):
        store.load(path)


def test_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(GalvoError, match=r"nowhere\.json: run `galvo bench` first") as raised:
        store.load(tmp_path / "nowhere.json")
    assert "No such file" in str(raised.value)


@pytest.mark.parametrize("name", ["file/run.json", "folder"])
def test_what_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for write in (store.must_be_writable, lambda path: store.write_text(path, "x")):
        with pytest.raises(GalvoError, match=f"cannot write .*{name}: .* directory"):
            write(tmp_path / name)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["file", "folder"]


def test_asking_changes_nothing(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text("kept")
    store.must_be_writable(old)
    store.must_be_writable(new)
    assert old.read_text() == "kept"
    assert not new.exists()
