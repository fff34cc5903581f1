"""http/latency and http/latency_spike against a shop of known slowness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.http import latency, latency_spike
from golive.model import CouldNotLook, Status
from tests.checks.http.conftest import Bench
from tests.judged import run_context
from tests.rogues import refusing
from tests.webshop import Shop, sections

KEYS: dict[str, Any] = {"endpoint": "api", "request": "GET /health", "samples": 20, "critical": "40 ms"}
AMPLE: dict[str, Any] = {**KEYS, "critical": "2 s"}


def test_a_fast_system_passes_and_every_phase_is_recorded(bench: Bench) -> None:
    outcome = bench.judge(latency, **AMPLE)
    assert outcome.status is Status.PASS
    assert 0 < outcome.value("p95 of total") < 2000
    for name in ("dns p50", "connect p95", "first byte p99", "total p50"):
        assert outcome.value(name) >= 0
    assert outcome.recorder.measurements[0].name == "p95 of total"
    assert outcome.recorder.measurements[0].samples == 20
    assert "nearest-rank percentiles in ms" in outcome.seen
    assert "first byte" in outcome.seen


def test_a_slow_tail_fails_though_the_median_is_fine(bench: Bench) -> None:
    bench.shop.breaches.add("slow-tail")
    outcome = bench.judge(latency, **KEYS)
    assert outcome.status is Status.FAIL
    assert outcome.value("total p50") < 40 < outcome.value("p95 of total")
    assert outcome.message.startswith("p95 of total: ")
    assert "ms, below 40 ms needed (20 requests, median " in outcome.message


def test_the_network_is_apart_from_the_application(bench: Bench) -> None:
    bench.shop.breaches.add("slow")
    assert bench.judge(latency, **KEYS, of="first_byte").status is Status.FAIL
    assert bench.judge(latency, **AMPLE, of="connect").status is Status.PASS


def test_the_slowest_request_decides_over_a_spike(bench: Bench) -> None:
    assert bench.judge(latency_spike, **AMPLE).status is Status.PASS
    bench.shop.breaches.add("slow-tail")
    outcome = bench.judge(latency_spike, **{**KEYS, "connection": "kept"})
    assert outcome.status is Status.FAIL
    assert outcome.message.startswith("slowest total: ")


def test_criteria_that_ask_the_same_share_their_samples(bench: Bench) -> None:
    bench.judge(latency, **KEYS)
    bench.judge(latency_spike, **KEYS)
    assert len(bench.shop.seen) == 20


def test_the_session_of_an_account_is_carried(bench: Bench) -> None:
    keys = {**AMPLE, "request": "GET /api/me", "as": "cashier_1"}
    assert bench.judge(latency, **keys).status is Status.PASS


def test_errors_are_a_failure_of_their_own(bench: Bench) -> None:
    keys = {"endpoint": "api", "requests": ["GET /health", "GET /nothing"], "samples": 40, "critical": "1 s"}
    outcome = bench.judge(latency, **keys)
    assert outcome.status is Status.FAIL
    assert outcome.message == "20 of 40 requests failed: 20x GET /nothing answered 404"
    assert bench.judge(latency, **keys, max_errors=20).status is Status.PASS


def test_too_few_samples_are_unknown(bench: Bench) -> None:
    bench.shop.breaches.add("slow")
    outcome = bench.judge(latency, **AMPLE, within="200 ms")
    assert outcome.status is Status.UNKNOWN
    assert "of 20 samples in 0.2 s, 20 are needed" in outcome.message


def test_too_few_samples_that_are_all_beyond_the_limit_fail(bench: Bench) -> None:
    bench.shop.breaches.add("slow")
    outcome = bench.judge(latency, **KEYS, within="200 ms")
    assert outcome.status is Status.FAIL
    assert "below 40 ms needed" in outcome.message


def test_a_server_that_is_down_is_unknown(shop: Shop, tmp_path: Path) -> None:
    with refusing() as port:
        bench = Bench(shop, run_context(tmp_path, **sections(shop, url=f"http://127.0.0.1:{port}")), environ={})
        outcome = bench.judge(latency, **KEYS)
        assert outcome.status is Status.UNKNOWN
        assert outcome.message == "no sample: 20x api refused the connection (GET /health)"
        with pytest.raises(CouldNotLook, match="refused the connection"):
            bench.judge(latency, **{**KEYS, "as": "cashier_1"})
        bench.run.close()


def test_criteria_that_would_assert_nothing_are_refused() -> None:
    keys = {"endpoint": "api", "critical": "1 s"}
    assert latency.Params.model_validate(keys).asserts_nothing()
    kept = {**keys, "request": "GET /", "of": "connect", "connection": "kept"}
    assert latency_spike.Params.model_validate(kept).asserts_nothing()
    with pytest.raises(ValueError, match="greater than or equal to 20"):
        latency.Params.model_validate({**keys, "request": "GET /", "samples": 19})
