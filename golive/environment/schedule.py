"""The checkpoints of a watch as an environment writes them: `15 min smoke`, `4 h`, `24 h golive`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from golive.environment.params import seconds
from golive.model import Slot, When

OCCASIONS: dict[str, tuple[When, ...]] = {
    "smoke": (When.SMOKE,),
    "checkpoint": (When.CHECKPOINT,),
    "golive": (When.CHECKPOINT, When.GOLIVE),
}
"""What is judged at a checkpoint, by the word that stands behind its time."""

PATTERN = r"^\s*\d+(\.\d+)?\s*(ms|s|min|m|h|d)(\s+(smoke|checkpoint|golive))?\s*$"
_LATEST_S = 366 * 86_400.0
_TIME = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]+)\s*")


def slot_of_entry(entry: str) -> Slot:
    """`"15 min smoke"` as a checkpoint 900 s after hour 0, labelled `15min`; without a word it is `checkpoint`.

    ValueError says what is wrong with the entry.
    """
    found = _TIME.match(entry)
    word = entry[found.end() :].strip() if found else ""
    try:
        offset_s = seconds(entry[: found.end()] if found else entry)
    except ValueError:
        raise ValueError(
            f"a checkpoint is a time after hour 0 and what is judged at it, {_HOW}; got {entry!r}"
        ) from None
    if (word or "checkpoint") not in OCCASIONS:
        raise ValueError(f"what is judged at a checkpoint is one of {', '.join(OCCASIONS)}, {_HOW}; got {entry!r}")
    if not offset_s <= _LATEST_S:
        raise ValueError(f"a watch lasts no longer than 366 d; got {entry!r}")
    assert found is not None  # noqa: S101 - `seconds` would have refused it
    return Slot(label=_label(found[1], found[2]), offset_s=offset_s, occasions=OCCASIONS[word or "checkpoint"])


def slots_of(schedule: Sequence[str]) -> tuple[Slot, ...]:
    """The checkpoints of a whole schedule, first one first.

    ValueError on a malformed entry, on one that is not later than the one before, and on an empty schedule.
    """
    if not schedule:
        raise ValueError("a schedule has at least one checkpoint")
    slots = tuple(slot_of_entry(entry) for entry in schedule)
    pairs = zip(zip(slots, schedule, strict=True), zip(slots[1:], schedule[1:], strict=True), strict=False)
    for (slot, entry), (later, later_entry) in pairs:
        if math.isclose(later.offset_s, slot.offset_s):
            raise ValueError(f"each time stands once in a schedule; got {later_entry!r} after {entry!r}")
        if later.offset_s < slot.offset_s:
            raise ValueError(f"a schedule is written in order of time; got {later_entry!r} after {entry!r}")
    return slots


_HOW = "as in '15 min smoke', '4 h' or '24 h golive'"


def _label(number: str, unit: str) -> str:
    return f"{float(number):g}{unit}"
