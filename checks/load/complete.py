"""The load ran to its end, as it was planned.

Why: limits that hold under half the load say nothing of the whole one, and test data that is left behind spoils the
next run.
When it fails: the message says what ended it, or what is missing; what was measured until then is in the report.
"""

from fixtures.load_params import Loaded, LoadParams
from fixtures.measure import EvidenceSink, Measure
from golive.environment.loads import Profile
from golive.judge.limits import number
from golive.judge.load.result import LoadResult

_OF_PLANNED = 0.9
_OF_CAP = 0.95
_LASTING_S = 3


class Params(LoadParams):
    pass


def test_the_load_ran_to_its_end(
    criterion: Params,  # noqa: ARG001 - every check has its criterion
    load_run: Loaded,
    measure: Measure,
    evidence: EvidenceSink,
) -> None:
    result, profile = load_run.result, load_run.profile
    evidence("phases", _phases(result))
    if result.stopped:
        measure.fail(f"stopped after {result.lasted_s:.0f} of {profile.duration_s:.0f} s: {result.stopped}")
    if result.lost:
        # It is the generator that failed, and not the target.
        (measure.unknown if profile.lost_workers == "unknown" else measure.warn)(load_run.told_lost)
    for problem in result.problems:
        if problem not in load_run.about_lost:
            measure.fail(problem)
    requests = result.window(with_warm_up=True).n
    measure(requests, unit="", name="requests", critical=1, better="higher")
    if not result.stopped:
        _judge_level(result, profile, measure)
    if held_up := _held_up(load_run):
        measure.warn(held_up)
    if result.saturated:
        measure.warn(f"the load generator was busy itself: {result.saturated}")


def _judge_level(result: LoadResult, profile: Profile, measure: Measure) -> None:
    """Whether as many users were there, or as many arrivals served, as were planned at the highest."""
    if profile.model == "closed":
        reached = max((point.users for point in result.series()), default=0)
        measure(reached, unit="users", name="highest level", critical=float(int(profile.peak)), better="higher")
        return
    flat = [phase for phase in result.phases if phase.kind != "ramp" and phase.end_s - phase.start_s >= 1]
    if not flat:
        measure.unknown("no stage stays at a rate for a second, so whether it was reached cannot be told: add a hold")
        return
    highest = max(flat, key=lambda phase: phase.level)
    arrived = result.window(None, highest.name, with_warm_up=True).rate / _requests_each(profile)
    waiting = max((state.queued for state in result.states), default=0)
    if arrived < _OF_PLANNED * highest.level and result.saturated:
        measure.unknown(f"only {number(arrived)} of {number(highest.level)} arrivals/s were served in {highest.name}")
        return
    measure(
        arrived,
        unit="arrivals/s",
        name="highest level",
        critical=_OF_PLANNED * highest.level,
        better="higher",
        detail=f"in {highest.name}; up to {waiting} arrivals waited for one of {profile.users} users",
    )


def _held_up(load_run: Loaded) -> str:
    """How the cap made users wait who would have asked more: less was pressed than so many of them do."""
    most, profile = load_run.max_rate, load_run.profile
    if most is None or profile.model == "open":
        return ""
    rates = [point.rate for point in load_run.result.series()]
    lasting = max((min(rates[at : at + _LASTING_S]) for at in range(len(rates) - _LASTING_S + 1)), default=0.0)
    if lasting < _OF_CAP * most:
        return ""
    return f"'max_rate' of {number(most)}/s was reached and held the users up: without it they would have asked more"


def _requests_each(profile: Profile) -> float:
    """Of how many requests an arrival consists, on average: each is a journey through one of the scenarios."""
    weights = sum(scenario.weight for scenario in profile.scenarios)
    return sum(scenario.weight * len(scenario.steps) for scenario in profile.scenarios) / weights


def _phases(result: LoadResult) -> str:
    lines = []
    for phase in result.phases:
        part = result.window(None, phase.name, with_warm_up=True)
        rate = f"{part.n / part.seconds:.1f}/s" if part.seconds else "-"
        lines.append(
            f"{phase.name:<10} {phase.start_s:7.1f} to {phase.end_s:7.1f} s  level {phase.level:g}  {part.n} requests"
            f"  {rate}  {part.failed()} failed"
        )
    return "\n".join(lines) or "none was begun"
