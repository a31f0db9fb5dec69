"""What a template's parameters are given: text of a catalogue, or JSON of a client, as a value of the right type."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from galvo_engraving.problems import Unfit

Value = bool | int | float | str
FLAGS: Mapping[Any, bool] = {"true": True, "false": False, True: True, False: False}


def effective(parameters: Iterable[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Value]:
    """Of each parameter of a template its value: what is given, else the default. Raises Unfit."""
    found = {one["name"]: one for one in parameters}
    for name in given:
        if name not in found:
            raise Unfit(f"{name[:60]}: the template has no parameter of this name, but {', '.join(found) or 'none'}")
    return {name: value_of(one, given.get(name, one["default_value"])) for name, one in found.items()}


def value_of(parameter: Mapping[str, Any], value: Any) -> Value:
    """Raises Unfit."""
    kind, name = parameter["kind"], parameter["name"]
    if kind == "choice":
        if value not in parameter["choices"]:
            raise Unfit(f"{name}: choose one of {', '.join(parameter['choices'])}")
        return str(value)
    if kind == "flag":
        if not isinstance(value, bool | str) or value not in FLAGS:
            raise Unfit(f"{name}: must be true or false")
        return FLAGS[value]
    number = _number(name, value, whole=kind == "count")
    least, most = parameter["minimum"], parameter["maximum"]
    if (least is not None and number < least) or (most is not None and number > most):
        raise Unfit(f"{name}: must be from {_told(least)} to {_told(most)}{' ' + parameter['unit']}".rstrip())
    return number


def different(parameters: Iterable[Mapping[str, Any]], given: Mapping[str, Any]) -> dict[str, Value]:
    """Of what is given only what differs from the template. Raises Unfit."""
    parameters = list(parameters)
    defaults = effective(parameters, {})
    chosen = effective(parameters, given)
    return {name: value for name, value in chosen.items() if value != defaults[name]}


def shown(parameter: Mapping[str, Any], stored: Mapping[str, Any]) -> Value:
    """As `effective`, but of what was stored before the template was changed: what does not fit any more is the
    default again."""
    if parameter["name"] in stored:
        try:
            return value_of(parameter, stored[parameter["name"]])
        except Unfit:
            pass
    try:
        return value_of(parameter, parameter["default_value"])
    except Unfit:
        return str(parameter["default_value"])


def _number(name: str, value: Any, *, whole: bool) -> float | int:
    try:
        number = float("nan") if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or (whole and not number.is_integer()):
        raise Unfit(f"{name}: must be a {'whole number' if whole else 'number'}")
    return int(number) if whole else number


def _told(bound: float | None) -> str:
    return "any" if bound is None else f"{bound:g}"
