"""Of 100 tries on a noisy machine, 95 are called right; and a short real calibration."""

from __future__ import annotations

import gc
import json
from collections import Counter
from collections.abc import Iterator

import pytest

from galvo_bench.method import rounds
from galvo_bench.method.calibrate import tried
from galvo_bench.running import calibrate
from galvo_bench.running.calibrate import REPEATS, main
from tests.plugins.bench.method.noisy import Noisy

pytestmark = pytest.mark.anyio
TRIES = 100


@pytest.fixture
def noisy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Noisy]:
    machine = Noisy(seed=1)
    monkeypatch.setitem(rounds.CLOCKS, "wall", lambda: machine.now)
    monkeypatch.setattr(rounds, "PATIENCE", float("inf"))
    gc.freeze()  # each round collects
    yield machine
    gc.unfreeze()


@pytest.mark.parametrize("number", [6, 11])
async def test_noise_is_no_difference_and_20_percent_are_one(noisy: Noisy, number: int) -> None:
    said = [await tried(noisy.taking(), 40, number, "wall") for _ in range(TRIES)]
    itself, slowed = Counter(one for one, _ in said), Counter(two for _, two in said)
    assert itself["same"] >= 0.95 * TRIES, itself
    assert slowed["slower"] >= 0.95 * TRIES, slowed


async def test_few_rounds_say_nothing(noisy: Noisy) -> None:
    assert await tried(noisy.taking(), 40, 5, "wall") == ("unsure", "unsure")


def test_a_real_calibration(dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What it finds depends on who else runs here; whether it finds it does not."""
    monkeypatch.setattr(rounds, "PATIENCE", 0)
    assert main(["--tries", "2", "--rounds", "6", "--json", "--url", dsn]) in (0, 1)
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["name"] for row in rows] == [f"{name}, {clock}" for name in REPEATS for clock in ("wall", "cpu")]
    for row in rows:
        assert row["values"]["tries"] == 2
        assert row["values"]["called the same"] + row["values"]["unsure"] <= 2


def test_fewer_than_95_of_100_are_a_failure(
    dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def wrong(*_: object) -> tuple[str, str]:
        return "same", next(said)

    monkeypatch.setattr(calibrate, "tried", wrong)
    for caught, code in ((95, 0), (94, 1)):
        said = iter((["slower"] * caught + ["same"] * (100 - caught)) * 4)
        assert main(["--url", dsn]) == code
    assert "95" in capsys.readouterr().out


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--rounds", "5"])
    assert "'5' is not a number from 6 on" in capsys.readouterr().err
