"""`golive replay`, on a real history: what other rules would have made of what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from golive.history.store import History
from golive.model import Status, WatchRecord
from tests.commands.held import CPU, CRITERIA, Held, with_cpu
from tests.watchdays import cpu_percent, the_watch


@pytest.fixture
def held(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Held:
    made = Held(tmp_path, capsys, monkeypatch)
    made.hold(_one_fault)
    return made


def _one_fault(record: WatchRecord) -> WatchRecord:
    """70 % all day, but 91 % at hour 6."""
    return with_cpu(record, "6h", cpu_percent(91.0), Status.FAIL)


def with_rules(**changes: Any) -> list[dict[str, Any]]:
    """The criteria, that of the CPU with other keys."""
    return [{**entry, **changes} if entry["id"] == CPU else dict(entry) for entry in CRITERIA]


def test_the_same_rules_make_no_difference(held: Held) -> None:
    code, out = held.ask("replay")
    assert code == 0
    assert out.splitlines() == [
        f"23 outcomes of 12 runs under the rules of {held.shop.file}",
        "nothing would differ",
    ]


def test_a_looser_limit_heals_the_fault_and_touches_nothing(held: Held) -> None:
    before = held.file.read_bytes()
    held.write(with_rules(critical=95))
    code, out = held.ask("replay")
    assert code == 1
    assert out.splitlines()[1:] == [
        f"{CPU} at checkpoint 6h: pass instead of fail: cpu: 91 %",
        "1 outcome would differ",
    ]
    assert held.file.read_bytes() == before


def test_a_stricter_limit_is_one_line_for_all_checkpoints(held: Held) -> None:
    held.write(with_rules(critical=60, severity="critical"))
    code, out = held.ask("replay")
    assert code == 1
    assert out.splitlines()[1:] == [
        f"{CPU}: its severity is critical, it was high",
        f"{CPU} at 10 checkpoints from 1h to 24h: fail instead of pass: cpu: 70 %, below 60 % needed",
        "10 outcomes would differ, 1 severity would differ",
    ]


def test_rules_may_come_from_another_file(held: Held) -> None:
    other = held.shop.folder / "other" / "strict.yaml"
    other.parent.mkdir()
    (other.parent / "criteria.yaml").write_text(json.dumps(with_rules(critical=60)))
    other.write_text(held.shop.file.read_text())
    code, out = held.ask("replay", f"--env-file={other}")
    assert code == 1
    assert out.splitlines()[0].endswith(f" under the rules of {other}")
    assert "10 outcomes would differ" in out
    assert held.ask("replay")[0] == 0
    code, out = held.ask("replay", f"--env-file={other.parent / 'nothing.yaml'}")
    assert (code, "nothing.yaml" in out) == (4, True)


def test_what_takes_the_target_is_said_and_is_no_success(held: Held) -> None:
    held.write(with_rules(again=3))
    code, out = held.ask("replay")
    assert code == 1
    assert out.splitlines()[1] == (
        f"{CPU} at 10 checkpoints from 1h to 24h: pass then; cannot be judged again without the target: "
        "'again' changed from 2 to 3, and no measured value has it as its limit"
    )
    assert out.splitlines()[-1] == "11 outcomes cannot be judged again"


def test_a_waiver_is_applied(held: Held) -> None:
    waiver = {
        "criterion": CPU,
        "reason": "new disk",
        "approver": "Ann",
        "risk": "low",
        "expires": "2099-01-01T00:00:00Z",
    }
    held.write(waivers=[waiver])
    assert f"{CPU} at checkpoint 6h: waived instead of fail: waived until 2099" in held.ask("replay")[1]


def test_new_and_gone_criteria_are_named(held: Held) -> None:
    held.write([{**CRITERIA[0], "id": "warungin.health.cores"}, CRITERIA[1]])
    code, out = held.ask("replay")
    assert code == 1
    assert out.splitlines()[1:] == [
        "warungin.health.cores: is new, so no run has judged it",
        f"{CPU}: is gone, so nothing asks for it any more",
        "1 criterion is new, 1 criterion is gone",
    ]


def test_one_run_alone(held: Held) -> None:
    with History.open(held.file) as history:
        from golive.history.runs import run_records

        names = {run.checkpoint: run.run for run in run_records(history, "shop")}
    held.write(with_rules(critical=95))
    assert held.ask("replay", f"--run={names['4h']}")[0] == 0
    assert held.ask("replay", f"--run={names['6h']}")[0] == 1
    code, out = held.ask("replay", f"--run={names['6h']}x")
    assert (code, out.startswith(f"shop: unknown run '{names['6h']}x'. Did you mean '{names['6h']}'?")) == (4, True)


def test_one_watch_by_its_id(held: Held) -> None:
    with History.open(held.file) as history:
        from golive.history.watches import watches

        (watch,) = watches(history, "shop")
    assert held.ask("replay", f"--watch={watch.id}")[0] == 0
    assert held.ask("replay", "--watch=nothing")[0] == 4
    assert held.ask("replay", "--watch=a", "--run=b")[0] == 2


def test_as_json_it_holds_every_difference(held: Held) -> None:
    held.write(with_rules(critical=95))
    code, out = held.ask("replay", "--json")
    data = json.loads(out)
    assert (code, data["schema"], data["judged"], data["differs"]) == (1, 1, 23, True)
    assert len(data["runs"]) == 12
    (difference,) = data["differences"]
    assert difference["run"].endswith("-6h")
    assert {key: difference[key] for key in ("kind", "criterion", "checkpoint", "before", "after")} == {
        "kind": "outcome",
        "criterion": CPU,
        "checkpoint": "6h",
        "before": "fail",
        "after": "pass",
    }


def test_rules_that_are_not_kept_are_told(held: Held) -> None:
    with History.open(held.file) as history, history.writing() as connection:
        import sqlalchemy as sa

        connection.execute(sa.text("DELETE FROM criteria_sets"))
    code, out = held.ask("replay")
    assert code == 1
    assert out.splitlines()[1].startswith("the rules are not kept that 12 runs had: ")
    assert out.splitlines()[-1] == "12 runs cannot be judged again"


def test_nothing_to_judge_again_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    empty = Held(tmp_path / "empty", capsys, monkeypatch)
    code, out = empty.ask("replay")
    assert (code, "history.sqlite" in out) == (4, True)
    record = empty.hold(lambda record: record, until="15min", hours_ago=0.1)
    code, out = empty.ask("replay")
    assert (code, out) == (4, f"no run of {the_watch(record).id} is kept, so there is nothing to judge again\n")
