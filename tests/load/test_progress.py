"""The line that is shown while a load runs."""

from __future__ import annotations

from load.progress import Progress
from tests.load.lines import lost, second, state


def test_it_tells_the_last_whole_seconds_of_all_workers() -> None:
    progress = Progress("steady", 45)
    for line in (
        state(10, 12),
        state(10, 8, worker="w2"),
        *(second(at, [80] * 140, http_500=7) for at in range(8, 12)),
    ):
        progress.see(line)
    progress.see(second(12, [5]))
    assert progress.text(12.4) == "load steady  0:12/0:45  20 users  140/s  p95 80 ms  errors 5.0 %"


def test_before_anything_was_answered_it_tells_no_latency() -> None:
    assert Progress("soak", 3725).text(0.2) == "load soak  0:00/1:02:05  0 users  0/s  p95 -  errors 0.0 %"


def test_users_of_a_lost_worker_are_not_counted() -> None:
    progress = Progress("steady", 45)
    for line in (state(1, 12), state(1, 8, worker="w2"), lost("w1")):
        progress.see(line)
    assert "  8 users  " in progress.text(2)
