from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from galvo_engraving.boxes.sheet import chosen
from galvo_engraving.boxes.strokes import GLYPHS, lines
from galvo_engraving.boxes.values import effective, fitting
from galvo_engraving.problems import Unfit


def _real(value: float) -> float:
    """As a `real` column gives it back."""
    found: float = struct.unpack("f", struct.pack("f", value))[0]
    return found


def _parameter(
    name: str, kind: str, default: str, low: float | None = None, high: float | None = None
) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "unit": "mm" if kind == "length" else "",
        "default_value": default,
        "minimum": low and _real(low),
        "maximum": high and _real(high),
        "choices": ["rows", "tight"] if kind == "choice" else [],
    }


PARAMETERS = [
    _parameter("thickness", "length", "0.8", 0.8, 9.1),
    _parameter("kerf", "length", "0.14", 0.1, 0.5),
    _parameter("columns", "count", "3", 1, 24),
    _parameter("labels", "flag", "true"),
    _parameter("nesting", "choice", "rows"),
]


def test_defaults_and_what_is_given_by_text_or_as_it_is() -> None:
    assert effective(PARAMETERS, {}) == {
        "thickness": 0.8,
        "kerf": 0.14,
        "columns": 3,
        "labels": True,
        "nesting": "rows",
    }
    given = {"thickness": "9.1", "columns": "4.0", "labels": "false", "nesting": "tight"}
    assert effective(PARAMETERS, given) == effective(
        PARAMETERS, {"thickness": 9.1, "columns": 4, "labels": False, "nesting": "tight"}
    )


@pytest.mark.parametrize(
    "given",
    [
        {"thickness": value}
        for value in (
            "nan",
            "inf",
            "1e999",
            "0x1",
            "1_0",
            "٣",
            "",
            " ",
            "9.2",
            "0.79",
            "9" * 5000,
            True,
            None,
            [],
            {},
            10**400,
        )
    ]
    + [{"thickness": float("nan")}, {"thickness": float("inf")}, {"columns": 1.5}, {"columns": "25"}]
    + [{"labels": "perhaps"}, {"labels": 1}, {"nesting": "loose"}, {"nesting": 3}, {"nesting": []}],
)
def test_what_is_wrong_is_named(given: dict[str, Any]) -> None:
    with pytest.raises(Unfit, match=f"^{next(iter(given))}: this must be ") as problem:
        effective(PARAMETERS, given)
    assert len(problem.value.sentence) < 100
    assert fitting(PARAMETERS, given) == {}


@settings(max_examples=40)
@given(name=st.text(max_size=300), value=st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none()))
def test_nothing_else_than_a_sentence(name: str, value: Any) -> None:
    sentences = []
    for key in (name, *(parameter["name"] for parameter in PARAMETERS)):
        try:
            effective(PARAMETERS, {key: value})
        except Unfit as problem:
            sentences.append(problem.sentence)
    assert all(sentence.isprintable() and len(sentence) < 250 for sentence in sentences)


def test_a_sheet_is_between_what_is_given_and_the_defaults() -> None:
    assert chosen("box", PARAMETERS, {}, thickness=4, kerf=0.2)["thickness"] == 4
    assert chosen("box", PARAMETERS, {"kerf": "0.3"}, thickness=4, kerf=0.2)["kerf"] == 0.3
    assert "kerf" not in chosen("box", PARAMETERS[:1], {}, kerf=0.2)
    with pytest.raises(Unfit, match=r"thickness: this must be from 0\.8 to 9\.1 mm"):
        chosen("box", PARAMETERS, {}, thickness=12)


def test_letters_are_strokes_on_their_grid() -> None:
    for letter, strokes in GLYPHS.items():
        for stroke in strokes.split():
            assert len(stroke) % 2 == 0, letter
            assert len(stroke) >= 4, letter
            assert all("0" <= x <= "4" for x in stroke[::2]), letter
            assert all("0" <= y <= "6" for y in stroke[1::2]), letter
    assert len(lines("Ärger & Söhne, 3. Straße — ☃", 12)) > 20
    assert max(y for stroke in lines("H", 12) for _, y in stroke) == 12
