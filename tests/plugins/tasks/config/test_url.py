"""What of an address is shown, and which ones settings take."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

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
