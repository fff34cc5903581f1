"""load/recovery on results written by hand: before, in and after a spike of two seconds."""

from __future__ import annotations

from typing import Any

import pytest

from checks.load import recovery
from fixtures.load_params import Loaded
from golive.judge.load.recovery import recovery as recovered
from golive.judge.load.result import LoadResult
from golive.model import Status
from tests.checks.load.made import RUSH, judge, loaded, profile, result, second

KEYS: dict[str, Any] = {"critical": "4 s", "floor": "1 ms"}
SPIKE_ENDS = 10


def rush(*after_ms: float, before_ms: float = 100.0, n: int = 20, **changes: Any) -> Loaded:
    """`after_ms` is what requests took in each second after the spike, the last value from then on."""
    of = profile(*RUSH)
    ms = [before_ms] * 8 + [3000.0] * 2 + [after_ms[min(i, len(after_ms) - 1)] for i in range(10)]
    seconds = [second(at, (value,) * n) for at, value in enumerate(ms)]
    return loaded(result(of, seconds, **changes), of)


def test_a_system_that_is_at_once_as_quick_as_before_passes() -> None:
    outcome = judge(recovery, rush(100.0), **KEYS)
    assert outcome.status is Status.PASS
    assert outcome.value("recovery after spike 1") == 0
    assert "p95 was 100 ms before" in outcome.message


def test_it_takes_until_p95_is_back() -> None:
    outcome = judge(recovery, rush(900.0, 900.0, 100.0), **KEYS)
    assert outcome.status is Status.PASS
    assert outcome.value("recovery after spike 1") == 2
    late = judge(recovery, rush(*(900.0,) * 5, 100.0), **KEYS)
    assert late.status is Status.FAIL
    assert late.message.startswith("recovery after spike 1: 5 s, at most 4 s needed (p95 was 100 ms before")


def test_a_system_that_stays_slow_fails() -> None:
    outcome = judge(recovery, rush(400.0), **KEYS)
    assert outcome.status is Status.FAIL
    assert outcome.message.startswith("not recovered 8 s after spike 1 (p95 was 100 ms before, up to 15")
    assert outcome.seen.count("40") >= 8


def test_how_much_slower_still_counts_as_back_is_said() -> None:
    assert judge(recovery, rush(190.0), **KEYS).status is Status.FAIL
    assert judge(recovery, rush(190.0), **KEYS, factor=2).status is Status.PASS
    assert judge(recovery, rush(190.0), **{**KEYS, "floor": "200 ms"}).status is Status.PASS


def test_a_system_that_answers_nothing_after_a_spike_has_not_recovered() -> None:
    of = profile(*RUSH)
    silent = result(of, [second(at, (100.0,) * 20) for at in range(SPIKE_ENDS)])
    outcome = judge(recovery, loaded(silent, of), **KEYS)
    assert outcome.status is Status.FAIL
    assert "too few, too few" in outcome.seen


def test_too_few_requests_before_the_spike_are_unknown() -> None:
    outcome = judge(recovery, rush(100.0, n=3), **KEYS)
    assert outcome.status is Status.UNKNOWN
    assert outcome.message == "only 9 requests in 3 s before spike 1, 20 are needed"
    assert judge(recovery, rush(100.0, n=3), **KEYS, min_samples=9).status is Status.PASS


def test_a_load_that_was_stopped_early_is_unknown() -> None:
    in_the_spike = judge(recovery, rush(100.0, lasted_s=9.0, stopped="it hurt"), **KEYS)
    assert in_the_spike.status is Status.UNKNOWN
    assert in_the_spike.message == "the load ended before spike 1 was over"
    of = profile(*RUSH)
    seconds = [second(at, (100.0 if at < 8 else 900.0,) * 20) for at in range(14)]
    cut = result(of, seconds, lasted_s=14.0, stopped="it hurt")
    outcome = judge(recovery, loaded(cut, of), **KEYS)
    assert outcome.status is Status.UNKNOWN
    assert outcome.message == (
        "only the first 2 s after spike 1 were measured, too few to say that it recovers within 4 s"
        " (the load was stopped: it hurt)"
    )


def test_a_busy_generator_leaves_it_unknown() -> None:
    assert judge(recovery, rush(400.0, saturated="w1 was busy"), **KEYS).status is Status.UNKNOWN


def test_in_the_open_model_latency_counts_from_the_intended_start() -> None:
    stages = ({"ramp": "2 s", "rate": "20/s"}, {"hold": "6 s"}, {"spike": "2 s", "rate": "80/s"}, {"hold": "10 s"})
    of = profile(*stages, model="open", users=50)
    late = [second(at, intended=(10.0 if at < 8 else 900.0,) * 20) for at in range(20)]
    assert judge(recovery, loaded(result(of, late), of), **KEYS).status is Status.FAIL


@pytest.mark.parametrize(
    ("stages", "spike", "told"),
    [
        (RUSH, "spike 2", "spike 'spike 2'"),
        (RUSH[:3], "spike 1", "spike 1 of load profile noon needs a stage before it and one after it"),
        (RUSH[2:], "spike 1", "spike 1 of load profile noon needs a stage before it and one after it"),
        (RUSH[:2], "spike 1", "spike"),
    ],
)
def test_a_spike_without_a_before_and_an_after_is_refused(stages: Any, spike: str, told: str) -> None:
    params = recovery.Params.model_validate({"profile": "noon", **KEYS, "spike": spike})
    assert told in str(params.unfit_for(profile(*stages)))


def test_another_spike_ends_what_counts_as_after() -> None:
    of = profile(*RUSH, {"spike": "2 s", "users": 40}, {"hold": "4 s"})
    seconds = [second(at, (900.0 if 8 <= at < 20 else 100.0,) * 20) for at in range(26)]
    found: LoadResult = result(of, seconds)
    first = recovered(found, "spike 1", factor=1.5, floor_ms=1.0)
    assert (first.after_s, len(first.after_ms)) == (None, 8)
    with pytest.raises(ValueError, match="nothing comes after"):
        recovered(result(profile(*RUSH[:3]), seconds[:10]), "spike 1", factor=1.5, floor_ms=1.0)


def test_a_system_that_refuses_everybody_after_a_spike_has_not_recovered() -> None:
    of = profile(*RUSH)
    quick = [second(at, (100.0,) * 20) for at in range(SPIKE_ENDS)]
    quick += [second(at, (2.0,) * 20, failures={"503": 20}) for at in range(SPIKE_ENDS, 20)]
    outcome = judge(recovery, loaded(result(of, quick), of), **KEYS)
    assert outcome.status is Status.FAIL
    assert outcome.message.startswith("not recovered 8 s after spike 1")
