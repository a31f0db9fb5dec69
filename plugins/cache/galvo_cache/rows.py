"""Which rows a statement reads or writes, where its text pins them to the value of an indexed column.

What is not proven is tracked as a whole table; tests/plugins/cache/test_rows_oracle.py tries to prove it wrong.
"""

from __future__ import annotations

from galvo_cache.row_facts import shown
from galvo_cache.row_reads import slices
from galvo_cache.row_writes import changes

__all__ = ["changes", "shown", "slices"]
