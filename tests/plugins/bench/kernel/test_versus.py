"""Two checkouts, turn by turn."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from galvo import GalvoError
from galvo_bench.kernel.versus import THIS, main, slower
from galvo_bench.method.rounds import AGAIN, Result
from galvo_bench.results.model import Section

SLOW = """
import sys, runpy
from galvo_bench.kernel import layers, micro
plain = layers.function
def slowed():
    inner = plain()
    class Manager:
        async def __aenter__(self):
            operation = await inner.__aenter__()
            return lambda: [operation() for _ in range(20)]
        async def __aexit__(self, *error):
            return await inner.__aexit__(*error)
    return Manager()
micro.PLAIN["function"] = slowed
sys.argv = sys.argv[2:]
micro.main()
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Another checkout, whose interpreter runs our code."""
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    return tmp_path


def test_a_checkout_that_is_slower_is_told(
    checkout: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ours does everything twenty times; theirs runs twice, as its own A/A."""
    slow = checkout / "slow"
    (checkout / "slow.py").write_text(SLOW)
    slow.write_text(f'#!/bin/sh\nshift\nexec "{sys.executable}" "{checkout}/slow.py" -m "$@"\n')
    slow.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(slow))
    assert main([str(checkout), "function", "--rounds", "1", "--json"]) == 1
    [section] = json.loads(capsys.readouterr().out)
    ratios = {row["name"]: row["ratio"] for row in section["rows"]}
    assert list(ratios) == ["the other checkout", THIS, AGAIN]
    assert ratios[THIS] > 2 * ratios[AGAIN]
    assert section["explains"].startswith("Other: of no known commit; this: ")


@pytest.mark.parametrize("low, said", [(1.14, False), (1.16, True)])
def test_slower_is_more_than_15_percent_at_its_lower_end(low: float, said: bool) -> None:
    rows = [Result("other", 1, 1, 1, 1, 11), Result(THIS, 1, 1.3, low, 1.4, 11), Result(AGAIN, 1, 1.2, 1.2, 1.2, 11)]
    assert slower(Section("versus", "", "", [*rows])) is said


def test_what_cannot_be_compared(tmp_path: Path, checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(GalvoError, match=r"run `make .venv/.dev` in"):
        main([str(tmp_path / "none")])
    with pytest.raises(SystemExit, match="2"):
        main([str(checkout), "speed"])
    assert "there is no 'speed'; names: function" in capsys.readouterr().err
    (checkout / ".venv" / "bin" / "python").write_text("#!/bin/sh\necho No module named galvo_bench >&2\nexit 1\n")
    with pytest.raises(GalvoError, match="ended with exit code 1: No module named galvo_bench"):
        main([str(checkout), "function", "--rounds", "1"])
