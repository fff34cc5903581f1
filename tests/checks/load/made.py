"""Loads that nobody ran: results written by hand, so that each check meets exactly what it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from fixtures.load_params import Loaded
from fixtures.load_watched import Seen, Watched
from golive.environment.loads import Profile
from golive.judge.load.histogram import Histogram
from golive.judge.load.records import Second, State
from golive.judge.load.result import LoadResult
from tests.judged import Judged, judged

BEGAN = 1_800_000_000
"""Unix seconds at which every one of them began."""
NAME = "GET /api/orders"
STAGES = ({"ramp": "2 s", "users": 10}, {"hold": "10 s"})
RUSH = ({"ramp": "2 s", "users": 5}, {"hold": "6 s"}, {"spike": "2 s", "users": 40}, {"hold": "10 s"})


def profile(*stages: Mapping[str, Any], **keys: Any) -> Profile:
    """A profile as YAML writes it, by default the one of STAGES."""
    scenario = {"name": "any", "steps": [NAME, "POST /api/orders"]}
    given = {"endpoint": "api", "scenarios": [scenario], "stages": list(stages or STAGES), **keys}
    return Profile.model_validate(given)


def second(
    at: int,
    ms: Iterable[float] = (10.0,) * 20,
    *,
    name: str = NAME,
    failures: Mapping[str, int] | None = None,
    intended: Iterable[float] | None = None,
) -> Second:
    """The requests of second `at` after the beginning, by how many milliseconds they took."""
    taken = [round(value * 1000) for value in ms]
    meant = None if intended is None else Histogram.of(round(value * 1000) for value in intended)
    return Second(
        at=BEGAN + at,
        name=name,
        n=len(taken),
        failures=failures or {},
        histogram=Histogram.of(taken),
        intended=meant,
    )


def result(of: Profile, seconds: Sequence[Second], *, lasted_s: float | None = None, **changes: Any) -> LoadResult:
    """A load that had as many users as were planned, and all the time that was, unless `lasted_s` says otherwise."""
    lasted_s = of.duration_s if lasted_s is None else lasted_s
    states = [
        State(at=BEGAN + at + 0.9, worker="w1", users=round(of.level_at(at + 0.9)), cpu=20.0)
        for at in range(int(lasted_s))
    ]
    made = LoadResult(
        profile="noon",
        model=of.model,
        planned=tuple(of.phases()),
        began_at=float(BEGAN),
        ended_at=BEGAN + lasted_s,
        seconds=tuple(seconds),
        states=tuple(states),
        workers={"w1": "quit"},
        warm_up_s=of.warm_up,
        generator_cpu=20.0,
    )
    return replace(made, **changes)


def steady(ms: Sequence[float] = (10.0,) * 20, *, of: Profile | None = None, **changes: Any) -> LoadResult:
    """The same in every second."""
    of = of or profile()
    lasted_s = changes.get("lasted_s", of.duration_s)
    return result(of, [second(at, ms) for at in range(int(lasted_s))], **changes)


def loaded(
    found: LoadResult,
    of: Profile | None = None,
    *,
    seen: Mapping[Watched, Seen] | None = None,
    logs: Mapping[tuple[str, ...], Any] | None = None,
) -> Loaded:
    """The load as checks are handed it."""
    return Loaded(name="noon", profile=of or profile(), result=found, seen=seen or {}, logs=logs or {})


def judge(check: ModuleType, found: LoadResult | Loaded, /, given: dict[str, Any] | None = None, **keys: Any) -> Judged:
    """What a criterion of `check` with these keys comes to; keys are written as in YAML."""
    params = check.Params.model_validate({"profile": "noon", **keys})
    assert params.asserts_nothing() is None
    run = found if isinstance(found, Loaded) else loaded(found)
    assert params.unfit_for(run.profile) is None
    function = next(value for name, value in vars(check).items() if name.startswith("test_"))
    return judged(function, criterion=params, load_run=run, load_result=run.result, **(given or {}))
