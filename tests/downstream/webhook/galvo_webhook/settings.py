"""The keys under `[webhook]`, beside those that every plugin has."""

from urllib.parse import urlsplit

from galvo import PluginSettings
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

HERE = ("localhost", "127.0.0.1", "::1")


class Rule(BaseModel):
    """One of `[[webhook.rules]]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    above: float
    """In the metric's own unit."""


class WebhookSettings(PluginSettings):
    url: SecretStr = Field(SecretStr(""), description="Where alerts are posted; whoever knows it can post there.")
    rules: tuple[Rule, ...] = Field((), description='What to tell: {metric = "http.server.errors", above = 0}.')
    quiet: float = Field(300, ge=0, description="Seconds after a message in which its rule sends no other.")
    queue: int = Field(100, ge=1, description="Messages that may wait; more are dropped.")
    attempts: int = Field(5, ge=1, description="Times a message is tried.")
    backoff: float = Field(1, gt=0, description="Seconds before the second attempt; then twice as long each time.")
    timeout: float = Field(10, gt=0, description="Seconds an attempt may take.")
    farewell: float = Field(3, ge=0, description="Seconds that waiting messages have at the end.")

    @field_validator("url")
    @classmethod
    def _secure(cls, url: SecretStr) -> SecretStr:
        parts = urlsplit(url.get_secret_value())
        if parts.netloc and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in HERE)):
            return url
        if not url.get_secret_value():
            return url
        raise ValueError("write https://host/path, or http:// for this machine")
