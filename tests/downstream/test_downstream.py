"""What third parties do, on a clean machine: the newcomer's page, and three worked examples, all from wheels."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import reachable_folder
from tests.downstream.newcomer import Newcomer
from tests.downstream.wheels import ROOT, built

pytestmark = pytest.mark.timeout(600)  # pip, make, mypy: minutes where everything else runs, too
EXAMPLES = ("replicas", "tagger", "webhook")
OURS = ["kernel", *(f"plugins/{name}" for name in ("cache", "embedded", "live", "local", "pool", "sql"))]
PAGE = ROOT / "docs" / "tutorial" / "your-plugin.md"


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder outside of the checkout, for all of this file."""
    with reachable_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def environment(place: Path, server_dsn: str) -> dict[str, str]:
    """pip finds our wheels there, and other people's where it always does."""
    wheels = built([*OURS, *(f"tests/downstream/{name}" for name in EXAMPLES)], place / "wheels")
    return {
        "PIP_FIND_LINKS": str(wheels),
        "PIP_CONSTRAINT": str(ROOT / "constraints.txt"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_COMPILE": "1",  # most of it is never imported
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_QUIET": "2",  # errors only: what else pip says is of this machine
        "GALVO_POOL__URL": server_dsn,
        "TEST_DATABASE_URL": server_dsn,
    }


def test_the_newcomers_page(place: Path, environment: dict[str, str]) -> None:
    home = place / "home"
    home.mkdir()
    Newcomer(PAGE, home, environment).run()


@pytest.fixture(scope="module")
def programs(place: Path, environment: dict[str, str]) -> Path:
    """Where `galvo` and `pytest` are, in the newcomer's environment, once the examples are installed there."""
    programs = place / "home" / ".venv" / "bin"
    if not (programs / "pip").exists():
        subprocess.run([sys.executable, "-m", "venv", programs.parent], check=True)
    wanted = [f"galvo-{name}[dev]" for name in EXAMPLES]
    subprocess.run([programs / "pip", "install", "--quiet", *wanted], check=True, env={**os.environ, **environment})
    return programs


def test_the_examples_own_tests_pass_where_they_are_installed(
    place: Path, programs: Path, environment: dict[str, str]
) -> None:
    suites = {}
    for name in EXAMPLES:
        folder = place / name  # without the package: what is tested is what is installed
        shutil.copytree(ROOT / "tests" / "downstream" / name / "tests", folder / "tests")
        shutil.copy(ROOT / "tests" / "downstream" / name / "pyproject.toml", folder)
        suites[name] = subprocess.Popen(
            [programs / "pytest", "-q", "-p", "no:cacheprovider"],
            cwd=folder, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
    outputs = {name: suite.communicate()[0] for name, suite in suites.items()}
    for name, said in outputs.items():
        assert suites[name].returncode == 0, f"{name}\n{said}"
        assert re.search(r"^\d\d+ passed in", said, re.M), said  # none skipped, none deselected


def test_they_are_listed_checked_and_started(place: Path, programs: Path, environment: dict[str, str]) -> None:
    folder = place / "shop"
    folder.mkdir()
    dsn = environment["GALVO_POOL__URL"]
    urls = {"GALVO_REPLICAS__URL": dsn, "GALVO_WEBHOOK__URL": "http://127.0.0.1:9/hunter2"}

    def galvo(command: str) -> str:
        done = subprocess.run(
            [programs / "galvo", command, "--json"],
            cwd=folder, env={**os.environ, **environment, **urls}, capture_output=True, text=True,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert "hunter2" not in done.stdout
        return done.stdout

    hooks = {item["name"]: item["hooks"] for item in json.loads(galvo("lock"))}
    assert [hooks[name] for name in EXAMPLES] == [["on_query"], ["on_query"], ["on_metric"]]
    assert json.loads(galvo("check")) == {"ok": True, "found": []}
    told = {item["name"]: item for item in json.loads(galvo("plugins"))}
    assert {told[name]["version"] for name in EXAMPLES} == {"0.1.0"}
    tried = {item["name"]: item["state"] for item in json.loads(galvo("try"))["plugins"]}
    assert {tried[name] for name in EXAMPLES} == {"active"}
