"""Few entries of the logs tell of something that took too long.

Why: the slow requests and queries that users notice stand in the log long before a mean value moves.
When it fails: the evidence names the slowest; see what they have in common (a route, a table, an hour).
"""

from collections.abc import Sequence

from pydantic import Field

from fixtures.logs import LogParams
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Count, Milliseconds
from golive.logs import LogReading, Sought
from golive.logs.event import LogEvent
from golive.logs.meaning.durations import WORDS, Unit, duration_ms, narrow

_MOST = 200_000
_SHOWN = 20
_ANY = Sought(words=WORDS)


class Params(LogParams):
    limit: Milliseconds = Field(1000.0, description="what takes longer is slow")
    allowed: Count = Field(0, description="slow entries in the window that are still allowed")
    field: str = Field("", description="the one field that tells the duration (`http.took`); else every usual form")
    unit: Unit | None = Field(None, description="unit of the field's bare number: ns, us, ms or s")
    expects: bool = Field(True, description="entries with a duration are expected: where none is, nothing is known")

    def sought(self) -> Sequence[Sought]:
        return (_any(self), _slow(self))


def test_few_entries_took_too_long(
    criterion: Params, log_reading: LogReading, measure: Measure, evidence: EvidenceSink
) -> None:
    timed, found = _timed(criterion, log_reading, _any(criterion))
    # Where too many have a duration to be brought here, only those that may be slow are.
    slow_ones, incomplete = timed, found
    if found is not None:
        slow_ones, incomplete = _timed(criterion, log_reading, _slow(criterion))
    slow = sorted((pair for pair in slow_ones if pair[0] > criterion.limit), key=lambda pair: -pair[0])
    evidence("slowest entries", "\n".join(f"{ms:g} ms: {event.shown}" for ms, event in slow[:_SHOWN]) or "none")
    if timed:
        slowest = max(ms for ms, _ in [*timed, *slow])
        measure(slowest, unit="ms", subject="slowest entry", name="slowest", samples=len(timed))
    measure(
        len(slow),
        unit="entries",
        subject=f"longer than {criterion.limit:g} ms",
        name="slow entries",
        critical=criterion.allowed,
        inclusive=True,
        samples=max(len(timed), len(slow)),
        detail=f"the slowest: {slow[0][0]:g} ms, {slow[0][1].told}" if slow else f"of {len(timed)} with a duration",
    )
    if incomplete is not None and len(slow) <= criterion.allowed:
        measure.unknown(incomplete)
    if criterion.expects and not timed and not slow:
        measure.unknown(f"no entry of {', '.join(criterion.logs)} tells how long something took")
    if log_reading.gap is not None:
        measure.unknown(log_reading.gap)


def _timed(criterion: Params, reading: LogReading, sought: Sought) -> tuple[list[tuple[float, LogEvent]], str | None]:
    """The entries with a duration, and why there may be more of them."""
    found = reading.find(sought, limit=_MOST)
    pairs = ((duration_ms(event, field=criterion.field, unit=criterion.unit), event) for event in found.events)
    return [(ms, event) for ms, event in pairs if ms is not None], found.incomplete


def _any(criterion: Params) -> Sought:
    return Sought(words=(criterion.field.rpartition(".")[2].lower(),)) if criterion.field else _ANY


def _slow(criterion: Params) -> Sought:
    # A number in a unit of its own may have fewer digits than in milliseconds.
    field = criterion.field.rpartition(".")[2]
    own_unit = criterion.field and criterion.unit not in (None, "ms")
    return Sought(words=_any(criterion).words, narrow="" if own_unit else narrow(criterion.limit, field=field))
