"""What is written under [memory]: one sentence names the key and what to write."""

from __future__ import annotations

import re
from typing import Any

import pytest

from galvo import SettingsError
from galvo.settings import validated
from galvo_memory.settings import MemorySettings


@pytest.mark.parametrize(
    "table, says",
    [
        ({"limit": "12 bananas"}, "limit: '12 bananas' is not a size: write bytes, or a number with KiB, MiB or GiB"),
        ({"limit": 0}, "limit: a size of 0 bytes holds nothing"),
        ({"limit": "-5MiB"}, "limit: '-5MiB' is not a size"),
        ({"limit": True}, "limit: is not a size: write bytes"),
        ({"budget": 1.5}, "budget: is not a size: write bytes"),
        ({"budget": "2GiB", "limit": "1GiB"}, "budget = 2.0 GiB is more than limit = 1.0 GiB: lower it"),
        ({"levels": [0.9, 0.8, 0.95]}, r"levels: [0.9, 0.8, 0.95] have to rise"),
        ({"levels": [0.5, 0.6, 1.5]}, "levels: 1.5 is a share of the limit"),
        ({"levels": [0.5, 0.6]}, "levels.2: field required"),
        ({"waiting": [1, 2, 300]}, "waiting: 300 is a percentage"),
        ({"waiting": [0, 2, 3]}, "waiting.0: input should be greater than 0"),
        ({"waiting": [1, 2, float("nan")]}, "waiting.2: input should be a finite number"),
        ({"gap": 0.8}, "gap = 0.8 is not below the first of levels, 0.75"),
        ({"interval": 0}, "interval: input should be greater than or equal to 0.01"),
        ({"intervall": 1}, "has no key 'intervall'; did you mean 'interval'?"),
    ],
)
def test_refused(table: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(says)) as error:
        validated(MemorySettings, table, "memory")
    assert len(str(error.value).splitlines()) == 1


def test_sizes() -> None:
    made = validated(MemorySettings, {"limit": "1.5 GiB", "budget": 1000}, "memory")
    assert (made.limit_bytes, made.budget_bytes) == (3 << 29, 1000)
    assert validated(MemorySettings, {}, "memory").limit_bytes is None
