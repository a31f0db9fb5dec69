"""Texts without their comments: they mean what they meant."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pglast.parser import ParseError, scan

from galvo_cache.texts import COMMENTS, MAX_TEXT, stripped
from tests.plugins.cache.situations.situation import two
from tests.thorough import examples

SAME = [
    ("/* route='x' */ select 1", "select 1"),
    ("select 1 -- route='x'", "select 1"),
    ("select 1 -- a\n, 2", "select 1  \n, 2"),
    ("select/**/1", "select 1"),
    ("select 1+/* a */-1", "select 1+ -1"),
    ("select /* /* nested */ -- */ 1", "select   1"),
    ("select 'é' /* ü */, '日本'", "select 'é'  , '日本'"),
    ("select '😀' /* 😀 */ as \"/*\"", "select '😀'   as \"/*\""),
]
KEPT = [
    "select '--', '/* */'",
    'select "--", U&"/*"',
    "select E'\\'--'",
    "select $$--$$, $a$ /* $$ $a$",
    "select 'a' -- one string\n'b'",
    "select 'a' /* not one string */\n'b'",
    "select 1 /* never ends",
    "select 1 /* /* */",
    "select 'never ends --",
    "select \ud800 -- no letter",
    "select 1 as x\u00a0 -- the name ends in a no-break space",
    "-- and begins with one\n\u3000 from job",
    "select id from job\x85 /* c1 */",
]


@pytest.mark.parametrize("sql, bare", SAME)
def test_comments_go(sql: str, bare: str) -> None:
    assert stripped(sql) == bare


@pytest.mark.parametrize("sql", KEPT)
def test_what_is_no_comment_stays(sql: str) -> None:
    bare = stripped(sql)
    assert bare == sql or tokens(bare) == tokens(sql)
    assert not sql.startswith("select") or bare.rstrip("\n") == sql or "--" not in bare


def test_long_texts_are_not_scanned() -> None:
    """The scanner would take seconds for them."""
    sql = f"select {'1, ' * MAX_TEXT} 1 -- one"
    assert stripped(sql) is sql


def tokens(sql: str) -> list[tuple[str, str]]:
    return [(token.name, sql[token.start : token.end + 1]) for token in scan(sql) if token.name not in COMMENTS]


PIECES = [
    "select", "1", ".5", "e5", "0x1f", "_1", "'a'", "'a''b'", "E'\\''", "E'\\\\'", "U&'\\0041'", "uescape '!'", 'U&"x"',
    '"--"', '"/*"', "$$--$$", "$$/*$$", "$a$ -- $a$", "$é$--$é$", "$1", "'\n'", "'a\n--'", "b'01'", "n'a'", "é", "日",
    "😀", "--", "-- x\n", "--\r", "/*", "*/", "/**/", "/* x */", "/*/* */*/", "/* -- */", "\n", "\r", " ", "\t", "\x0b",
    "\x0c", "\u00a0", "\u3000", "\x85", "\x1c", "\x00", "+", "-", "*", "/", "@", "<", "=", "::", ",", "(", ")", ";",
    "\\", "%", "?",
]  # fmt: skip


@settings(max_examples=examples(1500), deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@example("b'01'-- x\n/**/'\n''\n'")
def test_only_comments_and_space_go(sql: str) -> None:
    bare = stripped(sql)
    if bare == sql:
        return
    before = tokens(sql)
    try:
        assert tokens(bare) == before
    except ParseError:
        raise AssertionError("it could be read before") from None


@pytest.mark.anyio
async def test_a_name_that_ends_in_a_no_break_space(dsn: str) -> None:
    """To PostgreSQL it is a letter."""
    async with two(dsn, 'create table "job\u00a0"(id int); insert into "job\u00a0" values (99);') as s:
        assert len(await s.right("select id from job /* a */")) == 5
        assert await s.right("/* a */ select id from job\u00a0") == [(99,)]
        await s.right("/* a */ select id as x from job")
        await s.right("/* a */ select id as x\u00a0")
        await s.right("/* a */ select id as x from job order by x\u00a0")
