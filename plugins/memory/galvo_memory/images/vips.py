"""libvips, if it is there."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

CONCURRENCY = "VIPS_CONCURRENCY"


def vips() -> Any:
    """pyvips, or None. Imported when first needed, 13 MiB, and told to use one thread and to keep no results:
    each thread would keep strips of its own, and the application's cache keeps results.
    """
    if "pyvips" in sys.modules:
        return sys.modules["pyvips"]
    mine = CONCURRENCY not in os.environ
    if mine:
        os.environ[CONCURRENCY] = "1"  # read once, by the import
    try:
        module = import_module("pyvips")
    except (ImportError, OSError):  # OSError: there is no libvips for it
        return None
    finally:
        if mine:
            del os.environ[CONCURRENCY]
    module.cache_set_max(0)
    return module
