"""Tests of asyncpg's that fail because of what this pool is for."""

from __future__ import annotations

NO_RESET = 'nothing ran, so nothing is reset, and nobody asks the server anything (reset_when="always" does)'
OUTSIDE = "the schema is changed past galvo, which notices after `catalog_refresh` seconds"
ASKED = "a new connection has been asked what it leads to, which counts as a query"
KEPT = "`SELECT 1` between two cancelled statements comes from memory, so the next one meets the cancellation"
KERNEL = {
    "test_execute.py::TestExecuteScript::test_execute_script_1": ASKED,
    "test_prepare.py::TestPrepare::test_prepare_01": ASKED,
}
"""With a kernel."""
CACHE = {
    "test_adversity.py::TestConnectionLoss::test_pool_acquire_timeout": NO_RESET,
    "test_adversity.py::TestConnectionLoss::test_pool_release_timeout": NO_RESET,
    "test_cache_invalidation.py::TestCacheInvalidation::test_prepare_cache_invalidation_in_pool": OUTSIDE,
    "test_cache_invalidation.py::TestCacheInvalidation::test_type_cache_invalidation_in_pool": OUTSIDE,
    "test_timeout.py::TestTimeout::test_timeout_05": KEPT,
}
"""With a cache."""


def reason(test: str, variant: str) -> str:
    """Why this pool differs there; "" when it must not."""
    reasons = {"plain": KERNEL, "cache": KERNEL | CACHE}.get(variant, {})
    return reasons.get(test.removeprefix("asyncpg_tests/"), "")
