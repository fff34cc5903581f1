"""The heat map: the worst outcome of each area at each checkpoint, what is missing, and what is still to come."""

from __future__ import annotations

from dataclasses import replace

from golive.model import Status
from reports.golive.views.day import Day
from reports.golive.views.timeline import Cell, letters, timeline
from tests import watchdays as days
from tests.reports.golive.conftest import looked_at
from tests.watchdays import CPU, LOGIN, MEMORY


def cells(day: Day, area: str) -> dict[str, Cell]:
    drawn = timeline(day.columns, day.areas)
    row = next(row for row in drawn.rows if row.area == area)
    return {column.label: cell for column, cell in zip(drawn.columns, row.cells, strict=True)}


def test_a_cell_tells_the_worst_outcome_and_how_many_came_to_it() -> None:
    record = days.with_outcome(days.day(), "6h", CPU, Status.FAIL)
    record = days.with_outcome(record, "6h", MEMORY, Status.FAIL)
    cell = cells(looked_at(record), "health")["6h"]
    assert (cell.status, cell.count, cell.total, cell.absent) == (Status.FAIL, 2, 5, 0)
    assert cell.words == "health at 6 h: 2 fail, 3 pass"
    assert cells(looked_at(record), "health")["8h"].words == "health at 8 h: 5 pass"


def test_what_does_not_apply_hides_nothing_that_was_judged() -> None:
    cell = cells(looked_at(days.with_outcome(days.day(), "6h", CPU, Status.NOT_APPLICABLE)), "health")["6h"]
    assert (cell.status, cell.count, cell.total) == (Status.PASS, 4, 5)
    assert cells(looked_at(days.day()), "material")["6h"].status is Status.NOT_APPLICABLE


def test_a_missed_checkpoint_is_told_apart_from_one_to_come_and_from_nothing_to_judge() -> None:
    record = days.without_run(days.day(until="4h"), "2h")
    found = cells(looked_at(record), "health")
    assert (found["2h"].status, found["2h"].absent) == (None, 5)
    assert found["2h"].words == "health at 2 h: 5 criteria were not judged"
    assert (found["6h"].status, found["6h"].absent) == (None, 0)
    assert found["15min"].words == "health at 15 min: nothing to judge"


def test_a_partial_checkpoint_says_what_is_missing() -> None:
    cell = cells(looked_at(days.without_outcome(days.day(), "6h", CPU)), "health")["6h"]
    assert (cell.status, cell.total, cell.absent) == (Status.PASS, 4, 1)
    assert cell.words.endswith("1 not judged")


def test_other_runs_are_a_column_too() -> None:
    record = days.day(until="2h")
    watch = days.the_watch(record)
    failed = days.outcome(record.criteria[0], watch.starts_at, Status.FAIL)
    extra = replace(days.extra_run(record, 1.5, failed), checkpoint="extra")
    cell = cells(looked_at(days.with_run(record, extra)), "health")["extra"]
    assert (cell.status, cell.words) == (Status.FAIL, "health in other runs: 1 fail")


def test_every_criterion_has_its_outcome_at_every_checkpoint() -> None:
    day = looked_at(days.with_outcome(days.day(until="2h"), "1h", LOGIN, Status.UNKNOWN))
    told = dict(letters(day.columns, day.criteria))
    assert told.keys() == {criterion.id for criterion in days.CRITERIA}
    assert told[LOGIN][:4] == (Status.PASS, Status.UNKNOWN, Status.PASS, None)
    assert set(told[days.PROOF]) == {None}
