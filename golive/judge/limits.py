"""Holding a value against its limits. Pure: no I/O, no clock."""

from __future__ import annotations

import math

from golive.model import Measurement, Status


def judge(measurement: Measurement) -> Status:
    """`fail` beyond the critical limit, `warn` beyond the warning limit, `unknown` for a value that is no number."""
    if not math.isfinite(measurement.value):
        return Status.UNKNOWN
    if not _holds(measurement, measurement.critical):
        return Status.FAIL
    if not _holds(measurement, measurement.warning):
        return Status.WARN
    return Status.PASS


def describe(measurement: Measurement) -> str:
    """The value against the limit it broke, or else its critical one: `91.2 %, below 80 % needed`."""
    said = f"{number(measurement.value)} {measurement.unit}".rstrip()
    limit = measurement.critical
    if judge(measurement) is Status.WARN or limit is None:
        limit = measurement.warning
    if limit is None:
        return said
    word = "at least" if measurement.better == "higher" else "at most" if measurement.inclusive else "below"
    wish = "wanted" if limit == measurement.warning and limit != measurement.critical else "needed"
    return f"{said}, {word} {number(limit)} {measurement.unit}".rstrip() + f" {wish}"


def number(value: float) -> str:
    """A value for people: integers whole, others with three significant digits, never in exponents."""
    if not math.isfinite(value):
        return str(value)
    if value == int(value) or abs(value) >= 1000:
        return f"{value:.0f}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _holds(measurement: Measurement, limit: float | None) -> bool:
    if limit is None:
        return True
    if measurement.better == "higher":
        return measurement.value >= limit
    return measurement.value <= limit if measurement.inclusive else measurement.value < limit
