"""The page without a browser: what it says is what the run has found, and whose texts these are does not matter."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from math import log

import msgspec
import pytest

from galvo_bench.method.rounds import Result
from galvo_bench.method.verdict import is_again, verdicts
from galvo_bench.reports.claims import cells_of
from galvo_bench.reports.page import page
from galvo_bench.results.model import Missing, Plot, Run, Section, Values
from tests.plugins.bench.reports import sample
from tests.plugins.bench.reports.parsed import Element, parsed


@pytest.fixture(scope="module")
def made() -> Element:
    return parsed(page(sample.whole()))


def rows(article: Element) -> dict[str, list[Element]]:
    """Of its table, by name."""
    [body] = article.all("table")[0].all("tbody")
    return {row.all("th")[0].text: row.all("td") for row in body.all("tr")}


def sections(made: Element) -> list[Element]:
    return [article for article in made.all("article") if article.all("h3")]


def test_nothing_comes_from_elsewhere_and_nothing_runs(made: Element) -> None:
    assert not made.all("script")
    assert not made.all("link")
    names = {name for element in made.below() for name in element.attributes}
    assert not names & {"src", "srcset", "style", "data", "action", "xlink:href"}
    assert not [name for name in names if name.startswith("on")]
    assert all(link["href"].startswith("#") for link in made.all("a"))
    [style] = made.all("style")
    assert not re.search(r"url\(|@import", style.text)


def test_the_policy_is_that_of_its_style(made: Element) -> None:
    [style] = made.all("style")
    digest = b64encode(sha256(style.text.encode()).digest()).decode()
    [policy] = [meta["content"] for meta in made.all("meta") if "http-equiv" in meta.attributes]
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}';" in policy


def test_every_link_has_its_place(made: Element) -> None:
    ids = [element["id"] for element in made.below() if "id" in element.attributes]
    assert len(set(ids)) == len(ids)
    wanted = {link["href"].removeprefix("#") for link in made.all("a")}
    wanted |= {element["aria-labelledby"] for element in made.below() if "aria-labelledby" in element.attributes}
    assert wanted <= set(ids)


def test_the_machine_is_named_with_all_that_is_known(made: Element) -> None:
    run = sample.whole()
    named = {row.all("dt")[0].text: row.all("dd")[0].text for facts in made.all("dl") for row in facts.all("div")}
    for field, value in msgspec.structs.asdict(run.machine).items():
        if field != "libraries":
            assert str(value) in named.values(), field
    assert run.machine.libraries.items() <= named.items()
    assert named["took"] == "12 min 34 s"


def test_sections_are_by_group(made: Element) -> None:
    found = [chapter.all("h2")[0].text for chapter in made.all("section", of="chapter")]
    assert found == ["The mission's claims", "pool", "app"]
    assert [article.all("h3")[0].text for article in sections(made)] == [each.title for each in sample.whole().sections]


@pytest.mark.parametrize("place", [0, 1])
def test_ratios_are_the_runs(made: Element, place: int) -> None:
    section = sample.whole().sections[place]
    said = verdicts(section.rows, section.ratio)
    found = rows(sections(made)[place])
    assert list(found) == [row.name for row in section.rows]
    for row in section.rows[1:]:
        cells = [cell.text for cell in found[row.name]]
        if isinstance(row, Missing):
            assert cells == [f"not measured: {row.missing}"]
            continue
        assert isinstance(row, Result)
        cost, _, ratio, interval, verdict = cells
        if section.ratio == "time":
            assert float(cost.removesuffix(" us")) == pytest.approx(row.seconds * 1e6)
        else:
            assert float(cost.replace(",", "")) == pytest.approx(1 / row.seconds, rel=1e-3)
        assert float(ratio.removesuffix("x")) == row.ratio
        assert [float(end) for end in interval.split(" to ")] == [row.low, row.high]
        assert verdict == said.get(row.name, "A/A")


def test_the_verdicts_are_not_empty_words() -> None:
    section = sample.ratios()
    assert list(verdicts(section.rows).values()) == ["faster", "faster", "slower"]


def test_dots_are_where_their_ratios_are(made: Element) -> None:
    """On a logarithmic axis: equal factors are equal distances. The band behind is the A/A's interval."""
    section = sample.ratios()
    found = rows(sections(made)[0])
    places, ends = [], []
    for row in section.rows:
        if isinstance(row, Result):
            [dot] = found[row.name][1].all("circle")
            [whisker] = found[row.name][1].all("line", of="whisker")
            places += [(log(row.ratio), percent(dot, "cx"))]
            places += [(log(row.low), percent(whisker, "x1")), (log(row.high), percent(whisker, "x2"))]
            [band] = found[row.name][1].all("rect", of="noise")
            ends.append((percent(band, "x"), percent(band, "x") + percent(band, "width")))
    slopes = {(y - places[0][1]) / (x - places[0][0]) for x, y in places if x != places[0][0]}
    assert max(slopes) == pytest.approx(min(slopes), rel=0.05)
    assert all(0 <= y <= 100 for _, y in places)
    again = found[next(row.name for row in section.rows if isinstance(row, Result) and is_again(row))][1]
    [line] = again.all("line", of="whisker")
    assert len(set(ends)) == 1
    assert ends[0] == pytest.approx((percent(line, "x1"), percent(line, "x2")), abs=0.02)


