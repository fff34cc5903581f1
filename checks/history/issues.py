"""Whatever this run found wrong is on its record, classed as critical or minor, with what was found.

Why: "no issues" must be impossible to write while anything failed.
When it fails: the history does not hold what this run found; see the messages of this run and run it again.
"""

from fixtures.day import Day
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams
from golive.model import Outcome, Severity


class Params(CheckParams):
    """Nothing to set: it is about all that this run has judged so far."""


def test_issues_are_on_record(criterion: Params, day: Day, measure: Measure, evidence: EvidenceSink) -> None:
    del criterion
    issues = day.issues(day.this_run.outcomes)
    kept = day.kept_outcomes(issue.criterion for issue in issues)
    for issue in issues:
        stored = kept.get(issue.criterion)
        if stored is None or (stored.status, stored.message) != (issue.status, issue.message):
            held = "nothing" if stored is None else stored.status.value
            measure.fail(f"{issue.criterion} is {issue.status.value} in this run, its record says {held}")
        if not issue.message.strip() or issue.message == issue.says:
            measure.fail(f"{issue.criterion} is {issue.status.value}, and its record does not say what was found")
    evidence(
        "issues", "\n".join(map(_line, sorted(issues, key=lambda o: (not _is_critical(o), o.criterion)))) or "none"
    )
    critical = sum(map(_is_critical, issues))
    if not day.this_run.outcomes:
        measure.unknown("nothing was judged in this run yet")
    measure(critical, unit="issues", name="critical")
    measure(len(issues) - critical, unit="issues", name="minor", detail=f"in {len(day.this_run.outcomes)} criteria")


def _is_critical(issue: Outcome) -> bool:
    return issue.severity is Severity.CRITICAL


def _line(issue: Outcome) -> str:
    word = "critical" if _is_critical(issue) else "minor"
    return f"{word}: {issue.criterion} ({issue.severity.value}) {issue.status.value}: {issue.message}"
