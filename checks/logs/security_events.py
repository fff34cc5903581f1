"""The logs tell of no attack, and of no more failed logins and refusals than usual.

Why: who tries passwords, tokens, sudo or injections leaves lines, and nobody reads them while all is well.
When it fails: see in the evidence who it was and what was tried; block the source, then look whether any succeeded.
"""

import re
from collections import Counter
from collections.abc import Sequence

from pydantic import Field

from fixtures.logs import LogParams
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Count
from golive.logs import LogReading, Sought
from golive.logs.meaning.expected import Pattern
from golive.logs.meaning.security import KINDS, NARROW, WORDS, Incident, foreign, incident_of

_MOST = 50_000
_SHOWN = 20
_NAMED = 2


class Params(LogParams):
    allowed: dict[str, Count] = Field(
        dict.fromkeys(KINDS, 0),
        min_length=1,
        description="how many of each kind are allowed: failed_login, refused_access, invalid_token, sudo_failure,"
        " injection, and those of `patterns`; a kind that is left out is not judged",
    )
    patterns: dict[str, Pattern] = Field({}, description="further kinds by name: a regular expression of their lines")

    def sought(self) -> Sequence[Sought]:
        return tuple(_sought(self, kind) for kind in self.allowed if kind in self.patterns or kind in WORDS)

    def asserts_nothing(self) -> str | None:
        unknown = sorted(self.allowed.keys() - {*KINDS, *self.patterns})
        unused = sorted(self.patterns.keys() - self.allowed.keys())
        if unknown:
            return f"there is no kind {unknown[0]!r}; known are {', '.join((*KINDS, *self.patterns))}"
        return f"the pattern {unused[0]!r} has no number in 'allowed'" if unused else None


def test_logs_tell_of_no_attack(
    criterion: Params, log_reading: LogReading, measure: Measure, evidence: EvidenceSink
) -> None:
    own = {name: re.compile(pattern) for name, pattern in criterion.patterns.items()}
    for kind, allowed in criterion.allowed.items():
        found = log_reading.find(_sought(criterion, kind), limit=_MOST)
        incidents = (incident_of(event, own, criterion.allowed) for event in found.events)
        others = foreign(incident for incident in incidents if incident is not None and incident.kind == kind)
        _judge(kind, others, allowed, found.incomplete, measure, evidence)
    if log_reading.gap is not None:
        measure.unknown(log_reading.gap)


def _judge(
    kind: str, found: list[Incident], allowed: int, incomplete: str | None, measure: Measure, evidence: EvidenceSink
) -> None:
    noun = kind.replace("_", " ")
    if found:
        evidence(noun, "\n".join(incident.event.shown for incident in found[-_SHOWN:]))
    who = Counter(incident.who for incident in found if incident.who)
    sources = ", ".join(f"{count}x from {one}" for one, count in who.most_common(_NAMED))
    measure(
        len(found),
        unit="lines",
        subject=noun,
        name=noun,
        critical=allowed,
        inclusive=True,
        detail=sources or (f"the last: {found[-1].event.told}" if found else ""),
    )
    if incomplete is not None and len(found) <= allowed:
        measure.unknown(incomplete)


def _sought(criterion: Params, kind: str) -> Sought:
    if kind in criterion.patterns:
        return Sought(pattern=criterion.patterns[kind])
    return Sought(words=WORDS[kind], narrow=NARROW.get(kind, ""))
