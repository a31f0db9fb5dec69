"""A telling part of SQLAlchemy's suite for dialects (all of it: `make sqlalchemy`), beside asyncpg's dialect."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.sqlalchemy_suite.__main__ import Outcomes, compare, run

PART = (
    "JSONTest or ArrayTest or NumericTest or NativeUUIDTest or IntervalTest or InsertBehaviorTest or RowCountTest or "
    "ServerSideCursorsTest or IsolationLevelTest or SimpleUpdateDeleteTest or RowFetchTest or ExceptionTest or "
    "EscapingTest or IdentityAutoincrementTest or FetchLimitOffsetTest"
)


def test_no_test_passes_with_asyncpgs_dialect_only(server_dsn: str, folder: Path) -> None:
    theirs, ours = run(server_dsn, folder, PART)
    counts = Counter(theirs.tests.values())
    assert counts["failed"] == 0
    assert counts["passed"] > 300
    assert ours.tests == theirs.tests
    assert (theirs.reads, ours.reads > 20) == (0, True)


@pytest.mark.parametrize("ours, code", [("passed", 0), ("failed", 1), ("skipped", 1), (None, 1)])
def test_what_counts_as_a_difference(ours: str | None, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    one = Outcomes({"A::test": "passed", "B::test": "failed"}, {}, 0, 1)
    other = Outcomes({"A::test": ours} if ours else {}, {}, 0, 1)
    assert compare(one, other) == code
    assert ("only with asyncpg's: A::test" in capsys.readouterr().out) == bool(code)
