"""Passwords are slow to look at: many at once hold up nothing else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from galvo_engraving.accounts import passwords
from galvo_engraving.problems import Busy

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """No password is ready before this is set."""
    go = threading.Event()

    def slow(*_: object) -> bytes:
        go.wait()
        return bytes(32)

    monkeypatch.setattr(passwords, "_scrypt", slow)
    yield go
    go.set()


async def test_a_queue_is_short_and_who_signs_in_does_not_wait_in_that_of_new_ones(stuck: threading.Event) -> None:
    made = [asyncio.create_task(passwords.hashed("x")) for _ in range(passwords.NEW.most)]
    await asyncio.sleep(0)  # each of them begins
    with pytest.raises(Busy) as told:
        await passwords.hashed("x")
    assert told.value.headers["retry-after"] == "2"
    looked = [asyncio.create_task(passwords.matches("x", None)) for _ in range(passwords.KNOWN.most)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await passwords.matches("x", None)
    async with asyncio.timeout(60):  # previews and the like have their own threads
        assert await asyncio.to_thread(str, 1) == "1"
    stuck.set()
    await asyncio.gather(*made, *looked)
    assert passwords.NEW.begun == passwords.KNOWN.begun == 0
    await passwords.hashed("x")
