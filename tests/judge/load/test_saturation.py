"""A load process without CPU to spare measures itself."""

from __future__ import annotations

import pytest

from golive.judge.load.records import State
from golive.judge.load.saturation import saturation


def states(*cpu: float | None, worker: str = "w1", every_s: float = 1.0) -> list[State]:
    return [State(at=100 + i * every_s, worker=worker, users=1, cpu=value) for i, value in enumerate(cpu)]


@pytest.mark.parametrize("cpu", [(40, 50, 60), (95, 95, 40, 95, 95), (90, 90, 90, 90), (None, 40, None), (99,)])
def test_process_with_cpu_to_spare_is_believed(cpu: tuple[float | None, ...]) -> None:
    assert saturation(states(*cpu), above=90) == ""


def test_process_that_was_too_busy_for_three_seconds_is_told() -> None:
    told = saturation([*states(40, 95, 97.4, 96, 99, 40), *states(40, 91, 92, 93, worker="w2")], above=90)
    assert told == "load process w1 used 99 % of a core for 4 s, above 90 %"


def test_process_so_busy_that_it_told_it_late_is_told_too() -> None:
    assert saturation(states(40, 100, every_s=4.0), above=90).startswith("load process w1 used 100 % of a core for 4 s")


@pytest.mark.parametrize(
    ("cpu", "told"),
    [
        ((95, 95, None, 95), "used 95 % of a core for 4 s, above 90 %"),
        ((5, None, None, None), "did not tell its CPU use for 3 s"),
    ],
)
def test_what_is_not_told_is_not_known_to_be_low(cpu: tuple[float | None, ...], told: str) -> None:
    assert saturation(states(*cpu), above=90) == f"load process w1 {told}"


def test_order_of_the_states_is_no_matter() -> None:
    assert saturation(reversed(states(95, 95, 95)), above=90) != ""
    assert saturation([*states(95, 95), *states(95, 95, worker="w2")], above=90) == ""


def test_silence_is_no_proof_of_rest() -> None:
    assert saturation([], above=90) == "no load process told its CPU use, so that latencies may be its own"
    assert saturation([*states(None, None), *states(5, worker="w2")], above=90) == (
        "w1 told no CPU use, so that latencies may be its own"
    )
