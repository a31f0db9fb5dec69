"""What several writes touch together: no less than each of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from galvo_cache.touch import GUESSED, STILL, Lanes, Touch, merged

NAMES = ("id", "owner", "book")
tokens = st.lists(st.integers(-3, 3), max_size=3)


@st.composite
def _lanes(draw: st.DrawFn) -> Lanes:
    lanes: Lanes = draw(st.dictionaries(st.sampled_from(NAMES), st.none() | tokens))
    for name in [name for name, values in lanes.items() if values is not None and draw(st.booleans())]:
        lanes[name + GUESSED] = []
    if draw(st.booleans()):
        lanes[STILL] = []
    return lanes


touches = st.dictionaries(st.integers(1, 3), st.none() | _lanes(), max_size=3)


def reached(touch: Touch, oid: int, name: str, token: int) -> bool:
    """Whether the value of a lane counts as touched."""
    if oid not in touch:
        return False
    lanes = touch[oid]
    found = None if lanes is None else lanes.get(name)
    return found is None or token in found


@given(touches, touches)
def test_it_touches_what_either_touches(left: Touch, right: Touch) -> None:
    both = merged(left, right)
    assert both.keys() == left.keys() | right.keys()
    for oid in (1, 2, 3):
        for name in NAMES:
            for token in range(-3, 4):
                alone = reached(left, oid, name, token) or reached(right, oid, name, token)
                assert reached(both, oid, name, token) == alone


@given(touches, touches)
def test_rows_stay_only_if_they_stay_in_both(left: Touch, right: Touch) -> None:
    both = merged(left, right)
    for oid in left.keys() & right.keys():
        ours, theirs, lanes = left[oid], right[oid], both[oid]
        if ours is None or theirs is None:
            assert lanes is None
        else:
            assert lanes is not None
            assert (STILL in lanes) == (STILL in ours and STILL in theirs)
    for oid in left.keys() ^ right.keys():
        assert both[oid] == (left | right)[oid]


@given(touches, touches)
def test_what_was_looked_up_stays_marked(left: Touch, right: Touch) -> None:
    both = merged(left, right)
    for oid in left.keys() & right.keys():
        ours, theirs, lanes = left[oid], right[oid], both[oid]
        if ours is not None and theirs is not None and lanes is not None:
            for mark in (name + GUESSED for name in NAMES):
                assert (mark in lanes) == (mark in ours or mark in theirs)


@given(touches, touches, touches)
def test_the_order_does_not_matter(one: Touch, two: Touch, three: Touch) -> None:
    assert normal(merged(one, two)) == normal(merged(two, one))
    assert normal(merged(merged(one, two), three)) == normal(merged(one, merged(two, three)))


def normal(touch: Touch) -> Touch:
    """The same with each lane's values sorted, and no mention of lanes that are touched entirely."""
    return {
        oid: lanes
        if lanes is None
        else {name: sorted(set(values)) for name, values in lanes.items() if values is not None}
        for oid, lanes in touch.items()
    }
