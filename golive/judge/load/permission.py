"""Whether a load may begin: where it is aimed, at what time of the day, on whose word. Pure: the time is passed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from golive.judge import wording
from golive.model import CouldNotLook


class LoadRefused(CouldNotLook):
    """A load that must not begin; the message is one line and says why."""


class _Permit(Protocol):
    """What permits load in production (`load.production`)."""

    @property
    def until(self) -> datetime: ...
    @property
    def max_users(self) -> int: ...
    @property
    def max_rate(self) -> float: ...


class _Hours(Protocol):
    """A part of each day in minutes after midnight, over midnight where it ends before it begins."""

    @property
    def begin_min(self) -> int: ...
    @property
    def end_min(self) -> int: ...


class _Profile(Protocol):
    """What is to run."""

    @property
    def endpoint(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def users(self) -> int | None: ...
    @property
    def peak(self) -> float: ...


class _Load(Protocol):
    """What the environment says of load."""

    @property
    def endpoints(self) -> Sequence[str]: ...
    @property
    def max_users(self) -> int: ...
    @property
    def max_rate(self) -> float: ...
    @property
    def hours(self) -> Sequence[_Hours]: ...
    @property
    def production(self) -> _Permit | None: ...
    @property
    def profiles(self) -> Mapping[str, _Profile]: ...


class Loadable(Protocol):
    """An environment, as far as load is concerned (`golive.environment.sections.EnvironmentSection` is one)."""

    @property
    def load(self) -> _Load | None: ...
    @property
    def is_production(self) -> bool: ...


def permission(section: Loadable, profile: str, now: datetime) -> None:
    """Nothing, if the profile may begin at `now` (with a zone); else LoadRefused with the first reason.

    Asked before the first request. What may be aimed at, the permission for production and its end, the most users and
    requests per second, and the hours of the day are looked at, in this order.
    """
    load = section.load
    if load is None or profile not in load.profiles:
        raise LoadRefused(f"load {profile}: the environment describes no such load")
    wanted = load.profiles[profile]
    for reason in (
        _aim(load, wanted),
        _production(load, now) if section.is_production else None,
        _caps(load.max_users, load.max_rate, wanted, ""),
        _production_caps(load, wanted) if section.is_production else None,
        _time(load.hours, now),
    ):
        if reason is not None:
            raise LoadRefused(f"load {profile} is refused: {reason}")


def _aim(load: _Load, profile: _Profile) -> str | None:
    if profile.endpoint in load.endpoints:
        return None
    allowed = wording.listed(list(load.endpoints)) or "nothing"
    return f"load may be aimed at {allowed}, not at {profile.endpoint}"


def _production(load: _Load, now: datetime) -> str | None:
    if load.production is None:
        return (
            "this counts as production: say 'production: false' if nobody depends on it, or give a permission"
            " ('load.production')"
        )
    if load.production.until <= now:
        return f"the permission for production ended {wording.moment(load.production.until)}"
    return None


def _production_caps(load: _Load, profile: _Profile) -> str | None:
    permit = load.production
    return None if permit is None else _caps(permit.max_users, permit.max_rate, profile, " in production")


def _caps(max_users: int, max_rate: float, profile: _Profile, where: str) -> str | None:
    is_open = profile.model == "open"
    users = float(profile.users or 0) if is_open else profile.peak
    if users > max_users:
        return f"it has {users:g} users, at most {max_users} are allowed{where}"
    if is_open and profile.peak > max_rate:
        return f"it makes {profile.peak:g} requests per second, at most {max_rate:g} are allowed{where}"
    return None


def _time(hours: Sequence[_Hours], now: datetime) -> str | None:
    utc = now.astimezone(UTC)
    minute = utc.hour * 60 + utc.minute
    if not hours or any(_is_in(minute, part) for part in hours):
        return None
    return f"it is {utc:%H:%M} UTC, and load may begin {wording.listed([str(part) for part in hours])}"


def _is_in(minute: int, part: _Hours) -> bool:
    """From the first minute up to, and not with, the last one."""
    if part.begin_min < part.end_min:
        return part.begin_min <= minute < part.end_min
    return minute >= part.begin_min or minute < part.end_min
