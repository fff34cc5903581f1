"""The verdict over a watch as an in-toto attestation, for supply-chain policies.

Statement: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
Predicate: https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md (v0.1)

Subjects are the digests of what was found deployed; without any, the manifest. `configuration` are the criteria and the
watch, by digest. A criterion counts with the worst that it came to in any run of the watch; one that a person answers
passes with an affirmation or signature that counts. `PASSED` takes GO without a waiver, a warning or compressed time;
an override changes who takes the risk and not what was found, so that it stays `FAILED`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from datetime import datetime, timedelta
from typing import Any

from golive.history.canonical import digest_of
from golive.history.manifest import watch_data
from golive.model import Criterion, Decision, Status, Verdict, WatchRecord, When

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
_DIGEST = re.compile(r"\b(?:(?P<kind>sha(?:256|384|512)):)?(?P<hex>[0-9a-f]{64,128})\b")
_LENGTHS = {"sha256": 64, "sha384": 96, "sha512": 128}
_WARNED = frozenset({Status.WARN, Status.WAIVED})
_WATCHED = frozenset({When.SMOKE, When.CHECKPOINT, When.GOLIVE})


def statement(record: WatchRecord, verdict: Verdict, *, manifest_digest: str) -> dict[str, Any]:
    """The statement about a watch; ValueError when there is none."""
    if record.watch is None:
        raise ValueError("there is no watch to make a statement about")
    passed, warned, failed = _tests(record, verdict)
    return {
        "_type": STATEMENT_TYPE,
        "subject": _subjects(record) or [{"name": "manifest.json", "digest": {"sha256": manifest_digest}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": _result(verdict, warned, failed),
            "configuration": [
                {"name": f"criteria of {record.system}", "digest": {"sha256": record.criteria_digest}},
                {
                    "name": f"watch {record.watch.id}",
                    "digest": {"sha256": digest_of(watch_data(record.watch))},
                    "annotations": {
                        "environment": record.environment,
                        "version": record.watch.deployment.version,
                        "verdict": verdict.decision.value,
                        "trial": verdict.trial,
                        "overridden": verdict.override is not None,
                    },
                },
            ],
            "passedTests": passed,
            "warnedTests": warned,
            "failedTests": failed,
        },
    }


def _subjects(record: WatchRecord) -> list[dict[str, Any]]:
    """Each part of the target that is identified by a digest."""
    target = record.watch.target if record.watch else {}
    found = ((name, _digests(str(value))) for name, value in sorted(target.items()))
    return [{"name": name, "digest": digests} for name, digests in found if digests]


def _digests(value: str) -> dict[str, str]:
    match = _DIGEST.search(value)
    if match is None:
        return {}
    kind = match["kind"] or "sha256"
    return {kind: match["hex"]} if len(match["hex"]) == _LENGTHS[kind] else {}


def _tests(record: WatchRecord, verdict: Verdict) -> tuple[list[str], list[str], list[str]]:
    statuses: dict[str, set[Status]] = {}
    for run in record.runs:
        for outcome in run.outcomes:
            statuses.setdefault(outcome.criterion, set()).add(outcome.status)
    found: dict[str, list[str]] = {"passed": [], "warned": [], "failed": []}
    for criterion in _named(record.criteria):
        if criterion.answer == "attest":
            kind = "passed" if _affirmed(criterion, record, verdict) else "failed"
        else:
            kind = _kind(criterion, statuses.get(criterion.id, set()))
        found[kind].append(criterion.id)
    return found["passed"], found["warned"], found["failed"]


def _named(criteria: Sequence[Criterion]) -> Iterator[Criterion]:
    """The criteria that a watch judges, in order; the verdict itself is `result`."""
    for criterion in sorted(criteria, key=lambda c: c.id):
        if _WATCHED & set(criterion.when) and criterion.check != "history/approved":
            yield criterion


def _kind(criterion: Criterion, statuses: Set[Status]) -> str:
    if criterion.answer == "feature":
        return "passed"
    if not statuses or any(status.blocks for status in statuses):
        return "failed"
    return "warned" if statuses & _WARNED else "passed"


def _affirmed(criterion: Criterion, record: WatchRecord, verdict: Verdict) -> bool:
    """Whether the person has answered for it, and the answer still held when the verdict was given."""
    role, lasts = criterion.params.role.strip().casefold(), timedelta(seconds=criterion.params.valid_for)
    given: Iterator[tuple[str, datetime]]
    if criterion.params.signed:
        given = ((s.role, s.at) for s in record.signatures if not s.problem and not s.override)
    else:
        ids = (criterion.id, criterion.base_id)
        given = ((a.role, a.at) for a in record.attestations if a.criterion in ids)
    return any(whose.strip().casefold() == role and at <= verdict.at < at + lasts for whose, at in given)


def _result(verdict: Verdict, warned: Sequence[str], failed: Sequence[str]) -> str:
    if verdict.decision is not Decision.GO or verdict.override is not None or failed:
        return "FAILED"
    return "WARNED" if warned or verdict.trial else "PASSED"
