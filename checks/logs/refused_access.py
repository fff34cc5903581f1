"""Nobody but our own probes was refused access.

Why: refusals from an address that is not ours are somebody trying doors.
When it fails: see what was asked for in the evidence; block the address, then look whether any attempt succeeded.
"""

from collections import Counter
from collections.abc import Sequence

from fixtures.logs import LogParams
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Count
from golive.logs import LogReading, Sought
from golive.logs.meaning.access import REFUSAL_LINES, REFUSALS, Access, access_of, distinct

_SHOWN = 20
_NAMED = 3
_MOST = 20_000
_SOUGHT = Sought(words=REFUSALS, narrow=REFUSAL_LINES)


class Params(LogParams):
    allowed: Count = 0

    def sought(self) -> Sequence[Sought]:
        return (_SOUGHT,)


def test_nobody_but_our_own_probes_was_refused(
    criterion: Params, log_reading: LogReading, measure: Measure, evidence: EvidenceSink
) -> None:
    lines = log_reading.find(_SOUGHT, limit=_MOST)
    attempts = [attempt for event in lines.events if (attempt := access_of(event))]
    refusals = [attempt for attempt in attempts if attempt.refused]
    foreign = distinct(refusals)
    groups = Counter(map(_who, foreign))
    evidence(
        "refused, by source and user",
        "\n".join(f"{count}x {who}" for who, count in groups.most_common(_SHOWN)) or "nobody",
    )
    evidence("what was asked for", "\n".join(f"{a.event.shown}" for a in foreign[-_SHOWN:]) or "nothing")
    own = len({a.request or id(a) for a in refusals if a.own})
    measure(
        len(foreign),
        unit="refusals",
        subject="not ours",
        name="foreign refusals",
        critical=criterion.allowed,
        inclusive=True,
        samples=len(foreign) + own,
        detail=", ".join(f"{count}x {who}" for who, count in groups.most_common(_NAMED))
        or f"{own} of our own left out",
    )
    incomplete = log_reading.gap or lines.incomplete
    if incomplete:
        measure.unknown(incomplete)


def _who(attempt: Access) -> str:
    return f"from {attempt.source or 'an untold source'}" + (f" as {attempt.user}" if attempt.user else "")
