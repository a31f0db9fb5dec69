"""Webhooks that answer, fail, hang, or send us elsewhere: real ones, on loopback."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import msgspec
import pytest

from galvo_monitor.alerts import NotTold, RuleProblem, Transition
from galvo_monitor.alerts.notifying import Alertmanager, Notifier, Sender, Webhook
from galvo_monitor.alerts.notifying.notifier import write
from galvo_monitor.alerts.notifying.payload import webhook
from tests.plugins.monitor.alerts.listener import listening, until
from tests.plugins.monitor.alerts.stand import LOG, START

KEY = b"of sixteen bytes"
pytestmark = pytest.mark.anyio


def told(name: str = "High", event: str = "firing", at: float = START + 60) -> Transition:
    return Transition(event, name, "critical", (("disk.path", '/"a"'),), "It is high", START, at, 90.0, 95.0)  # type: ignore[arg-type]


@asynccontextmanager
async def telling(notifier: Notifier, first: float = 0.01) -> AsyncIterator[Sender]:
    sender = Sender(notifier, LOG, first=first)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(sender.run)
        yield sender
        tasks.cancel_scope.cancel()


async def test_what_a_webhook_gets() -> None:
    async with listening() as there:
        hook = Webhook(there.url.replace("//", "//me:pass@") + "/hook?a=b", key=KEY, clock=lambda: START)
        async with telling(hook) as sender:
            sender.post(START, [told(), told("Low", "resolved", START + 120)], [])
            await there.came(1)
    (body,), (head,) = there.bodies, there.heads
    sent = json.loads(body)
    assert (sent["version"], sent["status"], sent["receiver"]) == ("4", "firing", "galvo")
    assert sent["commonLabels"] == {"disk_path": '/"a"', "severity": "critical"}
    firing, resolved = sent["alerts"]
    assert firing["labels"] == {"alertname": "High", "disk_path": '/"a"', "severity": "critical"}
    assert (firing["status"], firing["startsAt"], firing["endsAt"]) == (
        "firing", "2027-01-15T08:00:00.000Z", "0001-01-01T00:00:00Z",
    )  # fmt: skip
    assert (resolved["status"], resolved["endsAt"]) == ("resolved", "2027-01-15T08:02:00.000Z")
    assert resolved["annotations"] == {"summary": "It is high", "value": "90", "peak": "95", "duration": "2 min"}
    assert firing["fingerprint"] != resolved["fingerprint"]
    mark = hmac.new(KEY, f"{START:.0f}.".encode() + body, hashlib.sha256).hexdigest()
    assert f"x-galvo-signature: t={START:.0f},v1={mark}" in head.lower()
    assert head.startswith("POST /hook?a=b HTTP/1.1")
    assert f"authorization: basic {base64.b64encode(b'me:pass').decode().lower()}" in head.lower()


@pytest.mark.parametrize("name", ["alertname", "severity", "a_b", "le"])
def test_alerts_of_two_series_never_are_one(name: str) -> None:
    sent = [msgspec.structs.replace(told(), labels=(("a.b", "both"), (name, value), ("empty", ""))) for value in "xy"]
    first, second = json.loads(webhook(sent))["alerts"]
    assert first["fingerprint"] != second["fingerprint"]
    assert first["labels"] != second["labels"]
    assert (first["labels"]["alertname"], first["labels"]["severity"]) == ("High", "critical")
    assert "empty" not in first["labels"]


async def test_a_webhook_that_answers_500(caplog: pytest.LogCaptureFixture) -> None:
    """It is tried again, with what is newest by then, and said once; and that it works again."""
    caplog.set_level(logging.INFO)
    async with listening() as there, telling(Webhook(f"{there.url}/secret")) as sender:
        there.status = 500
        sender.post(START, [told(), told("Low")], [])
        await there.came(3)
        there.status = 200
        sender.post(START + 60, [told(event="resolved")], [])
        await until(lambda: any("again" in message and "can be told" in message for message in caplog.messages))
    last = json.loads(there.bodies[-1])
    assert {(one["labels"]["alertname"], one["status"]) for one in last["alerts"]} == {
        ("High", "resolved"), ("Low", "firing"),
    }  # fmt: skip
    assert caplog.messages == [
        f"alerts: the webhook {there.url} answers 500; it is tried again",
        f"the webhook {there.url} can be told of alerts again",
    ]


async def test_a_webhook_that_hangs(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody waits for it, and others are told meanwhile."""
    async with listening() as hanging, listening() as there:
        hanging.hangs = True
        slow, quick = Webhook(hanging.url, deadline=0.3), Webhook(there.url)
        async with telling(slow) as stuck, telling(quick) as sender:
            stuck.post(START, [told()], [])
            await hanging.came(1)
            for number in range(3000):
                stuck.post(START, [told(f"A{number}")], [])
            sender.post(START, [told()], [])
            await there.came(1)
            hanging.hangs = False
            await hanging.came(2)
    assert len(json.loads(hanging.bodies[1])["alerts"]) <= 1001
    assert caplog.messages == [f"alerts: {slow.name} did not answer within 0.3 s; it is tried again"]


