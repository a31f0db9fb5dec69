"""The keys under `[tagger]`, beside those that every plugin has."""

from galvo import PluginSettings
from pydantic import Field


class TaggerSettings(PluginSettings):
    application: str = Field("", description="The tag `application` of every statement; empty: none.")
    keys: frozenset[str] = Field(
        frozenset({"action", "controller", "framework", "route", "traceparent", "tracestate"}),
        description="Tags that may be sent. The server's logs will show their values.",
    )
