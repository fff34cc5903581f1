"""Stored measurements judged again under other rules, without the target. Pure.

Only what follows for certain from what was stored is judged again. The rest "cannot be judged again without the
target", which is never a pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from golive.judge.limits import describe, judge, number
from golive.judge.outcome import Finding, conclude
from golive.judge.relimited import Untraceable, relimited
from golive.model import Criterion, Measurement, Outcome, Place, RunRecord, Status, Waiver, utc_text

Rule = Mapping[str, Any]
"""One criterion as plain data: id, severity, when, answer, check, params, …"""
Kind = Literal["outcome", "severity", "occasions", "unjudgeable", "new", "gone"]

_NO_DATA = re.compile(r"no data, which counts as \w+ here: ")
_REFUSALS = re.compile(r"(; (the|outside the) waiver by [^;]*)+$")
_NOT_MISSING_DATA = ("the check itself broke:", "while cleaning up:", "the process that judged this died")
_BUILT_IN = {"people/attested": Status.PASS, "people/not_applicable": Status.PASS}
_SAME_CHECK = ("answer", "check", "feature")
_LOOKS_BACK = "history/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """What would differ for one criterion, in one run if `run` is given. `after` is None where nobody can know."""

    kind: Kind
    criterion: str
    text: str
    run: str | None = None
    checkpoint: str | None = None
    before: Status | None = None
    after: Status | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Replay:
    """How many outcomes were held against the new rules, and what differs.

    `followers` are criteria that look back on others and may follow them; `without_rules` are the runs of which
    nobody knows any more by which rules they were judged, so that nothing of them is judged again.
    """

    judged: int
    differences: tuple[Difference, ...]
    followers: tuple[str, ...] = ()
    without_rules: tuple[str, ...] = ()

    @property
    def differs(self) -> bool:
        """Whether anything is other than it was, or may be."""
        return bool(self.differences or self.without_rules)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """The rules to judge by: the criteria, the same as plain data by id, and the waivers."""

    criteria: Mapping[str, Criterion]
    data: Mapping[str, Rule]
    waivers: Sequence[Waiver] = ()


def replay(runs: Iterable[RunRecord], before: Mapping[str, Mapping[str, Rule]], rules: Rules) -> Replay:
    """What the outcomes of `runs` would be under `rules`.

    `before` holds the rules that each run was judged by, under its `criteria_digest`.
    """
    ordered = sorted(runs, key=lambda run: (run.started_at, run.run))
    known = [run for run in ordered if run.criteria_digest in before]
    differences = list(_other_criteria(before[known[-1].criteria_digest], rules)) if known else []
    for run in known:
        for outcome in sorted(run.outcomes, key=lambda outcome: outcome.criterion):
            found = _difference(outcome, before[run.criteria_digest], rules)
            if found is not None:
                differences.append(replace(found, run=run.run, checkpoint=run.checkpoint))
    changed = {d.criterion for d in differences if d.kind in ("outcome", "unjudgeable", "new", "gone")}
    followers = {o.criterion for run in known for o in run.outcomes if (o.check or "").startswith(_LOOKS_BACK)}
    return Replay(
        judged=sum(len(run.outcomes) for run in known),
        differences=tuple(differences),
        followers=tuple(sorted(followers - changed)) if changed else (),
        without_rules=tuple(run.run for run in ordered if run.criteria_digest not in before),
    )


def _other_criteria(before: Mapping[str, Rule], rules: Rules) -> Iterator[Difference]:
    """Criteria that are new or gone, and those that are judged otherwise than by their limits."""
    for name in sorted(rules.data.keys() - before.keys()):
        yield Difference(kind="new", criterion=name, text="is new, so no run has judged it")
    for name in sorted(before.keys() - rules.data.keys()):
        yield Difference(kind="gone", criterion=name, text="is gone, so nothing asks for it any more")
    for name in sorted(before.keys() & rules.data.keys()):
        old, new = before[name], rules.data[name]
        if old["severity"] != new["severity"]:
            text = f"its severity is {new['severity']}, it was {old['severity']}"
            yield Difference(kind="severity", criterion=name, text=text)
        if sorted(old["when"]) != sorted(new["when"]):
            text = f"is judged at {', '.join(sorted(new['when']))}, it was at {', '.join(sorted(old['when']))}"
            yield Difference(kind="occasions", criterion=name, text=text)


def _difference(outcome: Outcome, before: Mapping[str, Rule], rules: Rules) -> Difference | None:
    """What would differ about one outcome, None if nothing does or if the criterion is gone."""
    name = outcome.criterion
    if name in before and name not in rules.data:
        return None
    try:
        status, message = _judged_again(outcome, before.get(name), rules)
    except Untraceable as reason:
        text = f"{outcome.status.value} then; cannot be judged again without the target: {reason}"
        return Difference(kind="unjudgeable", criterion=name, text=text, before=outcome.status)
    if status is outcome.status:
        return None
    text = f"{status.value} instead of {outcome.status.value}: {message}"
    return Difference(kind="outcome", criterion=name, text=text, before=outcome.status, after=status)


def _judged_again(outcome: Outcome, old: Rule | None, rules: Rules) -> tuple[Status, str]:
    """Status and message under the new rules; Untraceable if they do not follow from what was stored."""
    new = rules.data.get(outcome.criterion)
    criterion = rules.criteria.get(outcome.criterion) or _own(outcome)
    finding = _finding(outcome)
    if old is None and new is not None:
        raise Untraceable("it was answered by a test of the team's own")
    if old is not None and new is not None:
        _must_be_the_same_check(outcome, old, new)
        if old["params"] != new["params"]:
            finding = _under(finding, relimited(outcome.measurements, old["params"] or {}, new["params"] or {}))
    if finding.message.startswith(_NOT_MISSING_DATA):
        criterion = replace(criterion, no_data=Status.UNKNOWN)
    # The waivers as they are now, at the time when it was found.
    status, message, _ = conclude(criterion, finding, rules.waivers, now=outcome.started_at)
    return status, message


def _must_be_the_same_check(outcome: Outcome, old: Rule, new: Rule) -> None:
    if any(old.get(key) != new.get(key) for key in _SAME_CHECK):
        was, now = (rule.get("check") or rule.get("feature") or rule["answer"] for rule in (old, new))
        raise Untraceable(f"it is answered by {now}, it was by {was}")
    compared = old.get("baseline_percent"), new.get("baseline_percent")
    if compared[0] != compared[1] or (compared[0] is not None and old["params"] != new["params"]):
        raise Untraceable("it is compared with a baseline")
    if old.get("retries", 0) != new.get("retries", 0) and (outcome.earlier or outcome.status.blocks):
        raise Untraceable("it is tried another number of times")


def _own(outcome: Outcome) -> Criterion:
    """A team's own criterion, as far as its outcome tells it."""
    return Criterion(
        id=outcome.criterion,
        says=outcome.says,
        severity=outcome.severity,
        when=(),
        answer="check",
        place=Place(file=""),
        check=outcome.check,
    )


