"""Availability: strips, outages, both levels of uptime, and what was not seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from golive.model import ProbePolicy, ProbeSpan, ProbeState, WatchRecord
from reports.golive.views.availability import Availability, Endpoint, Shown, availability, percent_text
from reports.golive.views.incidents import Grade
from tests import watchdays as days
from tests.reports.golive.conftest import looked_at

POLICY = ProbePolicy(endpoints=("api",))


def at(hours: float, seconds: float = 0.0) -> datetime:
    return days.START + timedelta(hours=hours, seconds=seconds)


def probed(*spans: ProbeSpan, until: str | None = None, now: datetime | None = None) -> Availability:
    record: WatchRecord = days.day(policy=POLICY, until=until)
    if spans:
        record = replace(record, probes=spans)
    found = availability(looked_at(record, now))
    assert found is not None
    return found


def only(found: Availability) -> Endpoint:
    (endpoint,) = found.endpoints
    return endpoint


def shares(endpoint: Endpoint) -> dict[ProbeState, float]:
    told = dict.fromkeys(ProbeState, 0.0)
    for part in endpoint.strip:
        told[part.state] += part.width
    return told


END = at(24, 420)


def broken_by(seconds: float, message: str = "502") -> Availability:
    """Down from 6:00 on for so many seconds."""
    down = days.down("api", at(6), at(6, seconds - 5), message)
    return probed(days.up("api", days.START, at(6, -5)), down, days.up("api", at(6, seconds), END))


def test_a_clean_day_is_one_green_strip() -> None:
    endpoint = only(probed())
    assert endpoint.percent == "100 %"
    assert endpoint.levels == ((100.0, Shown.REACHED), (99.99, Shown.REACHED))
    assert [(part.start, part.width, part.state) for part in endpoint.strip] == [(0.0, 100.0, ProbeState.UP)]
    assert endpoint.holds


def test_an_outage_is_drawn_listed_and_an_incident() -> None:
    found = probed(
        days.up("api", days.START, at(6, -5)),
        days.down("api", at(6), at(6, 595), "502"),
        days.up("api", at(6, 600), END),
    )
    endpoint = only(found)
    assert endpoint.percent == "99.3055 %"
    assert endpoint.levels == ((100.0, Shown.MISSED), (99.99, Shown.MISSED))
    (down,) = (part for part in endpoint.strip if part.state is ProbeState.DOWN)
    assert down.start == pytest.approx(25.0, abs=0.25)
    assert down.width == pytest.approx(100 * 600 / 86400, abs=0.25)
    (incident,) = found.outages
    assert incident.subject == "availability of api"
    assert incident.message == "down for 10 min in all, 99.3055 % up; last: 502"
    assert incident.healed_at == at(6, 600)
    assert incident.grade is Grade.CRITICAL


def test_the_shortest_outage_is_still_seen() -> None:
    endpoint = only(broken_by(5))
    assert shares(endpoint)[ProbeState.DOWN] > 0
    assert endpoint.levels == ((100.0, Shown.MISSED), (99.99, Shown.REACHED))
    assert endpoint.percent == "99.9942 %"
    assert not endpoint.holds


def test_an_outage_that_goes_on_is_not_healed() -> None:
    found = probed(days.up("api", days.START, at(23)), days.down("api", at(23, 5), END))
    assert found.outages[0].healed_at is None


def test_what_was_not_seen_is_neither_up_nor_down_and_proves_nothing() -> None:
    endpoint = only(probed(days.up("api", days.START, at(6)), days.up("api", at(7), END)))
    assert endpoint.percent == "100 %"
    assert endpoint.levels == ((100.0, Shown.UNPROVEN), (99.99, Shown.UNPROVEN))
    assert endpoint.unseen_too_long
    assert not endpoint.holds
    assert shares(endpoint)[ProbeState.UNKNOWN] == pytest.approx(100 / 24, abs=0.5)


def test_an_endpoint_that_was_never_probed_is_unknown() -> None:
    endpoint = only(probed(days.up("web", days.START, END)))
    assert endpoint.percent == "unknown"
    assert {state for _, state in endpoint.levels} == {Shown.UNPROVEN}
    assert shares(endpoint)[ProbeState.UNKNOWN] == pytest.approx(100)


def test_time_to_come_is_not_drawn() -> None:
    endpoint = only(probed(until="6h", now=at(6, 420)))
    (part,) = endpoint.strip
    assert part.width == pytest.approx(100 * 6.117 / 24, abs=0.3)


def test_the_level_of_the_environment_counts() -> None:
    record = replace(days.day(), probe_policy=ProbePolicy(endpoints=("api",), at_least_percent=99.5))
    spans = (days.up("api", days.START, at(6, -5)), days.down("api", at(6), at(6, 60)), days.up("api", at(6, 65), END))
    found = availability(looked_at(replace(record, probes=spans)))
    assert found is not None
    assert only(found).levels == ((100.0, Shown.MISSED), (99.99, Shown.MISSED), (99.5, Shown.REACHED))
    assert only(found).holds


def test_the_worst_endpoint_is_the_one_that_is_told() -> None:
    record = replace(
        days.day(),
        probes=(days.up("api", days.START, END), days.up("web", days.START, at(3)), days.down("web", at(3, 5), END)),
    )
    found = availability(looked_at(record))
    assert found is not None
    assert found.worst is not None
    assert found.worst.name == "web"


def test_hours_are_known_one_by_one() -> None:
    found = probed(
        days.up("api", days.START, at(6, 1)),
        days.down("api", at(6, 6), at(6, 60), "502"),
        days.up("api", at(6, 65), END),
    )
    assert found.hour(6)["api"].down_s == 0
    assert found.hour(7)["api"].down_s == pytest.approx(59)
    assert found.hour(7)["api"].unknown_s == 0
    assert found.hour(26) == {}


def test_without_a_policy_there_is_none() -> None:
    assert availability(looked_at(days.day(policy=None))) is None
    assert availability(looked_at(days.day(policy=ProbePolicy(endpoints=())))) is None


@pytest.mark.parametrize(
    ("percent", "text"),
    [(100.0, "100 %"), (99.99999, "99.9999 %"), (99.5, "99.5 %"), (0.0, "0 %"), (None, "unknown")],
)
def test_only_a_whole_hundred_says_so(percent: float | None, text: str) -> None:
    assert percent_text(percent) == text
