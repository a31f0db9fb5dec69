"""A run as one HTML file: no script, nothing from elsewhere, light or dark as its reader likes."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from galvo_bench.reports import facts
from galvo_bench.reports.chapters import Chapter, chapters
from galvo_bench.reports.markup import Markup, joined, tag
from galvo_bench.reports.promises import promises
from galvo_bench.reports.sheet import sheet
from galvo_bench.results.model import Run


def page(run: Run) -> str:
    """The whole file."""
    style = files("galvo_bench.reports").joinpath("page.css").read_text("utf-8")
    found = chapters(run)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=policy(style)),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", facts.title(run)),
        tag("style", Markup(style)),
    )
    body = tag(
        "body",
        tag("a", "Skip to the results", href="#results", class_="skip"),
        _header(run),
        tag(
            "main", _problems(run), promises(run.claims), _nav(found), *map(_chapter, found), id="results", tabindex=-1
        ),
        _footer(run),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang='en')}\n"


def policy(style: str) -> str:
    """Nothing is loaded and nothing runs; of styles only the page's own."""
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _header(run: Run) -> Markup:
    partial = facts.partial(run)
    listed = [tag("div", tag("dt", name), tag("dd", said)) for name, said in facts.facts(run).items()]
    return tag(
        "header",
        tag("p", "galvo bench", class_="brand"),
        tag("h1", facts.headline(run)),
        *([tag("p", tag("strong", "Partial. "), partial, class_="notice partial")] if partial else []),
        tag("dl", *listed, class_="facts"),
        tag("p", "Made by ", tag("code", run.command), class_="command"),
        _details("How it is measured", tag("ul", *(tag("li", line) for line in facts.METHOD))),
        _details("Versions", tag("dl", *(tag("div", tag("dt", name), tag("dd", said))
                                         for name, said in run.machine.libraries.items()), class_="facts")),
        class_="top",
    )  # fmt: skip


def _details(summary: str, *children: str) -> Markup:
    return tag("details", tag("summary", summary), *children)


def _problems(run: Run) -> Markup:
    if not run.problems:
        return Markup("")
    said = [tag("li", tag("strong", problem.subject), ": ", problem.said) for problem in run.problems]
    return tag("section", tag("h2", "Not measured", id="problems"), tag("ul", *said), class_="notice problems",
               aria_labelledby="problems")  # fmt: skip


def _nav(found: list[Chapter]) -> Markup:
    links = [tag("li", tag("a", chapter.name, href=f"#{chapter.slug}"), _subjects(chapter)) for chapter in found]
    return tag("nav", tag("h2", "Contents", id="contents"), tag("ul", *links), aria_labelledby="contents")


def _subjects(chapter: Chapter) -> Markup:
    """Each with how many sections it has, and a link to the first."""
    return tag("ul", *(
        tag("li", tag("a", subject, href=f"#{slugs[0]}"), f" {len(slugs)}" if len(slugs) > 1 else "")
        for subject, slugs in chapter.subjects.items()
    ))  # fmt: skip


def _chapter(chapter: Chapter) -> Markup:
    sheets = [sheet(section, slug) for slug, section in chapter.sections]
    heading = tag("h2", chapter.name, id=chapter.slug)
    return tag("section", heading, joined(*sheets), class_="chapter", aria_labelledby=chapter.slug)


def _footer(run: Run) -> Markup:
    return tag("footer", tag("p", f"{len(run.sections)} sections, {run.rounds} rounds. Figures are of this machine; ",
                             "ratios travel better than times."))  # fmt: skip
