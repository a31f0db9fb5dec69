"""A template's parameters with the values that somebody chose: what is drawn, or what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from galvo_engraving.problems import Unfit

Value = float | int | bool | str
FLAGS = {"true": True, "false": False, "1": True, "0": False, "on": True, "off": False}
NUMBER = re.compile(r"[+-]?(\d{1,9}(\.\d{0,9})?|\.\d{1,9})", re.ASCII)
LARGEST = 1e9
TOLD = 40
"""Letters of a name that nobody knows."""


def effective(parameters: Iterable[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Value]:
    """Each of the template's `parameters` (rows of box_parameter) with its value: the given one, or its default.

    Values may be text (of a URL, of a stored project) or JSON's own types. Raises Unfit with what is wrong first.
    """
    known = {parameter["name"]: parameter for parameter in parameters}
    for name in given:
        if name not in known:
            shown = "".join(letter if letter.isprintable() else "?" for letter in str(name)[:TOLD])
            raise Unfit(f"{shown}: the template has no such parameter: it has {', '.join(known) or 'none'}")
    found: dict[str, Value] = {}
    for name, parameter in known.items():
        found[name] = value_of(parameter, given[name]) if name in given else default(parameter)
    return found


def fitting(parameters: Iterable[Mapping[str, Any]], stored: Mapping[str, Any]) -> dict[str, Value]:
    """What of old, `stored` values the template still allows."""
    found: dict[str, Value] = {}
    for parameter in parameters:
        if parameter["name"] in stored:
            with suppress(Unfit):
                found[parameter["name"]] = value_of(parameter, stored[parameter["name"]])
    return found


def default(parameter: Mapping[str, Any]) -> Value:
    """Raises Unfit when staff wrote one that the template itself does not allow."""
    return value_of(parameter, parameter["default_value"])


def limit(value: float | None) -> float | None:
    """A `real` column holds seven digits, and a float of it has more: the ones that were meant."""
    return None if value is None else float(f"{value:.6g}")


def value_of(parameter: Mapping[str, Any], given: Any) -> Value:
    """One value. Raises Unfit with the parameter's name."""
    name, kind = parameter["name"], parameter["kind"]
    if kind == "flag":
        found = given if isinstance(given, bool) else FLAGS.get(given.lower()) if isinstance(given, str) else None
        if found is None:
            raise Unfit(f"{name}: this must be true or false")
        return found
    if kind == "choice":
        if given not in parameter["choices"]:
            raise Unfit(f"{name}: this must be one of {', '.join(parameter['choices'])}")
        return str(given)
    return _number(parameter, given)


def _number(parameter: Mapping[str, Any], given: Any) -> float | int:
    name = parameter["name"]
    if (isinstance(given, str) and NUMBER.fullmatch(given.strip())) or (
        isinstance(given, float | int) and not isinstance(given, bool) and abs(given) < 1e9
    ):
        number = float(given)
    else:
        raise Unfit(f"{name}: this must be a number{_unit(parameter)}")
    least, most = limit(parameter["minimum"]), limit(parameter["maximum"])
    if (least is not None and number < least) or (most is not None and number > most):
        raise Unfit(f"{name}: this must be from {_told(least)} to {_told(most)}{_unit(parameter)}")
    if parameter["kind"] == "count":
        if not number.is_integer():
            raise Unfit(f"{name}: this must be a whole number")
        return int(number)
    return number


def _told(value: float | None) -> str:
    return "anything" if value is None else f"{value:g}"


def _unit(parameter: Mapping[str, Any]) -> str:
    return f" {parameter['unit']}" if parameter["unit"] else ""
