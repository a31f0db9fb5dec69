"""What may be shown of a statement: never a value."""

from __future__ import annotations

import pytest

from galvo_sql.redaction import HIDDEN, LONGEST, redacted

SECRETS = [
    "select 'geheim'", "select E'geheim\\n', U&'geheim', N'geheim', B'1', X'1F', $$geheim$$, $a$geheim$a$, 4711",
    "select 47.11e3",
    "select 1 -- geheim", "select /* geheim */ 1 /* /* geheim */ 4711 */", "select 'a'\n  'geheim'",
    "create user x password 'geheim'", "set x.y = 'geheim'", "do $$ begin perform 'geheim'; end $$",
    "comment on table x is 'geheim'", "create table t(a text default 'geheim')", "prepare x as select 'geheim'",
    "execute x('geheim', 4711)", "copy t from '/geheim' with (delimiter ',')", "notify a, 'geheim'",
    "insert into t values (4711, 'geheim')", "select 1; select 'geheim'", "select 'geheim", "select $$geheim",
    "select 'a\\' geheim '", "selec 'geheim'", "x /* geheim",
]  # fmt: skip


@pytest.mark.parametrize("sql", SECRETS)
def test_no_value_is_shown(sql: str) -> None:
    shown = redacted(sql)
    assert "geheim" not in shown
    assert "47" not in shown
    assert "1F" not in shown


@pytest.mark.parametrize(
    "sql, shown",
    [
        ('select a.b, $1::int from "Tab" a where x=-5', 'select a.b, $1::int from "Tab" a where x=-?'),
        ("select 1 where y in (1,2, 3)", "select ? where y in (?,?, ?)"),
        ("select  1\n\t from t -- why\n where a", "select ? from t where a"),
        ("select 'é', ü from ö /* ä */ where é = 'x'", "select ?, ü from ö where é = ?"),
        ("", ""),
        ("'unterminated", HIDDEN),
        ("select E'a\\'b'", "select ?"),
        ("select true, null, interval '1 day'", "select true, null, interval ?"),
        ("select E'it\\'s', $$secret$$, U&'d' /* secret */ from t", "select ?, ?, ? from t"),
        ("create role x password 'secret'", "create role x password ?"),
        ("x" * 20_000, HIDDEN),
    ],
)  # fmt: skip
def test_the_rest_is(sql: str, shown: str) -> None:
    assert redacted(sql) == shown


def test_it_is_not_endless() -> None:
    assert len(redacted(f"select {', '.join('column_name' for _ in range(1000))}")) == LONGEST + 3
