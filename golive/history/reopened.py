"""An archive of a watch, opened again and checked against itself, without trusting whoever made it.

What is checked, in this order: every member against SHA256SUMS; that each part is of its form; the criteria against
their digests; the runs against the hash chain of every manifest; the signatures, and what they cover; the verdict,
which is judged anew from the records; the statement. See `golive.history.bundle` for the members.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from golive import __version__
from golive.environment.params import Strict
from golive.environment.sections import AttestedParams
from golive.history.bundle import MANIFEST, STATEMENT, evidence_manifest, verdict_content
from golive.history.canonical import canonical, digest
from golive.history.criteria_sets import digest_of_data
from golive.history.evidence import NotAManifest, file_mismatches, mismatches, read_manifest
from golive.history.intoto import statement
from golive.history.records import RESULTS, record_from
from golive.history.signing import verified
from golive.history.sshsig import Signers
from golive.history.zipped import SUMS, NotABundle, Zipped
from golive.model import (
    Answer,
    Attestation,
    Criterion,
    Deployment,
    Note,
    Place,
    ProbePolicy,
    ProbeSpan,
    RunRecord,
    Severity,
    Signature,
    SignOff,
    Verdict,
    Waiver,
    Watch,
    WatchRecord,
    When,
)

T = TypeVar("T")
_LONGEST = 300
Decide = Callable[[WatchRecord, datetime], Verdict]
_RUN = re.compile(r"runs/(?P<run>[A-Za-z0-9][A-Za-z0-9._-]*)\.json")
_SIGNED = re.compile(r"(?P<folder>signatures/\d+-[^/]+)/signature\.json")


@dataclass(frozen=True, kw_only=True)
class Reopened:
    """What an archive holds: the record with its signatures verified, the verdict, and what does not match."""

    record: WatchRecord
    verdict: Verdict
    mismatches: tuple[str, ...]


class Altered(Exception):
    """A part of the archive is not what golive writes; the message names it."""


class _Watch(Strict):
    """`watch.json`."""

    golive: Literal["bundle/1"]
    made_with: str
    environment: str
    system: str
    watch: Watch
    criteria_digest: str
    deployment: Deployment | None = None
    waivers: tuple[Waiver, ...]
    attestations: tuple[Attestation, ...]
    notes: tuple[Note, ...]
    sign_off: SignOff
    probes: tuple[ProbeSpan, ...]
    probe_policy: ProbePolicy | None
    milestones: dict[str, float]
    flapping_blocks: bool


class _Criterion(Strict):
    """One criterion of a set (`criteria_sets.as_data`), as far as a watch is judged by it."""

    model_config = {**Strict.model_config, "extra": "ignore"}
    id: str
    says: str
    severity: Severity
    when: tuple[When, ...]
    answer: Answer
    check: str | None
    params: Any = None


class _Attested(Strict):
    """The parameters of a criterion that a person answers."""

    role: str
    valid_for: float
    signed: bool


class _Verdict(Strict):
    """`verdict.json`, as far as it is read before it is compared."""

    model_config = {**Strict.model_config, "extra": "ignore"}
    at: datetime


def reopened(file: Path, decide: Decide, *, allowed_signers: Path | None = None) -> Reopened:
    """Open an archive and check everything in it; `mismatches` is empty when all is as it was.

    Signatures are checked against `allowed_signers`, or else against what lies in the archive. NotABundle if the file
    is no archive of golive or may not be read, `Altered` if so much was changed that it cannot be judged.
    """
    with Zipped(file) as archive:
        if not {SUMS, "watch.json"} <= set(archive.names):
            raise NotABundle(f"{file} is no bundle of golive: it has no {SUMS} or no watch.json")
        if changed := list(_changed_files(archive)):
            raise Altered(changed[0])
        with tempfile.TemporaryDirectory(prefix="golive-bundle-") as folder:
            return _checked(archive, decide, _signers(archive, Path(folder), allowed_signers), folder)


def _changed_files(archive: Zipped) -> Iterator[str]:
    sums = archive.sums()
    for name in sorted(sums.keys() | set(archive.names)):
        if name == SUMS:
            continue
        if name not in archive.names:
            yield f"{name} is missing"
        elif name not in sums:
            yield f"{name} was added"
        elif archive.digest(name) != sums[name]:
            yield f"{name} was changed: its digest is not the one in {SUMS}"


def _checked(archive: Zipped, decide: Decide, signers: Signers | None, folder: str) -> Reopened:
    try:
        return _judged(archive, decide, signers, folder)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise Altered(f"its records cannot be judged: {error!r}"[:_LONGEST]) from None


def _judged(archive: Zipped, decide: Decide, signers: Signers | None, folder: str) -> Reopened:
    told = _record(archive)
    at = _read(archive, "verdict.json", _Verdict).at
    files = _InArchive(archive)
    record = verified(replace(told, tampered=()), signers, now=at, results=files)
    verdict = decide(record, at)
    found = [
        *_chain(archive, record, files),
        *record.tampered,
        *_signatures(told, record),
        *_verdict(archive, verdict),
        *_manifest(archive, record, verdict, files),
        *_statement(archive, record, verdict),
    ]
    named = tuple(dict.fromkeys(said.replace(f"{folder}/", "") for said in found))
    return Reopened(record=record, verdict=verdict, mismatches=named)


def _record(archive: Zipped) -> WatchRecord:
    content = _read(archive, "watch.json", _Watch)
    sets = {name: _criteria(archive, name) for name in archive.names if name.startswith("criteria/")}
    current = f"criteria/{content.criteria_digest}.json"
    if current not in sets:
        raise Altered(f"{current} is missing")
    fields = {name: getattr(content, name) for name in _Watch.model_fields if name not in ("golive", "made_with")}
    return WatchRecord(
        **fields,
        criteria=sets[current],
        runs=tuple(_run(archive, name) for name in archive.names if name.startswith("runs/")),
        signatures=tuple(_signature(archive, found) for name in archive.names if (found := _SIGNED.fullmatch(name))),
    )


def _criteria(archive: Zipped, name: str) -> tuple[Criterion, ...]:
    data = _read(archive, name, list[dict[str, Any]])
    if name != f"criteria/{digest_of_data(data)}.json":
        raise Altered(f"{name} was changed: the criteria in it have another digest")
    return tuple(_criterion(one, name) for one in data)


def _criterion(data: Mapping[str, Any], name: str) -> Criterion:
    try:
        read = _Criterion.model_validate(data)
        attested = _Attested.model_validate(read.params) if read.answer == "attest" else None
    except ValidationError as error:
        raise Altered(f"{name} {_first(error)}") from None
    return Criterion(
        id=read.id,
        says=read.says,
        severity=read.severity,
        when=read.when,
        answer=read.answer,
        check=read.check,
        params=None if attested is None else AttestedParams.model_construct(**attested.model_dump()),
        place=Place(file=name),
    )


def _run(archive: Zipped, name: str) -> RunRecord:
    try:
        run = record_from(json.loads(archive.read(name)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Altered(f"{name} is not the record of a run: {error!r}"[:_LONGEST]) from None
    named = _RUN.fullmatch(name)
    if named is None or named["run"] != run.run:
        raise Altered(f"{name} is the record of run {run.run}")
    return run


def _signature(archive: Zipped, found: re.Match[str]) -> Signature:
    folder = found["folder"]
    data = _read(archive, f"{folder}/signature.json", dict[str, Any])
    texts = [archive.read(f"{folder}/{name}").decode("utf-8", "replace") for name in (MANIFEST, f"{MANIFEST}.sig")]
    try:
        return TypeAdapter(Signature).validate_python({**data, "manifest": texts[0], "signature": texts[1]})
    except ValidationError as error:
        raise Altered(f"{folder}/signature.json {_first(error)}") from None


def _read(archive: Zipped, name: str, kind: type[T]) -> T:
    try:
        return TypeAdapter(kind).validate_python(json.loads(archive.read(name)))
    except NotABundle as error:
        raise Altered(str(error)) from None
    except ValidationError as error:
        raise Altered(f"{name} {_first(error)}") from None
    except (ValueError, RecursionError) as error:
        raise Altered(f"{name} is no JSON: {error}") from None


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "the whole"
    return f"is not what golive writes: {where}: {first['msg']}"


def _signers(archive: Zipped, folder: Path, allowed_signers: Path | None) -> Signers | None:
    if allowed_signers is not None:
        return Signers(allowed=allowed_signers)
    files = {}
    for name in ("allowed_signers", "revoked_keys"):
        if name in archive.names:
            files[name] = folder / name
            files[name].write_bytes(archive.read(name))
    return Signers(allowed=files["allowed_signers"], revoked=files.get("revoked_keys")) if files else None


class _InArchive:
    """The results.json of runs in an archive."""

    def __init__(self, archive: Zipped) -> None:
        self._archive = archive

    def named(self, run: str) -> str:
        """The member."""
        return f"results/{run}/{RESULTS}"

    def read(self, run: str) -> bytes | None:
        """The file of a run, None if it is not there."""
        name = self.named(run)
        return self._archive.read(name) if name in self._archive.names else None


def _chain(archive: Zipped, record: WatchRecord, files: _InArchive) -> Iterator[str]:
    try:
        content = read_manifest(archive.read(MANIFEST).decode("utf-8", "replace"))
    except (NotABundle, NotAManifest) as error:
        raise Altered(f"{MANIFEST}: {error}") from None
    yield from mismatches(content, record)
    yield from file_mismatches(content, files)


def _signatures(told: WatchRecord, record: WatchRecord) -> Iterator[str]:
    for before, now in zip(told.signatures, record.signatures, strict=True):
        if now.problem and not before.problem:
            yield f"the signature of {now.name} ({now.role}) does not count: {now.problem}"


def _verdict(archive: Zipped, verdict: Verdict) -> Iterator[str]:
    stored, now = _read(archive, "verdict.json", dict[str, Any]), verdict_content(verdict)
    if canonical(stored) == canonical(now):
        return
    other = _read(archive, "watch.json", _Watch).made_with
    version = "" if other == __version__ else f" (the archive was made by golive {other}, this is {__version__})"
    if stored.get("decision") != now["decision"]:
        why = f": {verdict.reasons[0].text}" if verdict.reasons else ""
        yield f"the verdict says {stored.get('decision')}, and the records come to {now['decision']}{version}{why}"
        return
    keys = [key for key in sorted(stored.keys() | now.keys()) if canonical(stored.get(key)) != canonical(now.get(key))]
    yield f"the verdict is not the one that the records come to: {', '.join(keys)} not the same{version}"


def _manifest(archive: Zipped, record: WatchRecord, verdict: Verdict, files: _InArchive) -> Iterator[str]:
    if archive.read(MANIFEST).decode("utf-8", "replace") != evidence_manifest(record, verdict, files):
        yield f"{MANIFEST} is not the one that the records come to"


def _statement(archive: Zipped, record: WatchRecord, verdict: Verdict) -> Iterator[str]:
    manifest_digest = digest(archive.read(MANIFEST).decode("utf-8", "replace"))
    stored = _read(archive, STATEMENT, dict[str, Any])
    if canonical(stored) != canonical(statement(record, verdict, manifest_digest=manifest_digest)):
        yield f"{STATEMENT} does not state what the records come to"
