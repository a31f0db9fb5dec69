"""What pytest makes of a contract in an author's project."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from galvo.testing import PluginContract

PROJECT = """
import pytest
from galvo import Plugin, Proceed, Query, Rows, hookimpl
from galvo.testing import PluginContract

class Sinking(Plugin):
    name = "sinking"

    @hookimpl
    def on_metric(self, metric, value):
        raise ValueError(value)

class TestSinking(PluginContract):
    plugin = Sinking

    @pytest.fixture
    def settings(self, tmp_path):
        return {"mode": str(tmp_path)}

    test_reload = None

class TestFailing(PluginContract):
    plugin = Sinking

    def test_name(self):
        pass
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "test_it.py").write_text(PROJECT)
    return tmp_path


def run(project: Path, *options: str) -> str:
    """pytest as an author has it: no conftest, no configuration, warnings are errors."""
    others = [f"-pno:{name}" for name in ("cacheprovider", "schemathesis", "hypothesispytest", "xdist", "timeout")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "error", *others, *options],
        cwd=project,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def test_only_the_hooks_that_it_has(project: Path) -> None:
    checks = [line.rpartition("::") for line in run(project, "--collect-only").splitlines() if "::" in line]
    mine = {check for place, _, check in checks if place.endswith("TestSinking")}
    assert {"test_hostile_metrics", "test_time_of_on_metric", "test_starts_and_stops", "test_name"} <= mine
    assert not {"test_cancelled_query", "test_every_pressure", "test_hostile_cache_misses", "test_reload"} & mine
    assert "test_reload" in {check for place, _, check in checks if place.endswith("TestFailing")}


def test_a_contract_without_a_plugin_is_told_so(project: Path) -> None:
    forgotten = (
        'class TestForgotten(PluginContract):\n    pass\n\nclass TestText(PluginContract):\n    plugin = "text"\n'
    )
    (project / "test_it.py").write_text(f"from galvo.testing import PluginContract\n\n{forgotten}")
    said = run(project, "-k", "starts_and_stops or query")
    assert "TestForgotten.plugin is None: set it to the plugin's class" in said
    assert "TestText.plugin is 'text': set it to the plugin's class" in said
    assert "Error" not in said


def test_a_failure_says_what_to_change(project: Path) -> None:
    said = run(project, "-k", "hostile_metrics or test_name")
    assert "plugin 'sinking', hostile_metrics: " in said
    assert "is a fault of it: on_metric: ValueError: nan. Skip values that say nothing" in said
    assert "[sinking] mode: input should be 'active', 'shadow' or 'off'" in said  # a fixture gave the settings
    assert "3 failed, 1 passed" in said or "2 failed, 2 passed" in said


def test_every_check_says_what_it_promises() -> None:
    checks = [getattr(PluginContract, name) for name in dir(PluginContract) if name.startswith("test_")]
    assert len(checks) > 35
    assert [check.__name__ for check in checks if not (check.__doc__ or "").strip()] == []


def test_the_pytest_plugin_imports_nothing() -> None:
    code = "import sys; before = set(sys.modules); import galvo_pytest; print(sorted(set(sys.modules) - before))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not any(name.partition(".")[0] in ("galvo", "pytest", "pydantic", "anyio") for name in eval(said))  # noqa: S307
