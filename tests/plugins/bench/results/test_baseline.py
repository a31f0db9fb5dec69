"""A run against an earlier one: what is worse is told, what cannot be compared is refused."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from galvo_bench.method.rounds import AGAIN, Result
from galvo_bench.reports.compare import main
from galvo_bench.results.baseline import ONLY_BASE, ONLY_RUN, compared
from galvo_bench.results.machine import Machine
from galvo_bench.results.model import Judged, Missing, Problem, Run, Section, Values
from galvo_bench.results.store import save
from galvo_bench.results.unlike import Unlike

HERE = Machine("3.11.7", "asyncio", 2, 0.5, {}, "0123456789ab", "AMD EPYC", "24 GiB", "Linux", "abc", "18.4", "8.0.1")


def timed(ratio: float, *, spread: float = 0.02, noise: float = 0.02, ratios: str = "time") -> Section:
    rows = [
        Result("asyncpg", 1e-3, 1, 1, 1, 11),
        Result("galvo", 1e-3 * ratio, ratio, ratio * (1 - spread), ratio * (1 + spread), 11),
        Result(AGAIN, 1e-3, 1, 1 - noise, 1 + noise, 11),
    ]
    return msgspec.convert(Section("query", "A query", "Its time.", [*rows], ratios), Section)  # type: ignore[arg-type]


def counted(queries: float) -> Section:
    return Section("counts", "Queries", "Of a page.", [Values("galvo", {"queries": queries})], exact=True)


def run_of(*sections: Section, machine: Machine = HERE, rounds: int = 11) -> Run:
    subjects = list(dict.fromkeys(section.subject for section in sections))
    return Run(
        "galvo bench", "2026-11-29T01:00:00+00:00", machine, rounds, subjects, done=subjects, sections=[*sections]
    )


@pytest.mark.parametrize("now, worse", [
    (timed(0.5), []),
    (timed(0.6), ["A query: galvo"]),
    (timed(0.4), []),
    (timed(0.6, spread=0.2), []),
    (timed(0.6, noise=0.3), []),
    (timed(0.4, ratios="speed"), ["A query: galvo"]),
    (timed(0.6, ratios="speed"), []),
], ids=["as before", "slower", "faster", "intervals meet", "noise", "speed lost", "speed won"])  # fmt: skip
def test_worse_is_what_is_further_off_than_the_noise(now: Section, worse: list[str]) -> None:
    found = compared(run_of(timed(0.5)), run_of(now))
    assert found.worse == worse
    [section] = found.sections
    ratio = next(row.ratio for row in section.rows if isinstance(row, Result) and row.name == "galvo")
    assert ratio == pytest.approx(now.rows[1].ratio / 0.5)  # type: ignore[union-attr]
    assert section.title == "A query: against 0123456789ab"


def test_an_uncertain_baseline_makes_nothing_worse() -> None:
    assert compared(run_of(timed(0.5, spread=0.1)), run_of(timed(0.55, spread=0.01))).worse == []
    assert compared(run_of(timed(0.5, spread=0.1)), run_of(timed(0.6, spread=0.01))).worse == ["A query: galvo"]


@pytest.mark.parametrize("queries", [4, 2])
def test_what_is_counted_must_be_equal(queries: float) -> None:
    found = compared(run_of(counted(3)), run_of(counted(queries)))
    assert found.worse == ["Queries: galvo: queries"]
    assert found.sections[0].rows == [Values("galvo: queries", {"before": 3, "now": queries})]
    assert compared(run_of(counted(3)), run_of(counted(3))).worse == []


def test_what_only_one_of_them_has_is_named() -> None:
    more = msgspec.structs.replace(counted(3), rows=[Values("galvo", {"queries": 3, "trips": 4})])
    found = compared(run_of(timed(0.5), counted(3)), run_of(more, Section("new", "New", "", [])))
    assert found.worse == []
    told = [(row.name, row.missing) for section in found.sections for row in section.rows if isinstance(row, Missing)]
    assert told == [("galvo: trips", ONLY_RUN), ("query", "has not been measured now"), ("new", ONLY_RUN)]
    found = compared(run_of(more), run_of(counted(3)))
    assert Missing("galvo: trips", ONLY_BASE) in found.sections[0].rows


def test_ratios_to_another_baseline_are_not_compared() -> None:
    other = timed(0.9)
    other.rows[0] = Result("psycopg", 1e-3, 1, 1, 1, 11)
    found = compared(run_of(timed(0.5)), run_of(other))
    assert found.worse == []
    assert found.sections[0].rows[0] == Missing("psycopg", "another baseline: its ratios cannot be compared")


def test_a_claim_that_lost_ground_is_worse() -> None:
    def claimed(middle: float, *, less: bool) -> Run:
        low, high = middle * 0.98, middle * 1.02
        claim = Judged("x", "X", "s", 1, middle, less, True, 0.7, None, middle, low, high, None, "met", "")
        return msgspec.structs.replace(run_of(), claims=[claim])

    assert compared(claimed(0.5, less=True), claimed(0.6, less=True)).worse == ["claim: X"]
    assert compared(claimed(0.5, less=True), claimed(0.505, less=True)).worse == []
    assert compared(claimed(0.5, less=False), claimed(0.6, less=False)).worse == []


@pytest.mark.parametrize("change, named", [
    ({"cpu": "Intel Xeon"}, "the CPU was AMD EPYC and is Intel Xeon"),
    ({"cores": 4}, "its number of cores was 2 and is 4"),
    ({"python": "3.12.1"}, "Python was 3.11 and is 3.12"),
    ({"postgres": "17.2"}, "PostgreSQL was 18 and is 17"),
    ({"redis": "7.4.0"}, "Redis was 8 and is 7"),
    ({"settings": "xyz"}, "what is set for galvo was abc and is xyz"),
    ({"loop": "uvloop"}, "the event loop was asyncio and is uvloop"),
])  # fmt: skip
def test_another_machine_is_refused(change: dict[str, object], named: str) -> None:
    base, run = run_of(timed(0.5)), run_of(timed(0.5), machine=msgspec.structs.replace(HERE, **change))
    with pytest.raises(Unlike, match=named):
        compared(base, run)
    assert named in compared(base, run, force=True).sections[0].title


def test_other_rounds_are_refused_and_unused_servers_are_not() -> None:
    with pytest.raises(Unlike, match="the number of rounds was 11 and is 21"):
        compared(run_of(), run_of(rounds=21))
    alike = msgspec.structs.replace(HERE, python="3.11.9", postgres="", redis="8.2", load=7.0, commit="f" * 12)
    compared(run_of(), run_of(machine=alike))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base, run = str(tmp_path / "base.json"), str(tmp_path / "run.json")
    save(Path(base), run_of(timed(0.5)))
    save(Path(run), run_of(timed(0.5)))
    assert main([base, run]) == 0
    assert capsys.readouterr().out.endswith("nothing is worse\n")
    save(Path(run), run_of(timed(0.7)))
    assert main([base, run]) == 1
    assert "worse: A query: galvo" in capsys.readouterr().out
    save(Path(run), run_of(timed(0.7), machine=msgspec.structs.replace(HERE, cores=64)))
    assert main([base, run]) == 2
    assert "cores was 2 and is 64" in capsys.readouterr().err
    assert main([base, run, "--force"]) == 1
    assert "FORCED: its number of cores was 2 and is 64" in capsys.readouterr().out.replace("\n", " ")


def test_a_machine_that_is_slower_as_a_whole_makes_no_claim_worse() -> None:
    def claimed(times: float, verdict: str = "met", noise: tuple[float, float] | None = None) -> Run:
        run, plain, mine = run_of(), 1e-3 * times, 5e-4 * times
        ends = 0.95 * mine, 1.05 * mine
        run.claims = [
            Judged("x", "X", "s", plain, mine, True, False, 1e-3, None, mine, *ends, noise, verdict, "")  # type: ignore[arg-type]
        ]
        return run

    assert compared(claimed(1), claimed(1.8)).worse == []
    assert compared(claimed(1), claimed(2.1, "missed")).worse == ["claim: X"]


def test_what_fails_now_is_worse_and_few_rounds_are_told() -> None:
    run = run_of()
    run.problems = [Problem("query", "it broke")]
    assert compared(run_of(timed(0.5)), run).worse == ["query: failed now"]
    few = timed(0.5)
    rows = [msgspec.structs.replace(row, rounds=5) for row in few.rows if isinstance(row, Result)]
    few = msgspec.structs.replace(few, rows=[*rows])
    [section] = compared(run_of(few), run_of(few)).sections
    assert section.explains == "Not judged: fewer than 6 rounds."


def test_runs_that_have_nothing_in_common_are_not_fine() -> None:
    found = compared(run_of(timed(0.5)), run_of(counted(3)))
    assert found.worse == ["there is nothing that both have measured"]
    assert compared(run_of(), run_of()).worse == found.worse


def test_other_versions_of_peers_are_told() -> None:
    before, now = (msgspec.structs.replace(HERE, libraries={"asyncpg": one}) for one in ("0.31", "0.32"))
    found = compared(run_of(timed(0.5), machine=before), run_of(timed(0.5), machine=now))
    assert found.sections[0].title.endswith("(versions: asyncpg was 0.31 and is 0.32)")
    assert found.worse == []