def percent(element: Element, attribute: str) -> float:
    return float(element[attribute].removesuffix("%"))


def test_what_is_counted_is_the_runs_and_says_so(made: Element) -> None:
    section, article = sample.whole().sections[2], sections(made)[2]
    assert [badge.text for badge in article.all("span", of="badge")] == ["counted"]
    for row in section.rows:
        assert isinstance(row, Values)
        said = {cell["data-head"]: cell.text for cell in rows(article)[row.name] if cell.text}
        assert {head: float(text.replace(",", "")) for head, text in said.items()} == pytest.approx(
            row.values, rel=1e-4
        )


def test_lines_are_the_runs(made: Element) -> None:
    """Each point again from its place in the drawing."""
    plots, figures = sample.plotted().plots, sections(made)[3].all("figure")
    assert [figure.all("h4")[0].text for figure in figures] == [plot.title for plot in plots]
    for plot, figure in zip(plots, figures, strict=True):
        drawn = figure.all("polyline")
        assert len(drawn) == len(plot.lines)
        for points, line in zip(plot.lines.values(), drawn, strict=True):
            places = [tuple(map(float, pair.split(","))) for pair in line["points"].split()]
            assert len(places) == len(points)
            straight([log(x) if plot.log_x else x for x, _ in points], [x for x, _ in places])
            straight([-log(y) if plot.log_y else -y for _, y in points], [y for _, y in places])


def straight(values: list[float], places: list[float]) -> None:
    """The places are those of a scale without a bend."""
    low, high = values.index(min(values)), values.index(max(values))
    slope = (places[high] - places[low]) / (values[high] - values[low])
    assert slope > 0
    assert places == pytest.approx([places[low] + slope * (value - values[low]) for value in values], abs=0.2)


def test_numbers_of_a_plot_are_a_table_too(made: Element) -> None:
    figure = sections(made)[3].all("figure")[1]
    [table] = figure.all("table")
    assert [head.text for head in table.all("thead")[0].all("th")] == [
        "offered (requests/s)", "everything off", "everything on",
    ]  # fmt: skip
    assert [cell.text for cell in table.all("tbody")[0].all("td")][:2] == ["30", "30"]


def test_claims_come_first_and_are_the_runs(made: Element) -> None:
    first = made.all("article")[0]
    for claim, row in zip(sample.claims(), first.all("tbody")[0].all("tr"), strict=True):
        [name] = row.all("th")
        title, promised, *others = cells_of(claim)
        assert name.text == title + claim.explains
        cells = [cell.text for cell in row.all("td")]
        assert cells[0].startswith(promised)
        assert cells[1:] == others
        bars = {bar.classes[0]: percent(bar, "width") for bar in name.all("rect")}
        if claim.plain is not None:
            assert bars["galvo"] / bars["plain"] == pytest.approx(claim.galvo / claim.plain, rel=1e-3)
        else:
            assert bars == {}
    [headline] = made.all("h1")
    assert headline.text == "2 of the mission's 4 claims hold, 1 beyond our own goals"


def test_another_verdict_is_another_page() -> None:
    run = sample.whole()
    run.claims = [msgspec.structs.replace(claim, verdict="missed") for claim in run.claims]
    [headline] = parsed(page(run)).all("h1")
    assert headline.text == "0 of the mission's 4 claims hold"


def test_a_partial_run_says_what_is_missing() -> None:
    text = parsed(page(sample.partial())).all("body")[0].text
    assert "Partial. 2 of 4 subjects are measured; the run ended before worker." in text
    assert "l2: Redis went away: connection refused" in text
    assert "Partial" not in parsed(page(sample.whole())).all("body")[0].text


def test_hostile_texts_are_texts() -> None:
    made = parsed(page(sample.hostile()))
    assert not {element.name for element in made.below()} & {"script", "img"}
    said = sample.HOSTILE.replace("\x00", "\ufffd")
    [title] = made.all("h3")[:1]
    assert title.text == said
    assert said in [value.text for value in made.all("dd")]
    labels = [element["aria-label"] for element in made.below() if "aria-label" in element.attributes]
    assert any(said in label for label in labels)
    assert not [name for element in made.below() for name in element.attributes if name.startswith("on")]


NOWHERE = Plot("Nothing", "x", "y", {"none": [], "wrong": [(0, 1), (float("nan"), 2), (-1, 3)]}, log_x=True)


@pytest.mark.parametrize(
    "section",
    [
        Section("none", "None", "", []),
        Section("peers", "Only peers that are missing", "", [Missing("one", "not installed")]),
        Section("zero", "A clock that stood still", "", [Result("a", 1, 1, 1, 1, 9), Result("b", 0, 0, 0, 0, 1)]),
        Section("empty", "Empty plots", "", [], plots=[NOWHERE]),
    ],
    ids=lambda section: section.subject,
)
def test_whatever_a_run_has_found(section: Section) -> None:
    run = Run("galvo bench", "2026-11-29T02:00:00+00:00", sample.here(), 1, ["x"], sections=[section])
    assert section.title in parsed(page(run)).all("main")[0].text
