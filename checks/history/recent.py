"""The last run that judged a group of criteria is recent enough.

Why: monitoring that quietly stopped looks exactly like a system without problems.
When it fails: see why the timer, CronJob or pipeline that runs it no longer does.
"""

from pydantic import Field

from fixtures.context import RunContext
from fixtures.measure import Measure
from fixtures.past import Past, matches
from golive.environment.params import CheckParams, Duration
from golive.model import RunRecord


class Params(CheckParams):
    criteria: tuple[str, ...] = Field(
        min_length=1, description="ids or shell patterns; a run counts if it judged one of them"
    )
    within: Duration = Field(description="greatest age of that run")


def test_last_run_is_recent(criterion: Params, past: Past, context: RunContext, measure: Measure) -> None:
    runs = [run for run in past.earlier() if _judged(run, criterion.criteria)]
    if not runs:
        measure.fail(f"no finished run has judged {', '.join(criterion.criteria)}")
        return
    last = runs[-1]
    age = (context.now() - (last.finished_at or last.started_at)).total_seconds()
    measure(
        age / 3600,
        unit="h",
        name="age of the last run",
        critical=criterion.within / 3600,
        inclusive=True,
        detail=f"run {last.run}",
    )


def _judged(run: RunRecord, patterns: tuple[str, ...]) -> bool:
    return any(matches(o.criterion, patterns) for o in run.outcomes)
