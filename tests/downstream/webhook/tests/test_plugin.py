"""What this plugin does, on a real kernel and with a real receiver."""

import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from galvo import Kernel, Metric, SettingsError
from receiver import Receiver

from galvo_webhook import WebhookPlugin

pytestmark = pytest.mark.anyio
Until = Callable[[Callable[[], bool]], Awaitable[None]]
SLOW = Metric("db.client.operation.duration", "histogram", "s", (("db.operation", "select"),))
RULES = [{"metric": SLOW.name, "above": 1}]


def kernel_of(url: str, **settings: Any) -> Kernel:
    return Kernel.of({WebhookPlugin: {"url": url, "rules": RULES, "quiet": 0, "backoff": 0.01, **settings}})


def counted(kernel: Kernel, name: str) -> float:
    return kernel.plugin_stats("webhook")[name]


async def test_what_is_above_the_threshold_is_told(receiver: Receiver, until: Until) -> None:
    async with kernel_of(receiver.url) as kernel:
        kernel.record(SLOW, 1)
        kernel.record(Metric("another"), 9)
        kernel.record(SLOW, 2.5)
        await until(lambda: counted(kernel, "sent") == 1)
    text = f"{SLOW.name} db.operation=select is 2.5 s, above 1"
    assert receiver.got == [("/services/T0/B0/hunter2", "application/json", {"text": text})]


async def test_it_is_tried_again_until_it_is_taken(receiver: Receiver, until: Until) -> None:
    receiver.answers = [(500, {}), (503, {}), (429, {"Retry-After": "0"})]
    async with kernel_of(receiver.url) as kernel:
        kernel.record(SLOW, 2)
        await until(lambda: counted(kernel, "sent") == 1)
    assert len(receiver.got) == 4
    assert len({str(got) for got in receiver.got}) == 1


async def test_who_measures_never_waits_and_the_queue_has_an_end(receiver: Receiver, until: Until) -> None:
    receiver.open.clear()
    async with kernel_of(receiver.url, queue=10) as kernel:
        kernel.record(SLOW, 2)
        await until(lambda: len(receiver.got) == 1)
        for _ in range(100):
            kernel.record(SLOW, 3)
        assert counted(kernel, "dropped") == 90
        receiver.open.set()
        await until(lambda: counted(kernel, "sent") == 11)


async def test_a_rule_that_has_spoken_is_quiet_for_a_while(receiver: Receiver, until: Until) -> None:
    async with kernel_of(receiver.url, quiet=3600) as kernel:
        for _ in range(3):
            kernel.record(SLOW, 2)
        await until(lambda: counted(kernel, "sent") == 1)
        assert counted(kernel, "held") == 2
    async with kernel_of(receiver.url, quiet=0.1) as kernel:
        kernel.record(SLOW, 2)
        kernel.record(SLOW, 2)

        def again() -> bool:
            kernel.record(SLOW, 2)
            return len(receiver.got) == 3

        await until(again)
    assert "more since the last message)" in receiver.got[2][2]["text"]


async def test_what_waits_at_the_end_is_posted(receiver: Receiver) -> None:
    async with kernel_of(receiver.url) as kernel:
        for _ in range(5):
            kernel.record(SLOW, 2)
    assert len(receiver.got) == 5


async def test_the_end_does_not_wait_for_a_receiver_that_hangs(receiver: Receiver, until: Until) -> None:
    receiver.open.clear()
    async with kernel_of(receiver.url, farewell=0) as kernel:
        kernel.record(SLOW, 2)
        await until(lambda: len(receiver.got) == 1)
    assert not receiver.open.is_set()


@pytest.mark.parametrize("answer", [(404, {}), (302, {"Location": "/elsewhere"})])
async def test_what_is_refused_is_not_repeated_nor_sent_elsewhere(
    answer: tuple[int, dict[str, str]], receiver: Receiver, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.answers = [answer]
    async with kernel_of(receiver.url) as kernel:
        kernel.record(SLOW, 2)
        await until(lambda: counted(kernel, "lost") == 1)
        kernel.record(SLOW, 3)
        await until(lambda: counted(kernel, "sent") == 1)
    assert [got[0] for got in receiver.got] == ["/services/T0/B0/hunter2"] * 2
    assert caplog.messages == [f"a message could not be posted: HTTP {answer[0]}"]


async def test_the_url_is_never_shown(receiver: Receiver, until: Until, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with socket.socket() as unused:  # bound, and nobody listens
        unused.bind(("127.0.0.1", 0))
        for url in (receiver.url, f"http://127.0.0.1:{unused.getsockname()[1]}/hunter2", receiver.url + "/\n hunter2"):
            receiver.answers = [(500, {}), (400, {})]
            async with kernel_of(url, attempts=2) as kernel:
                kernel.record(SLOW, 2)
                await until(lambda kernel=kernel: counted(kernel, "lost") == 1)  # type: ignore[misc]  # each has its own
                shown = [repr(kernel.plugins()), repr(kernel.supervisor.units["webhook"].blueprint.settings)]
                assert "hunter2" not in "".join(shown)
    assert len([text for text in caplog.messages if "could not be posted" in text]) == 3
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("url", ["http://example.org/hunter2", "file:///hunter2", "hunter2", "https://"])
def test_a_url_that_would_show_it_to_others_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"\[webhook\] url: write https://host/path") as caught:
        kernel_of(url)
    assert "hunter2" not in str(caught.value)


async def test_without_a_url_the_application_runs_on_without_it(caplog: pytest.LogCaptureFixture) -> None:
    async with Kernel.of({WebhookPlugin: {}}) as kernel:
        kernel.record(SLOW, 2)
        [told] = kernel.plugins()
    assert told["state"] == "failed"
    assert told["reason"] == "has nowhere to post: set GALVO_WEBHOOK__URL=https://..."
