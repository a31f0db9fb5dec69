"""The comment, by the examples of sqlcommenter's specification."""

import pytest

from galvo_tagger import comment, tagged
from galvo_tagger.tags import LONGEST, sampled

TRACE = "00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2"


def test_the_specifications_example() -> None:
    tags = {
        "tracestate": "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
        "traceparent": f"{TRACE}-01",
        "framework": "spring",
        "action": "/param*d",
        "controller": "index",
    }
    assert comment(tags) == (
        "/*action='%2Fparam%2Ad',controller='index',framework='spring',"
        f"traceparent='{TRACE}-01',tracestate='congo%3Dt61rcWkgMzE%2Crojo%3D00f067aa0ba902b7'*/"
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("DROP TABLE FOO", "DROP%20TABLE%20FOO"),
        ("/param first", "%2Fparam%20first"),
        ("1234", "1234"),
        ("*/; drop table t; --'", "%2A%2F%3B%20drop%20table%20t%3B%20--%27"),
        ("a\udcffb", "a%3Fb"),
        ("Größe\n\0", "Gr%C3%B6%C3%9Fe%0A%00"),
    ],
)
def test_nothing_ends_the_comment_or_the_quotes(value: str, written: str) -> None:
    assert comment({"route": value}) == f"/*route='{written}'*/"
    assert comment({value: "x"}) == f"/*{written}='x'*/"


def test_a_value_that_is_none_is_told_to_who_gives_it() -> None:
    with pytest.raises(TypeError, match="tag route is expected to be a str, got int"), tagged(route=5):
        pass


def test_what_there_is_nothing_to_say_of() -> None:
    assert comment({}) == comment({"route": ""}) == ""
    assert comment({"route": "x" * 10_000}) == f"/*route='{'x' * LONGEST}'*/"


def test_which_traces_somebody_records() -> None:
    assert sampled(f"{TRACE}-01")
    assert sampled(f"{TRACE}-03")
    assert not sampled(f"{TRACE}-00")
    assert not any(map(sampled, ("", "nonsense", f"{TRACE}-zz", f"{TRACE}-1")))
