"""Whatever is added to what was found, it never brings a watch nearer to GO; and GO means that all was looked at."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from golive.judge.course import is_judged_by_runs
from golive.judge.verdict import decide
from golive.model import EXTRA, Decision, Outcome, RunRecord, Status, WatchRecord
from tests import watchdays as days
from tests.watchdays import after, at_hour, day, slot_named, the_watch

T = TypeVar("T")
CLOSENESS = {Decision.NO_GO: 0, Decision.PENDING: 1, Decision.GO: 2}
LABELS = [slot.label for slot in days.SCHEDULE]
IDS = [c.id for c in days.CRITERIA if is_judged_by_runs(c)]
Change = Callable[[WatchRecord, random.Random], WatchRecord]
bounded = settings(max_examples=400, deadline=None, derandomize=True, database=None)


def closeness(record: WatchRecord, minutes: float) -> int:
    return CLOSENESS[decide(record, now=now_of(record, minutes)).decision]


def now_of(record: WatchRecord, minutes: float) -> datetime:
    return at_hour(record, 24) + timedelta(minutes=minutes)


def some_run(record: WatchRecord, rng: random.Random) -> RunRecord:
    return rng.choice(list(record.runs))


def changed(record: WatchRecord, run: RunRecord, **changes: object) -> WatchRecord:
    return replace(record, runs=tuple(replace(r, **changes) if r is run else r for r in record.runs))  # type: ignore[arg-type]


# What only ever takes away from a watch


def another_outcome(status: Status) -> Change:
    """A further outcome of a criterion, in a run that is there."""

    def add(record: WatchRecord, rng: random.Random) -> WatchRecord:
        run, criterion = some_run(record, rng), rng.choice(record.criteria)
        return changed(record, run, outcomes=(*run.outcomes, days.outcome(criterion, run.started_at, status)))

    return add


def worse_outcome(record: WatchRecord, rng: random.Random) -> WatchRecord:
    """Something that held did not."""
    run, status = some_run(record, rng), rng.choice([Status.FAIL, Status.UNKNOWN])
    chosen = some_good(run, rng)
    return changed(record, run, outcomes=tuple(replace(o, status=status) if o is chosen else o for o in run.outcomes))


def lost_outcome(record: WatchRecord, rng: random.Random) -> WatchRecord:
    """Something that held was not looked at."""
    run = some_run(record, rng)
    chosen = some_good(run, rng)
    return changed(record, run, outcomes=tuple(o for o in run.outcomes if o is not chosen))


def some_good(run: RunRecord, rng: random.Random) -> Outcome | None:
    good = [o for o in run.outcomes if not o.status.blocks]
    return rng.choice(good) if good else None


def aborted_run(record: WatchRecord, rng: random.Random) -> WatchRecord:
    """One more run of a checkpoint, broken off at once."""
    slot = slot_named(record, rng.choice(LABELS))
    run = days.checkpoint_run(the_watch(record), slot, record.criteria, minutes=rng.choice([2.0, 6.0, 14.0]))
    return days.with_run(record, replace(run, run=f"{run.run}-x", aborted="killed", finished_at=None, outcomes=()))


def broken_off(record: WatchRecord, rng: random.Random) -> WatchRecord:
    return changed(record, some_run(record, rng), aborted="killed", finished_at=None)


def lost_run(record: WatchRecord, rng: random.Random) -> WatchRecord:
    run = some_run(record, rng)
    return replace(record, runs=tuple(r for r in record.runs if r is not run))


def foreign_run(record: WatchRecord, rng: random.Random) -> WatchRecord:
    run = replace(some_run(record, rng), run="stranger", environment=rng.choice(["staging", "demo2"]))
    return days.with_run(record, run)


def failing_extra_run(record: WatchRecord, rng: random.Random) -> WatchRecord:
    criterion = rng.choice(record.criteria)
    failed = days.outcome(criterion, at_hour(record, 5), rng.choice([Status.FAIL, Status.UNKNOWN]))
    return days.with_run(record, days.extra_run(record, rng.uniform(0.1, 24.05), failed))


def tampered(record: WatchRecord, rng: random.Random) -> WatchRecord:
    return replace(record, tampered=(*record.tampered, f"run {rng.randrange(9)} was changed"))


def unsigned(record: WatchRecord, rng: random.Random) -> WatchRecord:
    left = list(record.signatures)
    if left:
        left.remove(rng.choice(left))
    return replace(record, signatures=tuple(left))


def doubtful_signature(record: WatchRecord, rng: random.Random) -> WatchRecord:
    signatures = [replace(s, problem="not genuine") if rng.random() < 0.5 else s for s in record.signatures]
    return replace(record, signatures=tuple(signatures))


def other_target(record: WatchRecord, rng: random.Random) -> WatchRecord:
    target = rng.choice([{}, {**days.TARGET, "configuration": "changed"}, {"all/api replicas": "1"}])
    return changed(record, some_run(record, rng), target=target)


def other_rules(record: WatchRecord, rng: random.Random) -> WatchRecord:
    return changed(record, some_run(record, rng), criteria_digest=rng.choice(["", "0" * 64]))


def late_run(record: WatchRecord, rng: random.Random) -> WatchRecord:
    run = some_run(record, rng)
    return changed(record, run, started_at=run.started_at + timedelta(minutes=rng.choice([-30, 15, 90])))


def mislabelled(record: WatchRecord, rng: random.Random) -> WatchRecord:
    return changed(record, some_run(record, rng), checkpoint=rng.choice([*LABELS, EXTRA, "99h", None]))


def more_required(record: WatchRecord, rng: random.Random) -> WatchRecord:
    answer = rng.choice(["check", "unanswered"])
    criterion = days.criterion(f"warungin.more.part-{rng.randrange(99)}", answer=answer)  # type: ignore[arg-type]
    return replace(record, criteria=(*record.criteria, criterion))


def unprobed(record: WatchRecord, rng: random.Random) -> WatchRecord:
    return replace(record, probes=tuple(record.probes)[1:])


def outage(record: WatchRecord, rng: random.Random) -> WatchRecord:
    begin = at_hour(record, rng.uniform(0, 24))
    return replace(record, probes=(*record.probes, days.down("api", begin, begin + timedelta(seconds=30))))


DETERIORATIONS: list[Change] = [
    another_outcome(Status.FAIL), another_outcome(Status.UNKNOWN), worse_outcome, lost_outcome, aborted_run, broken_off,
    lost_run, foreign_run, failing_extra_run, tampered, unsigned, doubtful_signature, other_target, other_rules,
    late_run, mislabelled, more_required, unprobed, outage,
]  # fmt: skip
steps = st.lists(st.sampled_from(DETERIORATIONS), max_size=5)
seeds = st.integers(0, 2**16)


def spoilt(record: WatchRecord, changes: list[Change], rng: random.Random) -> WatchRecord:
    for change in changes:
        if record.runs:
            record = change(record, rng)
    return record


ADDITIONS: list[Change] = [
    another_outcome(Status.FAIL), another_outcome(Status.UNKNOWN), worse_outcome, lost_outcome, aborted_run, broken_off,
    foreign_run, failing_extra_run, tampered, unsigned, doubtful_signature, other_rules, more_required, outage,
]  # fmt: skip


@given(steps, st.sampled_from(ADDITIONS), seeds, st.booleans(), st.sampled_from([7.0, 20.0]))
@bounded
def test_nothing_bad_that_is_added_brings_go_nearer(
    before: list[Change], addition: Change, seed: int, override: bool, minutes: float
) -> None:
    rng = random.Random(seed)
    base = days.probed(day(), at_hour(day(), 25))
    record = spoilt(days.with_override(base) if override else base, before, rng)
    if record.runs:
        assert closeness(addition(record, rng), minutes) <= closeness(record, minutes)


@given(steps, seeds)
@bounded
def test_the_order_of_arrival_does_not_matter(changes: list[Change], seed: int) -> None:
    rng = random.Random(seed)
    record = spoilt(day(), changes, rng)

    def shuffled(items: Iterable[T]) -> tuple[T, ...]:
        listed = list(items)
        rng.shuffle(listed)
        return tuple(listed)

    other = replace(
        record,
        criteria=shuffled(record.criteria),
        runs=shuffled(replace(r, outcomes=shuffled(r.outcomes)) for r in record.runs),
        signatures=shuffled(record.signatures),
        attestations=shuffled(record.attestations),
        probes=shuffled(record.probes),
        tampered=shuffled(record.tampered),
    )
    now = at_hour(record, 24.2)
    assert decide(other, now=now) == decide(record, now=now)


@given(steps, seeds, st.sampled_from([0.0, 7.0, 15.0, 16.0, 600.0]))
@bounded
def test_go_means_that_every_checkpoint_judged_every_criterion(
    changes: list[Change], seed: int, minutes: float
) -> None:
    record = spoilt(days.probed(day(), at_hour(day(), 40)), changes, random.Random(seed))
    watch, now = the_watch(record), at_hour(record, 24) + timedelta(minutes=minutes)
    if decide(record, now=now).decision is not Decision.GO:
        return
    for slot in watch.schedule:
        held = [
            run
            for run in record.runs
            if run.checkpoint == slot.label and run.complete and watch.due_at(slot) <= run.started_at
            and run.started_at <= watch.deadline(slot)
        ]  # fmt: skip
        good = {o.criterion for run in held for o in run.outcomes if not o.status.blocks}
        assert good >= {c.id for c in days.required(record.criteria, slot) if is_judged_by_runs(c)}
    assert not any(o.status is Status.FAIL and o.criterion in IDS for run in record.runs for o in run.outcomes)


@given(steps, seeds, st.floats(-1, 30))
@bounded
def test_go_comes_with_no_reason_and_no_go_with_one(changes: list[Change], seed: int, hour: float) -> None:
    record = spoilt(day(), changes, random.Random(seed))
    verdict = decide(record, now=at_hour(record, hour))
    assert (verdict.decision is Decision.GO) == (not verdict.reasons)
    assert all("\n" not in reason.text for reason in verdict.reasons)
    about = [(r.kind, r.checkpoint) for r in verdict.reasons if r.checkpoint not in (None, EXTRA)]
    assert len(set(about)) == len(about)
    if verdict.decision is Decision.NO_GO:
        assert (verdict.earliest, verdict.reasons[0].decision) == (None, Decision.NO_GO)
    elif verdict.earliest is not None:
        assert verdict.earliest >= verdict.at


@given(st.sampled_from(LABELS), st.floats(0, 30))
@bounded
def test_no_hour_before_the_last_checkpoint_is_go(label: str, hour: float) -> None:
    record = days.probed(day(until=label), at_hour(day(), 30))
    record = days.with_signatures(record, days.ROLES)
    if label != "24h" or hour < 24:
        assert decide(record, now=at_hour(record, hour)).decision is not Decision.GO
    assert after(record) > the_watch(record).starts_at
