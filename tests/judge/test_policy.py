"""Asking less of a watch than at its start is named and makes no GO; asking more does not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from golive.history.manifest import rules
from golive.judge.verdict import decide
from golive.model import Decision, SignOff, WatchRecord
from tests import watchdays as days
from tests.watchdays import MILESTONES, POLICY, ROLES, after, day

SIGN_OFF = SignOff(roles=ROLES, quorum=4, override_role="Product Manager")
FEWER = SignOff(roles=ROLES[:3], quorum=3, override_role="Product Manager")
PM = "Product Manager"


def begun() -> WatchRecord:
    """A clean day over a watch that keeps what was asked of it at its start."""
    record = day()
    return days.with_watch(record, policy=rules(record))


def reasons(record: WatchRecord) -> list[str]:
    return [reason.text for reason in decide(record, now=after(record)).reasons]


def test_a_day_under_what_it_began_with_is_go() -> None:
    assert decide(begun(), now=after(begun())).decision is Decision.GO


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sign_off": FEWER}, f"no signature of the {PM}; 3 instead of four signatures"),
        ({"sign_off": replace(SIGN_OFF, quorum=2)}, "2 instead of four signatures"),
        ({"sign_off": SignOff()}, "0 instead of four signatures"),
        (
            {"sign_off": replace(SIGN_OFF, override_role="Intern")},
            f"the Intern may accept a NO-GO, which only the {PM} could",
        ),
        ({"flapping_blocks": False}, "a pass on retry is allowed"),
        ({"probe_policy": None}, "no availability"),
        ({"probe_policy": replace(POLICY, endpoints=("api",))}, "no availability of web"),
        ({"probe_policy": replace(POLICY, at_least_percent=99.0)}, "an availability of 99 % instead of 100 %"),
        ({"probe_policy": replace(POLICY, every_s=60.0)}, "the time between two probes is 60 s instead of 5 s"),
        ({"probe_policy": replace(POLICY, begin_within_s=600.0)}, "the time to the first probe is 600 s"),
        ({"probe_policy": replace(POLICY, unknown_at_most_s=60.0)}, "the time that may pass unseen is 60 s"),
        ({"milestones": {"stable": MILESTONES["stable"]}}, "no milestone 'very stable'"),
        ({"milestones": {**MILESTONES, "stable": 3600.0}}, "milestone 'stable' after 1 h instead of 4 h"),
    ],
)
def test_asking_less_is_no_go(change: dict[str, Any], told: str) -> None:
    record = days.with_override(replace(begun(), **change))
    assert decide(record, now=after(record)).decision is Decision.NO_GO
    (text,) = [text for text in reasons(record) if "asks less" in text]
    assert text.startswith("the environment asks less than at the start of the watch: ")
    assert told in text


@pytest.mark.parametrize(
    "change",
    [
        {"sign_off": replace(SIGN_OFF, override_role=None)},
        {"sign_off": replace(SIGN_OFF, roles=tuple(role.upper() for role in ROLES))},
        {"probe_policy": replace(POLICY, unknown_at_most_s=1.0, begin_within_s=1.0)},
        {"milestones": {**MILESTONES, "all": 24 * 3600.0}},
    ],
)
def test_asking_more_is_no_reason(change: dict[str, Any]) -> None:
    assert reasons(replace(begun(), **change)) == []


def test_a_watch_that_has_not_kept_what_was_asked_is_judged_by_the_present() -> None:
    assert reasons(replace(day(), flapping_blocks=False)) == []
