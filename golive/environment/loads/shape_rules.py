"""Whether the stages of a profile make a load that its model can have and that the caps allow."""

from __future__ import annotations

from collections.abc import Iterator

from golive.environment.loads.section import LoadSection, Profile
from golive.environment.loads.stages import Stage, number_of_steps
from golive.environment.yaml_source import Path_

_MOST_STEPS = 1000


def shape_faults(profile: Profile, load: LoadSection) -> Iterator[tuple[Path_, str]]:
    """(keys below the profile, what is wrong) of its stages, their levels and its warm-up."""
    stage_faults = list(_stage_faults(profile, load))
    yield from stage_faults
    if profile.model == "open" and (profile.users or 0) > load.max_users:
        yield ("users",), f"{profile.users} users are more than the {load.max_users} of 'load.max_users'"
    if stage_faults:
        return  # what follows would be computed from stages that are wrong
    if not profile.peak:
        yield ("stages",), "no stage has a user or a request, so nothing would be pressed"
    if profile.warm_up >= profile.duration_s:
        yield ("warm_up",), f"it lasts {profile.duration_s:g} s, all of which is warm-up, so nothing would be counted"


def _stage_faults(profile: Profile, load: LoadSection) -> Iterator[tuple[Path_, str]]:
    level: float | None = None
    for index, stage in enumerate(profile.stages):
        fault = _unlike_model(stage, profile) or _beyond_caps(stage, profile, load) or _misplaced(stage, level)
        if fault is not None:
            yield ("stages", index, stage.kind if fault[0] is None else fault[0]), fault[1]
        if stage.kind in ("ramp", "steps"):
            level = stage.target


_Fault = tuple[str | None, str]
"""The key of the stage that is wrong (None: that of its kind), and what."""


def _unlike_model(stage: Stage, profile: Profile) -> _Fault | None:
    if stage.is_rate is None or stage.is_rate == (profile.model == "open"):
        return None
    if stage.kind == "steps":
        wish = "rates, as in '10/s'" if profile.model == "open" else "numbers of users"
        return "by", f"the {profile.model} model has {wish} in 'by' and 'until'"
    wrong, right = ("users", "rate") if profile.model == "open" else ("rate", "users")
    return wrong, f"the {profile.model} model has {right!r} in its stages, not {wrong!r}"


def _beyond_caps(stage: Stage, profile: Profile, load: LoadSection) -> _Fault | None:
    key = "until" if stage.kind == "steps" else None
    if stage.target is None:
        return None
    if profile.model == "open" and stage.target > load.max_rate:
        return key or "rate", f"{stage.target:g}/s is more than the {load.max_rate:g}/s of 'load.max_rate'"
    if profile.model == "closed" and stage.target > load.max_users:
        return key or "users", f"{stage.target:g} users are more than the {load.max_users} of 'load.max_users'"
    return None


def _misplaced(stage: Stage, level: float | None) -> _Fault | None:
    if stage.kind in ("hold", "soak") and level is None:
        return None, f"{stage.kind!r} stays at the level before it, and there is none: begin with a 'ramp'"
    if stage.kind == "spike" and level is None:
        return None, "a 'spike' goes back to the level before it, and there is none: begin with a 'ramp'"
    if stage.kind == "steps":
        number = number_of_steps(stage, level or 0.0)
        if number < 1:
            return "until", f"the steps end where they begin: the level before them is {level or 0:g}"
        if number > _MOST_STEPS:
            return "by", f"that makes {number} steps, more than {_MOST_STEPS}"
    return None
