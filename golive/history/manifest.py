"""The manifest of a watch: the text that a person signs, from which every later change of the evidence shows.

Canonical JSON (`golive.history.canonical`) with these keys:

- `golive`: `manifest/1`; `environment`, `system`, and `watch` (all of it but how it was closed)
- `rules`: what the verdict was told to ask for (sign-off, availability, milestones, flapping); `criteria_digest`
- `runs`: every run of the watch that has ended, oldest first: id, checkpoint, times, how it was broken off, counts,
  `criteria_digest`, `outcomes` (criterion to the first 16 hexadecimal digits of the digest of its outcome), `digest` of
  the whole record, `results` (SHA-256 of the run's results.json, null where there was none), and `chain`
- `chain`: each entry's is the SHA-256 of the one before followed by the canonical entry (without `chain`); the first
  one follows the digest of `watch`. So no run can be changed, left out, added or moved
- `availability`: for each endpoint the number of its spans up to the last checkpoint, and their digest
- `waivers`, `attestations`, `notes`, `verdict` (decision and reasons at the time of signing)
- `signer`: role, name, moment, and for an override its reason and expiry

The digest of a run is the SHA-256 of its canonical record: everything that `golive.history.plain.run_data` tells,
measurements and evidence included, with outcomes, selected and unanswered criteria sorted by id. It can be computed
from the store and from `results.json` alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from golive.history.canonical import canonical, digest, digest_of
from golive.history.plain import counts, plain, run_data
from golive.history.records import ResultFiles
from golive.model import Outcome, ProbePolicy, ProbeSpan, RunRecord, SignOff, Verdict, Watch, WatchRecord, utc_text

KIND = "manifest/1"
_SHORT = 16
_CLOSING = ("closed_at", "closed_because")


@dataclass(frozen=True, kw_only=True, slots=True)
class Signer:
    """Who affirms the manifest, when, and whether it is to override a NO-GO."""

    role: str
    name: str
    at: datetime
    override: bool = False
    reason: str = ""
    expires: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What is signed: the text, its SHA-256, and the ids of the runs that it lists."""

    text: str
    digest: str
    covers: tuple[str, ...]


def manifest(record: WatchRecord, verdict: Verdict, signer: Signer, *, results: ResultFiles | None = None) -> Manifest:
    """The manifest of the watch as it stands. `results` are the runs' own files, where they are at hand.

    ValueError when there is no watch; OSError when one of the files cannot be read.
    """
    if record.watch is None:
        raise ValueError("there is no watch, so there is nothing to sign")
    runs = chained(record.watch, ended(record.runs), results=results)
    text = canonical(
        {
            "golive": KIND,
            "environment": record.environment,
            "system": record.system,
            "watch": watch_data(record.watch),
            "rules": rules(record),
            "criteria_digest": record.criteria_digest,
            "runs": runs,
            "availability": availability(record.watch, record.probes),
            "waivers": sorted(map(plain, record.waivers), key=canonical),
            "attestations": sorted(map(plain, record.attestations), key=canonical),
            "notes": sorted(map(plain, record.notes), key=canonical),
            "verdict": verdict_data(verdict),
            "signer": plain(signer),
        }
    )
    return Manifest(text=text, digest=digest(text), covers=tuple(entry["run"] for entry in runs))


def ended(runs: Sequence[RunRecord]) -> list[RunRecord]:
    """The runs that came to their end or were broken off, oldest first."""
    over = (run for run in runs if run.finished_at is not None or run.aborted is not None)
    return sorted(over, key=lambda run: (run.started_at, run.run))


def chained(watch: Watch, runs: Sequence[RunRecord], *, results: ResultFiles | None = None) -> list[dict[str, Any]]:
    """An entry for each run, each bound to the one before."""
    entries, link = [], first_link(watch_data(watch))
    for run in runs:
        entry = _entry(run, None if results is None else results.read(run.run))
        link = next_link(link, entry)
        entries.append({**entry, "chain": link})
    return entries


