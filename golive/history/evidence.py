"""Whether the evidence is still what was signed: the history, the runs' own files, and what else a signer affirmed.

What a run found may never change (`mismatches`, `file_mismatches`). Waivers, attestations and rules may, but then
whoever signed before has not affirmed them (`outdated`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from golive.environment.params import Strict
from golive.history import manifest as manifests
from golive.history.canonical import canonical
from golive.history.manifest import Signer
from golive.history.plain import plain
from golive.history.records import ResultFiles, record_from
from golive.model import EXTRA, RunRecord, WatchRecord, utc_text

_TOLD = 3
_LONGEST = 60


class NotAManifest(Exception):
    """The signed text is not one of ours; the message says why."""


class SignedRun(Strict):
    """What a manifest says of one run."""

    run: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    checkpoint: str | None
    started_at: str
    finished_at: str | None
    aborted: str | None
    counts: dict[str, int]
    criteria_digest: str
    outcomes: dict[str, str]
    digest: str
    results: str | None
    chain: str

    def __str__(self) -> str:
        return f"run {self.run} ({at_checkpoint(self.checkpoint)})"


class SignedSpans(Strict):
    """What a manifest says of the availability of one endpoint."""

    endpoint: str
    spans: int
    digest: str


class Signed(Strict):
    """What a manifest says; see `golive.history.manifest`."""

    golive: Literal["manifest/1"]
    environment: str
    system: str
    watch: dict[str, Any]
    rules: dict[str, Any]
    criteria_digest: str
    runs: tuple[SignedRun, ...]
    availability: tuple[SignedSpans, ...]
    waivers: tuple[dict[str, Any], ...]
    attestations: tuple[dict[str, Any], ...]
    notes: tuple[dict[str, Any], ...]
    verdict: dict[str, Any]
    signer: Signer


def read_manifest(text: str) -> Signed:
    """The content of a manifest; NotAManifest if the text is something else."""
    try:
        return Signed.model_validate(json.loads(text))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise NotAManifest(f"the signed text is no manifest of golive ({where or 'whole'}: {first['msg']})") from None
    except (ValueError, RecursionError) as error:
        raise NotAManifest(f"the signed text is no JSON ({error})") from None


def mismatches(signed: Signed, record: WatchRecord) -> list[str]:
    """What was signed and is no longer what the history holds, a sentence each; [] when all is as it was."""
    return [
        *_broken_chain(signed),
        *_watch(signed, record),
        *_runs(signed, record),
        *_availability(signed, record),
        *_notes(signed, record),
    ]


def file_mismatches(signed: Signed, results: ResultFiles) -> list[str]:
    """Which `results.json` is not the one that was there at the signing, a sentence each.

    A run whose file is gone is none: retention removes folders, and the history still holds the run.
    """
    return [said for entry in signed.runs for said in _file(entry, results)]


def outdated(signed: Signed, record: WatchRecord) -> list[str]:
    """What has come or changed since the signing, so that it takes a new signature; [] when nothing has."""
    return [*_uncovered(signed, record), *_affirmed(signed, record)]


def changes(entry: SignedRun, run: RunRecord) -> str:
    """In what the run differs from its entry in the manifest, or ""."""
    if entry.digest == manifests.run_digest(run):
        return ""
    before, now = entry.outcomes, manifests.outcome_digests(run.outcomes)
    different = sorted(c for c in before.keys() & now.keys() if before[c] != now[c])
    parts = [
        _listed("the outcome of", different, "differs"),
        _listed("the outcome of", sorted(before.keys() - now.keys()), "is gone"),
        _listed("the outcome of", sorted(now.keys() - before.keys()), "was not there"),
        *_header(entry, run),
    ]
    return "; ".join(filter(None, parts)) or "what it selected, found deployed or left unanswered differs"


def at_checkpoint(label: str | None) -> str:
    """`checkpoint 4h`, or what a run is that belongs to none."""
    return "an extra run" if label in (None, EXTRA) else f"checkpoint {label}"


def _broken_chain(signed: Signed) -> Iterator[str]:
    link = manifests.first_link(signed.watch)
    for entry in signed.runs:
        link = manifests.next_link(link, entry.model_dump())
        if entry.chain != link:
            yield f"the chain of the manifest breaks at {entry}"
            return


def _watch(signed: Signed, record: WatchRecord) -> Iterator[str]:
    before, now = signed.watch, {} if record.watch is None else manifests.watch_data(record.watch)
    for key in _different(before, now):
        yield f"the watch was changed after the signing: {key} was {_short(before.get(key))}, is {_short(now.get(key))}"


def _runs(signed: Signed, record: WatchRecord) -> Iterator[str]:
    here = {run.run: run for run in record.runs}
    for entry in signed.runs:
        run = here.get(entry.run)
        if run is None:
            yield f"{entry} is gone from the records"
        elif said := changes(entry, run):
            yield f"{entry} was changed in the records after the signing: {said}"
    for run in _unlisted(signed, record):
        if run.finished_at is not None and run.finished_at <= signed.signer.at:
            yield (
                f"run {run.run} ({at_checkpoint(run.checkpoint)}) is said to have ended before the signing, "
                "and was not there then"
            )


def _unlisted(signed: Signed, record: WatchRecord) -> list[RunRecord]:
    listed = {entry.run for entry in signed.runs}
    return [run for run in manifests.ended(record.runs) if run.run not in listed]


def _header(entry: SignedRun, run: RunRecord) -> Iterator[str]:
    finished_at = None if run.finished_at is None else utc_text(run.finished_at)
    pairs = {
        "checkpoint": (entry.checkpoint, run.checkpoint),
        "started_at": (entry.started_at, utc_text(run.started_at)),
        "finished_at": (entry.finished_at, finished_at),
        "aborted": (entry.aborted, run.aborted),
        "criteria_digest": (entry.criteria_digest, run.criteria_digest),
    }
    return (f"{key} was {_short(a)}, is {_short(b)}" for key, (a, b) in pairs.items() if a != b)


def _file(entry: SignedRun, results: ResultFiles) -> Iterator[str]:
    where = f"{results.named(entry.run)} ({at_checkpoint(entry.checkpoint)})"
    try:
        content = results.read(entry.run)
        if content is None or manifests.file_digest(content) == entry.results:
            return
        said = changes(entry, record_from(json.loads(content)))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        yield f"{where} cannot be compared with what was signed: {error}"
        return
    if said or entry.results is not None:
        yield f"{where} was changed after the signing: {said or 'not its outcomes, but the text around them'}"


def _availability(signed: Signed, record: WatchRecord) -> Iterator[str]:
    if record.watch is None or signed.signer.at < record.watch.ends_at:
        return  # what was signed too early was still growing
    before = {one.endpoint: one.model_dump() for one in signed.availability}
    now = {one["endpoint"]: one for one in manifests.availability(record.watch, record.probes)}
    for endpoint in _different(before, now):
        yield f"the availability of {endpoint} was changed in the records after the signing"


def _notes(signed: Signed, record: WatchRecord) -> Iterator[str]:
    known = {canonical(plain(note)) for note in record.notes}
    for note in signed.notes:
        if canonical(note) not in known:
            yield f"the note by {note.get('by')} of {note.get('at')} was changed or taken out after the signing"


def _uncovered(signed: Signed, record: WatchRecord) -> Iterator[str]:
    for run in _unlisted(signed, record):
        if run.checkpoint not in (None, EXTRA):
            yield f"does not cover run {run.run} ({at_checkpoint(run.checkpoint)})"


def _affirmed(signed: Signed, record: WatchRecord) -> Iterator[str]:
    for criterion in _changed(signed.waivers, map(plain, record.waivers)):
        yield f"the waiver of {criterion} was changed since"
    known = {canonical(one) for one in signed.attestations}
    # One that has expired or was taken back is not counted any more; it needs no signature.
    earlier = [one for one in record.attestations if one.at <= signed.signer.at]
    for criterion in sorted({one.criterion for one in earlier if canonical(plain(one)) not in known}):
        yield f"the attestation of {criterion} was not there, though it is dated before"
    different = _different(signed.rules, manifests.rules(record))
    if different:
        yield f"the environment asks for something else since ({', '.join(different)})"
    if signed.criteria_digest != record.criteria_digest:
        yield "the criteria were changed since"


def _changed(before: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]]) -> list[str]:
    """The criteria whose waivers or attestations are not the same ones, in order."""
    was, is_now = ({canonical(one): str(one.get("criterion")) for one in listed} for listed in (before, now))
    return sorted({was.get(text) or is_now[text] for text in was.keys() ^ is_now.keys()})


def _different(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The keys under which something else stands, in order."""
    return [k for k in sorted(before.keys() | now.keys()) if canonical(before.get(k)) != canonical(now.get(k))]


def _listed(before: str, names: list[str], after: str) -> str:
    if not names:
        return ""
    more = f" and of {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return f"{before} {', '.join(names[:_TOLD])}{more} {after}"


def _short(value: Any) -> str:
    text = "nothing" if value in (None, "", {}) else value if isinstance(value, str) else canonical(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
