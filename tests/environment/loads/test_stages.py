"""The shape of a load: what each stage does, and that phases and levels tell the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from golive.environment.loads import Profile, Stage
from golive.environment.loads.stages import level_at, number_of_steps, phases_of, points_of


def stages(*written: dict[str, Any]) -> list[Stage]:
    return [Stage.model_validate(one) for one in written]


DAY = stages(
    {"ramp": "10 s", "users": 20},
    {"hold": "30 s"},
    {"spike": "5 s", "users": 60},
    {"hold": "20 s"},
    {"steps": "10 s", "by": 30, "until": 100},
    {"soak": "1 min"},
)


def test_phases_follow_each_other_and_are_numbered_by_kind() -> None:
    assert [(p.name, p.start_s, p.end_s, p.level) for p in phases_of(DAY)] == [
        ("ramp 1", 0, 10, 20),
        ("hold 1", 10, 40, 20),
        ("spike 1", 40, 45, 60),
        ("hold 2", 45, 65, 20),
        ("steps 1", 65, 75, 50),
        ("steps 2", 75, 85, 80),
        ("steps 3", 85, 95, 100),
        ("soak 1", 95, 155, 100),
    ]


@pytest.mark.parametrize(
    ("elapsed_s", "level"),
    [
        (-1, 0), (0, 0), (5, 10), (10, 20), (39.9, 20), (40, 60), (44.9, 60), (45, 20),
        (64.9, 20), (65, 50), (75, 80), (94, 100), (154, 100), (155, 0), (1000, 0),
    ],
)  # fmt: skip
def test_level_jumps_and_climbs_as_written(elapsed_s: float, level: float) -> None:
    assert level_at(points_of(DAY), elapsed_s) == pytest.approx(level)


def test_ramp_leads_from_where_it_is_also_downwards() -> None:
    points = points_of(stages({"ramp": "10 s", "users": 20}, {"ramp": "10 s", "users": 0}))
    assert points == [(0, 0), (10, 20), (20, 0)]


def test_spike_goes_back_before_the_next_ramp() -> None:
    points = points_of(
        stages({"ramp": "1 s", "rate": "2/s"}, {"spike": "1 s", "rate": "9/s"}, {"ramp": "1 s", "rate": "4/s"})
    )
    assert points == [(0, 0), (1, 2), (1, 9), (2, 9), (2, 2), (3, 4)]


def test_tenths_of_a_rate_make_the_steps_that_a_person_counts() -> None:
    (stage,) = stages({"steps": "1 s", "by": "0.1/s", "until": "0.7/s"})
    assert number_of_steps(stage, 0.4) == 3
    assert [round(p.level, 6) for p in phases_of([*stages({"ramp": "1 s", "rate": "0.4/s"}), stage])] == [
        0.4,
        0.5,
        0.6,
        0.7,
    ]


def test_profile_tells_its_shape() -> None:
    profile = Profile.model_validate({"endpoint": "api", "locustfile": "x.py", "stages": DAY})
    assert (profile.duration_s, profile.peak, profile.level_at(42)) == (155, 100, 60)
    assert profile.phases() == phases_of(DAY)
    assert profile.levels() == points_of(DAY)


WRONG = {
    "nothing": ({}, "a stage is one of ramp, hold, spike, steps, soak"),
    "two things": ({"ramp": "1 s", "hold": "1 s", "users": 3}, "a stage is one of ramp, hold, spike, steps, soak"),
    "ramp to nowhere": ({"ramp": "1 s"}, "'ramp' needs 'users' or 'rate', as in '{ramp: 10 s, users: 20}'"),
    "ramp to both": ({"ramp": "1 s", "users": 2, "rate": "1/s"}, "'ramp' needs 'users' or 'rate'"),
    "ramp with steps": ({"ramp": "1 s", "users": 2, "by": 1}, "'ramp' needs 'users' or 'rate'"),
    "hold at a level": ({"hold": "1 s", "users": 2}, "'hold' stays at the level before it and takes none of its own"),
    "soak at a level": ({"soak": "1 s", "rate": "2/s"}, "'soak' stays at the level before it"),
    "spike to nowhere": ({"spike": "1 s"}, "'spike' needs 'users' or 'rate'"),
    "steps without an end": ({"steps": "1 s", "by": 2}, "'steps' needs 'by' and 'until'"),
    "steps of two kinds": ({"steps": "1 s", "by": 2, "until": "9/s"}, "both numbers of users or both rates"),
    "steps of nothing": (
        {"steps": "1 s", "by": 0, "until": 9},
        "a number of users or a rate, as in 10 or '10/s'; got 0",
    ),
    "no time": ({"ramp": "0 s", "users": 2}, "greater than 0"),
    "bare number": ({"ramp": 5, "users": 2}, "a duration needs a number and a unit"),
    "less than no users": ({"ramp": "1 s", "users": -1}, "greater than or equal to 0"),
}


@pytest.mark.parametrize("fault", WRONG)
def test_stage_that_means_nothing_is_refused(fault: str) -> None:
    written, message = WRONG[fault]
    with pytest.raises(ValidationError) as error:
        Stage.model_validate(written)
    assert message in str(error.value)


_SECONDS = st.integers(1, 60).map(lambda s: f"{s} s")
_STAGE = st.one_of(
    st.builds(lambda s, u: {"ramp": s, "users": u}, _SECONDS, st.integers(0, 50)),
    st.builds(lambda s: {"hold": s}, _SECONDS),
    st.builds(lambda s: {"soak": s}, _SECONDS),
    st.builds(lambda s, u: {"spike": s, "users": u}, _SECONDS, st.integers(0, 50)),
    st.builds(lambda s, b, u: {"steps": s, "by": b, "until": u}, _SECONDS, st.integers(1, 9), st.integers(1, 60)),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(_STAGE, min_size=1, max_size=8))
def test_phases_cover_the_whole_load_and_agree_with_its_levels(written: list[dict[str, Any]]) -> None:
    shape = stages(*written)
    phases, points = phases_of(shape), points_of(shape)
    assert [p.start_s for p in phases[1:]] == [p.end_s for p in phases[:-1]]
    assert len({p.name for p in phases}) == len(phases)
    assert [at for at, _ in points] == sorted(at for at, _ in points)
    for phase in phases:
        assert points[-1][0] == pytest.approx(phases[-1].end_s)
        # Right before its end the level is what the phase says.
        assert level_at(points, phase.end_s - 1e-6) == pytest.approx(phase.level, abs=1e-3)
        if phase.kind != "ramp":
            assert level_at(points, (phase.start_s + phase.end_s) / 2) == pytest.approx(phase.level)