def _finding(outcome: Outcome) -> Finding:
    """What the check found, before waivers and `no_data` were applied to it."""
    status, message = outcome.status, outcome.message
    if status is Status.WAIVED:
        status = Status.FAIL
        if (waiver := outcome.waiver) is not None:
            message = message.removeprefix(
                f"waived until {utc_text(waiver.expires)} by {waiver.approver} ({waiver.reason}): "
            )
    elif status is Status.FAIL:
        message = _REFUSALS.sub("", message)
    if found := _NO_DATA.match(message):
        status, message = Status.UNKNOWN, message[found.end() :]
    if status in (Status.ATTESTED, Status.NOT_APPLICABLE):
        status = _BUILT_IN.get(outcome.check or "", status)
    return Finding(status=status, message=message, measurements=outcome.measurements)


def _under(finding: Finding, measurements: tuple[Measurement, ...]) -> Finding:
    """The finding with its measurements under new limits; Untraceable if it does not follow from them alone."""
    if measurements == tuple(finding.measurements):
        return finding
    statuses = [judge(measurement) for measurement in measurements]
    if Status.FAIL in statuses:
        return _told(Status.FAIL, measurements)
    if finding.status not in (Status.PASS, Status.WARN, Status.FAIL):
        return replace(finding, measurements=measurements)
    if finding.status is not Status.PASS and not _explained(finding):
        raise Untraceable(f"more than its limits stood against it: {finding.message}")
    return _told(Status.WARN if Status.WARN in statuses else Status.PASS, measurements)


def _explained(finding: Finding) -> bool:
    """Whether every sentence of it is about a value that is beyond its limit."""
    beyond = [describe(m) for m in finding.measurements if judge(m) is finding.status]
    return all(any(told in sentence for told in beyond) for sentence in finding.message.split("; "))


def _told(status: Status, measurements: tuple[Measurement, ...]) -> Finding:
    about = [m for m in measurements if judge(m) is status] or measurements
    sentences = [f"{m.name}: {describe(m) if status is not Status.PASS else _value(m)}" for m in about]
    return Finding(status=status, message="; ".join(sentences), measurements=measurements)


def _value(measurement: Measurement) -> str:
    return f"{number(measurement.value)} {measurement.unit}".rstrip()
