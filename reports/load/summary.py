"""A load in `results.json`: its numbers, without the histograms, which are in the raw data beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from golive.judge.load.records import Totals
from golive.judge.load.result import LoadResult
from reports.load import course

_PERCENTILES = (50.0, 90.0, 95.0, 99.0, 99.9)


def load_data(loads: Mapping[str, LoadResult]) -> dict[str, Any]:
    """Each profile's numbers as plain data. Times are Unix seconds, durations seconds, latencies milliseconds."""
    return {name: _load(result) for name, result in sorted(loads.items())}


def totals_data(totals: Totals) -> dict[str, Any]:
    """Numbers over some stretch; a latency is None where nothing was answered."""
    histogram = totals.latency
    return {
        "requests": totals.n,
        "failed": totals.failed(),
        "error_percent": round(totals.share(), 4) if totals.n else None,
        "per_second": round(totals.rate, 3) if totals.seconds > 0 else None,
        "average_ms": round(histogram.mean_ms, 3) if histogram.count else None,
        **{f"p{p:g}_ms": round(histogram.percentile(p), 3) if histogram.count else None for p in _PERCENTILES},
        "max_ms": round(histogram.max_ms, 3) if histogram.count else None,
        "failures": dict(sorted(totals.failures.items())),
    }


def _load(result: LoadResult) -> dict[str, Any]:
    return {
        "model": result.model,
        "began_at": result.began_at,
        "ended_at": result.ended_at,
        "stopped": result.stopped,
        "saturated": result.saturated,
        "problems": list(result.problems),
        "workers": dict(result.workers),
        "warm_up_s": result.warm_up_s,
        "generator_cpu_percent": result.generator_cpu,
        "total": totals_data(result.window(None, None)),
        "requests": {name: totals_data(one.window(None, None)) for name, one in course.by_name(result).items()},
        "phases": [
            {
                "name": phase.name,
                "kind": phase.kind,
                "start_s": phase.start_s,
                "end_s": phase.end_s,
                "level": phase.level,
                **totals_data(result.window(None, phase.name)),
            }
            for phase in result.planned
        ],
    }
