"""Sources of log lines: read for the last hour, and held to what they showed then."""

from __future__ import annotations

from golive.discovery.found import Found, Source
from golive.discovery.proposal import Collected, Entry, Item, Rule
from golive.discovery.proposing import limits
from golive.logs import LogReading
from golive.logs.levels import CRITICAL, ERROR

_LEAST_ERRORS = 10


def propose(found: Found, collected: Collected) -> None:
    """An entry for each source that could be read, and rules for all of them."""
    read: list[tuple[Source, LogReading]] = []
    for source in found.sources:
        reading = found.logs[source.name]
        if isinstance(reading, str):
            collected.leave_out(f"log {source.name}", reading)
            continue
        collected.entries.append(
            Entry(section="logs", name=source.name, data=source.config, told=_told(source, reading))
        )
        read.append((source, reading))
    collected.count(logs=len(read))
    for left in found.not_sources:
        collected.left_out.append(left)
    if read:
        collected.extend(_rules(read))


def _told(source: Source, reading: LogReading) -> str:
    return f"{source.told}; {reading.amount}"


def _rules(read: list[tuple[Source, LogReading]]) -> tuple[Rule, ...]:
    return (
        Rule(
            area="logs",
            name="no-critical",
            says="No line of {item} is critical",
            check="logs/no_critical",
            severity="critical",
            items=tuple(_no_critical(source, reading) for source, reading in read),
            smoke=True,
        ),
        Rule(
            area="logs",
            name="errors",
            says="The number of errors in {item} is within its limit",
            check="logs/error_count",
            severity="medium",
            items=tuple(_errors(source, reading) for source, reading in read),
        ),
    )


def _no_critical(source: Source, reading: LogReading) -> Item:
    count = reading.counts[CRITICAL]
    off = f"{count} of them {'is' if count == 1 else 'are'} critical: read them" if count else reading.gap
    return Item(name=source.name, keys={"logs": [source.name]}, told=f"{count} among {reading.amount}", off=off)


def _errors(source: Source, reading: LogReading) -> Item:
    count = reading.counts[CRITICAL] + reading.counts[ERROR]
    limit = int(limits.above(count, times=3, least=_LEAST_ERRORS))
    keys = {"logs": [source.name], "critical": limit}
    return Item(name=source.name, keys=keys, told=f"{count} among {reading.amount}", off=reading.gap)
