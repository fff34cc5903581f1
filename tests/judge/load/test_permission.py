"""Load begins only where, when and on whose word the environment allows it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from golive.environment.sections import EnvironmentSection
from golive.judge.load.permission import LoadRefused, permission
from golive.model import CouldNotLook

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
PERMIT = {
    "permitted_by": "Ann", "reason": "sale", "until": "2026-05-02T00:00:00Z", "max_users": 10, "max_rate": "5/s",
}  # fmt: skip
CLOSED = {"locustfile": "x.py", "stages": [{"ramp": "1 s", "users": 10}, {"spike": "1 s", "users": 20}]}
OPEN = {
    "model": "open", "users": 5, "scenarios": [{"name": "a", "steps": ["GET /"]}],
    "stages": [{"ramp": "1 s", "rate": "20/s"}],
}  # fmt: skip


def section(
    *, production: bool | None = False, demo: bool = False, permit: Any = None, **load: Any
) -> EnvironmentSection:
    given = {"endpoints": ["api"], "max_users": 100, "max_rate": "50/s", "profiles": {"a": CLOSED, "o": OPEN}, **load}
    given |= {} if permit is None else {"production": permit}
    return EnvironmentSection.model_validate({"system": "shop", "production": production, "demo": demo, "load": given})


def refused(environment: EnvironmentSection, profile: str = "a", now: datetime = NOON) -> str:
    with pytest.raises(LoadRefused) as error:
        permission(environment, profile, now)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def allowed(environment: EnvironmentSection, profile: str = "a", now: datetime = NOON) -> bool:
    permission(environment, profile, now)
    return True


def test_load_is_allowed_where_nothing_stands_against_it() -> None:
    assert allowed(section())
    assert allowed(section(), "o")
    assert allowed(section(production=None, demo=True))


def test_refusal_is_unknown_and_never_a_judgement() -> None:
    assert issubclass(LoadRefused, CouldNotLook)


def test_profile_that_there_is_not_is_refused() -> None:
    assert refused(section(), "b") == "load b: the environment describes no such load"
    assert (
        refused(EnvironmentSection.model_validate({"system": "shop"}), "a")
        == "load a: the environment describes no such load"
    )


def test_aim_that_is_not_allowed_is_refused() -> None:
    environment = section(endpoints=["api", "web"], profiles={"a": {**CLOSED, "endpoint": "bank"}})
    assert refused(environment) == "load a is refused: load may be aimed at api and web, not at bank"


def test_what_says_nothing_of_itself_counts_as_production() -> None:
    told = refused(section(production=None))
    assert told == (
        "load a is refused: this counts as production: say 'production: false' if nobody depends on it, or give a"
        " permission ('load.production')"
    )
    assert refused(section(production=True)) == told


def test_production_takes_a_permission_that_holds_and_keeps_below_its_caps() -> None:
    permit = {**PERMIT, "max_users": 20}
    assert allowed(section(production=True, permit=permit))
    assert refused(section(production=True, permit=permit), now=datetime(2026, 5, 2, tzinfo=UTC)) == (
        "load a is refused: the permission for production ended 2026-05-02 00:00 UTC"
    )
    assert refused(section(production=True, permit=PERMIT)) == (
        "load a is refused: it has 20 users, at most 10 are allowed in production"
    )
    assert refused(section(production=True, permit=PERMIT), "o") == (
        "load o is refused: it makes 20 requests per second, at most 5 are allowed in production"
    )


def test_permission_for_production_changes_nothing_elsewhere() -> None:
    assert allowed(section(permit=PERMIT))
    assert allowed(section(permit={**PERMIT, "until": "2020-01-01T00:00:00Z"}))


def test_caps_hold_everywhere() -> None:
    assert refused(section(max_users=19)) == "load a is refused: it has 20 users, at most 19 are allowed"
    assert refused(section(max_users=4), "o") == "load o is refused: it has 5 users, at most 4 are allowed"
    assert refused(section(max_rate="19/s"), "o").endswith("it makes 20 requests per second, at most 19 are allowed")
    assert allowed(section(max_rate="1/s"))  # the closed model is held back while it runs


@pytest.mark.parametrize(
    ("at", "is_allowed"),
    [
        ("21:59", False),
        ("22:00", True),
        ("23:59", True),
        ("00:00", True),
        ("04:59", True),
        ("05:00", False),
        ("12:30", True),
    ],
)
def test_load_begins_within_the_hours(at: str, is_allowed: bool) -> None:
    environment = section(hours=["22:00-05:00", "12:30-13:00"])
    now = datetime.fromisoformat(f"2026-05-01T{at}:30+00:00")
    if is_allowed:
        assert allowed(environment, now=now)
    else:
        assert refused(environment, now=now) == (
            f"load a is refused: it is {at} UTC, and load may begin 22:00-05:00 and 12:30-13:00"
        )


def test_hours_are_those_of_utc_wherever_one_is() -> None:
    tokyo = timezone(timedelta(hours=9))
    environment = section(hours=["22:00-24:00"])
    assert allowed(environment, now=datetime(2026, 5, 2, 7, 30, tzinfo=tokyo))
    assert "it is 13:30 UTC" in refused(environment, now=datetime(2026, 5, 1, 22, 30, tzinfo=tokyo))
