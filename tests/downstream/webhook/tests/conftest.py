"""What all tests share."""

import threading
from collections.abc import Awaitable, Callable, Iterator

import anyio
import pytest
from receiver import Receiver


@pytest.fixture
def anyio_backend() -> str:
    """galvo's drivers run on asyncio only."""
    return "asyncio"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.open.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """`await until(lambda: ...)`"""

    async def wait(true: Callable[[], bool]) -> None:
        with anyio.fail_after(20):
            while not true():
                await anyio.sleep(0.005)

    return wait
