"""Words of a command that cannot be followed, whatever is measured: its exit code is 2."""

from __future__ import annotations

from galvo import GalvoError


class Usage(GalvoError):
    """A file or an address that was named is not what it must be; the message is one sentence."""
