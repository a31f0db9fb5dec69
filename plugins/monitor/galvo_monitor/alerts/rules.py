"""The rules in force: the settings' own, and the default ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from galvo_monitor.alerts.defaults import RULES
from galvo_monitor.alerts.errors import RuleProblem
from galvo_monitor.alerts.rule import Rule, nearest


def rules_of(own: Iterable[Rule] = (), without: Iterable[str] = ()) -> tuple[Rule, ...]:
    """One of `own` replaces the default rule of its name; the default rules `without` are left out.

    Raises RuleProblem for names that are there twice, or not at all.
    """
    own = tuple(own)
    check_names(own)
    defaults = [rule.name for rule in RULES]
    out = set(without)
    if unknown := sorted(out.difference(defaults)):
        raise RuleProblem(f"there is no default rule {unknown[0]!r} to leave out{nearest(unknown[0], defaults)}")
    replaced = {rule.name for rule in own}
    found = tuple(rule for rule in RULES if rule.name not in replaced | out) + own
    check_names(found)
    return found


def check_names(rules: Iterable[Rule]) -> None:
    """Raises RuleProblem."""
    names = [rule.name for rule in rules]
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise RuleProblem(f"two rules are called {twice[0]}: rename one")
    folded: dict[str, str] = {}
    for name in names:
        if (other := folded.setdefault(name.casefold(), name)) != name:
            raise RuleProblem(f"the rules {other} and {name} differ in case only: rename one")
