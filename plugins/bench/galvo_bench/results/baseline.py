"""A run against an earlier one.

Machines drift, so times are not compared. A ratio to the baseline of its own run is: it is worse when the two
intervals are apart, and further than the noise of both runs reaches. What was counted must be equal.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from galvo_bench.method.rounds import LEAST, Result
from galvo_bench.method.verdict import verdicts
from galvo_bench.results.model import Judged, Missing, Run, Section, Values
from galvo_bench.results.unlike import differences, must_be_alike, other_versions

SUBJECT = "compare"
ONLY_BASE, ONLY_RUN = "only the baseline has it", "the baseline does not have it"
Row = Result | Values | Missing


class Comparison(msgspec.Struct):
    sections: list[Section] = []
    worse: list[str] = []
    """What is slower than it was, counted otherwise, or fails: `title: row`; or that nothing was comparable."""


def compared(base: Run, run: Run, *, force: bool = False) -> Comparison:
    """What `run` measured, against the same in `base`. Raises Unlike, if not forced."""
    if not force:
        must_be_alike(base, run)
    unlike = "; ".join(differences(base, run))
    peers = ", ".join(other_versions(base, run))
    then = f"against {base.machine.commit or base.began}{f' (FORCED: {unlike})' * bool(unlike)}"
    then += f" (versions: {peers})" * bool(peers)
    before = {(section.subject, section.title): section for section in base.sections}
    made, absent = Comparison(), list(_absent(base, run))
    for section in run.sections:
        if earlier := before.get((section.subject, section.title)):
            rows, worse = _counted(earlier, section) if section.exact else _timed(earlier, section)
            made.worse += [f"{section.title}: {name}" for name in worse]
            title, explains = f"{section.title}: {then}", _explains(section)
            made.sections.append(msgspec.structs.replace(section, title=title, explains=explains, rows=rows, plots=[]))
    if run.claims and base.claims:
        rows, worse = _claimed(base.claims, run.claims)
        made.worse += worse
        made.sections.append(Section(SUBJECT, f"Claims: {then}", "What is judged of each.", [*rows]))
    made.worse += [f"{problem.subject}: failed now" for problem in run.problems if problem.subject in base.done]
    if not made.sections and not made.worse:
        made.worse.append("there is nothing that both have measured")
    if absent:
        explains = "Nothing to compare with."
        made.sections.append(Section(SUBJECT, f"What only one run has: {then}", explains, [*absent]))
    return made


def _explains(section: Section) -> str:
    if section.exact:
        return "Counted: what is not equal."
    if any(isinstance(row, Result) for row in section.rows):
        if any(isinstance(row, Result) and row.rounds < LEAST for row in section.rows):
            return f"Not judged: fewer than {LEAST} rounds."
        return "The ratios to those of then: 1 is as before. The times are today's."
    return "Measured by themselves and not judged: the machine has drifted as well."


def _timed(before: Section, now: Section) -> tuple[list[Row], list[str]]:
    olds, news = _results(before), _results(now)
    rows: list[Row] = []
    if news and next(iter(olds), None) != next(iter(news)):
        rows.append(Missing(next(iter(news)), "another baseline: its ratios cannot be compared"))
        news = {}
    rows += [_changed(olds[name], row) for name, row in news.items() if name in olds]
    slower = [name for name, said in verdicts(rows, now.ratio).items() if said == "slower"]
    rows += [
        _pair(name, olds, news) for olds, news in [(_values(before), _values(now))] for name in news if name in olds
    ]
    return rows + _one_sided(before, now), slower


def _counted(before: Section, now: Section) -> tuple[list[Row], list[str]]:
    olds, news = _values(before), _values(now)
    changed = [name for name in news if name in olds and news[name] != olds[name]]
    equal = Values("equal", {"values": len([name for name in news if name in olds]) - len(changed)})
    rows: list[Row] = [*(_pair(name, olds, news) for name in changed)] or [equal]
    return rows + _one_sided(before, now), changed


def _claimed(before: list[Judged], now: list[Judged]) -> tuple[list[Row], list[str]]:
    olds, rows, worse = {claim.name: claim for claim in before}, list[Row](), []
    for claim in now:
        if old := olds.get(claim.name):
            rows.append(Values(claim.title, {"before": old.middle, "now": claim.middle}))
            (low, high), (least, most) = _sure(claim), _sure(old)
            if (low > most if claim.less else high < least) or (
                claim.verdict == "missed" and old.verdict in ("beyond", "met")
            ):
                worse.append(f"claim: {claim.title}")
    names = {claim.name for claim in now}
    return rows + [Missing(old.title, ONLY_BASE) for old in olds.values() if old.name not in names], worse


def _sure(claim: Judged) -> tuple[float, float]:
    """Its interval and its noise. A time of its own is taken to plain's, as the machine drifts."""
    base = claim.plain if claim.plain and not claim.relative and claim.unit == "s" else 1.0
    low, high = claim.noise or (1.0, 1.0)
    return claim.low / base * min(1.0, low), claim.high / base * max(1.0, high)


def _changed(old: Result, new: Result) -> Result:
    """The ratio of the ratios. Its interval leaves out 1 when theirs are apart; of the A/As it is the noise of both."""
    if min(old.low, new.low) <= 0:
        return msgspec.structs.replace(new, rounds=0)
    rounds = min(old.rounds, new.rounds)
    return Result(new.name, new.seconds, new.ratio / old.ratio, new.low / old.high, new.high / old.low, rounds)


def _pair(name: str, olds: dict[str, float], news: dict[str, float]) -> Values:
    return Values(name, {"before": olds[name], "now": news[name]})


def _one_sided(before: Section, now: Section) -> list[Row]:
    """What the same section had, or has, alone."""
    olds, news = {**_results(before), **_values(before)}, {**_results(now), **_values(now)}
    return [
        *(Missing(name, ONLY_BASE) for name in olds if name not in news),
        *(Missing(name, ONLY_RUN) for name in news if name not in olds),
    ]


def _absent(base: Run, run: Run) -> Iterator[Missing]:
    """Subjects, and sections of those that both have."""
    for name in base.chosen:
        if name not in run.done:
            yield Missing(name, "has not been measured now")
    for name in run.done:
        if name not in base.done:
            yield Missing(name, ONLY_RUN)
    both = set(base.done) & set(run.done)
    olds, news = ([s.title for s in one.sections if s.subject in both] for one in (base, run))
    yield from (Missing(title, ONLY_BASE) for title in olds if title not in news)
    yield from (Missing(title, ONLY_RUN) for title in news if title not in olds)


def _results(section: Section) -> dict[str, Result]:
    return {row.name: row for row in section.rows if isinstance(row, Result)}


def _values(section: Section) -> dict[str, float]:
    return {
        f"{row.name}: {name}": value
        for row in section.rows
        if isinstance(row, Values)
        for name, value in row.values.items()
    }
