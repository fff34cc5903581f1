"""What the suite itself uses neither fails a calm machine nor excuses a saturated one."""

from __future__ import annotations

import pytest

from golive.targets.hosts.facts import without_own


@pytest.mark.parametrize(
    ("busy", "own", "others"),
    [(100, 25, 100), (100, 0, 100), (50, 50, 0), (60, 20, 50), (30, 40, 0), (100, 100, 100), (10, 0, 10)],
)
def test_cpu_of_others_is_a_share_of_what_was_left_to_them(busy: float, own: float, others: float) -> None:
    assert without_own(busy, own) == pytest.approx(others)
