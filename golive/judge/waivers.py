"""Whether an accepted failure covers this one. Pure: the time is passed in."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from golive.judge.limits import describe, judge, number
from golive.model import Measurement, Status, Waiver, utc_text


def covering(
    waivers: Iterable[Waiver], criterion: str, measurements: Sequence[Measurement], *, now: datetime
) -> tuple[Waiver | None, tuple[str, ...]]:
    """The waiver that covers this failure, and for each one that does not, why not.

    A waiver of `shop.health.disk` covers `shop.health.disk[/home]` as well.
    """
    refusals = []
    for waiver in waivers:
        if waiver.criterion not in (criterion, criterion.partition("[")[0]):
            continue
        refusal = _refusal(waiver, measurements, now)
        if refusal is None:
            return waiver, ()
        refusals.append(refusal)
    return None, tuple(refusals)


def _refusal(waiver: Waiver, measurements: Sequence[Measurement], now: datetime) -> str | None:
    if now >= waiver.expires:
        return f"the waiver by {waiver.approver} expired {utc_text(waiver.expires)}"
    if waiver.at_least is None and waiver.at_most is None:
        return None
    failing = [m for m in measurements if judge(m) is Status.FAIL]
    if not failing:
        return f"the waiver by {waiver.approver} holds for a range of values, and none was measured"
    for measurement in failing:
        below = waiver.at_least is not None and measurement.value < waiver.at_least
        above = waiver.at_most is not None and measurement.value > waiver.at_most
        if below or above:
            return f"outside the waiver by {waiver.approver} ({_range(waiver)}): {describe(measurement)}"
    return None


def _range(waiver: Waiver) -> str:
    low = "" if waiver.at_least is None else f"at least {number(waiver.at_least)}"
    high = "" if waiver.at_most is None else f"at most {number(waiver.at_most)}"
    return " and ".join(filter(None, (low, high)))
