"""history/growth, filling and slower: a fault that is put into a real history turns each of them red."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from checks.history import filling, growth, slower
from golive.history.baselines import invalidate
from golive.history.runs import begin_run
from golive.model import EXTRA, RunRecord, Status
from tests.checks.history.watched import MEMORY, WatchDay, measured

HOURS = (1, 2, 3, 4, 6)


# growth


def test_memory_that_grows_slowly_and_steadily_fails(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).course((100, 104, 109, 115, 122, 131), HOURS)
    found = day.judge(growth)
    assert found.status is Status.FAIL
    assert found.message.startswith("steady growth of api memory (shop.health.memory): 31.6 %")
    assert "at most 20 % needed (steadily, 4.5 MB per hour over 7.0 h, p = 0.0028, 6 points)" in found.message
    assert "1.00 h 100, 2.00 h 104" in found.seen


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ((100, 101, 100, 102, 101, 101), "not steadily"),
        ((100, 160, 110, 150, 105, 155), "not steadily"),
        ((100, 102, 104, 106, 108, 112), "steadily"),
        ((130, 124, 120, 112, 108, 101), "not steadily"),
    ],
)
def test_memory_that_does_not_leak_passes(tmp_path: Path, values: tuple[float, ...], why: str) -> None:
    found = WatchDay(tmp_path, 8).course(values, HOURS).judge(growth)
    assert found.status is Status.PASS
    assert f"    {why}, " in found.seen
    assert found.message == "1 values, none of which grows steadily by more than 20 %"
    assert found.recorder.measurements[0].critical == 20


def test_a_cache_that_fills_up_is_no_leak(tmp_path: Path) -> None:
    filling_up = (100, 130, 150, 160, 165, 167, 168, 168.5, 169)
    found = WatchDay(tmp_path, 20).course(filling_up, (1, 2, 3, 4, 6, 8, 10, 12)).judge(growth)
    assert found.status is Status.PASS
    assert "    levelling off, " in found.seen
    leaking = WatchDay(tmp_path / "leak", 20).course(
        (100, 104, 107, 111, 120, 129, 136, 144, 160), (1, 2, 3, 4, 6, 8, 10, 12)
    )
    assert leaking.judge(growth).status is Status.FAIL


def test_growth_is_in_the_history_with_its_limit(tmp_path: Path) -> None:
    found = WatchDay(tmp_path, 8).course((100, 104, 109, 115, 122, 131), HOURS).judge(growth, at_most=50)
    (recorded,) = found.recorder.measurements
    assert (recorded.name, recorded.unit, recorded.critical, recorded.samples) == (
        f"growth of api memory ({MEMORY})",
        "%",
        50,
        6,
    )
    assert found.status is Status.PASS


def test_too_few_points_are_unknown(tmp_path: Path) -> None:
    found = WatchDay(tmp_path, 8).course((100, 120, 140), (4, 6)).judge(growth)
    assert (found.status, found.message) == (Status.UNKNOWN, "api memory (shop.health.memory): 3 of at least 5 points")


def test_too_early_does_not_apply(tmp_path: Path) -> None:
    found = WatchDay(tmp_path, 3).course((100, 120, 140), (1, 2)).judge(growth)
    assert found.status is Status.NOT_APPLICABLE
    assert found.message == (
        "judged from hour 6 of the watch on; this run began at hour 3.00, too early to speak of a course"
    )


def test_a_beginning_that_never_comes_is_no_way_out(tmp_path: Path) -> None:
    found = WatchDay(tmp_path, 3).course((100, 120), (1,)).judge(growth, not_before="30 h")
    assert found.status is Status.UNKNOWN
    assert found.message == "'not_before: 30 h' is after the last checkpoint (24h): it is never judged"


def test_a_restart_breaks_the_series(tmp_path: Path) -> None:
    def day(folder: Path, up_h: float) -> WatchDay:
        folder.mkdir()
        made = WatchDay(folder, 8)
        for hour, value in zip(HOURS, (100, 104, 109, 115, 122), strict=True):
            made.looked(hour, measured(value), measured(3600 * hour, "api up", "s"))
        return made.sees(measured(131), measured(3600 * up_h, "api up", "s"))

    assert day(tmp_path / "leaks", 8.0).judge(growth).status is Status.FAIL
    restarted = day(tmp_path / "restarted", 3.0)
    found = restarted.judge(growth)
    assert found.status is Status.UNKNOWN
    start = restarted.started_at - timedelta(hours=3)
    assert f"2 of at least 5 points since its start at {start:%Y-%m-%dT%H:%M:%S}" in found.message


def test_the_clock_itself_is_no_leak(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8)
    for hour in HOURS:
        day.looked(hour, measured(3600 * hour, "api up", "s"), measured(100))
    found = day.sees(measured(8 * 3600, "api up", "s"), measured(100)).judge(growth)
    assert (found.status, len(found.recorder.measurements)) == (Status.PASS, 1)


def test_the_warm_up_is_left_out(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).looked(0.25, measured(10)).course((100, 101, 102, 103, 104, 105), HOURS)
    assert "6 points" in day.judge(growth).seen
    assert "7 points" in day.judge(growth, warm_up="0 s").seen


def test_runs_that_were_broken_off_and_other_watches_do_not_count(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).looked(5, measured(500), checkpoint="5h", aborted="interrupted by Ctrl-C")
    day.watch, watch = None, day.watch
    day.looked(0.9, measured(999))
    day.watch = watch
    found = day.course((100, 101, 100, 101, 100, 101), HOURS).judge(growth)
    assert "500" not in found.seen
    assert "999" not in found.seen
    assert "6 points" in found.seen


def test_a_rise_from_nothing_fails(tmp_path: Path) -> None:
    found = WatchDay(tmp_path, 8).course((0, 1, 2, 3, 5, 7), HOURS).judge(growth)
    assert found.status is Status.FAIL
    assert "api memory (shop.health.memory) rises from 0 (steadily, " in found.message


def test_a_value_that_is_gone_is_unknown(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).looked(6, measured(100, "worker memory"))
    found = day.course((100, 101, 100, 101, 100, 101), (*HOURS[:4], 7)).judge(growth)
    assert found.status is Status.UNKNOWN
    assert "worker memory (shop.health.memory) was measured before (6h, " in found.message
    assert found.message.endswith("), and not in this run")


def test_what_was_not_judged_or_measured_now_is_unknown(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8)
    assert day.judge(growth).message == "shop.health.memory: not answered in this run"
    assert day.judge(growth, criteria=["shop.x.*"]).message == "none of shop.x.* is part of this run"
    day.sees(measured(1))
    found = day.judge(growth, values=["disk *"])
    assert (found.status, found.message) == (
        Status.UNKNOWN,
        "shop.health.memory has measured nothing called disk *",
    )
    assert (
        "has measured nothing that is called disk * of shop.health.*"
        in day.judge(growth, values=["disk *"], criteria=["shop.health.*"]).message
    )


def test_time_that_runs_faster_is_watch_time(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8, time_scale=240).course((100, 104, 109, 115, 122, 131), HOURS)
    assert "per hour over 7.0 h" in day.judge(growth).message


def test_without_a_watch_it_is_the_time_since_the_deployment(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8, watched=False).course((100, 104, 109, 115, 122, 131), HOURS)
    assert day.judge(growth).status is Status.FAIL


def test_without_a_watch_the_first_look_is_the_beginning(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 48, watched=False).course((100, 104), (44,))
    found = day.judge(growth)
    assert found.status is Status.NOT_APPLICABLE
    assert "hour 6 after the first look on; this run began at hour 4.00" in found.message
    assert WatchDay(tmp_path / "new", 48, watched=False).sees(measured(1)).judge(growth).status is Status.NOT_APPLICABLE


def test_a_rise_within_the_noise_is_none(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).course((1.0, 1.1, 1.2, 1.4, 1.5, 1.7), HOURS)
    assert day.judge(growth).status is Status.FAIL
    assert day.judge(growth, noise=5).status is Status.PASS


def test_with_neither_nothing_belongs_together(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8, watched=False).sees(measured(1))
    day._set_section()
    found = day.judge(growth)
    assert found.status is Status.UNKNOWN
    assert "neither a watch nor a deployment time" in found.message


def test_a_process_beside_the_main_one_finds_the_watch(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).course((100, 104, 109, 115, 122, 131), HOURS)
    assert day.watch is not None
    own = RunRecord(
        run=day.context.run,
        environment="test",
        system="shop",
        started_at=day.started_at,
        watch=day.watch.id,
        checkpoint="8h",
    )
    begin_run(day.history, own)
    day.context.watch = None
    assert day.judge(growth).status is Status.FAIL


def test_without_a_history_nothing_is_known(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 8).sees(measured(1))
    day.context.history = None
    found = day.judge(growth)
    assert (found.status, "no history" in found.message) == (Status.UNKNOWN, True)


# filling


def disk(day: WatchDay, values: tuple[float, ...], hours: tuple[float, ...], **keys: float) -> WatchDay:
    for hour, value in zip(hours, values, strict=False):
        day.looked(hour, measured(value, "disk /", "%", critical=90, **keys))
    return day.sees(measured(values[-1], "disk /", "%", critical=90, **keys))


def test_a_disk_that_fills_fails(tmp_path: Path) -> None:
    found = disk(WatchDay(tmp_path, 4), (50, 52, 54, 56), (1, 2, 3)).judge(filling)
    assert found.status is Status.FAIL
    assert found.message == (
        "time left of disk / (shop.health.memory): 17 h, at least 48 h needed "
        "(56 % now, moved by 6 % in 3.0 h, at 90 % then)"
    )


def test_a_disk_that_jumps_at_the_last_look_fails(tmp_path: Path) -> None:
    found = disk(WatchDay(tmp_path, 8), (50, 50, 50, 50, 50, 70), (1, 2, 3, 4, 6)).judge(filling)
    assert found.status is Status.FAIL


@pytest.mark.parametrize("values", [(50, 50, 50, 50), (60, 55, 52, 50), (50, 50.1, 50.2, 50.4)])
def test_a_disk_that_does_not_fill_passes(tmp_path: Path, values: tuple[float, ...]) -> None:
    found = disk(WatchDay(tmp_path, 4), values, (1, 2, 3)).judge(filling)
    assert found.status is Status.PASS
    assert "not in sight" in found.message
    assert found.value(f"time left of disk / ({MEMORY})") == 8760


def test_a_full_disk_has_no_time_left_however_still_it_is(tmp_path: Path) -> None:
    found = disk(WatchDay(tmp_path, 4), (95, 95, 95, 95), (1, 2, 3)).judge(filling)
    assert (found.status, found.value(f"time left of disk / ({MEMORY})")) == (Status.FAIL, 0)


def test_what_runs_out_downwards_runs_out(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 4)
    for hour, free in ((1, 100), (2, 90), (3, 80)):
        day.looked(hour, measured(free, "free", "GB", critical=10, better="higher"))
    found = day.sees(measured(70, "free", "GB", critical=10, better="higher")).judge(filling)
    assert found.status is Status.FAIL
    assert found.value(f"time left of free ({MEMORY})") == pytest.approx(6, abs=0.01)


def test_filling_without_a_limit_is_unknown_and_a_limit_of_its_own_counts(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 4).course((50, 52, 54, 56), (1, 2, 3), name="disk /", unit="%")
    found = day.judge(filling)
    assert (found.status, "say at which 'limit' it is full" in found.message) == (Status.UNKNOWN, True)
    assert day.judge(filling, limit=60).value(f"time left of disk / ({MEMORY})") == pytest.approx(2, abs=0.01)


def test_filling_with_too_few_points_is_unknown_and_too_early_does_not_apply(tmp_path: Path) -> None:
    day = disk(WatchDay(tmp_path, 4), (50, 52), (1,))
    assert day.judge(filling).message == "disk / (shop.health.memory): 2 of at least 3 points"
    assert day.judge(filling, not_before="5 h").status is Status.NOT_APPLICABLE


# slower

P95 = "p95 of total"


def timed(day: WatchDay, values: tuple[float, ...], hours: tuple[float, ...]) -> WatchDay:
    return day.course(values, hours, name=P95, unit="ms")


def test_latency_that_tripled_fails_against_the_first_look(tmp_path: Path) -> None:
    found = timed(WatchDay(tmp_path, 4), (100, 105, 98, 310), (1, 2, 3)).judge(slower, without_baseline="first")
    assert found.status is Status.FAIL
    assert found.message == (
        "p95 of total (shop.health.memory): 310 ms, at most 200 ms needed (3.1 times the 100 ms at the first look (1h))"
    )


def test_latency_that_tripled_fails_against_the_baseline(tmp_path: Path) -> None:
    day = timed(WatchDay(tmp_path, 1), (310,), ()).has_baseline({(MEMORY, P95, "ms"): 100})
    found = day.judge(slower)
    assert (found.status, found.value(f"{P95} ({MEMORY})")) == (Status.FAIL, 310)
    assert "at most 200 ms needed (3.1 times the 100 ms in baseline v1)" in found.message


def test_latency_that_stays_passes(tmp_path: Path) -> None:
    day = timed(WatchDay(tmp_path, 4), (100, 105, 98, 190), (1, 2, 3))
    assert day.judge(slower, without_baseline="first").status is Status.PASS
    assert day.has_baseline({(MEMORY, P95, "ms"): 95.0}).judge(slower).status is Status.PASS


def test_what_is_fast_enough_is_never_slow(tmp_path: Path) -> None:
    day = timed(WatchDay(tmp_path, 4), (2, 2, 2, 15), (1, 2, 3))
    assert day.judge(slower, without_baseline="first").status is Status.PASS
    assert day.judge(slower, without_baseline="first", floor="10 ms").status is Status.FAIL


def test_without_a_baseline_it_is_unknown_with_what_to_do(tmp_path: Path) -> None:
    day = timed(WatchDay(tmp_path, 4), (100, 310), (1,))
    found = day.judge(slower)
    assert (found.status, found.message) == (Status.UNKNOWN, "no baseline yet: golive baseline set RUN")
    day.has_baseline({("shop.other.x", P95, "ms"): 1})
    assert "the baseline v1 has no value of it" in day.judge(slower).message
    assert day.judge(slower, without_baseline="first").status is Status.FAIL


def test_a_baseline_that_was_invalidated_is_none(tmp_path: Path) -> None:
    day = timed(WatchDay(tmp_path, 4), (310,), ()).has_baseline({(MEMORY, P95, "ms"): 100})
    invalidate(day.history, "test", "v1", day.started_at, "another machine")
    found = day.judge(slower)
    assert found.status is Status.UNKNOWN
    assert found.message == "the baseline v1 is not valid any more (another machine): golive baseline set RUN"


def test_the_first_look_of_a_watch_is_compared_with_nothing(tmp_path: Path) -> None:
    first = timed(WatchDay(tmp_path, 1), (100,), ())
    assert first.judge(slower, without_baseline="first").status is Status.NOT_APPLICABLE
    found = first.judge(slower, without_baseline="first", not_before="0 s")
    assert (found.status, found.message) == (
        Status.UNKNOWN,
        "p95 of total (shop.health.memory): 1 of at least 2 points",
    )


def test_what_is_no_time_is_not_slow(tmp_path: Path) -> None:
    day = WatchDay(tmp_path, 4).course((1, 9), (1,)).looked(2, measured(1), checkpoint=EXTRA)
    found = day.judge(slower, without_baseline="first")
    assert (found.status, "is a time" in found.message) == (Status.UNKNOWN, True)
