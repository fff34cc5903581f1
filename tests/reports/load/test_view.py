"""What is told of a load: numbers, warnings and budgets; no data is never told as if it were good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from golive.environment.redaction import Redactor
from golive.judge.load.result import LoadResult
from golive.model import Criterion, Measurement, Outcome, Place, Severity, When
from reports.bars import amount
from reports.load.budgets import Baseline, Budget, budgets
from reports.load.masked import masked
from reports.load.summary import load_data
from reports.load.told import Loads, raw_data, taken
from reports.load.view import LoadView, line, view
from tests.reports.load.samples import ORDERS, SALE, Params, day, nothing, queued
from tests.reports.samples import outcome

P95, RATE, OTHER = "shop.load.p95", "shop.load.rate", "shop.load.other"


def criterion(name: str, check: str, params: object) -> Criterion:
    return Criterion(
        id=name,
        says="x",
        severity=Severity.HIGH,
        when=(When.LOAD,),
        answer="check",
        place=Place(file="x.yaml"),
        check=check,
        params=params,
    )


CRITERIA = (
    criterion(P95, "load/latency", Params()),
    criterion(RATE, "load/throughput", Params(phase="hold", of="")),
    criterion(OTHER, "load/latency", Params(profile="other")),
)
BASELINE = Baseline(name="v1.8", values={(P95, "p95", "ms"): 12.0})


def outcomes() -> list[Outcome]:
    p95 = Measurement(name="p95", value=16.2, unit="ms", critical=30, warning=20, samples=4000)
    rate = Measurement(name="throughput in hold", value=91, unit="/s", critical=95, better="higher")
    return [
        outcome(P95, check="load/latency", measurements=(p95,)),
        outcome(RATE, "fail", check="load/throughput", measurements=(rate,)),
        outcome(OTHER, check="load/latency", measurements=(p95,)),
        outcome("shop.health.cpu"),
    ]


def asked(baseline: Baseline | None = None) -> list[Budget]:
    return budgets("steady", outcomes(), CRITERIA, baseline)


def charts(told: LoadView) -> dict[str, str]:
    return {chart.title: chart.words for chart in (*told.charts, *told.target)}


def facts(told: LoadView) -> Mapping[str, str]:
    return dict(told.facts)


def test_a_days_load_is_told_in_numbers() -> None:
    told = view(day(), asked())
    assert told.headline == "4515 requests in 45.0 s, 100/s, p95 16.2 ms, 3.32 % errors"
    assert told.alarms == ()
    assert facts(told)["Failed"] == "150 (3.32 %)"
    assert facts(told)["Model"] == "closed: 60 users at most, who wait for each answer"
    assert facts(told)["Took"] == "45.0 s"
    assert "Warm-up" not in facts(told)
    assert set(charts(told)) == {
        "Latency", "Throughput", "Users", "Percentile spectrum", "Errors by kind", "CPU of app",
        "Connections in use of main",
    }  # fmt: skip
    assert told.generator is not None
    assert [row.name for row in told.by_phase] == ["ramp 1", "hold 1", "spike 1", "hold 2"]
    assert sum(row.requests for row in told.by_request) == 4515
    assert told.kinds == (("503", 110, "2.44 %"), ("timeout", 40, "0.886 %"))


def test_the_line_for_the_terminal_names_the_profile() -> None:
    assert line(day()) == "load steady: 4515 requests in 45.0 s, 100/s, p95 16.2 ms, 3.32 % errors"


def test_a_load_that_was_stopped_says_why_and_what_was_not_reached() -> None:
    told = view(day(12, stopped="60 % of the requests failed over 5 s"), [])
    assert told.alarms == ("It ended after 12.0 s of 45.0 s: 60 % of the requests failed over 5 s",)
    assert told.headline.endswith("; 60 % of the requests failed over 5 s")
    assert [row.about for row in told.by_phase] == ["10.0 s, 20 users", "2.0 s, 20 users", "not reached", "not reached"]
    assert told.by_phase[-1].p95 == "–"  # noqa: RUF001
    assert all(chart.stopped_x is not None for chart in told.charts if chart.phases)


def test_a_load_without_an_answer_shows_no_latency() -> None:
    told = view(nothing(), asked())
    assert told.headline == "no request was counted in 3.0 s; the target refused to talk"
    assert any("Not a single request" in alarm for alarm in told.alarms)
    assert {"Latency", "Percentile spectrum", "Errors by kind"} & set(charts(told)) == set()
    assert told.by_request == ()
    assert facts(told)["Requests"] == "none"
    assert "Latency" not in facts(told)


@pytest.mark.parametrize("seconds", [1, 2, 3])
def test_a_load_of_seconds_can_be_told(seconds: int) -> None:
    assert view(day(seconds), asked()).charts


def test_an_open_load_counts_from_when_requests_were_due_and_shows_the_queue() -> None:
    told = view(queued(), [])
    assert facts(told)["Model"] == "open: up to 40 arrivals a second; latency from when each was due"
    assert facts(told)["Busy at once"] == "9 users at most"
    assert "queued 0 to 14" in charts(told)["Users"]
    assert "due 50 %" in charts(told)["Percentile spectrum"]
    assert "sent 50 %" in charts(told)["Percentile spectrum"]
    assert [row.about for row in told.by_phase] == ["12.0 s, 40 /s", "18.0 s, 40 /s"]


def test_what_makes_latencies_doubtful_is_told() -> None:
    result = replace(day(), saturated="w1 used 97 % of its core", problems=("worker w2 was lost after 12 s",))
    assert view(result, []).alarms == (
        "Latencies cannot be trusted: w1 used 97 % of its core",
        "worker w2 was lost after 12 s",
    )


def test_a_warm_up_is_told_and_not_counted() -> None:
    warm = view(replace(day(), warm_up_s=10.0), [])
    assert facts(warm)["Warm-up"] == "10.0 s, not counted in numbers and criteria"
    assert warm.headline.startswith("4105 requests")
    longest = replace(day(), warm_up_s=10.0).window(None, None).latency.max_ms
    assert charts(warm)["Percentile spectrum"].endswith(f"the slowest {amount(longest, 'ms')}")
    assert (warm.by_phase[0].about, warm.by_phase[0].requests) == ("10.0 s, 20 users, warm-up", 0)


def test_the_slowest_requests_are_drawn_and_nothing_is_lost() -> None:
    names = [f"GET /api/{n}" for n in range(130)]
    told = view(day(3, names=names), [])
    assert (len(told.request_charts), len(told.by_request), told.unlisted) == (12, 100, 30)
    p95 = [float(row.p95.split()[0]) for row in told.by_request]
    assert p95 == sorted(p95, reverse=True)


def test_one_request_alone_needs_no_pictures_of_its_own() -> None:
    assert view(day(5, names=[ORDERS]), []).request_charts == ()


# Budgets


def test_budgets_are_those_of_the_profile_the_worst_first() -> None:
    found = asked(BASELINE)
    assert [(one.outcome.criterion, one.check, one.baseline) for one in found] == [
        (RATE, "throughput", None),
        (P95, "latency", 12.0),
    ]


def test_a_criterion_that_measured_nothing_is_listed_too() -> None:
    (found,) = budgets("steady", [outcome(P95, "unknown", check="load/latency")], CRITERIA, BASELINE)
    assert (found.measurement, found.baseline) == (None, None)
    assert view(nothing(), [found]).budgets == (found,)


def test_limits_and_baseline_are_lines_in_the_pictures() -> None:
    told = view(day(), asked(BASELINE))
    by_title = {chart.title: chart for chart in told.charts}
    assert {rule.label for rule in by_title["Latency"].rules} == {"p95 limit", "p95 warning", "p95 baseline"}
    rules = by_title["Throughput"].rules
    assert [rule.label for rule in rules] == ["limit", "limit"], "one for each phase of the kind"
    assert [rule.label for rule in by_title["Percentile spectrum"].rules] == ["p95 limit"]
    assert [css for css, _ in told.legend] == ["p50", "p95", "p99", "limit", "warned", "usual", "e-5xx", "e-timeouts"]


def test_limits_of_one_request_are_drawn_in_its_own_picture() -> None:
    own = criterion(P95, "load/latency", Params(request=SALE))
    told = view(day(), budgets("steady", outcomes(), [own], None))
    assert {chart.title: len(chart.rules) for chart in told.request_charts}[SALE] == 2
    assert all(not chart.rules for chart in told.charts)


def test_limits_of_the_target_are_drawn_beside_it() -> None:
    cpu = criterion(P95, "load/resources", Params(host="app", of=""))
    used = Measurement(name="cpu under load", value=40, unit="%", critical=60)
    told = view(day(), budgets("steady", [outcome(P95, check="load/resources", measurements=(used,))], [cpu], None))
    assert {chart.title: len(chart.rules) for chart in told.target} == {
        "CPU of app": 1,
        "Connections in use of main": 0,
    }


# As data, and without secrets


def test_the_numbers_are_data_without_histograms() -> None:
    told = load_data({"steady": day(), "broken": nothing()})
    steady = told["steady"]
    assert (steady["total"]["requests"], steady["total"]["failed"]) == (4515, 150)
    assert steady["total"]["failures"] == {"503": 110, "timeout": 40}
    assert (
        steady["total"]["p50_ms"] < steady["total"]["p95_ms"] < steady["total"]["p99_ms"] <= steady["total"]["max_ms"]
    )
    assert set(steady["requests"]) == set(day().names)
    assert [phase["name"] for phase in steady["phases"]] == ["ramp 1", "hold 1", "spike 1", "hold 2"]
    nothing_told = told["broken"]["total"]
    assert (nothing_told["requests"], nothing_told["p95_ms"], nothing_told["error_percent"]) == (0, None, None)
    assert told["broken"]["stopped"] == "the target refused to talk"
    assert told["broken"]["phases"][-1]["per_second"] is None


SECRET = "hunter2-planted-secret"


def test_a_secret_is_masked_in_every_text_and_no_number_is_lost() -> None:
    leaking = replace(
        day(20, names=[f"GET /?key={SECRET}", ORDERS]),
        problems=(f"it said {SECRET}",),
        stopped=f"stopped by {SECRET}",
        saturated=SECRET,
        workers={SECRET: "joined"},
        samples={f"cpu {SECRET}": [[1.0, 2.0]]},
    )
    result = masked(leaking, Redactor([SECRET]))
    assert SECRET not in str(result.as_data())
    assert SECRET not in str(view(result, []))
    assert result.window(None, None).n == leaking.window(None, None).n
    assert masked(day(3), Redactor([SECRET])) == day(3)


def test_kinds_of_failures_are_masked_and_still_counted() -> None:
    plain = day(40)
    seconds = tuple(replace(one, failures={f"other: {SECRET}": 1, "503": 2}) for one in plain.seconds)
    result = masked(replace(plain, seconds=seconds), Redactor([SECRET]))
    assert result.window(None, None).failures == {"other: ••••": len(seconds), "503": 2 * len(seconds)}


def test_the_baseline_is_asked_for_only_where_there_are_loads() -> None:
    def never() -> Baseline | None:
        raise AssertionError("nobody needs it")

    none: dict[str, LoadResult] = {}
    assert taken(lambda: none, never, str) == Loads()
    assert taken(lambda: {"steady": day(3)}, lambda: BASELINE, str).baseline == BASELINE


def test_raw_data_is_linked_where_it_lies(tmp_path: Path) -> None:
    assert raw_data(tmp_path, "steady") == []
    folder = tmp_path / "load" / "steady"
    folder.mkdir(parents=True)
    (folder / "result.json").touch()
    assert raw_data(tmp_path, "steady") == [("load/steady/result.json", "result.json")]
    (told,) = Loads(results={"steady": day(3)}).views([], [], tmp_path)
    assert told.raw == (("load/steady/result.json", "result.json"),)
