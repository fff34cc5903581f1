"""How judgements name moments, checkpoints and many criteria in one line. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

_MESSAGE_LIMIT = 160
_SHOWN = 3
_LABELS_SHOWN = 5
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def moment(at: datetime) -> str:
    """`2026-05-02 09:00 UTC`, with seconds where there are any."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M:%S} UTC" if utc.second else f"{utc:%Y-%m-%d %H:%M} UTC"


def span(seconds: float) -> str:
    """`45 s`, `12 min`, `1 min 30 s`, `26 h`, `2 h 5 min`; parts of a second only below ten."""
    if seconds < 10:
        return f"{seconds:.1f}".rstrip("0").rstrip(".") + " s"
    for size, unit, part, small in ((3600, "h", 60, "min"), (60, "min", 1, "s")):
        whole, rest = divmod(round(seconds) // part, size // part)
        if whole:
            return f"{whole} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{seconds:.0f} s"


def count(number: int, one: str, many: str) -> str:
    """`one signature`, `four signatures`, `82 criteria`."""
    told = _NUMBERS[number] if number < len(_NUMBERS) else str(number)
    return f"{told} {one if number == 1 else many}"


def listed(items: Sequence[str], *, shown: int | None = None) -> str:
    """`a`, `a and b`, `a, b and c`; beyond `shown` of them `a, b, c and 7 more`."""
    if shown is not None and len(items) > shown:
        return f"{', '.join(items[:shown])} and {len(items) - shown} more"
    return " and ".join(filter(None, (", ".join(items[:-1]), *items[-1:])))


def criteria(ids: Iterable[str]) -> str:
    """A few ids and how many more; items of one criterion are named together: `shop.disk[/, /home]`."""
    items: dict[str, list[str]] = {}
    for name in ids:
        base, _, item = name.partition("[")
        items.setdefault(base, []).append(item.removesuffix("]"))
    told = [_with_items(base, found) for base, found in items.items()]
    more = sum(map(len, list(items.values())[_SHOWN:]))
    return f"{', '.join(told[:_SHOWN])} and {more} more" if more else listed(told)


def checkpoints(labels: Sequence[str]) -> str:
    """`checkpoint 6h`, `checkpoints 6h, 8h and 10h`, `11 checkpoints from 15min to 20h`."""
    if len(labels) > _LABELS_SHOWN:
        return f"{len(labels)} checkpoints from {labels[0]} to {labels[-1]}"
    return f"checkpoint{'s' if len(labels) != 1 else ''} {listed(labels)}"


def brief(text: str) -> str:
    """`text` in one line of bounded length."""
    line = " ".join(text[: 4 * _MESSAGE_LIMIT].split())
    return line if len(line) <= _MESSAGE_LIMIT else line[: _MESSAGE_LIMIT - 1].rstrip() + "…"


def _with_items(base: str, items: list[str]) -> str:
    named = [item for item in items if item]
    if not named:
        return base
    return f"{base}[{', '.join(named[:_SHOWN])}{', …' if len(named) > _SHOWN else ''}]"
