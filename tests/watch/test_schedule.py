"""What is due when, what was missed, and to which checkpoint a run belongs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixtures.options import CATALOGUE, PROJECT
from golive.environment.load import load_environment, read_files
from golive.environment.problems import EnvironmentInvalid
from golive.environment.schedule import PATTERN, slot_of_entry, slots_of
from golive.environment.sections import WatchSection
from golive.model import RunRecord, Watch, When
from golive.watch.schedule import Standing, is_over, new_watch, next_due, slot_of, state_of_slots
from tests.watch.made import CPU, FINAL, LABELS, REQUIRED, SMOKE, START, day, hours, run_at, shop

WATCH = day()


# What is written


@pytest.mark.parametrize(
    ("entry", "label", "offset_s", "occasions"),
    [
        ("15 min smoke", "15min", 900, (When.SMOKE,)),
        ("4 h", "4h", 14400, (When.CHECKPOINT,)),
        ("4h checkpoint", "4h", 14400, (When.CHECKPOINT,)),
        ("24 h golive", "24h", 86400, (When.CHECKPOINT, When.GOLIVE)),
        ("1.5 h", "1.5h", 5400, (When.CHECKPOINT,)),
        ("  2.0  d   golive ", "2d", 172800, (When.CHECKPOINT, When.GOLIVE)),
        ("0 s smoke", "0s", 0, (When.SMOKE,)),
    ],
)
def test_an_entry_is_a_time_and_an_occasion(
    entry: str, label: str, offset_s: float, occasions: tuple[When, ...]
) -> None:
    slot = slot_of_entry(entry)
    assert (slot.label, slot.offset_s, slot.occasions) == (label, offset_s, occasions)


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ("", "is a time after hour 0 and what is judged at it"),
        ("smoke", "is a time after hour 0 and what is judged at it"),
        ("4", "is a time after hour 0 and what is judged at it"),
        ("-4 h", "is a time after hour 0 and what is judged at it"),
        ("4 weeks", "is a time after hour 0 and what is judged at it"),
        ("4 h load", "one of smoke, checkpoint, golive"),
        ("4 h smoke golive", "one of smoke, checkpoint, golive"),
        ("4 h Smoke", "one of smoke, checkpoint, golive"),
        ("367 d", "no longer than 366 d"),
        (f"{'9' * 400} h", "no longer than 366 d"),
    ],
)
def test_a_malformed_entry_is_refused_in_words(entry: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refusal:
        slot_of_entry(entry)
    assert repr(entry)[:20] in str(refusal.value)


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ([], "at least one checkpoint"),
        (["6 h", "4 h"], "in order of time; got '4 h' after '6 h'"),
        (["4 h", "4 h golive"], "each time stands once in a schedule; got '4 h golive' after '4 h'"),
        (["60 min", "1 h"], "each time stands once in a schedule; got '1 h' after '60 min'"),
        (["1 h", "2 hours"], "got '2 hours'"),
    ],
)
def test_a_schedule_ascends(schedule: Sequence[str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        slots_of(schedule)


def test_the_usual_schedule_is_that_of_the_day() -> None:
    assert [slot.label for slot in slots_of(WatchSection.model_validate({}).schedule)] == LABELS


@pytest.mark.parametrize(
    ("watch", "told"),
    [
        ("schedule: [1 h, 2 hours]", "'watch.schedule.1': a checkpoint is a time after hour 0"),
        ("schedule: [2 h, 1 h]", "'watch.schedule': a schedule is written in order of time; got '1 h' after '2 h'"),
        ("schedule: []", "'watch.schedule': tuple should have at least 1 item"),
        ("schedule: [5]", "'watch.schedule.0': input should be a valid string; got 5"),
        (
            "availability: {probes: [{endpoint: api, request: GET /}, {endpoint: api, request: GET /a}]}",
            "'watch.availability': one probe an endpoint (declare a second endpoint for another path); got 'api' twice",
        ),
        (
            "availability: {every: 2 s, timeout: 3 s, probes: [{endpoint: api, request: GET /}]}",
            "'watch.availability': a probe has ended before the next one begins: 'timeout' is at most 'every'; got 3 s",
        ),
    ],
)
def test_what_is_wrong_with_a_watch_is_one_line_with_its_place(tmp_path: Path, watch: str, told: str) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(f"system: shop\nendpoints: {{api: {{url: 'http://127.0.0.1:1'}}}}\nwatch: {{{watch}}}\n")
    with pytest.raises(EnvironmentInvalid) as error:
        load_environment(read_files(file), catalogue=CATALOGUE, project=PROJECT, providers={})
    lines = str(error.value).splitlines()
    assert len(lines) == 1
    assert f"shop.yaml:3: environment: {told}" in lines[0]


def test_a_probe_names_an_endpoint_that_there_is(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    watch = "watch: {availability: {probes: [{endpoint: apii, request: GET /}]}}"
    file.write_text(f"system: shop\nendpoints: {{api: {{url: 'http://127.0.0.1:1'}}}}\n{watch}\n")
    with pytest.raises(EnvironmentInvalid, match=r"shop.yaml:3: watch: unknown endpoint 'apii'. Did you mean 'api'\?"):
        load_environment(read_files(file), catalogue=CATALOGUE, project=PROJECT, providers={})


# Whose run it is


def at(hour: float, *, selected: set[str], watch: Watch = WATCH) -> str | None:
    slot = slot_of(watch, selected, REQUIRED, START + hours(hour))
    return slot.label if slot else None


def test_a_run_belongs_to_the_checkpoint_in_whose_time_it_began() -> None:
    assert at(4, selected={CPU}) == "4h"
    assert at(4.25, selected={CPU}) == "4h"
    assert at(4.2501, selected={CPU}) is None
    assert at(3.9999, selected={CPU}) is None
    assert at(0.25, selected={SMOKE}) == "15min"


def test_a_run_that_judges_less_belongs_to_none() -> None:
    assert at(4, selected=set()) is None
    assert at(4, selected={SMOKE}) is None
    assert at(0.3, selected={CPU}) is None
    assert at(4, selected={CPU, SMOKE, "shop.more"}) == "4h"


def test_each_occasion_of_the_last_checkpoint_may_be_a_run_of_its_own() -> None:
    assert at(24, selected={CPU}) == "24h"
    assert at(24, selected={CPU, FINAL}) == "24h"
    assert at(24, selected={FINAL}) is None


def test_an_occasion_without_criteria_is_never_judged() -> None:
    assert slot_of(WATCH, {CPU}, {}, START + hours(4)) is None
    assert slot_of(WATCH, {CPU}, {When.CHECKPOINT: set()}, START + hours(4)) is None


def test_where_times_overlap_it_is_the_later_checkpoint() -> None:
    dense = replace(WATCH, schedule=slots_of(["10 min", "20 min"]))
    assert at(0.33, selected={CPU}, watch=dense) == "10min"
    assert at(0.34, selected={CPU}, watch=dense) == "20min"


@given(st.floats(0, 30))
@settings(max_examples=200)
def test_in_a_trial_the_same_hours_pass_faster(hour: float) -> None:
    trial = day(time_scale=60)
    real = slot_of(WATCH, {CPU}, REQUIRED, START + hours(hour))
    # A microsecond is the finest moment there is; right at an edge the two may differ.
    edge = any(abs(hour * 3600 - s.offset_s - t) < 0.001 for s in WATCH.schedule for t in (0, WATCH.tolerance_s))
    assert edge or slot_of(trial, {CPU}, REQUIRED, START + hours(hour) / 60) == real


# How it stands


def standings(runs: Sequence[RunRecord], now: datetime, **more: Any) -> dict[str, str]:
    return {state.slot.label: state.standing.value for state in state_of_slots(WATCH, runs, now, **more)}


def test_a_checkpoint_goes_from_upcoming_to_missed() -> None:
    one = timedelta(microseconds=1)
    due, deadline = START + hours(4), START + hours(4.25)
    moments = [due - one, due, deadline, deadline + one]
    assert [standings([], now)["4h"] for now in moments] == ["upcoming", "open", "open", "missed"]


def test_a_run_fills_its_checkpoint_and_no_other() -> None:
    run = run_at(WATCH, START + hours(4), "4h")
    extra = run_at(WATCH, START + hours(5), "extra", selected=(CPU,))
    found = standings([extra, run], START + hours(6))
    assert found["4h"] == "done"
    assert [label for label, standing in found.items() if standing == "missed"] == ["15min", "1h", "2h", "3h"]
    assert found["6h"] == "open"
    assert found["8h"] == "upcoming"


def test_a_run_before_its_time_fills_no_checkpoint() -> None:
    early = run_at(WATCH, START + hours(3.5), "4h")
    found = [standings([early], START + hours(at))["4h"] for at in (3.6, 4.1, 4.5)]
    assert found == ["upcoming", "open", "missed"]


def test_runs_of_another_watch_count_for_nothing() -> None:
    run = replace(run_at(WATCH, START + hours(4), "4h"), watch="another")
    assert standings([run], START + hours(5))["4h"] == "missed"


def test_a_broken_off_run_leaves_its_checkpoint_open_until_the_deadline() -> None:
    broken = run_at(WATCH, START + hours(4), "4h", aborted="interrupted")
    assert standings([broken], START + hours(4.2))["4h"] == "open"
    assert standings([broken], START + hours(4.3))["4h"] == "missed"
    again = run_at(WATCH, START + hours(4.1), "4h")
    assert standings([again, broken], START + hours(4.3))["4h"] == "done"
    state = next(s for s in state_of_slots(WATCH, [again, broken], START + hours(5)) if s.slot.label == "4h")
    assert [run.aborted for run in state.runs] == ["interrupted", None]


def test_a_run_that_goes_on_is_neither_done_nor_missed() -> None:
    going_on = replace(run_at(WATCH, START + hours(4), "4h"), finished_at=None)
    assert standings([going_on], START + hours(5))["4h"] == "running"


def test_the_last_checkpoint_is_done_when_all_its_occasions_were_judged() -> None:
    first = run_at(WATCH, START + hours(24), "24h", selected=(CPU,))
    second = run_at(WATCH, START + hours(24.1), "24h", selected=(CPU, FINAL))
    now = START + hours(24.2)
    assert standings([first], now, required=REQUIRED)["24h"] == "open"
    assert standings([first, second], now, required=REQUIRED)["24h"] == "done"
    assert standings([first], now)["24h"] == "done"
    # Afterwards it is for the verdict to say that it was partial.
    assert standings([first], START + hours(25), required=REQUIRED)["24h"] == "done"


def test_what_is_due_next() -> None:
    runs = [run_at(WATCH, START + hours(1), "1h")]
    slot = next_due(WATCH, runs, START + hours(1.1))
    assert slot is not None and slot.label == "2h"
    assert not is_over(WATCH, START + hours(24.25))
    assert is_over(WATCH, START + hours(24.26))
    assert next_due(WATCH, runs, START + hours(24.26)) is None
    assert state_of_slots(WATCH, [], START)[0].standing is Standing.UPCOMING


# A new watch


def test_hour_0_is_the_deployment_and_in_a_trial_the_beginning() -> None:
    now = START + hours(3)
    assert new_watch(shop(), deployed_at=START, now=now).starts_at == START
    assert new_watch(shop(), deployed_at=START, now=now, anew=True, reason="a fix").starts_at == now
    trial = new_watch(shop(), deployed_at=START, now=now, time_scale=240)
    assert (trial.starts_at, trial.deployment.deployed_at, trial.trial) == (now, START, True)
    assert trial.ends_at - now == timedelta(minutes=6)


def test_two_who_begin_the_same_watch_begin_one() -> None:
    one = new_watch(shop(), deployed_at=START, now=START + hours(1))
    assert one.id.startswith("shop-20260501T090000Z-")
    assert new_watch(shop(), deployed_at=START, now=START + hours(2)).id == one.id
    others = [
        new_watch(shop(), deployed_at=START, now=START, replaces=one.id),
        new_watch(shop(version="1.1"), deployed_at=START, now=START),
        new_watch(shop(), deployed_at=START + hours(1), now=START),
        new_watch(shop(), deployed_at=START, now=START, time_scale=2),
        new_watch(shop(), deployed_at=START, now=START + timedelta(milliseconds=1), time_scale=2),
    ]
    assert len({one.id, *(other.id for other in others)}) == 6


def test_without_a_section_there_is_no_watch() -> None:
    with pytest.raises(ValueError, match="environment shop has no 'watch'"):
        new_watch(shop(watch=None), deployed_at=START, now=START)


def test_the_schema_of_the_environment_knows_the_form_of_an_entry(tmp_path: Path) -> None:
    items = WatchSection.model_json_schema()["properties"]["schedule"]["items"]
    assert items["pattern"] == PATTERN


@pytest.mark.parametrize(("time_scale", "real_s"), [(1.0, 900.0), (60.0, 15.0), (240.0, 8.0), (900.0, 2.7)])
def test_a_trial_leaves_the_time_that_a_run_takes_to_begin(time_scale: float, real_s: float) -> None:
    watch = day(time_scale=time_scale)
    assert watch.tolerance_s / watch.time_scale == pytest.approx(real_s)
    for slot, later in pairwise(watch.schedule):
        assert watch.deadline(slot) < watch.due_at(later)
