"""What the plugin does: it appends a comment to the text of a statement, and touches nothing else."""

from __future__ import annotations

from typing import Any

from galvo import Context, Plugin, Proceed, Query, Rows, hookimpl

from galvo_tagger.settings import TaggerSettings
from galvo_tagger.tags import comment, current, sampled


class TaggerPlugin(Plugin):
    """Tells the database which route and which trace a statement belongs to, in a comment (sqlcommenter)."""

    name = "tagger"
    api = ">=1,<2"
    settings_type = TaggerSettings

    def __init__(self, settings: TaggerSettings, context: Context) -> None:
        super().__init__(settings, context)
        self._settings = settings
        self._tagged = 0

    @hookimpl
    async def on_query(self, query: Query, proceed: Proceed) -> Rows:
        """Not a computed value, which has no statement, nor a stream, which is prepared; nor what plugins ask."""
        if query.kind in ("value", "stream") or query.origin:
            return await proceed(query)
        text = self._text(query)
        if text is not query.sql:
            self._tagged += 1
            query = query.with_(sql=text)
        return await proceed(query)

    async def explain(self, query: Query) -> dict[str, Any] | None:
        """For `galvo explain 'select ...'`."""
        return {"sent": self._text(query)}

    def stats(self) -> dict[str, float]:
        """Counters since the start."""
        return {"tagged": self._tagged}

    def _text(self, query: Query) -> str:
        if "/*" in query.sql or "--" in query.sql:
            return query.sql  # the specification's word: a statement that has a comment is left alone
        tags = {key: value for key, value in current().items() if key in self._settings.keys}
        if not sampled(tags.get("traceparent", "")):  # it would make each text another one, for nobody
            tags.pop("traceparent", None)
            tags.pop("tracestate", None)
        if self._settings.application:
            tags["application"] = self._settings.application
        made = comment(tags)
        return f"{query.sql} {made}" if made else query.sql
