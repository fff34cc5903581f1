"""A load without the secrets that are known by the time it is told. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from golive.judge.load.records import Second
from golive.judge.load.result import LoadResult


def masked(result: LoadResult, redact: Callable[[str], str]) -> LoadResult:
    """The same load with every text in it masked; numbers stay as they are."""
    known: dict[str, str] = {}

    def told(text: str) -> str:
        if text not in known:
            known[text] = redact(text)
        return known[text]

    return replace(
        result,
        stopped=told(result.stopped),
        saturated=told(result.saturated),
        problems=tuple(map(told, result.problems)),
        workers={told(name): state for name, state in result.workers.items()},
        samples={told(name): taken for name, taken in result.samples.items()},
        seconds=tuple(_second(second, told) for second in result.seconds),
    )


def _second(second: Second, told: Callable[[str], str]) -> Second:
    if told(second.name) == second.name and all(told(kind) == kind for kind in second.failures):
        return second
    failures: dict[str, int] = {}
    for kind, number in second.failures.items():
        failures[told(kind)] = failures.get(told(kind), 0) + number
    return replace(second, name=told(second.name), failures=failures)
