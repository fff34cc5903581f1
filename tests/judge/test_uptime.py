"""Up, down and unseen time out of probes: gaps, two probers at once, and clocks that jump."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from golive.judge.uptime import Uptime, uptime
from golive.model import ProbePolicy, ProbeSpan, ProbeState
from tests.watchdays import START

UP, DOWN, UNKNOWN = ProbeState.UP, ProbeState.DOWN, ProbeState.UNKNOWN
POLICY = ProbePolicy(endpoints=("api",), every_s=5.0, begin_within_s=60.0)


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def span(state: ProbeState, first_s: float, last_s: float, message: str = "", samples: int | None = None) -> ProbeSpan:
    dense = int(abs(last_s - first_s) // 5) + 1
    return ProbeSpan(
        endpoint="api",
        state=state,
        first_at=at(first_s),
        last_at=at(last_s),
        samples=dense if samples is None else samples,
        message=message,
    )


def of(*spans: ProbeSpan, end_s: float = 1000.0, policy: ProbePolicy = POLICY) -> Uptime:
    return uptime(spans, begin=START, end=at(end_s), policy=policy)["api"]


def seconds(found: Uptime) -> tuple[float, float, float]:
    return found.up_s, found.down_s, found.unknown_s


def test_one_span_without_a_gap_is_all_up() -> None:
    found = of(span(UP, 0, 1000))
    assert seconds(found) == (1000, 0, 0)
    assert (found.percent, found.outages, found.sampled) == (100.0, (), True)


@given(st.floats(10.0, 90_000.0))
def test_all_up_is_a_whole_hundred_however_long_it_was(end_s: float) -> None:
    found = of(span(UP, 0, end_s), end_s=end_s)
    assert (found.percent, found.down_s) == (100.0, 0.0)


def test_time_between_two_samples_belongs_to_the_earlier_one() -> None:
    found = of(span(UP, 0, 500), span(DOWN, 505, 550, "503"), span(UP, 555, 1000))
    assert seconds(found) == (950, 50, 0)
    assert [tuple(outage) for outage in found.outages] == [(at(505), at(555), "503")]
    assert found.outages[0].duration_s == 50
    assert found.percent == 95.0


def test_of_a_gap_only_twice_the_interval_is_known() -> None:
    assert seconds(of(span(UP, 0, 400), span(UP, 500, 1000))) == (910, 0, 90)
    assert seconds(of(span(UP, 0, 400), span(UP, 410, 1000))) == (1000, 0, 0)
    assert seconds(of(span(UP, 0, 900))) == (910, 0, 90)
    assert seconds(of(span(DOWN, 0, 400), span(UP, 500, 1000))) == (500, 410, 90)


def test_an_unknown_sample_ends_what_the_one_before_stands_for() -> None:
    assert seconds(of(span(UP, 0, 400), span(UNKNOWN, 405, 500), span(UP, 505, 1000))) == (900, 0, 100)


def test_of_two_probers_down_wins_over_up_and_up_over_unknown() -> None:
    assert seconds(of(span(UP, 0, 1000), span(DOWN, 300, 390), span(UP, 395, 1000))) == (905, 95, 0)
    assert seconds(of(span(UP, 0, 1000), span(UNKNOWN, 300, 390))) == (1000, 0, 0)
    assert seconds(of(span(DOWN, 300, 350), span(DOWN, 320, 390), span(UP, 0, 1000))) == (900, 100, 0)


def test_adjoining_outages_are_one_with_the_first_message() -> None:
    found = of(span(UP, 0, 100), span(DOWN, 105, 200, "503"), span(DOWN, 205, 300, "refused"), span(UP, 305, 1000))
    assert [(o.begin, o.end, o.message) for o in found.outages] == [(at(105), at(305), "503")]


def test_an_outage_that_goes_on_ends_with_the_account() -> None:
    found = of(span(UP, 0, 990), span(DOWN, 995, 995))
    assert [(o.begin, o.end) for o in found.outages] == [(at(995), at(1000))]


def test_the_account_begins_with_the_first_sample_up_to_a_limit() -> None:
    assert seconds(of(span(UP, 40, 1000))) == (960, 0, 0)
    assert seconds(of(span(UP, 90, 1000))) == (910, 0, 30)
    assert of(span(UP, 40, 1000)).begin == at(40)


def test_samples_from_before_count_for_what_they_cover() -> None:
    assert seconds(of(span(UP, -500, 1000))) == (1000, 0, 0)
    assert seconds(of(span(DOWN, -50, -5), span(UP, 200, 1000))) == (800, 5, 195)


def test_an_endpoint_that_was_never_probed_is_unknown() -> None:
    found = of()
    assert seconds(found) == (0, 0, 1000)
    assert (found.percent, found.sampled) == (None, False)
    assert not of(span(UP, 2000, 3000)).sampled


def test_only_the_endpoints_of_the_policy_are_judged() -> None:
    policy = replace(POLICY, endpoints=("web", "api"))
    other = replace(span(DOWN, 0, 1000), endpoint="x")
    found = uptime([span(UP, 0, 1000), other], begin=START, end=at(1000), policy=policy)
    assert list(found) == ["web", "api"]
    assert seconds(found["web"]) == (0, 0, 1000)


def test_a_clock_that_jumped_back_proves_no_up_time() -> None:
    assert seconds(of(span(UP, 900, 100))) == (0, 0, 940)
    assert seconds(of(span(UP, 0, 400), span(UP, 900, 100))) == (410, 0, 590)


def test_an_outage_on_a_clock_that_jumped_back_is_not_lost() -> None:
    assert of(span(UP, 0, 1000), span(DOWN, 700, 300)).down_s == 20


def test_a_clock_that_jumped_ahead_proves_no_up_time() -> None:
    found = of(span(UP, 0, 900, samples=11))
    assert seconds(found) == (110, 0, 890)


@pytest.mark.parametrize("end_s", [0.0, -10.0])
def test_no_time_has_no_uptime(end_s: float) -> None:
    assert seconds(of(span(UP, 0, 100), end_s=end_s)) == (0, 0, 0)


spans = st.lists(
    st.builds(
        span,
        st.sampled_from(ProbeState),
        st.integers(-60, 320),
        st.integers(-60, 320),
        st.sampled_from(["", "503"]),
        st.one_of(st.none(), st.integers(1, 50)),
    ),
    max_size=6,
)
bounded = settings(max_examples=300, deadline=None, derandomize=True, database=None)


@given(spans)
@bounded
def test_all_time_is_accounted_for_once(found: list[ProbeSpan]) -> None:
    seen = of(*found, end_s=300)
    assert min(seconds(seen)) >= 0
    assert sum(seconds(seen)) == pytest.approx((seen.end - seen.begin).total_seconds())
    assert sum(outage.duration_s for outage in seen.outages) == pytest.approx(seen.down_s)
    assert all(seen.begin <= o.begin < o.end <= seen.end for o in seen.outages)


@given(spans)
@bounded
def test_the_order_of_spans_does_not_matter(found: list[ProbeSpan]) -> None:
    assert seconds(of(*found[::-1], end_s=300)) == seconds(of(*found, end_s=300))


@given(spans)
@bounded
def test_no_second_is_up_that_no_probe_stands_for(found: list[ProbeSpan]) -> None:
    """Counted second by second: up only in or shortly after a span that says so, never in one that says down."""
    seen = of(*found, end_s=300)
    assert seen.up_s <= sum(_may_be_up(found, second) for second in range(-60, 331))


def _may_be_up(found: Iterable[ProbeSpan], second: int) -> bool:
    moment, longest = at(second), timedelta(seconds=11)
    ups = [s for s in found if s.state is UP and s.first_at <= s.last_at]
    downs = [s for s in found if s.state is DOWN and s.first_at < moment and moment + timedelta(seconds=1) < s.last_at]
    return not downs and any(s.first_at - timedelta(seconds=1) <= moment <= s.last_at + longest for s in ups)
