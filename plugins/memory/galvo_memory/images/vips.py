"""libvips, if it is there."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from threading import Lock
from typing import Any

CONCURRENCY = "VIPS_CONCURRENCY"
_lock = Lock()


def vips() -> Any:
    """pyvips, or None. Imported when first needed, 13 MiB, and told to use one thread and to keep no results:
    each thread would keep strips of its own, and the application's cache keeps results.
    """
    with _lock:
        first = "pyvips" not in sys.modules
        mine = first and CONCURRENCY not in os.environ
        if mine:
            os.environ[CONCURRENCY] = "1"  # read once, by the import
        try:
            module = import_module("pyvips")  # waits if the application is importing it, when it is there by half
        except (ImportError, OSError):  # OSError: there is no libvips for it
            return None
        finally:
            if mine:
                del os.environ[CONCURRENCY]
        if first:
            module.cache_set_max(0)
        return module
