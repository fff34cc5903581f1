"""Stored outcomes under other rules: what would differ, and what nobody can know without the target."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from golive.judge.replay import Difference, Replay, Rules, replay
from golive.model import Attempt, Criterion, Evidence, Measurement, Outcome, RunRecord, Severity, Status, Waiver, When
from tests import watchdays as days
from tests.watchdays import CPU, START, day, the_watch

NAME = "shop.health.cpu"
PARAMS = {"host": "app", "warning": None, "critical": 80.0}
Data = dict[str, Any]


def data(**changes: Any) -> Data:
    return {
        "id": NAME, "says": "CPU", "severity": "high", "when": ["checkpoint", "golive"], "answer": "check",
        "check": "hosts/cpu", "feature": None, "no_data": "unknown", "retries": 0, "baseline_percent": None,
        "params": PARAMS, **changes,
    }  # fmt: skip


def criterion(rule: Data) -> Criterion:
    return Criterion(
        id=rule["id"],
        says=rule["says"],
        severity=Severity(rule["severity"]),
        when=tuple(When(w) for w in rule["when"]),
        answer=rule["answer"],
        place=days.CRITERIA[0].place,
        check=rule["check"],
        no_data=Status(rule["no_data"]),
    )


def rules(*present: Data, waivers: tuple[Waiver, ...] = ()) -> Rules:
    return Rules(
        criteria={rule["id"]: criterion(rule) for rule in present},
        data={rule["id"]: rule for rule in present},
        waivers=waivers,
    )


def outcome(value: float | None = 70.0, status: Status = Status.PASS, message: str = "", **changes: Any) -> Outcome:
    seen = () if value is None else (Measurement(name="cpu", value=value, unit="%", critical=80.0),)
    made = Outcome(
        criterion=NAME,
        check="hosts/cpu",
        status=status,
        severity=Severity.HIGH,
        message=message or ("70 %, below 80 % needed" if status is Status.PASS else "91 %, below 80 % needed"),
        measurements=seen,
        started_at=START,
    )
    return replace(made, **changes)


def replayed(
    found: Outcome, present: Data | None, *, old: Data | None = None, waivers: tuple[Waiver, ...] = ()
) -> Replay:
    run = RunRecord(
        run="r1", environment="demo", system="shop", started_at=START, criteria_digest="d", checkpoint="4h",
        outcomes=(found,),
    )  # fmt: skip
    before = {"d": {NAME: old or data()}}
    return replay([run], before, rules(*([] if present is None else [present]), waivers=waivers))


def only(found: Replay) -> Difference:
    (difference,) = found.differences
    return difference


def limit(critical: float, **more: Any) -> Data:
    return data(params={**PARAMS, "critical": critical, **more})


def waiver(**changes: Any) -> Waiver:
    made = Waiver(criterion=NAME, reason="new disk", approver="Ann", risk="low", expires=START + timedelta(hours=1))
    return replace(made, **changes)


def test_the_same_rules_make_no_difference() -> None:
    for status in (Status.PASS, Status.FAIL, Status.UNKNOWN):
        found = replayed(outcome(91.0 if status is Status.FAIL else 70.0, status), data(says="other words"))
        assert (found.judged, found.differences, found.differs) == (1, (), False)


def test_a_stricter_limit_turns_a_pass_into_a_failure() -> None:
    assert only(replayed(outcome(), limit(60.0))) == Difference(
        kind="outcome",
        criterion=NAME,
        text="fail instead of pass: cpu: 70 %, below 60 % needed",
        run="r1",
        checkpoint="4h",
        before=Status.PASS,
        after=Status.FAIL,
    )


def test_a_looser_limit_turns_a_failure_into_a_pass() -> None:
    failed = outcome(91.0, Status.FAIL, "CPU of host app: 91 %, below 80 % needed (own 2 % left out)")
    assert only(replayed(failed, limit(95.0))).text == "pass instead of fail: cpu: 91 %"


def test_a_new_warning_turns_a_pass_into_a_warning() -> None:
    assert only(replayed(outcome(), limit(80.0, warning=65.0))).text == (
        "warn instead of pass: cpu: 70 %, below 65 % wanted"
    )


def test_a_limit_that_changes_nothing_is_no_difference() -> None:
    assert not replayed(outcome(), limit(75.0)).differs
    assert not replayed(outcome(91.0, Status.FAIL), limit(90.0)).differs


def test_a_failure_for_another_cause_is_never_judged_to_pass() -> None:
    failed = outcome(91.0, Status.FAIL, "91 %, below 80 % needed; the governor is powersave")
    found = only(replayed(failed, limit(95.0)))
    assert (found.kind, found.after) == ("unjudgeable", None)
    assert found.text == (
        "fail then; cannot be judged again without the target: more than its limits stood against it: "
        "91 %, below 80 % needed; the governor is powersave"
    )


def test_a_failure_without_values_is_never_judged_to_pass() -> None:
    assert only(replayed(outcome(None, Status.FAIL, "stopped"), limit(95.0))).kind == "unjudgeable"


def test_unknown_stays_unknown_unless_a_value_fails() -> None:
    blind = outcome(70.0, Status.UNKNOWN, "swap: no value was read")
    assert not replayed(blind, limit(75.0)).differs
    assert only(replayed(blind, limit(60.0))).after is Status.FAIL


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"params": {**PARAMS, "host": "db"}}, "'host' changed from 'app' to 'db'"),
        ({"check": "hosts/memory"}, "it is answered by hosts/memory, it was by hosts/cpu"),
        ({"answer": "attest", "check": "people/attested"}, "it is answered by people/attested, it was by hosts/cpu"),
        ({"answer": "unanswered", "check": None}, "it is answered by unanswered, it was by hosts/cpu"),
        ({"baseline_percent": 20.0}, "it is compared with a baseline"),
    ],
)
def test_what_takes_the_target_is_shown_as_such(change: Data, why: str) -> None:
    found = only(replayed(outcome(), data(**change)))
    assert (found.kind, found.before, found.after) == ("unjudgeable", Status.PASS, None)
    assert found.text == f"pass then; cannot be judged again without the target: {why}"


def test_a_limit_out_of_a_baseline_is_not_traced() -> None:
    old = data(baseline_percent=20.0)
    assert only(replayed(outcome(), {**limit(60.0), "baseline_percent": 20.0}, old=old)).kind == "unjudgeable"
    assert not replayed(outcome(), old, old=old).differs


def test_another_number_of_attempts_matters_where_there_was_more_than_one_or_a_failure() -> None:
    again = data(retries=2)
    assert not replayed(outcome(), again).differs
    assert only(replayed(outcome(91.0, Status.FAIL), again)).kind == "unjudgeable"
    tried = (Attempt(status=Status.FAIL, message="91 %", at=START),)
    assert only(replayed(outcome(earlier=tried), again)).kind == "unjudgeable"


# Waivers, no data, severity


def test_a_new_waiver_accepts_an_old_failure() -> None:
    found = only(replayed(outcome(91.0, Status.FAIL), data(), waivers=(waiver(),)))
    assert found.after is Status.WAIVED
    assert "waived until 2026-05-01T10:00:00.000Z by Ann (new disk): 91 %, below 80 % needed" in found.text


def test_a_waiver_that_is_gone_leaves_the_failure() -> None:
    told = "waived until 2026-05-01T10:00:00.000Z by Ann (new disk): 91 %, below 80 % needed"
    waived = outcome(91.0, Status.WAIVED, told, waiver=waiver())
    assert only(replayed(waived, data())).text == "fail instead of waived: 91 %, below 80 % needed"
    assert not replayed(waived, data(), waivers=(waiver(),)).differs
    assert only(replayed(waived, limit(95.0), waivers=(waiver(),))).text == "pass instead of waived: cpu: 91 %"


def test_an_expired_waiver_is_judged_at_the_time_of_the_outcome() -> None:
    failed = outcome(91.0, Status.FAIL, "91 %, below 80 % needed; the waiver by Ann expired 2026-05-01T08:00:00.000Z")
    found = replayed(failed, data(), waivers=(waiver(expires=START - timedelta(hours=1)),))
    assert not found.differs
    assert only(replayed(failed, limit(95.0))).after is Status.PASS


def test_no_data_counts_as_the_new_rules_say() -> None:
    blind = outcome(None, Status.UNKNOWN, "no series")
    assert only(replayed(blind, data(no_data="fail"))).text == (
        "fail instead of unknown: no data, which counts as fail here: no series"
    )
    failed = outcome(None, Status.FAIL, "no data, which counts as fail here: no series")
    assert only(replayed(failed, data(), old=data(no_data="fail"))).text == "unknown instead of fail: no series"
    assert not replayed(failed, data(no_data="fail"), old=data(no_data="fail")).differs


def test_a_check_that_broke_is_not_missing_data() -> None:
    broke = outcome(
        None, Status.UNKNOWN, "the check itself broke: KeyError: x", evidence=(Evidence(title="t", text=""),)
    )
    assert not replayed(broke, data(no_data="pass")).differs


def test_another_severity_and_other_occasions_are_told() -> None:
    found = replayed(outcome(), data(severity="critical", when=["golive"]))
    assert [(d.kind, d.text, d.run) for d in found.differences] == [
        ("severity", "its severity is critical, it was high", None),
        ("occasions", "is judged at golive, it was at checkpoint, golive", None),
    ]


def test_built_in_answers_stay_what_they_are() -> None:
    for check, status in (("people/attested", Status.ATTESTED), ("people/not_applicable", Status.NOT_APPLICABLE)):
        rule = data(check=check, params={"role": "QA"})
        assert not replayed(outcome(None, status, "said", check=check), rule, old=rule).differs
    assert not replayed(outcome(None, Status.NOT_APPLICABLE, "no replica"), data()).differs


# New and gone


def test_new_and_gone_criteria_are_named() -> None:
    assert [(d.kind, d.criterion) for d in replayed(outcome(), data(id="shop.health.memory")).differences] == [
        ("new", "shop.health.memory"),
        ("gone", NAME),
    ]
    assert only(replayed(outcome(), None)).text == "is gone, so nothing asks for it any more"


def test_a_run_whose_rules_are_not_kept_is_not_judged_again() -> None:
    run = RunRecord(run="r1", environment="demo", system="shop", started_at=START, outcomes=(outcome(),))
    found = replay([run], {}, rules(data()))
    assert (found.judged, found.without_rules, found.differs) == (0, ("r1",), True)


def test_a_teams_own_test_stays_as_it_is() -> None:
    own = replace(outcome(91.0, Status.FAIL), criterion="shop.own.stock", check=None)
    found = replayed(own, data())
    assert not found.differs
    assert only(replayed(own, data(), waivers=(waiver(criterion="shop.own.stock"),))).after is Status.WAIVED


def test_what_looks_back_on_others_is_named_where_something_differs() -> None:
    record = day(until="6h")
    look_back = data(id="shop.verdict.goal", check="history/passed", params={"criteria": ["*"]})
    goal = replace(outcome(), criterion="shop.verdict.goal", check="history/passed", measurements=())
    run = replace(record.runs[0], outcomes=(outcome(), goal), criteria_digest="d")
    before = {"d": {NAME: data(), "shop.verdict.goal": look_back}}
    assert replay([run], before, rules(limit(60.0), look_back)).followers == ("shop.verdict.goal",)
    assert replay([run], before, rules(data(), look_back)).followers == ()


def test_a_whole_day_is_judged_again_in_order_of_time() -> None:
    record = day()
    for label, value in (("6h", 75.0), ("1h", 76.0)):
        record = days.with_outcome(
            record, label, CPU, Status.PASS, f"{value} %", measurements=(days.cpu_percent(value),)
        )
    rule = data(id=CPU)
    stricter = data(id=CPU, params={**PARAMS, "critical": 70.0})
    runs = [
        replace(r, criteria_digest="d", outcomes=[o for o in r.outcomes if o.criterion == CPU]) for r in record.runs
    ]
    runs = [r for r in runs if r.checkpoint in ("6h", "1h")]
    found = replay(runs[::-1], {"d": {CPU: rule}}, rules(stricter))
    assert [d.checkpoint for d in found.differences] == ["1h", "6h"]
    assert the_watch(record).schedule
