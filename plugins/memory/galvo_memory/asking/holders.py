"""Who holds what, as far as anybody knows: the plugins, the pools, the budget, the allocator."""

from __future__ import annotations

import ctypes
from functools import cache

from galvo import Context
from galvo_memory import budgets, pools
from galvo_memory.asking.state import Holder
from galvo_memory.sizes import show


def holders(context: Context) -> list[Holder]:
    """Largest first. A plugin whose counters cannot be read is left out."""
    found = [*_plugins(context), *_pools()]
    if (free := _free_in_malloc()) is not None:
        found.append(Holder("free in malloc", free, "not given back to the system; malloc_trim does"))
    found = sorted((one for one in found if one.bytes), key=lambda one: -one.bytes)
    admission = budgets.process
    text = f"of {show(admission.total)} admitted" + (f", {admission.waiting} wait" if admission.waiting else "")
    return [*found, Holder("budget", admission.held, text)]


def _plugins(context: Context) -> list[Holder]:
    """Those whose counters have `bytes`."""
    found = []
    for name in context.running():
        try:
            stats = context.plugin_stats(name)
            if held := int(stats.get("bytes", 0)):
                entries = stats.get("entries")
                found.append(Holder(name, held, f"{entries:,.0f} entries" if entries else ""))
        except Exception as error:  # noqa: BLE001  # somebody else's counters
            context.log.debug("plugin %r tells no counters: %s", name, type(error).__name__)
    return found


def _pools() -> list[Holder]:
    return [Holder(one.what, one.bytes) for one in pools.registry.held()]


class _Mallinfo(ctypes.Structure):
    """struct mallinfo2 (mallinfo(3)); glibc 2.33 and later."""

    _fields_ = [(name, ctypes.c_size_t) for name in (
        "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
    )]  # fmt: skip


@cache
def _mallinfo() -> ctypes._NamedFuncPointer | None:
    try:
        function = ctypes.CDLL(None).mallinfo2
    except (OSError, AttributeError):
        return None
    function.restype = _Mallinfo
    return function


def _free_in_malloc() -> int | None:
    """Bytes that were freed and are still the process's; None where the C library does not tell."""
    function = _mallinfo()
    return None if function is None else int(function().fordblks)
