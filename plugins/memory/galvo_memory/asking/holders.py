"""Who holds what, as far as anybody knows: the plugins, the pools, the budget, the allocator."""

from __future__ import annotations

from galvo import Context
from galvo.sizes import show
from galvo_memory import budgets, pools
from galvo_memory.allocator import unused
from galvo_memory.asking.state import Holder


def holders(context: Context) -> list[Holder]:
    """Largest first. A plugin whose counters cannot be read is left out."""
    free = Holder("free in malloc", unused(), "nobody uses it; malloc_trim returns it")
    found = sorted((one for one in [*_plugins(context), *_pools(), free] if one.bytes), key=lambda one: -one.bytes)
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
    return [Holder(one.name, one.idle + one.out, _in_pool(one)) for one in pools.registry.held()]


def _in_pool(held: pools.Held) -> str:
    """With where those that are out were taken: that is where a leak is looked for."""
    text = f"{held.items:,} idle, {held.taken:,} in use"
    return f"{text}, taken at {', '.join(held.places)}" if held.places else text
