"""A series' name and back."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from galvo_monitor.series import Aggregate, Series
from galvo_monitor.store.naming import parsed

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.text(st.characters(exclude_characters=' {="', exclude_categories=["Cs"]), min_size=1)


@given(NAMES, st.sampled_from(get_args(Aggregate)), st.lists(st.tuples(NAMES, TEXTS)))
def test_there_and_back(metric: str, aggregate: Aggregate, attributes: list[tuple[str, str]]) -> None:
    series = Series(metric, aggregate, tuple(attributes))
    assert parsed(str(series)) == series


@pytest.mark.parametrize(
    "text",
    ["", "m", "m x", "m rate rate", "{} rate", "m{a=1} rate", 'm{a="b", } rate', 'm{a="b"c="d"} rate', 'm{a="b} rate'],
)
def test_what_is_no_name(text: str) -> None:
    assert parsed(text) is None


@given(st.text())
def test_any_text(text: str) -> None:
    series = parsed(text)
    assert series is None or series.metric
