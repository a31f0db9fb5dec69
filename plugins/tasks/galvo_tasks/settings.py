"""The keys under `[tasks]`."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from galvo import PluginSettings, sizes
from galvo_tasks.config.url import RABBITMQ, REDIS, checked

NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
HOUR, DAY = 3600.0, 86400.0


class RuntimeClass(BaseModel):
    """Tasks that take about as long and as much: a queue, and workers of their own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    memory: str = Field("128MiB", description="What one of its tasks needs at most, beside Python itself.")
    time_limit: float = Field(30.0, ge=0.1, le=30 * DAY, description="Seconds after which a task is ended.")
    concurrency: int = Field(0, ge=0, le=1000, description="Tasks at once, at most; 0: what CPUs and memory allow.")
    pool: Literal["processes", "threads"] = Field("processes", description="What runs them.")
    max_tasks: int = Field(1000, ge=0, description="Tasks after which a process is replaced; 0: never.")

    @property
    def memory_bytes(self) -> int:
        return sizes.parse(self.memory)

    @field_validator("memory")
    @classmethod
    def _size(cls, value: str) -> str:
        sizes.parse(value)
        return value


CLASSES = {
    name: RuntimeClass.model_validate(table)
    for name, table in {
        "quick": {},
        "image": {"memory": "512MiB", "time_limit": 300, "max_tasks": 100},
        "bulk": {"memory": "256MiB", "time_limit": 3600},
    }.items()
}


class TasksSettings(PluginSettings):
    model_config = ConfigDict(hide_input_in_errors=True)  # addresses have passwords in them

    broker: SecretStr = Field(
        SecretStr(""),
        description="Where tasks wait: redis://, rediss://, unix:///path, amqp://, amqps://, or embedded; empty: "
        "this application has no tasks.",
    )
    results: SecretStr = Field(
        SecretStr(""), description="Redis for progress and results; empty: the broker, where that is a Redis."
    )
    app: str = Field(
        "", description='The Celery application, as "package.module:name": what `galvo tasks` and the plugin work with.'
    )
    classes: dict[str, RuntimeClass] = Field(
        default_factory=lambda: dict(CLASSES),
        description="Runtime classes by name, as [tasks.classes.NAME] with memory, time_limit, concurrency, pool, "
        "max_tasks; each has a queue and workers of its own. What is not said of the ones here stays as it is.",
    )
    deadline: float = Field(5.0, ge=0.01, le=HOUR, description="Seconds that asking for a task may take.")
    payload: str = Field("256KiB", description="Arguments of a task, at most: put more into the database.")
    result: str = Field("1MiB", description="A result, at most.")
    result_ttl: float = Field(3600.0, ge=1, le=30 * DAY, description="Seconds for which progress and results are kept.")
    lease: float = Field(
        60.0,
        ge=1,
        le=DAY,
        description="Seconds after which the tasks of a worker that has died are given to others (Redis).",
    )
    starts: int = Field(3, ge=1, le=1000, description="Workers that a task may take with it before it is put aside.")
    outbox: bool = Field(
        False, description="Publish what transactions have left in the table galvo.task_outbox, from this process."
    )
    kernel: bool = Field(True, description="Start a kernel in each worker process, so that tasks have cache and pool.")
    without: list[str] = Field(
        ["monitor", "index", "live"], description="Plugins that the kernels of worker processes leave out."
    )

    @field_validator("broker")
    @classmethod
    def _broker(cls, value: SecretStr) -> SecretStr:
        checked(value.get_secret_value(), (*REDIS, *RABBITMQ), "", "embedded")
        return value

    @field_validator("results")
    @classmethod
    def _results(cls, value: SecretStr) -> SecretStr:
        checked(value.get_secret_value(), REDIS, "", "embedded")
        return value

    @field_validator("payload", "result")
    @classmethod
    def _size(cls, value: str) -> str:
        sizes.parse(value)
        return value

    @field_validator("classes", mode="before")
    @classmethod
    def _over_defaults(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        for name in value:
            if not NAME.fullmatch(str(name)):
                raise ValueError(f"{name!r} is no name of a class: a-z, 0-9 and _, 31 at most")
        merged: dict[str, object] = dict(CLASSES)
        for name, table in value.items():
            default = CLASSES.get(name)
            merged[name] = {**default.model_dump(), **table} if default and isinstance(table, dict) else table
        return merged

    @property
    def payload_bytes(self) -> int:
        return sizes.parse(self.payload)

    @property
    def result_bytes(self) -> int:
        return sizes.parse(self.result)


def settings_of(app: Any) -> TasksSettings:
    """Those with which this Celery application was configured."""
    found = app.galvo
    return found if isinstance(found, TasksSettings) else TasksSettings.model_validate({})
