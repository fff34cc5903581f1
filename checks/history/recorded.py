"""The record of every run of the watch says which checkpoint it is, when it began, and when it ended.

Why: a value whose hour nobody can name proves nothing about that hour.
When it fails: set the clock of the machine that runs the checkpoints (NTP), or restore the history from its backup.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from fixtures.day import Day
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams
from golive.judge import wording
from golive.judge.course import CLOCK_SLACK
from golive.model import EXTRA, RunRecord, Watch


class Params(CheckParams):
    of: Literal["beginning", "end"] = Field(
        description="beginning: checkpoint and start of this run and all before it; end: the end of all before it"
    )


def test_runs_are_on_record(criterion: Params, day: Day, measure: Measure, evidence: EvidenceSink) -> None:
    runs = sorted(day.record.runs, key=lambda run: run.started_at)
    if criterion.of == "end":
        runs = [run for run in runs if run.run != day.context.run and run.finished_at is not None]
        if not runs:
            measure.not_applicable("no run of this watch has ended before this one")
    evidence("runs", "\n".join(_line(run, day.watch) for run in runs))
    faulty = 0
    for run in runs:
        faults = [*(_faults_at_end if criterion.of == "end" else _faults_at_beginning)(run, day)]
        faulty += bool(faults)
        for fault in faults:
            measure.fail(f"run {run.run}: {fault}")
    measure(len(runs) - faulty, unit="runs", name=f"{criterion.of} on record", detail=f"of {len(runs)}{day.trial}")


def _faults_at_beginning(run: RunRecord, day: Day) -> Iterator[str]:
    if run.checkpoint not in (EXTRA, *(slot.label for slot in day.watch.schedule)):
        yield f"its checkpoint is {run.checkpoint or 'not said'}, which is none of the schedule"
    if run.started_at > day.now + CLOCK_SLACK:
        yield f"it began in the future, {wording.moment(run.started_at)}"
    if run.started_at < day.watch.starts_at - CLOCK_SLACK:
        yield f"it began before hour 0, {wording.moment(run.started_at)}"


def _faults_at_end(run: RunRecord, day: Day) -> Iterator[str]:
    if run.finished_at is None:
        return
    if run.finished_at < run.started_at:
        yield f"it ended {wording.moment(run.finished_at)}, before it began {wording.moment(run.started_at)}"
    if run.finished_at > day.now + CLOCK_SLACK:
        yield f"it ended in the future, {wording.moment(run.finished_at)}"


def _line(run: RunRecord, watch: Watch) -> str:
    slots = {
        slot.label: f"{number} of {len(watch.schedule)}, due {wording.moment(watch.due_at(slot))}"
        for number, slot in enumerate(watch.schedule, 1)
    }
    which = f"checkpoint {run.checkpoint} ({slots[run.checkpoint]})" if run.checkpoint in slots else "extra run"
    ended = "has not ended" if run.finished_at is None else f"ended {wording.moment(run.finished_at)}"
    return f"{run.run}: {which}, began {wording.moment(run.started_at)}, {ended}"