def first_link(watch: Mapping[str, Any]) -> str:
    """What the chain over the runs of this watch begins with."""
    return digest_of(watch)


def next_link(link: str, entry: Mapping[str, Any]) -> str:
    """The chain value of an entry that follows the one with the chain value `link`."""
    return digest(link + canonical({key: value for key, value in entry.items() if key != "chain"}))


def watch_data(watch: Watch) -> dict[str, Any]:
    """Everything about a watch but its end, which may come after the signing. A policy only where one was kept."""
    left_out = _CLOSING if watch.policy else (*_CLOSING, "policy")
    return {key: value for key, value in plain(watch).items() if key not in left_out}


def rules(record: WatchRecord) -> dict[str, Any]:
    """What the environment asks of the watch as a whole."""
    return rules_of(record.sign_off, record.probe_policy, record.milestones, flapping_blocks=record.flapping_blocks)


def rules_of(
    sign_off: SignOff, probes: ProbePolicy | None, milestones: Mapping[str, float], *, flapping_blocks: bool
) -> dict[str, Any]:
    """The rules over a watch as data, as a manifest has them and as a watch keeps them from its start."""
    return {
        "sign_off": plain(sign_off),
        "availability": plain(probes),
        "milestones": plain(milestones),
        "flapping_blocks": flapping_blocks,
    }


def verdict_data(verdict: Verdict) -> dict[str, Any]:
    """The verdict as a signer reads it."""
    return {
        "decision": verdict.decision.value,
        "at": plain(verdict.at),
        "trial": verdict.trial,
        "reasons": [plain(reason) for reason in verdict.reasons],
    }


def availability(watch: Watch, spans: Sequence[ProbeSpan]) -> list[dict[str, Any]]:
    """Number and digest of each endpoint's spans up to the last checkpoint; what is probed later is of no account."""
    found: dict[str, list[dict[str, Any]]] = {}
    for span in sorted(spans, key=lambda span: (span.endpoint, span.first_at, span.last_at)):
        if span.first_at <= watch.ends_at:
            found.setdefault(span.endpoint, []).append(_span(span, watch.ends_at))
    return [
        {"endpoint": endpoint, "spans": len(listed), "digest": digest_of(listed)} for endpoint, listed in found.items()
    ]


def run_digest(run: RunRecord) -> str:
    """SHA-256 of the canonical record of a run."""
    data = run_data(run)
    data["outcomes"] = sorted(data["outcomes"], key=lambda outcome: str(outcome["criterion"]))
    for listed in ("selected_criteria", "unanswered"):
        data[listed] = sorted(data[listed])
    return digest_of(data)


def outcome_digests(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """By criterion, enough of the digest of its outcome to tell that it was changed."""
    return {outcome.criterion: digest_of(outcome.as_data())[:_SHORT] for outcome in outcomes}


def file_digest(content: bytes | None) -> str | None:
    """SHA-256 of a file; None if there is none."""
    return None if content is None else hashlib.sha256(content).hexdigest()


def _entry(run: RunRecord, results: bytes | None) -> dict[str, Any]:
    return {
        "run": run.run,
        "checkpoint": run.checkpoint,
        "started_at": utc_text(run.started_at),
        "finished_at": None if run.finished_at is None else utc_text(run.finished_at),
        "aborted": run.aborted,
        "counts": counts(run),
        "criteria_digest": run.criteria_digest,
        "outcomes": outcome_digests(run.outcomes),
        "digest": run_digest(run),
        "results": file_digest(results),
    }


def _span(span: ProbeSpan, until: datetime) -> dict[str, Any]:
    """A span that outlasts `until` is still growing: only what it was by then is told."""
    if span.last_at <= until:
        return dict(plain(span))
    return dict(plain(replace(span, last_at=until, samples=0, message="")))
