"""Whether the host's clock is kept by a time service, and how well."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import Pieces, framed, pieces

_CHRONY_COLUMNS = 14
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}
_NOT_SYNCHRONISED = "Not synchronised"
# What follows the host's own clock keeps no time: chrony's `local`, ntpd's driver 127.127.1.
_OWN_CLOCK = "7F7F0101"
_OWN_DRIVER = ".LOCL."


@dataclass(frozen=True, kw_only=True)
class TimeSyncFacts:
    """What the time service `told_by` says. `sources` is how many of its servers it reaches; None where not told."""

    told_by: str
    is_synchronised: bool
    offset_s: float | None = None
    sources: int | None = None
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class TimeSync(Question[TimeSyncFacts]):
    """The state of chrony, ntpd or systemd-timesyncd, whichever answers first."""

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """Each is asked only if the one before it did not answer."""
        del asked
        return framed(
            frame,
            "piece tracking; if has chronyc && within 3 chronyc -n -c tracking; then",
            "piece sources; within 3 chronyc -n -c sources",
            "else piece peers; if has ntpq && within 3 ntpq -pn; then :",
            "else piece timedated; if has timedatectl && within 3 timedatectl show; then",
            "piece timesync; within 3 timedatectl timesync-status --no-pager",
            "fi; fi; fi",
        )

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, TimeSyncFacts | CouldNotLook]:
        """From the first that told something that is understood."""
        told = pieces(said, frame)
        readers: tuple[Callable[[Pieces], TimeSyncFacts | None], ...] = (_chrony, _ntpd, _systemd)
        found = next((facts for facts in (read(told) for read in readers) if facts is not None), None)
        nobody = CouldNotLook("no time service answers: it needs `chronyc`, `ntpq` or `timedatectl` there")
        return dict.fromkeys(asked, found or nobody)


def _chrony(told: Pieces) -> TimeSyncFacts | None:
    rows = [line.split(",") for line in told["tracking"].splitlines()]
    row = next((row for row in rows if len(row) == _CHRONY_COLUMNS), None)
    if row is None:
        return None
    lines = [line.split(",") for line in told["sources"].splitlines()]
    sources = [columns for columns in lines if len(columns) > 5 and columns[0] in "^=#"]
    is_synchronised = row[13] != _NOT_SYNCHRONISED and row[2] != "0" and row[0] != _OWN_CLOCK
    return TimeSyncFacts(
        told_by="chrony",
        is_synchronised=is_synchronised,
        offset_s=_float(row[4]) if is_synchronised else None,
        sources=sum(1 for columns in sources if columns[5].strip("0")) if sources else None,
        source=row[1],
    )


def _ntpd(told: Pieces) -> TimeSyncFacts | None:
    """The line of the server that is followed begins with `*` (`o`: by its pulse); offsets are in milliseconds."""
    lines = told["peers"].splitlines()
    start = next((number for number, line in enumerate(lines) if line.startswith("====")), None)
    if start is None:
        return None
    rows = [(line[0], line[1:].split()) for line in lines[start + 1 :] if len(line[1:].split()) >= 10]
    peers = [(tally, columns) for tally, columns in rows if columns[1] != _OWN_DRIVER]
    followed = next((columns for tally, columns in peers if tally in "*o"), None)
    offset_ms = None if followed is None else _float(followed[8])
    return TimeSyncFacts(
        told_by="ntpd",
        is_synchronised=followed is not None,
        offset_s=None if offset_ms is None else offset_ms / 1000,
        sources=sum(1 for _, columns in peers if columns[6].strip("0")),
        source="" if followed is None else followed[0],
    )


def _systemd(told: Pieces) -> TimeSyncFacts | None:
    found = re.search(r"^NTPSynchronized=(yes|no)$", told["timedated"], re.MULTILINE)
    if not found:
        return None
    status = told["timesync"]
    server = re.search(r"^\s*Server: (\S+)", status, re.MULTILINE)
    offset = re.search(r"^\s*Offset: ([+-]?)(.+)$", status, re.MULTILINE)
    return TimeSyncFacts(
        told_by="systemd",
        is_synchronised=found[1] == "yes",
        offset_s=_span(offset[1], offset[2]) if offset else None,
        source=server[1] if server else "",
    )


def _span(sign: str, text: str) -> float | None:
    """`1.234ms` or `1min 2.5s` in seconds."""
    parts = re.findall(r"([\d.]+)\s*(\S+)", text)
    values = [(_float(number), _UNITS.get(unit)) for number, unit in parts]
    if not values or any(number is None or unit is None for number, unit in values):
        return None
    total = sum(number * unit for number, unit in values if number is not None and unit is not None)
    return -total if sign == "-" else total


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
