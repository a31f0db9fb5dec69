"""Ids that nobody can freeze, because a forgotten transaction holds them back."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from galvo_embedded import Servers
from galvo_index.health import examine
from tests.plugins.index.health.limits import LOW

pytestmark = pytest.mark.anyio
KINDS = ("transaction", "multixact")
OPTIONS = {
    "fsync": "off",
    "autovacuum_freeze_max_age": "100000",
    "autovacuum_multixact_freeze_max_age": "10000",
    "max_prepared_transactions": "4",
}
EACH = "do $$ begin for k in 1..{0} loop begin {1}; exception when division_by_zero then end; end loop; end $$"
"""Each in a subtransaction, with an id of its own."""
SETUP = (
    "create table burnt(i int); create table shared(i int primary key)",
    "insert into shared select generate_series(1, 16000)",
    "begin; select * from shared for share; prepare transaction 'old'",
)


async def test_both_kinds_are_found_with_who_holds_them_back(folder: Path) -> None:
    servers = Servers(folder, options=OPTIONS)
    try:
        dsn = await servers.postgres()
        one, other = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
        for sql in SETUP:
            await one.execute(sql)
        await other.execute(EACH.format(160_000, "insert into burnt values (k)"))
        await other.execute(EACH.format(16_000, "perform from shared where i = k for share"))
        report = await examine(one, [f"{kind}-wraparound" for kind in KINDS], LOW)
        await other.execute("rollback prepared 'old'")
        await one.close()
        await other.close()
    finally:
        servers.close()
    assert not report.unknown
    for kind in KINDS:
        found = [finding for finding in report.findings if finding.rule == f"{kind}-wraparound"]
        assert {"database template0", "database template1"} < {finding.subject for finding in found}
        assert "database postgres" not in {finding.subject for finding in found}, "its tables are named instead"
        assert all("held back by the prepared transaction old" in finding.seen for finding in found)
    multixacts = [one.evidence["age"] for one in report.findings if one.rule == "multixact-wraparound"]
    assert max(multixacts) < 100_000, "they are counted on their own"