async def test_a_webhook_that_never_comes_to_an_end() -> None:
    """Each of its pieces is quick."""
    async with listening() as there:
        there.trickles = True
        webhook = Webhook(there.url, deadline=0.3)
        with anyio.fail_after(20), pytest.raises(NotTold, match=r"did not answer within 0.3 s"):
            await webhook.send([told()])
        await webhook.close()


async def test_a_webhook_that_sends_us_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    async with listening() as elsewhere, listening() as there, telling(Webhook(there.url, key=KEY)) as sender:
        there.status, there.headers = 307, f"location: {elsewhere.url}/\r\n"
        sender.post(START, [told()], [])
        await there.came(1)
        there.status, there.headers = 204, ""
        sender.post(START, [told("Low")], [])
        await there.came(2)
    assert elsewhere.bodies == []
    assert [one["labels"]["alertname"] for one in json.loads(there.bodies[1])["alerts"]] == ["Low"]
    said = "answers 307, elsewhere, and nobody is followed: give its final address; 1 alert is not told"
    assert caplog.messages == [f"alerts: the webhook {there.url} {said}"]


async def test_nobody_is_there(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    notifier = Webhook(f"http://user:password@127.0.0.1:{port}/secret")
    async with telling(notifier) as sender:
        sender.post(START, [told()], [])
        await until(lambda: sender.failures >= 2)
    assert len(caplog.messages) == 1
    assert f"http://127.0.0.1:{port} cannot be reached" in caplog.messages[0]
    assert "secret" not in caplog.text
    assert "password" not in caplog.text


async def test_a_notifier_that_fails_in_its_own_way() -> None:
    class Broken:
        name = "it"
        resend: float | None = None
        sent = 0

        async def send(self, told: object) -> None:
            self.sent += 1
            if self.sent < 3:
                raise ZeroDivisionError

        async def close(self) -> None: ...

    broken = Broken()
    async with telling(broken) as sender:
        sender.post(START, [told()], [])
        await until(lambda: broken.sent >= 3)
    assert sender.failures == 2


async def test_alertmanager_is_told_again_and_again() -> None:
    async with (
        listening() as there,
        telling(Alertmanager(f"{there.url}/", resend=60, clock=lambda: START)) as sender,
    ):
        sender.post(START, [], [])
        sender.post(START + 30, [told()], [told()])
        await there.came(1)
        sender.post(START + 45, [], [told()])
        sender.post(START + 61, [], [told("Still")])
        await there.came(2)
        sender.post(START - 7200, [], [told("Jumped")])
        await there.came(3)
    assert there.heads[0].startswith("POST /api/v2/alerts ")
    assert [json.loads(body)[0]["labels"]["alertname"] for body in there.bodies] == ["High", "Still", "Jumped"]
    assert json.loads(there.bodies[0])[0]["endsAt"] == "2027-01-15T08:04:00.000Z"


@pytest.mark.parametrize("url", ["", "localhost:9093", "ftp://x/", "http://", "http://x:99999/", "http://[::1"])
async def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(RuleProblem, match="the address of"):
        Webhook(url)


async def test_a_key_that_is_short() -> None:
    with pytest.raises(RuleProblem, match="has 5 bytes: give it 16"):
        Webhook("http://localhost/", key=b"short")


@pytest.mark.parametrize("event", ["firing", "resolved"])
def test_nobody_forges_a_line_of_the_log(caplog: pytest.LogCaptureFixture, event: str) -> None:
    caplog.set_level(logging.INFO)
    forged = "a\nERROR galvo: forged \x1b[31m\u202e\u2028" + "b" * 1000
    write(LOG, [msgspec.structs.replace(told(event=event), labels=((forged, forged),), sentence=forged)])
    (line,) = caplog.messages
    assert line.isprintable()
    assert len(line) < 1400


async def test_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    write(LOG, [told(), told(event="repeated"), told(event="resolved", at=START + 300)])
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("ERROR", 'critical: High, disk.path /"a": It is high'),
        ("ERROR", 'still critical: High, disk.path /"a": It is high'),
        ("INFO", 'resolved: High after 5 min, disk.path /"a": It is high'),
    ]
