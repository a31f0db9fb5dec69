from __future__ import annotations

import inspect
import logging
from typing import Any

from celery.worker.consumer import connection, consumer

from galvo_tasks.program.logs import CONNECTED, short


def told(text: str, *words: Any) -> str:
    """As the log has it; "": not at all."""
    record = logging.LogRecord("celery", logging.ERROR, "", 1, text, words, None)
    return record.getMessage() if short(record) else ""


def test_an_outage_is_a_line_each_time() -> None:
    why, then = (
        OSError("Error 111 connecting to 127.0.0.1:6379. Connection refused."),
        "Trying again in 2.00 seconds... (1/None)\n",
    )
    assert told(consumer.CONNECTION_ERROR, "galvo://:**@127.0.0.1:6379/0", why, then) == (
        "the broker redis://:**@127.0.0.1:6379/0 cannot be reached (Error 111 connecting to 127.0.0.1:6379. "
        "Connection refused): trying again in 2.00 seconds"
    )
    assert told("%s (%r)", consumer.CONNECTION_RETRY, why).startswith("the connection to the broker is lost (Error 111")
    assert told(CONNECTED, "galvo+socket:///run/redis.sock") == "Connected to unix:///run/redis.sock"


def test_other_texts_stay_as_they_are() -> None:
    assert told("Task %s is late", "raster") == "Task raster is late"
    assert told("Temporarily reducing the prefetch count to 1") == ""


def test_celery_still_says_so() -> None:
    assert f"info('{CONNECTED}'" in inspect.getsource(connection.Connection.start)
