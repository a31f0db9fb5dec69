"""Pages by keys of any type lose no row, whatever Python makes of a key."""

from __future__ import annotations

import pytest

from galvo_memory import chunked
from galvo_memory.chunks import KeysetUnusable
from tests.plugins.memory.chunks.targets import reaching

pytestmark = pytest.mark.anyio
ROWS = 300
KEYS = {
    "the last date of Python": "date '9999-12-31'",
    "the first date of Python": "date '0001-01-01'",
    "around the last date": "(array[date '9999-12-30', '9999-12-31', 'infinity'])[1 + n % 3]",
    "around the last timestamp": "(array[timestamp '9999-12-31 23:59:59.999999', 'infinity', '-infinity'])[1 + n % 3]",
    "timestamptz": "timestamptz '2026-01-01' + n % 7 * interval '1 month 1 us'",
    "interval in years": "make_interval(years => n)",
    "interval in months and days": "make_interval(months => n % 50, days => n % 31)",
    "numeric": "(n % 90)::numeric / 7",
    "numeric NaN": "(array['NaN'::numeric, 'Infinity', 1e30])[1 + n % 3]",
    "float": "exp(n % 90) / 3",
    "float4": "(exp(n % 80) / 3)::float4",
    "float NaN": "(array['NaN'::float8, 'infinity', '-0'])[1 + n % 3]",
    "text": "(array['', ' ', 'a''b', 'ä', E'\\\\ \\n'])[1 + n % 5]",
    "character": "(n % 90)::text::char(5)",
    "bits": "(n % 90)::bit(12)",
    "one byte": """chr(65 + n % 9)::"char\"""",
    "uuid": "md5((n % 90)::text)::uuid",
    "bytea": "decode(md5((n % 90)::text), 'hex')",
    "array": "array[n % 7, null, 3]",
    "range": "int4range(n % 7, 9)",
    "jsonb": "jsonb_build_object('a', n % 7)",
    "enum": "(array['b', 'a'])[1 + n % 2]::mood",
    "domain": "(n % 9)::small",
    "equal in other words": "(array[interval '1 month', '30 days', '720 hours', '2 days'])[1 + n % 4]",
}


@pytest.mark.parametrize("name", KEYS)
async def test_no_row_is_lost(dsn: str, name: str) -> None:
    async with reaching("asyncpg connection", dsn) as target:
        await target.execute("create type mood as enum ('b', 'a'); create domain small as int check (value < 9)")
        await target.execute(f"create table t as select {KEYS[name]} as k, n from generate_series(1, {ROWS}) n")
        expected = await target.fetch("select k, n, 1 as other from t where n <> $1 order by k, n", 0)
        sql = "select k, n, 1 as other from t where n <> $1"
        chunks = [chunk async for chunk in chunked(target, sql, 0, max_bytes="8KiB", keyset=("k", "n"))]
    found = [row for chunk in chunks for row in chunk]
    assert [row["n"] for row in found] == [row["n"] for row in expected]
    assert list(found[0].keys()) == ["k", "n", "other"]
    assert len(chunks) > 3


@pytest.mark.parametrize(
    "key", ["make_interval(months => n % 2, days => n / 2 * 60 + (n + 1) % 2 * 30)", "date '9999-12-31'"]
)
async def test_keys_that_only_the_server_finds_equal_are_refused(dsn: str, key: str) -> None:
    async with reaching("asyncpg connection", dsn) as target:
        with pytest.raises(KeysetUnusable, match="several rows have k"):
            async for _ in chunked(target, f"select {key} as k from generate_series(1, 300) n", keyset="k"):
                pass


async def test_a_codec_that_loses_and_text_that_loses(dsn: str) -> None:
    sql = "select n / 100::float8 as k from generate_series(1, 300) n"
    async with reaching("asyncpg connection", dsn) as target:
        await target.set_type_codec("float8", schema="pg_catalog", encoder=str, decoder=lambda text: round(float(text)))
        assert sum([len(chunk) async for chunk in chunked(target, sql, keyset="k")]) == 300
        await target.execute("set extra_float_digits = -15")
        with pytest.raises(KeysetUnusable, match=r"k = 0\.\d+ is another value when the server reads it again"):
            async for _ in chunked(target, sql, keyset="k"):
                pass


async def test_rows_that_come_and_go_move_no_page(dsn: str) -> None:
    """Those between two pages, and those at their edges."""
    async with reaching("asyncpg connection", dsn) as target:
        await target.execute(
            "create table t (n int primary key); insert into t select n * 2 from generate_series(1, 300) n"
        )
        seen: list[int] = []
        async for chunk in chunked(target, "select n from t", max_bytes="8KiB", keyset="n"):
            seen += [row["n"] for row in chunk]
            await target.execute("delete from t where n % 4 = 0 and n < $1", seen[-1] + 60)
            await target.execute(
                "insert into t select generate_series($1::int + 1, least($1::int + 99, 599), 2) on conflict do nothing",
                seen[-1],
            )
    assert seen == sorted(seen)
    assert set(range(2, 600, 4)) <= set(seen)
