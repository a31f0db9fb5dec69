from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galvo_tasks.publishing import producer
from galvo_tasks.publishing.measuring import at_least
from galvo_tasks.publishing.problems import NotSerialisable, PayloadTooLarge

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=3) | st.integers(), inner, max_size=5),
    max_leaves=20,
)


@settings(max_examples=40, deadline=None)
@given(VALUES)
def test_it_is_never_more_than_its_json_has(value: Any) -> None:
    assert at_least(value, 10_000) <= len(json.dumps(value, separators=(",", ":")))


@pytest.mark.parametrize(
    "value",
    [
        [{"a": dict.fromkeys(range(100_000), 0)}],
        {"a": [[[0] * 100_000]]},
        [[["x" * 1000] * 50] * 50],
        {"x" * 1000 + str(n): 0 for n in range(300)},
    ],
)
def test_what_is_far_too_large_is_refused_before_it_is_serialised(monkeypatch: pytest.MonkeyPatch, value: Any) -> None:
    monkeypatch.delattr(producer, "dumps")
    with pytest.raises(PayloadTooLarge, match="KiB at least, over payload"):
        producer.serialised("task", ((value,), {}), 200_000)


def test_what_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises((NotSerialisable, PayloadTooLarge)):
        producer.serialised("task", ((value,), {}), 200_000)
