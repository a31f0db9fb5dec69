"""Any rows of any common types: chunks and exports have what fetch has, in its order."""

from __future__ import annotations

import asyncio
import csv
import io
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from galvo_memory import chunked, export
from galvo_memory.chunks.measure import deep, sizes, total

TYPES = """
    small int2, whole int4, large int8, single float4, double float8, exact numeric, yes bool, name text,
    code varchar(50), raw bytea, day date, moment timestamptz, plain timestamp, hour time, span interval, ref uuid,
    doc jsonb, old json, tags text[], grid int4[], address inet, span4 int4range, place point, pair pair
"""
MAKE = f"""
    create type pair as (a int, b text);
    create table t (id serial primary key, {TYPES});
"""
FILL = """
    insert into t ({columns}) select
        (r * 100)::int2, (r * 1e6)::int4, (r * 1e12)::int8, (r * 10)::float4, exp(r * 100),
        (r * 1e20)::numeric(30, 7), r > 0.5, repeat(chr(97 + (r * 20)::int), size), left(md5(r::text), (r * 30)::int),
        decode(repeat('ab', size), 'hex'), date '2026-01-01' + (r * 1000)::int,
        timestamptz '2026-01-01' + r * interval '1 year', timestamp '2026-01-01' + r * interval '1 year',
        time '00:00' + r * interval '1 day', r * interval '400 days', md5(r::text)::uuid,
        jsonb_build_object('a', r, 'b', repeat('c', size)), '[1, {{"a": null}}]',
        array_fill('tag'::text, array[coalesce((r * 9)::int, 0)]) || null, array[[1, null], [(r * 9)::int, 4]],
        '10.0.0.1'::inet + (r * 200)::int, int4range((r * 5)::int, 9), point(r, -r), row((r * 9)::int, null)::pair
    from (
        select case when random() < 0.1 then null else random() end as r, size
        from unnest($1::int[]) with ordinality u(size, i) order by i
    ) x
"""
SIZES = st.lists(st.one_of(st.integers(0, 50), st.integers(0, 5000), st.sampled_from([40_000, 150_000])), max_size=60)


@pytest.fixture
def connection(dsn: str) -> Any:
    """Open for the whole test, on a loop that all examples share."""
    with asyncio.Runner() as runner:
        made = runner.run(asyncpg.connect(dsn))
        runner.run(made.execute(MAKE))

        def run(work: Any) -> Any:
            return runner.run(work(made))

        yield run
        runner.run(made.close())


async def fill(connection: Any, lengths: list[int], seed: float) -> None:
    await connection.execute("truncate t")
    columns = ", ".join(entry.split()[0] for entry in TYPES.replace("\n", " ").split(","))
    await connection.execute(f"select setseed({seed})")
    await connection.execute(FILL.format(columns=columns), lengths)


examples = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


@examples
@given(lengths=SIZES, seed=st.floats(-1, 1), max_bytes=st.sampled_from([1, 5_000, 100_000, 2_000_000]))
def test_chunks_are_what_fetch_gives(connection: Any, lengths: list[int], seed: float, max_bytes: int) -> None:
    async def play(connection: Any) -> None:
        await fill(connection, lengths, seed)
        for sql, keyset in (
            ("select * from t order by name desc nulls first, id", None),
            ("select * from t", "id"),
            ("select * from t where whole > $1 or whole is null", ("id",)),
            ("select exact, coalesce(code, '') as code, id from t", ("code", "id")),
            ("select coalesce(moment, 'infinity') as moment, ref, id, tags from t", ("moment", "id")),
        ):
            args = (500_000,) if "$1" in sql else ()
            if keyset is None:
                expected = await connection.fetch(sql, *args)
            else:
                keys = ", ".join([keyset] if isinstance(keyset, str) else keyset)
                expected = await connection.fetch(f"select * from ({sql}) q order by {keys}", *args)
            async with chunked(connection, sql, *args, max_bytes=max_bytes, keyset=keyset) as reading:
                chunks = [chunk async for chunk in reading]
            assert all(chunks)
            assert [row for chunk in chunks for row in chunk] == expected
            assert [list(row.keys()) for row in expected] == [list(row.keys()) for chunk in chunks for row in chunk]
            for chunk in chunks[1:]:
                assert len(chunk) == 1 or sum(sizes(chunk)) <= max(1, max_bytes // 2)

    connection(play)


@examples
@given(lengths=SIZES, seed=st.floats(-1, 1))
def test_an_export_is_what_fetch_gives(connection: Any, lengths: list[int], seed: float) -> None:
    async def play(connection: Any) -> None:
        await fill(connection, lengths, seed)
        sql = "select id, name, exact::text as exact, code, whole::text as whole from t order by id"
        expected = await connection.fetch(sql)
        parts: list[bytes] = []

        async def sink(data: bytes) -> None:
            await asyncio.sleep(0)
            parts.append(data)

        done = await export(connection, sql, to=sink, null="\\N")
        text = b"".join(parts).decode()
        assert (done.rows, done.bytes) == (len(expected), len(text.encode()))
        csv.field_size_limit(1 << 20)
        header, *rows = csv.reader(io.StringIO(text))
        assert header == ["id", "name", "exact", "code", "whole"]
        read = [[None if cell == "\\N" else cell for cell in row] for row in rows]
        assert read == [[str(row["id"]), *list(row)[1:]] for row in expected]

    connection(play)


@examples
@given(lengths=SIZES, seed=st.floats(-1, 1))
def test_measured_sizes_are_those_of_the_objects(connection: Any, lengths: list[int], seed: float) -> None:
    async def play(connection: Any) -> None:
        await fill(connection, lengths, seed)
        rows = await connection.fetch("select * from t")
        if not rows:
            return
        assert total(rows) == sum(sizes(rows))
        for row, size in zip(rows, sizes(rows), strict=True):
            assert size == pytest.approx(deep(row), rel=0.2, abs=1000)

    connection(play)
