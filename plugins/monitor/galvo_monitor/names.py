"""OpenTelemetry's names in Prometheus: the compatibility rules of OpenTelemetry's specification, and PromQL with them.

https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from galvo import Metric
from galvo_monitor.series import TOTAL, Aggregate

UNITS = {
    "s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds", "min": "minutes", "h": "hours",
    "d": "days", "By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes", "bit": "bits",
    "%": "percent", "Cel": "celsius", "Hz": "hertz", "V": "volts", "A": "amperes", "J": "joules", "W": "watts",
}  # fmt: skip
"""Of UCUM, in words."""
PER = {"s": "second", "min": "minute", "h": "hour", "d": "day"}
PARTS = ("_bucket", "_count", "_sum")
"""Endings that belong to histograms: a gauge that has one gets `_value` behind it, or promtool takes it for a part."""
LABELS = ("le", "quantile")
"""That Prometheus itself sets."""
QUANTILES = {"p50": "0.5", "p95": "0.95", "p99": "0.99", "max": "1"}


def name(metric: Metric) -> str:
    """Of the family: `db.client.operation.duration` in s is `db_client_operation_duration_seconds`.

    Different metrics may get the same one: `a.b` and `a_b`. Whoever writes families has to look out for that.
    """
    made = _clean(metric.name).removesuffix("_total")
    unit = _unit(metric)
    if unit and not made.endswith(f"_{unit}"):
        made = f"{made}_{unit}"
    if metric.kind == "counter":
        return f"{made}_total"
    made = re.sub(r"(_total)+$", "", made) or "_"
    return f"{made}_value" if metric.kind == "gauge" and made.endswith(PARTS) else made


def label(attribute: str) -> str:
    """`db.system.name` is `db_system_name`."""
    made = _clean(attribute.replace(":", "_"))
    return f"exported_{made}" if made in LABELS else made


def labels(attributes: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Sorted by name. Attributes with the same label share it, their values with ";" between them."""
    made: dict[str, str] = {}
    for attribute, value in sorted(attributes):
        key = label(attribute)
        made[key] = f"{made[key]};{text(value)}" if key in made else text(value)
    return dict(sorted(made.items()))


def text(value: str) -> str:
    """What UTF-8 can hold, without NUL, which Prometheus takes for the end."""
    return value.encode("utf-8", "replace").decode().replace("\0", "�")


def selector(metric: Metric, attributes: Mapping[str, str], part: str = "", window: str = "", matcher: str = "") -> str:
    """`part`: "_bucket", "_count" or "_sum". An attribute that is "" must not be there. `matcher`: one more."""
    given = labels(pair for pair in attributes.items() if pair[0] != TOTAL[0][0])
    matchers = [f"{key}={msgspec.json.encode(value).decode()}" for key, value in given.items()]
    inside = ",".join([*matchers, matcher] if matcher else matchers)
    return f"{name(metric)}{part}" + (f"{{{inside}}}" if inside else "") + (f"[{window}]" if window else "")


def expression(
    metric: Metric,
    aggregate: Aggregate,
    attributes: Mapping[str, str],
    window: str,
    by: Sequence[str] = (),
    matcher: str = "",
) -> str:
    """PromQL for one aggregate over `window` ("5m"), in the metric's unit. Sums (`total`) are not exported: it adds up.

    Series are added up except those that the attributes `by` tell apart. A gauge has no window and is not added up.
    `matcher`: one more of PromQL's, for all series.
    """
    if aggregate == "value":
        return selector(metric, attributes, matcher=matcher)
    kept = ", ".join(map(label, by))
    added = f"sum by ({kept})" if kept else "sum"

    def rate(part: str) -> str:
        return f"rate({selector(metric, attributes, part, window, matcher)})"

    if aggregate in QUANTILES:
        return f"histogram_quantile({QUANTILES[aggregate]}, sum by (le{kept and f', {kept}'}) ({rate('_bucket')}))"
    if aggregate == "mean":
        return f"{added} ({rate('_sum')}) / {added} ({rate('_count')})"
    if aggregate == "busy":
        return f"{added} ({rate('_sum')})"
    return f"{added} ({rate('_count' if metric.kind == 'histogram' else '')})"


def _clean(given: str) -> str:
    made = re.sub(r"_{2,}", "_", re.sub(r"[^a-zA-Z0-9_:]", "_", given)) or "_"
    return f"_{made}" if made[0].isdigit() else made


def _unit(metric: Metric) -> str:
    """In words; "" for what is counted, and for a 1 that is no gauge's."""
    if metric.unit == "1":
        return "ratio" if metric.kind == "gauge" else ""
    what, _, each = re.sub(r"\{[^}]*\}", "", metric.unit).removeprefix("1").partition("/")
    made = UNITS.get(what) or (what and _clean(what).strip("_"))
    per = PER.get(each) or (each and _clean(each).strip("_"))
    return "_".join(filter(None, (made, per and f"per_{per}")))
