"""The mission's claims on the page: what was promised, what was found, and whether it holds."""

from __future__ import annotations

from galvo_bench.reports.claims import HEADS, cells_of, goal
from galvo_bench.reports.markup import Markup, prose, tag
from galvo_bench.results.model import Judged


def promises(claims: list[Judged]) -> Markup:
    if not claims:
        return Markup("")
    heads = [tag("th", _key(), scope="col", role="columnheader", class_="keyed")]
    heads += [tag("th", head, scope="col", role="columnheader") for head in HEADS[1:]]
    table = tag(
        "table",
        tag("thead", tag("tr", *heads, role="row"), role="rowgroup"),
        tag("tbody", *map(_row, claims), role="rowgroup"),
        role="table", class_="claims", aria_labelledby="claims",
    )  # fmt: skip
    heading = tag("h2", "The mission's claims", id="claims")
    return tag("section", heading, tag("article", table, aria_labelledby="claims"), class_="chapter",
               aria_labelledby="claims")  # fmt: skip


def _key() -> Markup:
    """What the bars are."""
    swatches = [
        tag("span", tag("svg", tag("rect", width=14, height=5, rx=2.5, class_=name), width=14, height=5), f" {name}")
        for name in ("plain", "galvo")
    ]
    return tag("span", tag("span", "claim; bars: ", class_="unseen"), *swatches, class_="key")


def _row(claim: Judged) -> Markup:
    title, *cells = cells_of(claim)
    name = tag(
        "th", title, tag("span", *prose(claim.explains), class_="why"), _bars(claim), scope="row", role="rowheader"
    )
    said = [tag("td", cell, role="cell", data_head=head) for head, cell in zip(HEADS[2:-1], cells[1:-1], strict=True)]
    ours = tag("span", goal(claim), class_="goal") if goal(claim) else ""
    said.insert(0, tag("td", cells[0], ours, role="cell", data_head=HEADS[1]))
    kind = f"verdict {claim.verdict.replace(' ', '-')}"
    verdict = tag("td", tag("span", claim.verdict, class_=kind), role="cell", class_="judged")
    return tag("tr", name, *said, verdict, role="row")


def _bars(claim: Judged) -> Markup:
    """Plain above, galvo below; the longer one is as wide as there is room."""
    if claim.plain is None or not (claim.plain >= 0 and claim.galvo >= 0 and claim.plain + claim.galvo > 0):
        return Markup("")
    longest = max(claim.plain, claim.galvo)
    bars = [
        tag("rect", x=0, y=y, height=5, rx=2.5, width=f"{100 * value / longest:.2f}%", class_=kind)
        for y, value, kind in ((0, claim.plain, "plain"), (7, claim.galvo, "galvo"))
    ]
    return tag("svg", *bars, class_="bars", width="100%", height=12, aria_hidden="true")
