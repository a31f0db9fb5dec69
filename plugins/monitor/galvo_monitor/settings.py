"""The keys under `[monitor]`."""

from __future__ import annotations

from pydantic import Field, SecretStr, model_validator

from galvo import PluginSettings
from galvo_monitor.alerts import Rule, Silence, rules_of
from galvo_monitor.alerts.notifying import Alertmanager, Webhook
from galvo_monitor.store.store import kept_singly


class MonitorSettings(PluginSettings):
    interval: float = Field(30.0, ge=0.1, le=3600, description="Seconds between two collections.")
    series: int = Field(
        128,
        ge=1,
        le=10_000,
        description="Lines whose past is kept, and more if alert rules read more; 56 KB each after 90 days.",
    )
    attributes: int = Field(
        200, ge=1, le=10_000, description='Series of one metric; what comes above is counted as "other".'
    )
    database: bool = Field(
        True, description="Ask the server how it is, over a connection of its own, which is one more than the pool's."
    )
    disks: tuple[str, ...] = Field(("/",), description="Paths on the disks whose free space is watched.")
    history: bool = Field(
        False, description="Keep 5-minute and hourly figures in the database too, in the table galvo.monitor_history."
    )
    redis: SecretStr = Field(
        SecretStr(""),
        description="Add up the numbers of all processes through this Redis, as redis://host:port/db, or embedded; "
        "empty: no.",
    )
    signing_key: SecretStr = Field(
        SecretStr(""),
        description="32 bytes in base64, the same in all processes, so that nobody else can write to that Redis what "
        "they would believe: openssl rand -base64 32",
    )
    namespace: str = Field(
        "default",
        description="What processes that share a Redis have in common; with "
        "history and without redis each process needs its own.",
    )
    rules: tuple[Rule, ...] = Field(
        (), description="Alert rules of your own, as [[monitor.rules]]; one replaces the default rule of its name."
    )
    without: tuple[str, ...] = Field((), description='Default alert rules to leave out: ["QueueOld"].')
    silences: tuple[Silence, ...] = Field(
        (), description="Alerts of which nobody is told for a while, as [[monitor.silences]]."
    )
    repeat: float = Field(4 * 3600.0, gt=0, description="Seconds until an alert that still fires is told again.")
    state: str = Field(
        ".galvo/alerts.state", description="File by which alerts survive a restart; empty: they begin anew."
    )
    webhook: SecretStr = Field(SecretStr(""), description="Address that is told of alerts, as Alertmanager does it.")
    webhook_key: SecretStr = Field(
        SecretStr(""),
        description="Signs what the webhook is sent, by HMAC-SHA256; 16 bytes or more: openssl rand -hex 32",
    )
    alertmanager: SecretStr = Field(
        SecretStr(""), description="Address of a Prometheus Alertmanager that is told of alerts: http://host:9093"
    )
    answer: bool = Field(
        True, description="Answer this user's and root's `galvo top` and `galvo status`, on a socket only they can use."
    )

    @model_validator(mode="after")
    def _ruled(self) -> MonitorSettings:
        rules_of(self.rules, self.without)
        return self

    @model_validator(mode="after")
    def _windowed(self) -> MonitorSettings:
        kept = kept_singly(self.interval)
        for rule in self.rules:
            if rule.window > kept:
                raise ValueError(
                    f"rule {rule.name}: window = {rule.window:g} is longer than the {kept:g} s of which every value is "
                    f"kept at interval = {self.interval:g}: shorten it"
                )
        return self

    @model_validator(mode="after")
    def _told(self) -> MonitorSettings:
        webhook, key = self.webhook.get_secret_value(), self.webhook_key.get_secret_value()
        if webhook:
            Webhook(webhook, key=key.encode())
        elif key:
            raise ValueError("webhook_key signs what the webhook is sent, and there is none: set webhook, too")
        if alertmanager := self.alertmanager.get_secret_value():
            Alertmanager(alertmanager)
        return self

    @model_validator(mode="after")
    def _signed(self) -> MonitorSettings:
        if self.redis.get_secret_value() and not self.signing_key.get_secret_value():
            raise ValueError("redis is set, so signing_key has to be: openssl rand -base64 32")
        return self
