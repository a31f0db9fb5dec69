"""`galvo bench claims`: what was found is what is shown, and what it ends with."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from galvo import GalvoError
from galvo_bench.claims import cli, listed
from galvo_bench.claims.claim import Claim, Found
from galvo_bench.reports.claims import STYLES
from galvo_bench.running.stand import Stand

FOUND = {
    "claim": Found(
        galvo=0.5, plain=1.0, middle=0.5, low=0.4, high=0.6, noise=(0.99, 1.01), explains="By hand.", rounds=7
    )
}


async def measure(stand: Stand) -> Found:
    await stand.postgres()
    found = FOUND["claim"]
    if not found.explains:
        raise GalvoError("a claim that cannot be measured")
    return found


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Claims whose figures are known."""
    monkeypatch.setattr(Claim, "measure", lambda _: measure)
    claims = [Claim("kept", "What is kept", "x", promised=0.7), Claim("broken", "What is not", "x", promised=0.3)]
    monkeypatch.setattr(listed, "CLAIMS", {claim.name: claim for claim in claims})
    monkeypatch.chdir(tmp_path)
    yield
    assert (tmp_path / ".galvo/bench/last.json").exists()


@pytest.mark.usefixtures("two")
def test_a_missed_claim_is_a_failure(server_dsn: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["kept", "--quick", "--url", server_dsn]) == 0
    assert cli.main(["kept", "broken", "--quick", "--url", server_dsn]) == 1
    shown = capsys.readouterr().out.splitlines()
    assert max(map(len, shown)) <= 80
    verdicts = [last for line in shown if (last := line.split(" ")[-1]) in STYLES]
    assert verdicts == ["met", "met", "missed"]


@pytest.mark.usefixtures("two")
def test_one_that_cannot_be_measured_does_not_keep_others_from_it(
    server_dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(FOUND, "claim", Found(1, 1, 1, 1, ""))
    assert cli.main(["--rounds", "3", "--url", server_dsn, "--json", "--save", "run.json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads(Path("run.json").read_text())
    assert (told["claims"], told["partial"], told["rounds"]) == ([], True, 3)
    assert [problem["said"] for problem in told["problems"]] == ["a claim that cannot be measured"] * 2


@pytest.mark.usefixtures("two")
def test_what_is_no_number_is_no_result(
    server_dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(FOUND, "claim", Found(galvo=float("nan"), middle=1, low=1, high=1, explains="By hand."))
    assert cli.main(["kept", "--url", server_dsn, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["claims"] == []
    assert "nan is no result (What is kept: galvo)" in told["problems"][0]["said"]


def test_a_real_run(dsn: str, folder: Path) -> None:
    done = bench(folder, "connecting", "--rounds", "1", "--json", "--url", dsn)
    told = json.loads(done.stdout)
    [claim] = told["claims"]
    assert told["done"] == told["chosen"] == [claim["name"]] == ["connecting"]
    assert 0 < claim["low"] <= claim["middle"] <= claim["high"]
    assert done.returncode == (claim["verdict"] == "missed")
    wrong = bench(folder, "speed")
    assert wrong.returncode == 2
    assert "there is no claim 'speed'; claims: indexes, connecting, " in wrong.stderr


def bench(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """It waits for no other bench."""
    (folder / "tmp").mkdir(mode=0o711, exist_ok=True)
    command = [str(Path(sys.executable).parent / "galvo"), "bench", "claims", *arguments]
    return subprocess.run(
        command, cwd=folder, env=os.environ | {"TMPDIR": str(folder / "tmp")}, capture_output=True, text=True
    )
