"""history/rates, silent, backwards, recurring and followed: each turns red on a fault in a real history."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.history import backwards, followed, rates, recurring, silent
from golive.model import EXTRA, Severity, Status
from tests.checks.history.watched import MEMORY, WatchDay, measured

HOURS = (1, 2, 3, 4, 6)
PER_MIN = {"name": "warnings", "unit": "per min"}
ERRORS = {"name": "errors", "unit": "errors"}
ORDERS = {"name": "orders", "unit": "orders"}


# rates


def test_a_rate_that_went_up_fails(tmp_path: Path) -> None:
    found = WatchDay(tmp_path, 8).course((4, 5, 4, 6, 5, 30), HOURS, **PER_MIN).judge(rates)
    assert found.status is Status.FAIL
    assert found.message == (
        "warnings (shop.health.memory): 30 per min, at most 10 per min needed "
        "(usually 5, give or take 1.48, by 5 earlier looks)"
    )
    (recorded,) = found.recorder.measurements
    assert (recorded.name, recorded.critical) == (f"rate of warnings ({MEMORY})", 10)


@pytest.mark.parametrize("last", [5, 9.4, 0])
def test_a_usual_rate_passes(tmp_path: Path, last: float) -> None:
    found = WatchDay(tmp_path, 8).course((4, 5, 4, 6, 5, last), HOURS, **PER_MIN).judge(rates)
    assert found.status is Status.PASS


def test_rates_that_never_vary_still_leave_room(tmp_path: Path) -> None:
    assert WatchDay(tmp_path, 8).course((0, 0, 0, 0, 0, 1), HOURS, **PER_MIN).judge(rates).status is Status.PASS


def test_the_first_errors_after_none_fail(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).course((0, 0, 0, 0, 0, 40), HOURS, **ERRORS)
    found = day.judge(rates, reads="count")
    assert found.status is Status.FAIL
    assert found.value(f"rate of errors ({MEMORY})") == pytest.approx(20, rel=0.01)
    assert "errors (shop.health.memory): 20 errors per h, at most 1 errors per h needed" in found.message


def test_the_same_rate_over_a_longer_time_passes(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 16).course((10, 10, 10, 10, 20, 100), HOURS, **ERRORS)
    assert day.judge(rates, reads="count").status is Status.PASS
    assert day.judge(rates).status is Status.FAIL


def test_totals_are_judged_by_what_was_added(tmp_path: Path) -> None:
    hours = (1, 2, 3, 4, 6, 8)
    day = WatchDay(tmp_path, 10).course((10, 20, 30, 40, 60, 80, 180), hours, **ERRORS)
    found = day.judge(rates, reads="total")
    assert found.status is Status.FAIL
    assert found.value(f"rate of errors ({MEMORY})") == pytest.approx(50, rel=0.01)


def test_too_few_looks_tell_no_usual_rate(tmp_path: Path) -> None:
    found = WatchDay(tmp_path, 8).course((4, 5, 4, 30), (4, 6, 7), **PER_MIN).judge(rates)
    assert (found.status, found.message) == (
        Status.UNKNOWN,
        "warnings (shop.health.memory): 3 of at least 4 points",
    )


# silent


def test_a_count_that_fell_to_zero_fails(tmp_path: Path) -> None:
    found = WatchDay(tmp_path, 8).course((40, 35, 50, 44, 61, 0), HOURS, **ORDERS).judge(silent)
    assert found.status is Status.FAIL
    assert found.message == (
        "fallen silent: 1 of 1 counts, at most 0 of 1 counts needed (orders (shop.health.memory) was 61 at 6h)"
    )


@pytest.mark.parametrize("values", [(40, 35, 50, 44, 61, 1), (40, 0, 50, 44, 61, 0)])
def test_a_count_that_goes_on_or_is_often_zero_passes(tmp_path: Path, values: tuple[float, ...]) -> None:
    day = WatchDay(tmp_path, 8).course(values, HOURS, **ORDERS)
    assert day.judge(silent).status is Status.PASS


def test_often_is_what_the_criterion_says(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).course((40, 0, 50, 44, 61, 0), HOURS, **ORDERS)
    assert day.judge(silent, usually=75).status is Status.FAIL


def test_a_total_that_stands_still_is_silent(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).course((40, 80, 120, 160, 200, 200), HOURS, **ORDERS)
    assert day.judge(silent).status is Status.PASS
    assert day.judge(silent, reads="total").status is Status.FAIL


def test_silence_takes_earlier_looks(tmp_path: Path) -> None:
    found = WatchDay(tmp_path, 8).course((40, 35, 0), (1, 2), **ORDERS).judge(silent)
    assert found.status is Status.UNKNOWN
    assert "2 of at least 3 points" in found.message


# backwards


def test_a_counter_that_fell_fails(tmp_path: Path) -> None:
    found = WatchDay(tmp_path, 8).course((40, 80, 120, 110, 200, 210), HOURS, **ORDERS).judge(backwards)
    assert found.status is Status.FAIL
    assert "1 times, at most 0 times needed" in found.message
    assert "orders (shop.health.memory) fell from 120 to 110 orders between 3h and 4h" in found.message


def test_a_counter_that_counts_up_passes(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).course((40, 80, 80, 110, 200, 210), HOURS, **ORDERS)
    assert day.judge(backwards).status is Status.PASS


def test_a_small_step_back_may_be_tolerated(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).course((40, 80, 120, 110, 200, 210), HOURS, **ORDERS)
    assert day.judge(backwards, tolerance=10).status is Status.PASS
    assert day.judge(backwards, tolerance=5).status is Status.FAIL


@pytest.mark.parametrize(("up_h", "status"), [(0.5, Status.PASS), (3.5, Status.FAIL)])
def test_a_restart_explains_it(tmp_path: Path, up_h: float, status: Status) -> None:
    day = WatchDay(tmp_path, 4)
    for hour, sent in ((1, 100), (2, 200), (3, 300)):
        day.looked(hour, measured(sent, "api sent"), measured(3600 * hour, "api up", "s"))
    day.sees(measured(5, "api sent"), measured(3600 * up_h, "api up", "s"))
    assert day.judge(backwards).status is status


def test_a_counter_that_was_seen_once_is_unknown(tmp_path: Path) -> None:
    found = WatchDay(tmp_path, 8).sees(measured(1, **ORDERS)).judge(backwards)
    assert found.message == "orders (shop.health.memory): 1 of at least 2 points"
    assert WatchDay(tmp_path / "early", 1).judge(backwards).status is Status.NOT_APPLICABLE


# recurring


def failing(folder: Path, *failed_at: float, hour: float = 8) -> WatchDay:
    day = WatchDay(folder, hour)
    for at in (h for h in HOURS if h < hour):
        day.looked(at, status=Status.FAIL if at in failed_at else Status.PASS)
    return day.sees(status=Status.FAIL if hour in failed_at else Status.PASS)


def test_a_criterion_that_fails_again_fails(tmp_path: Path) -> None:
    found = failing(tmp_path, 2, 6).judge(recurring)
    assert found.status is Status.FAIL
    assert found.message == (
        "met at 2 checkpoints or more: 1 faults, at most 0 faults needed (shop.health.memory (2h, 6h))"
    )
    assert "2h: shop.health.memory" in found.seen
    assert "3h: nothing" in found.seen


def test_a_failure_in_this_run_counts(tmp_path: Path) -> None:
    assert failing(tmp_path, 2, 8).judge(recurring).status is Status.FAIL


@pytest.mark.parametrize("failed_at", [(), (4,), (8,)])
def test_once_is_not_again(tmp_path: Path, failed_at: tuple[float, ...]) -> None:
    assert failing(tmp_path, *failed_at).judge(recurring).status is Status.PASS


def test_more_often_may_be_put_up_with(tmp_path: Path) -> None:
    assert failing(tmp_path, 2, 6).judge(recurring, times=3).status is Status.PASS


def test_two_runs_of_one_checkpoint_are_one_look(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).looked(2, status=Status.FAIL).looked(2.1, status=Status.FAIL, checkpoint="2h")
    assert day.looked(3).sees().judge(recurring).status is Status.PASS
    day.looked(5, status=Status.FAIL, checkpoint=EXTRA)
    assert day.judge(recurring).status is Status.FAIL


def test_only_the_severities_and_outcomes_that_are_meant_count(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).looked(2, status=Status.FAIL).looked(3, status=Status.FAIL).sees()
    assert day.judge(recurring, severities=["medium"]).status is Status.PASS
    assert day.judge(recurring, severities=["medium", "high"]).status is Status.FAIL
    assert day.judge(recurring, outcomes=["warn"]).status is Status.PASS
    day.looked(4, status=Status.WARN, severity=Severity.LOW).looked(6, status=Status.WARN, severity=Severity.LOW)
    assert day.judge(recurring, outcomes=["warn"]).status is Status.FAIL


def test_a_pattern_of_errors_that_comes_back_fails(tmp_path: Path) -> None:
    name = "pattern [api] connection to <ip> lost"
    day = WatchDay(tmp_path, 8).looked(2, measured(2, name, "lines")).looked(3, measured(0, name, "lines"))
    assert day.sees().judge(recurring, values=["pattern *"]).status is Status.PASS
    day.looked(4, measured(1, name, "lines"))
    found = day.judge(recurring, values=["pattern *"])
    assert found.status is Status.FAIL
    assert f"{name} (shop.health.memory) (2h, 4h)" in found.message


def test_one_look_is_too_few_and_too_early_does_not_apply(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).sees(status=Status.FAIL)
    found = day.judge(recurring)
    assert (found.status, found.message) == (
        Status.UNKNOWN,
        "1 of at least 2 points, each a checkpoint that judged shop.health.memory",
    )
    assert day.judge(recurring, not_before="9 h").status is Status.NOT_APPLICABLE
    assert day.judge(recurring, criteria=["shop.x.*"]).status is Status.UNKNOWN


# followed


def test_a_value_at_every_checkpoint_passes_with_its_slope(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).course((100, 110, 120, 130, 150, 170), HOURS)
    found = day.judge(followed)
    assert (found.status, found.message) == (Status.PASS, "followed: 1 courses (without a hole, of 1)")
    assert found.value(f"slope of api memory ({MEMORY})") == pytest.approx(10, abs=0.01)
    assert "api memory (shop.health.memory): 100 to 170 MB, in the middle 130, slope 10 MB/h" in found.seen


def test_a_checkpoint_without_a_value_fails(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).looked(5, checkpoint="5h", status=Status.UNKNOWN)
    found = day.course((100, 110, 120, 130, 150, 170), HOURS).judge(followed)
    assert found.status is Status.FAIL
    assert "api memory (shop.health.memory) was not measured at 5h" in found.message


def test_what_an_extra_run_did_not_measure_is_no_hole(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).looked(5, checkpoint=EXTRA, status=Status.UNKNOWN)
    assert day.course((100, 110, 120, 130, 150, 170), HOURS).judge(followed).status is Status.PASS


def test_a_course_takes_three_points(tmp_path: Path) -> None:
    found = WatchDay(tmp_path, 8).course((100, 110), (6,)).judge(followed)
    assert (found.status, "2 of at least 3 points" in found.message) == (Status.UNKNOWN, True)


# what they have in common


def test_several_criteria_are_followed_at_once(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).knows("shop.health.disk[a]", "shop.health.disk[b]")
    for hour in HOURS:
        for item in "ab":
            day.looked(
                hour, measured(5, "orders", "orders"), of=f"shop.health.disk[{item}]", checkpoint=f"{hour}h{item}"
            )
    day.sees(measured(5, "orders", "orders"), of="shop.health.disk[a]")
    day.sees(measured(0, "orders", "orders"), of="shop.health.disk[b]")
    found = day.judge(silent, criteria=["shop.health.disk"])
    assert found.status is Status.FAIL
    assert "orders (shop.health.disk[b]) was 5 at 6hb" in found.message
    assert MEMORY not in found.message


def test_what_looks_back_is_not_followed(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).knows("shop.trend.memory", check="history/growth")
    assert day.judge(silent, criteria=["shop.trend.*"]).message == "none of shop.trend.* is part of this run"
