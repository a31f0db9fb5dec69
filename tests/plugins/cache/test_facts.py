"""What is known of rows by one key: exactly, for a time, and not more than so much."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from galvo_cache import facts
from galvo_cache.facts import Facts
from galvo_cache.touch import token_of


def test_equal_tokens_prove_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "token_of", lambda value: 7)
    known = Facts("slug", "owner", 60)
    known.learn("a", 1)
    assert known.find("a") == [7]
    assert known.find("b") is None


@pytest.mark.parametrize("key", [0, -1, 63, 64, -64, 2**63 - 1, -(2**63), "a", "", uuid4()])
@pytest.mark.parametrize("value", [0, -1, None, "x", 2**63 - 1, -(2**63) + 2])
def test_what_was_learned_is_known_until_it_is_forgotten(key: Any, value: Any) -> None:
    token = token_of(key)
    assert token is not None
    known = Facts("id", "owner", 60)
    assert known.find(key) is None
    known.learn(key, value)
    assert known.find(key) == ([] if value is None else [token_of(value)])
    assert known.find(token + 1) is None
    known.forget([token + 1])
    assert known.find(key) is not None
    known.forget([token])
    assert known.find(key) is None


@pytest.mark.parametrize("value", [1.5, True, 2**63, -(2**63), -(2**63) + 1])
def test_values_without_a_token_of_their_own(value: Any) -> None:
    known = Facts("id", "owner", 60)
    known.learn(1, value)
    assert known.find(1) is None
    known.learn(value, 1)
    assert known.find(value) is None or type(value) is int


def test_the_older_half_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "MOST", 10)
    known = Facts("slug", "owner", 60)
    words = [f"w{number}" for number in range(101)]
    for number in range(100):
        known.learn(words[number], number)
        assert known.find(words[number]) == [number]
        assert sum(known.find(word) is not None for word in words) <= 20
    assert known.find("w95") is not None
    assert known.find("w75") is None
    known.learn("w100", 1)
    known.forget([token for word in ("w95", "w100", "w5") if (token := token_of(word)) is not None])
    assert [known.find(word) is None for word in ("w94", "w95", "w100")] == [False, True, True]
    known.forget(None)
    assert not any(known.find(word) for word in words)


def test_nothing_is_older_than_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(facts, "monotonic", lambda: now[0])
    for step in (0.5, 3.0, 7.0, 9.9, 13.0, 19.0, 25.0):
        known, born = Facts("id", "owner", 20), {}
        for number in range(40):
            known.learn(number, None)
            born[number] = now[0]
            now[0] += step
            for old, since in born.items():
                assert known.find(old) is None or now[0] - since <= 20
