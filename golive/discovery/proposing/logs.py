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
        whole = _whole(source, reading, found)
        if count := whole.counts[CRITICAL]:
            since = "in the last hour" if found.deployed_at is None else "since it was deployed"
            why = f"{count} critical among {whole.amount} {since}: its criterion is behind '#' until they are read"
            collected.is_sick(f"log {source.name}", why)
    collected.count(logs=len(read))
    for left in found.not_sources:
        collected.left_out.append(left)
    if read:
        collected.extend(_rules(read, found))


def _told(source: Source, reading: LogReading) -> str:
    return f"{source.told}; {reading.amount}"


def _whole(source: Source, reading: LogReading, found: Found) -> LogReading:
    """With what was logged while things were started, before `deployed_at`."""
    starting = found.starting.get(source.name)
    return starting if isinstance(starting, LogReading) else reading


def _rules(read: list[tuple[Source, LogReading]], found: Found) -> tuple[Rule, ...]:
    return (
        Rule(
            area="logs",
            name="no-critical",
            says="No line of {item} is critical",
            check="logs/no_critical",
            severity="critical",
            items=tuple(_no_critical(source, reading, _whole(source, reading, found)) for source, reading in read),
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


def _no_critical(source: Source, reading: LogReading, whole: LogReading) -> Item:
    count = whole.counts[CRITICAL]
    off = f"{count} of them {'is' if count == 1 else 'are'} critical: read them" if count else reading.gap
    return Item(name=source.name, keys={"logs": [source.name]}, told=f"{count} among {whole.amount}", off=off)


def _errors(source: Source, reading: LogReading) -> Item:
    count = reading.counts[CRITICAL] + reading.counts[ERROR]
    limit = int(limits.above(count, times=3, least=_LEAST_ERRORS))
    keys = {"logs": [source.name], "critical": limit}
    return Item(name=source.name, keys=keys, told=f"{count} among {reading.amount}", off=reading.gap)
