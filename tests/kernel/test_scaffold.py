"""`galvo new`: a whole plugin or nothing, under a name that can be one, clean with any hooks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import pytest

from galvo import GalvoError
from galvo.cli import main
from galvo.hookspecs import KINDS
from galvo.scaffold.naming import LONGEST, hooks_named, named
from galvo.scaffold.rendering import rendered
from galvo.scaffold.writing import written
from tests.thorough import THOROUGH

CHOICES = [hooks for count in range(1, 5) for hooks in combinations(KINDS, count)]
PROGRAMS = Path(sys.executable).parent


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "arguments, parts",
    [
        (["Query Log"], ["'Query Log'", "a-z, 0-9 and single _"]),
        (["../up"], ["'../up'", "a-z, 0-9 and single _"]),
        (["kernel"], ["'kernel'"]),
        (["class"], ["'class'", "a word of Python's"]),
        (["plugin"], ["'plugin'", "galvo's own"]),
        (["testimonial"], ["'testimonial'", "pytest"]),
        (["a" * (LONGEST + 1)], [f"at most {LONGEST} characters"]),
        (["cache"], ["'cache' is taken by galvo-cache, which is installed"]),
        (["sql"], ["'sql' is taken by galvo-sql, which is installed"]),
        (["mine", "--hook", "on_qury"], ["no hook 'on_qury'", "did you mean 'on_query'?"]),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(
    arguments: list[str], parts: list[str], here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("galvo: ")
    assert all(part in said.err for part in parts)
    assert not list(here.iterdir())


def test_a_folder_that_somebody_uses_is_left_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "galvo-mine").mkdir()
    (here / "galvo-mine" / "notes").write_text("mine")
    (here / "file").touch()
    for folder, part in (("galvo-mine", "not empty"), ("file", "not empty"), ("no/where", "there is no folder no")):
        assert main(["new", "mine", "--folder", folder]) == 1
        said = capsys.readouterr().err
        assert part in said
        assert said.count("\n") == 1
    assert [path.name for path in (here / "galvo-mine").iterdir()] == ["notes"]
    assert sorted(path.name for path in here.iterdir()) == ["file", "galvo-mine"]


def test_a_folder_that_looks_like_an_option(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "mine", "--folder=-rf"]) == 0
    assert f"cd {here}/-rf && make" in capsys.readouterr().out


@pytest.mark.parametrize("exists", [False, True])
def test_a_write_that_fails_leaves_nothing(exists: bool, here: Path) -> None:
    if exists:
        (here / "mine").mkdir()
    with pytest.raises(GalvoError, match="cannot write mine"):
        written(Path("mine"), {"first": "", "first/second": ""})
    assert [str(path) for path in Path().rglob("*")] == ["mine"] * exists


def test_an_empty_folder_stays_the_same_one(here: Path) -> None:
    """Somebody may stand in it."""
    mine = here / "mine"
    mine.mkdir()
    before = mine.stat().st_ino
    assert main(["new", "mine", "--folder", "mine"]) == 0
    assert mine.stat().st_ino == before
    assert {path.name for path in mine.iterdir()} >= {"pyproject.toml", "galvo_mine", ".gitignore"}


def test_what_it_says(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "query_log", "--hook", "on_metric", "on_query", "--hook", "on_metric"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "galvo-query-log: a plugin with on_query, on_metric. Next:"
    assert max(map(len, lines)) < 80
    assert main(["new", "query_log", "--folder", "other", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["folder"], told["hooks"]) == ("other", ["on_query"])
    there = {str(path.relative_to("other")) for path in Path("other").rglob("*") if path.is_file()}
    assert set(told["files"]) == there


def test_no_placeholder_is_left() -> None:
    for hooks in CHOICES:
        for text in rendered(named("query_log"), hooks).values():
            assert not re.search(r"\{\{\w|^%", text, re.M), text


def test_every_choice_of_hooks_is_clean(here: Path, server_dsn: str) -> None:
    """ruff finds nothing in any, also with the longest name; mypy and the plugins' own tests in some."""
    places = {f"mine_{number}": hooks for number, hooks in enumerate(CHOICES)}
    places["x" * LONGEST] = tuple(KINDS)
    for name, hooks in places.items():
        written(Path(name), rendered(named(name), hooks_named(hooks)))
    for words in (["check"], ["format", "--check"]):
        done = subprocess.run([PROGRAMS / "ruff", *words, "."], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout
    chosen = [name for name, hooks in places.items() if THOROUGH or hooks in (("on_metric",), tuple(KINDS))]
    for name in chosen if THOROUGH else chosen[1:2]:
        done = subprocess.run(
            [PROGRAMS / "mypy", "--cache-dir", here / "mypy"], cwd=name, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
    paths = os.pathsep.join(str(here / name) for name in chosen)
    done = subprocess.run(
        [PROGRAMS / "pytest", "-q", "--import-mode=importlib", "--rootdir", ".", "-W", "error", *chosen],
        env={**os.environ, "PYTHONPATH": paths, "TEST_DATABASE_URL": server_dsn}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
