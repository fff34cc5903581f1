"""Journals and results are read whole, or the reader says why not."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from golive.history.records import journal, read_record
from golive.model import CouldNotLook, Evidence, Measurement, Outcome, Severity, Status, Waiver

AT = datetime(2026, 5, 1, 10, tzinfo=UTC)


def outcome(criterion: str = "shop.a.b", status: Status = Status.PASS) -> Outcome:
    return Outcome(
        criterion=criterion, status=status, severity=Severity.HIGH, message="m", started_at=AT,
        measurements=(Measurement(name="n", value=1.5, unit="s", critical=2, samples=30),),
        evidence=(Evidence(title="t", text="x"),),
        waiver=Waiver(criterion=criterion, reason="r", approver="a", risk="l", expires=AT, at_most=3),
    )  # fmt: skip


def results(run: str, **changes: object) -> str:
    data = {
        "schema": 1, "run": run, "environment": "e", "system": "shop", "started_at": "2026-05-01T10:00:00Z",
        "finished_at": "2026-05-01T10:01:00Z", "outcomes": [outcome().as_data()],
    }  # fmt: skip
    return json.dumps({**data, **changes})


def test_outcome_survives_the_way_through_json() -> None:
    assert Outcome.from_data(json.loads(json.dumps(outcome().as_data()))) == outcome()


def test_journal_gives_the_last_word_on_each_criterion(tmp_path: Path) -> None:
    lines = [outcome().as_data(), outcome(status=Status.UNKNOWN).as_data()]
    (tmp_path / "outcomes.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"half')
    assert journal(tmp_path)["shop.a.b"].status is Status.UNKNOWN
    assert journal(tmp_path / "none") == {}


def test_damaged_journal_is_not_read_around(tmp_path: Path) -> None:
    (tmp_path / "outcomes.jsonl").write_text("rubbish\n")
    with pytest.raises(CouldNotLook, match="is damaged"):
        journal(tmp_path)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", results("r", schema=9), results("r", started_at="noon"), results("r", outcomes=[{}])],
)
def test_damaged_results_are_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(CouldNotLook, match=r"results\.json cannot be read as the results of a run"):
        read_record(tmp_path / "results.json")
