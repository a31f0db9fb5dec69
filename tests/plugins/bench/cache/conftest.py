"""What the tests of the cache's subjects share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def frozen() -> Iterator[None]:
    """Each round begins with a full collection: it must not look at all that pytest has collected."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
