"""Every exception that galvo itself raises. A database's own errors are never wrapped."""

from __future__ import annotations


class GalvoError(Exception):
    """Base of all of them; the text is one sentence that names the thing to change."""


class SettingsError(GalvoError):
    """A settings file, an overlay or a GALVO_ variable holds something that cannot be used."""


class PluginError(GalvoError):
    """A plugin cannot be loaded, registered, started or stopped."""

    def __init__(self, plugin: str, message: str) -> None:
        super().__init__(f"plugin {plugin!r}: {message}")
        self.plugin = plugin
        self.why = message


class PluginUnavailable(PluginError):
    """A plugin that the query needs does not take it, so it is refused rather than run without: a required one is not
    running, or the one that runs queries is closing its connections.
    """


class ProceedTwice(PluginError):
    """An `on_query` called `proceed` a second time; the query has run once and is not run again."""


class ForCaller(GalvoError):
    """Raised by an `on_query` to answer with `error`: the caller gets it, and nobody goes round the plugin."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class NoBackend(GalvoError):
    """No active plugin runs this kind of query. Its cause, if any, is the fault of one that might have."""


class KernelClosed(GalvoError):
    """The kernel was used before it was started, while it ends or after it was stopped."""


def leave_open(error: BaseException) -> None:
    """Mark `error`: nobody knows whether the statement took effect, or whether it still runs on the server.

    Whoever runs queries marks what it raises; an unmarked error, cancellation included, says that it has ended.
    """
    error.__dict__["galvo_outcome"] = "open"


def is_open(error: BaseException) -> bool:
    """Whether `leave_open` marked this error."""
    return error.__dict__.get("galvo_outcome") == "open"
