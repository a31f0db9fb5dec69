"""How tasks end that do not succeed, on both brokers, by one worker each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.plugins.tasks.guard.perilous import MODULE, Perilous, perilous


@pytest.fixture(scope="module")
def those(broker: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Perilous]:
    with perilous(tmp_path_factory.mktemp("perils"), broker) as those:
        those.stand.worker("--class", "quick", "--concurrency", "2")
        yield those


def test_one_that_kills_its_process_is_put_aside_at_once(those: Perilous) -> None:
    those.send("deadly", "deadly")
    entry = those.until_dead("deadly")
    assert entry.reason == "its process was lost while it ran: signal 9 (SIGKILL), as when memory runs out"
    assert entry.exception == "WorkerLostError"
    assert those.begun("deadly") == 1


def test_one_that_is_idempotent_is_put_aside_after_three_processes(those: Perilous) -> None:
    those.send("poison", "poison")
    entry = those.until_dead("poison")
    assert entry.reason.startswith("3 workers were lost with it")
    assert those.begun("poison") == 3


def test_one_that_is_idempotent_runs_again(those: Perilous) -> None:
    those.send("unlucky", "unlucky", headers={"galvo-key": "unlucky"})
    those.until_ended("unlucky")
    assert those.begun("unlucky") == 2
    assert those.dead("unlucky") == []


def test_memory_that_one_lacks_does_not_end_the_worker(those: Perilous) -> None:
    those.send("greedy", "greedy")
    those.until_begun("greedy")
    those.let_go("after it")
    those.send("once", "after it")
    those.until_ended("after it")
    assert those.begun("greedy") == 1


def test_a_failure_is_put_aside_where_the_task_says_so(those: Perilous) -> None:
    those.send("faulty", "faulty")
    entry = those.until_dead("faulty")
    assert (entry.reason, entry.exception, entry.last_line) == (
        "it has failed for good",
        "ValueError",
        "ValueError: no faulty",
    )


def test_a_failure_is_put_aside_only_after_its_last_retry(those: Perilous) -> None:
    those.send("stubborn", "stubborn")
    entry = those.until_dead("stubborn")
    assert (entry.exception, entry.retries) == ("KeyError", 1)
    assert those.begun("stubborn") == 2
    those.letters.retry(["stubborn"])
    assert those.until_dead("stubborn").key != entry.key
    assert those.begun("stubborn") == 4


def test_one_that_is_rejected_is_put_aside(those: Perilous) -> None:
    those.send("refused", "refused")
    assert those.until_dead("refused").reason == "the task has rejected it"


def test_one_whose_next_step_cannot_be_asked_for_is_put_aside(those: Perilous) -> None:
    those.send("opaque", "opaque", chain=[those.app.signature(f"{MODULE}.brief_once")])
    entry = those.until_dead("opaque")
    assert (entry.reason, entry.exception) == ("it has run, but what follows could not be asked for", "NotFollowed")
    assert those.begun("opaque") == 1


def test_one_that_sends_itself_back_is_not_called_lost(those: Perilous) -> None:
    those.send("not_now", "not now")
    those.until_ended("not now")
    assert those.begun("not now") == 2
    assert those.dead("not now") == []


def test_one_that_no_worker_knows_is_put_aside(those: Perilous) -> None:
    those.send("new_in_the_next_release", "new")
    name = "tests.plugins.tasks.guard.perils.new_in_the_next_release"
    assert those.until_dead("new").reason == f"this worker has no task {name}"


def test_one_that_is_put_aside_can_be_tried_again_and_dropped(those: Perilous) -> None:
    those.send("deadly", "again")
    first = those.until_dead("again")
    assert those.letters.retry(["again"]) == [first]
    second = those.until_dead("again")
    assert second.key != first.key
    assert those.begun("again") == 2
    before = those.letters.count()
    assert those.letters.drop(["again"]) == [second]
    assert those.letters.count() == before - 1
    assert those.dead("again") == []


def test_one_that_no_text_can_tell_is_put_aside(those: Perilous) -> None:
    """A lone surrogate is no UTF-8: the worker would ask the broker for ever to keep it."""
    those.send("unheard_of", "strange", headers={"x": ["\ud800"], "y": 1})
    entry = those.until_dead("strange")
    assert (entry.letter.headers["x"], entry.letter.headers["y"]) == (["\\ud800"], 1)


def test_no_arguments_are_logged(those: Perilous) -> None:
    """Those of a task that no worker knows, of one that cannot be called, of what is no task and cannot be read."""
    those.send("unheard_of", "odd\x1b[31m", "secret-1")
    those.app.send_task("unheard.\x1b[31m", ("secret-2",), task_id="odder")
    with those.app.connection_for_write() as connection, connection.Producer(auto_declare=False) as producer:
        kept = {"routing_key": "perils.quick", "content_type": "application/json", "content_encoding": "utf-8"}
        producer.publish('["secret-3"]', headers={"id": "no task"}, **kept)
        producer.publish(
            '["secret-4", ', headers={"id": "broken", "task": "tests.plugins.tasks.guard.perils.once"}, **kept
        )
        producer.publish('["secret-5", ', headers={"id": "no task, broken"}, **kept)
    for name in ("odd\x1b[31m", "odder", "no task", "broken", "no task, broken"):
        those.until_dead(name)
    those.let_go("logged")
    those.send("once", "logged")
    those.until_ended("logged")
    said = those.stand.workers[0].log()
    assert "[odd?[31m] is put aside" in said
    assert "secret" not in said
    assert "\x1b" not in said


def test_headers_that_are_of_no_use_do_not_end_the_worker(those: Perilous) -> None:
    strange: list[dict[str, Any]] = [
        {"id": "no name", "task": {}},
        {"id": ["a list"]},
        {"id": {"a": "table"}, "galvo-lost": 1},
        {"id": "no time", "eta": 5},
        {"id": "no end", "expires": {"a": 1}},
    ]
    with those.app.connection_for_write() as connection, connection.Producer(auto_declare=False) as producer:
        for headers in strange:
            named = {"task": "tests.plugins.tasks.guard.perils.once", **headers}
            producer.publish([["useless"], {}, {}], routing_key="perils.quick", headers=named)
    for headers in strange:
        assert those.until_dead(str(headers["id"])).reason == "it is not a task as Celery sends one"
    assert those.begun("useless") == 0
