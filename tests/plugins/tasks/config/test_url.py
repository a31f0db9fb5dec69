"""What of an address is shown, and which ones settings take."""

from __future__ import annotations

from math import inf, nan
from typing import Any

import pytest
from pydantic import ValidationError

from galvo import SettingsError
from galvo.settings import validated
from galvo_tasks import TasksSettings
from galvo_tasks.config.server import named


@pytest.mark.parametrize(
    "url, shown",
    [
        ("redis://localhost:6379/1", "redis://localhost:6379/1"),
        ("redis+socket:///run/x.sock?virtual_host=3", "unix:///run/x.sock?virtual_host=3"),
        ("redis://:hush@h/0", "redis://:**@h/0"),
        ("redis://u:hu%40sh@h/0", "redis://u:**@h/0"),
        ("redis://:hu@hush@h/0", "redis://:**@h/0"),
        ("amqp://u:p/hush@h/v", "amqp://u:**@h/v"),
        ("amqp://u:p?hush@h/v", "amqp://u:**@h/v"),
        ("u:hush@h", "u:**@h"),
        ("unix:///x.sock?password=hush", "unix:///x.sock?password=**"),
        ("redis://h/0?username=u&PassWord=hush&db=3", "redis://h/0?username=u&PassWord=**&db=3"),
        ("rediss://h?ssl_password=hush", "rediss://h?ssl_password=**"),
    ],
)
def test_no_password_is_shown(url: str, shown: str) -> None:
    assert named(url) == shown


@pytest.mark.parametrize("key", ["broker", "results"])
@pytest.mark.parametrize("url", ["unix:///x.sock?password=hush", "redis://h/0?db=1&%70assword=hush"])
def test_a_password_in_the_query_is_refused(key: str, url: str) -> None:
    with pytest.raises(ValidationError, match=r"write redis://:PASSWORD@host") as caught:
        TasksSettings.model_validate({key: url})
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "values, sentence",
    [
        ({"broker": "http://u:hush@x"}, "is no address of a server: write redis://, rediss://, unix://"),
        ({"broker": "junk"}, "is no address of a server"),
        ({"broker": "sentinel://:hush@127.0.0.1:1/0"}, "is of Redis Sentinel, which is not supported: name the master"),
        ({"broker": "amqp://u:p/hush@h"}, "cannot be read: in user and password write %"),
        ({"broker": "unix://"}, "names no place: write unix:///path"),
        ({"results": "junk"}, "is no address of a server"),
        ({"results": "amqp://y"}, r"write redis://, rediss://, unix://, redis\+socket://$"),
    ],
)
def test_an_address_that_is_none_is_refused(values: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence) as caught:
        validated(TasksSettings, values, "tasks")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        *("", "embedded", "redis://", "rediss://:p@h:1/0", "redis://[::1]:6379/0", "rediss://h?ssl_cert_reqs=none"),
        *("unix://u:p@/x.sock", "redis+socket:///x.sock", "amqp://h//", "amqps://h", "pyamqp://h"),
    ],
)
def test_an_address_that_is_one(url: str) -> None:
    assert TasksSettings.model_validate({"broker": url}).broker.get_secret_value() == url


@pytest.mark.parametrize(
    "values",
    [{name: value} for name in ("lease", "deadline", "result_ttl") for value in (inf, nan, 1e9, 1e-9, -1)]
    + [{"classes": {"quick": {"time_limit": value}}} for value in (inf, nan, 1e9, 1e-9)]
    + [{"starts": 10**9}],
)
def test_a_number_that_makes_no_sense_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"(greater|less) than or equal to"):
        TasksSettings.model_validate(values)
