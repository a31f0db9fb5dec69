from __future__ import annotations

import gc

import pytest


@pytest.fixture(autouse=True, scope="module")
def frozen() -> None:
    """What is frozen, and by whom, is what these tests are about: nothing is at their start."""
    gc.unfreeze()
