"""load/latency, load/errors, load/throughput and load/users on results written by hand."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from checks.load import errors, latency, throughput, users
from golive.model import Status
from tests.checks.load.made import NAME, STAGES, judge, loaded, profile, result, second, steady

TAIL = (10.0,) * 18 + (1500.0,) * 2
HALF = "half of the requests failed in 5 s"


def test_a_quick_system_passes_and_every_request_is_shown() -> None:
    outcome = judge(latency, steady(), critical="50 ms")
    assert outcome.status is Status.PASS
    assert outcome.value("p95") == pytest.approx(10.0, rel=0.01)
    assert outcome.recorder.measurements[0].samples == 240
    assert "240" in outcome.seen
    assert NAME in outcome.seen


def test_a_tail_fails_p95_and_not_the_median() -> None:
    outcome = judge(latency, steady(TAIL), critical="1 s")
    assert outcome.status is Status.FAIL
    assert outcome.message == "p95: 1500 ms, below 1000 ms needed (240 requests, median 10 ms)"
    assert judge(latency, steady(TAIL), critical="1 s", of="p50").status is Status.PASS
    assert judge(latency, steady(TAIL), critical="1 s", of="average").status is Status.PASS
    assert judge(latency, steady(TAIL), critical="1 s", of="max").status is Status.FAIL
    assert judge(latency, steady(TAIL), critical="2 s", warning="1 s").status is Status.WARN


def test_one_request_and_one_phase_are_judged_by_themselves() -> None:
    of = profile()
    seconds = [second(at, (900.0 if at < 2 else 10.0,) * 40) for at in range(12)]
    seconds += [second(at, (2000.0,) * 20, name="POST /api/orders") for at in range(12)]
    found = result(of, seconds)
    keys: dict[str, Any] = {"critical": "1 s", "of": "p95"}
    assert judge(latency, found, **keys).status is Status.FAIL
    named = judge(latency, found, **keys, request=NAME)
    assert (named.status, named.recorder.measurements[0].name) == (Status.PASS, f"p95 {NAME}")
    part = judge(latency, found, **{**keys, "critical": "100 ms"}, request=NAME, phase="hold 1")
    assert (part.status, part.recorder.measurements[0].name) == (Status.PASS, f"p95 {NAME} in hold 1")
    assert judge(latency, found, **{**keys, "critical": "100 ms"}, request=NAME, phase="hold").status is Status.PASS


def test_requests_that_fail_quickly_do_not_hide_how_slow_the_others_are() -> None:
    of = profile()
    shed = [second(at, (2.0,) * 180 + (3000.0,) * 20, failures={"503": 180}) for at in range(12)]
    for which in ("p50", "p90", "average"):
        outcome = judge(latency, result(of, shed), critical="1 s", of=which)
        assert outcome.status is Status.UNKNOWN, which
        assert outcome.message.startswith(f"2160 of 2400 requests failed; if they failed quickly, {which} of the good")
    few = [second(at, (2.0,) * 2 + (300.0,) * 198, failures={"503": 2}) for at in range(12)]
    assert judge(latency, result(of, few), critical="1 s", of="p50").status is Status.PASS


def test_in_the_open_model_latency_counts_from_the_intended_start() -> None:
    of = profile({"ramp": "2 s", "rate": "20/s"}, {"hold": "10 s"}, model="open", users=10)
    found = result(of, [second(at, intended=(800.0,) * 20) for at in range(12)])
    outcome = judge(latency, found, critical="500 ms")
    assert outcome.status is Status.FAIL
    assert outcome.value("p95") == pytest.approx(800.0, rel=0.01)


def test_the_warm_up_does_not_count() -> None:
    of = profile(warm_up="2 s")
    found = result(of, [second(at, (5000.0 if at < 2 else 10.0,) * 20) for at in range(12)])
    assert judge(latency, found, critical="100 ms", of="max").status is Status.PASS


TOO_FEW: list[tuple[ModuleType, dict[str, Any], str]] = [
    (latency, {"critical": "1 s"}, "only 12 good answers for p95, 100 are needed"),
    (latency, {"critical": "1 s", "of": "p99"}, "only 12 good answers for p99, 300 are needed"),
    (latency, {"critical": "1 s", "min_samples": 13}, "only 12 good answers for p95, 13 are needed"),
    (errors, {"critical": 1}, "only 12 requests, 100 are needed"),
    (throughput, {"at_least": "1/s", "phase": "hold 1", "min_time": "11 s"}, "only 10 s of it were measured"),
]


@pytest.mark.parametrize(("check", "keys", "told"), TOO_FEW)
def test_too_few_samples_are_unknown(check: ModuleType, keys: dict[str, Any], told: str) -> None:
    outcome = judge(check, steady((10.0,)), **keys)
    assert outcome.status is Status.UNKNOWN
    assert outcome.message.startswith(told)


@pytest.mark.parametrize(
    ("check", "keys"),
    [(latency, {"critical": "1 s", "min_samples": 60}), (errors, {"critical": 1}), (throughput, {"at_least": "1/s"})],
)
def test_too_few_samples_of_an_aborted_load_name_the_abort(check: ModuleType, keys: dict[str, Any]) -> None:
    outcome = judge(check, steady(lasted_s=2.0, stopped=HALF), **keys)
    assert outcome.status is Status.UNKNOWN
    assert outcome.message.endswith(f"(the load was stopped: {HALF})")


def test_what_was_measured_before_an_abort_is_judged_where_it_is_enough() -> None:
    found = steady(TAIL, lasted_s=8.0, stopped=HALF)
    assert judge(latency, found, critical="1 s").status is Status.FAIL
    assert judge(errors, found, critical=1).status is Status.PASS
    assert judge(throughput, found, at_least="20/s").status is Status.PASS
    assert HALF in judge(errors, found, critical=1).message


@pytest.mark.parametrize(
    ("check", "keys"), [(latency, {"critical": "1 s"}), (errors, {"critical": 1}), (throughput, {"at_least": "1/s"})]
)
def test_a_phase_that_was_not_reached_is_unknown(check: ModuleType, keys: dict[str, Any]) -> None:
    of = profile(*STAGES, {"spike": "2 s", "users": 40})
    found = steady(of=of, lasted_s=5.0, stopped=HALF)
    outcome = judge(check, loaded(found, of), **keys, phase="spike 1")
    assert outcome.status is Status.UNKNOWN
    assert outcome.message == f"no request was answered in spike 1 (the load was stopped: {HALF})"


def test_a_request_of_a_locustfile_that_is_not_there_is_unknown() -> None:
    own = profile(scenarios=[], locustfile="own.py")
    outcome = judge(errors, loaded(steady(of=own), own), critical=1, request="GET /typo")
    assert outcome.status is Status.UNKNOWN
    assert outcome.message == f"no request GET /typo was answered; there were {NAME}"


def test_latencies_of_a_busy_generator_are_unknown_and_not_bad() -> None:
    busy = "load process w1 used 99 % of a core for 4 s, above 90 %"
    found = steady(TAIL, saturated=busy)
    outcome = judge(latency, found, critical="1 s")
    assert outcome.status is Status.UNKNOWN
    assert outcome.message == f"latencies are not known: {busy}"
    # What it did get through counts.
    assert judge(errors, found, critical=1).status is Status.PASS
    assert judge(throughput, found, at_least="20/s").status is Status.PASS
    slow = judge(throughput, found, at_least="21/s")
    assert slow.status is Status.UNKNOWN
    assert (
        slow.message == f"20 requests/s were served, 21 needed, and it may not be the target that was too slow: {busy}"
    )


def test_quick_failures_are_no_good_latencies() -> None:
    found = steady((1.0,) * 20)
    broken = result(profile(), [second(at, (1.0,) * 20, failures={"503": 20}) for at in range(12)])
    assert judge(latency, found, critical="1 s").status is Status.PASS
    outcome = judge(latency, broken, critical="1 s")
    assert outcome.status is Status.UNKNOWN
    assert outcome.message == "only 0 good answers for p95, 100 are needed"


KINDS = {"404": 3, "500": 2, "timeout": 1, "refused": 1, "unfinished": 5}


@pytest.mark.parametrize(
    ("kinds", "name", "percent"),
    [
        ("all", "error rate", 35.0),
        ("4xx", "4xx rate", 15.0),
        ("5xx", "5xx rate", 10.0),
        ("timeouts", "rate of timeouts", 5.0),
        ("connection", "rate of connection", 5.0),
    ],
)
def test_failures_are_judged_by_their_kinds(kinds: str, name: str, percent: float) -> None:
    found = result(profile(), [second(at, failures=KINDS) for at in range(12)])
    outcome = judge(errors, found, kinds=kinds, critical=percent)
    assert outcome.status is Status.FAIL
    assert outcome.value(name) == pytest.approx(percent)
    assert "36x 404, 24x 500" in outcome.message
    assert judge(errors, found, kinds=kinds, critical=percent + 0.1).status is Status.PASS


def test_none_at_all_may_be_asked_for() -> None:
    assert judge(errors, steady(), critical=0).status is Status.PASS
    found = result(profile(), [second(at, failures={"500": 1} if at == 5 else {}) for at in range(12)])
    outcome = judge(errors, found, critical=0)
    assert outcome.status is Status.FAIL
    assert outcome.message.startswith("error rate: 0.417 %, at most 0 % needed (1 of 240 requests: 1x 500)")
    assert f"{NAME}: 1 of 240 failed: 1x 500" in outcome.seen


def test_throughput_counts_good_answers_alone() -> None:
    found = result(profile(), [second(at, failures={"500": 10}) for at in range(12)])
    outcome = judge(throughput, found, at_least="15/s", phase="hold 1")
    assert outcome.status is Status.FAIL
    assert (
        outcome.message
        == "throughput in hold 1: 10 requests/s, at least 15 requests/s needed (100 good answers in 10 s)"
    )
    assert judge(throughput, steady(), at_least="20/s", phase="hold 1").status is Status.PASS


def test_users_must_have_been_there_for_a_while() -> None:
    of = profile({"ramp": "2 s", "users": 5}, {"spike": "2 s", "users": 40}, {"hold": "8 s"})
    found = result(of, [second(at) for at in range(12)])
    outcome = judge(users, loaded(found, of), at_least=20)
    assert outcome.status is Status.FAIL
    assert outcome.message.startswith("users at the same time: 5 users, at least 20 users needed (for 3 s; 40 at the")
    assert judge(users, loaded(found, of), at_least=20, for_at_least="2 s").status is Status.PASS
    assert judge(users, steady(), at_least=10).status is Status.PASS


def test_users_that_nobody_told_are_unknown() -> None:
    outcome = judge(users, steady(states=()), at_least=1)
    assert outcome.status is Status.UNKNOWN
    assert outcome.message == "how many users there were is not known"


def test_criteria_that_cannot_hold_or_name_what_is_not_there_are_refused() -> None:
    def unfit(check: ModuleType, **keys: Any) -> str:
        return str(check.Params.model_validate({"profile": "noon", **keys}).unfit_for(profile()))

    assert "request 'GET /api/order'" in unfit(latency, critical="1 s", request="GET /api/order")
    assert "GET /api/orders" in unfit(latency, critical="1 s", request="GET /api/order")
    assert "phase 'hold 2'" in unfit(throughput, at_least="1/s", phase="hold 2")
    assert unfit(users, at_least=11) == "load profile noon has 10 users at most, so 11 are never there"
    assert unfit(users, at_least=10) == "None"
    with pytest.raises(ValueError, match="less than 100"):
        errors.Params.model_validate({"profile": "noon", "critical": 100})


def test_users_whom_nobody_answers_are_not_served() -> None:
    of = profile()
    silent = judge(users, result(of, []), at_least=10)
    assert (silent.status, silent.message) == (Status.UNKNOWN, "no request was answered")
    refused = [second(at, (2.0,) * 20, failures={"503": 15} if at > 1 else {}) for at in range(12)]
    outcome = judge(users, result(of, refused), at_least=10)
    assert outcome.status is Status.FAIL
    some = [second(at, (2.0,) * 20, failures={"503": 5}) for at in range(12)]
    assert judge(users, result(of, some), at_least=10).status is Status.PASS
