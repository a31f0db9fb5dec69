"""How large an index would be.

Source: PostgreSQL's nbtree (`_bt_buildadd`, `_bt_dedup_*`): 8 bytes of tuple header, keys aligned, 4 of line pointer,
pages 90 % full; equal keys are one tuple with a list of 6-byte row pointers, of at most a tenth of a page when built.
HypoPG knows no deduplication, and is up to 8 times too high.
"""

from __future__ import annotations

import math
from dataclasses import replace

from galvo_index.advise.candidates.candidate import Candidate
from galvo_index.advise.catalog.table import PAGE

_USABLE = (PAGE - 24 - 16) * 0.9
_LIST = PAGE // 10 // 8 * 8 - 4
_POINTER, _HEADER, _LINE = 6, 8, 4
_EXPRESSION = 16.0
"""Bytes of a key that is no column."""
_BRIN_PAGES = 128


def size(candidate: Candidate) -> int:
    """Bytes, in all partitions together."""
    table = candidate.table
    if table.leaves:
        return sum(size(replace(candidate, table=leaf)) for leaf in table.leaves)
    rows = table.rows * candidate.part
    if candidate.method == "brin":
        return int(max(3, table.pages / _BRIN_PAGES / 250) * PAGE)
    if candidate.method == "gin":
        return int(max(2 * PAGE, rows * sum(table.columns[name].width for name in candidate.columns) * 0.6))
    tuple_bytes = _HEADER + _aligned(_width(candidate)) + _LINE
    plain = rows * tuple_bytes
    if not candidate.include and all(table.columns[name].deduplicates for name in candidate.columns):
        plain = min(plain, _deduplicated(candidate, rows, tuple_bytes))
    leaves = max(1, math.ceil(plain / _USABLE))
    above = leaves / max(1.0, _USABLE / tuple_bytes)
    return int((leaves + math.ceil(above) + 1) * PAGE)


def _width(candidate: Candidate) -> float:
    """Of the data of one tuple, each column aligned as in the table."""
    offset = 0.0
    table = candidate.table
    for key in (*candidate.keys, *candidate.include):
        name = next((one for one in candidate.all_columns if table.quoted[one] == key.split(" ")[0] or one == key), "")
        if not name:
            offset += _EXPRESSION
            continue
        column = table.columns[name]
        step = column.align if column.length > 0 else 1  # short values are not aligned
        offset = math.ceil(offset / step) * step + column.width
    nullable = any(table.columns[name].nulls > 0 for name in candidate.all_columns)
    return offset + (8 if nullable else 0)


def _aligned(bytes: float) -> float:
    return math.ceil(bytes / 8) * 8


def _deduplicated(candidate: Candidate, rows: float, tuple_bytes: float) -> float:
    values = 1.0
    for name in candidate.columns:
        values *= candidate.table.columns[name].distinct
    values = max(1.0, min(values, rows))
    each = rows / values
    most = max(2.0, (_LIST - tuple_bytes) // _POINTER)
    lists = values * math.ceil(each / most)
    return lists * tuple_bytes + (_POINTER * rows if each > 1 else 0)
