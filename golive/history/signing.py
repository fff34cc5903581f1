"""Which signatures under a watch count: made by a key that may sign for the role, over evidence that still stands.

Nothing is remembered between two looks: every answer comes from the store, the files and `allowed_signers` as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from golive.environment.load import Environment
from golive.environment.params import REFERENCE
from golive.history.canonical import digest
from golive.history.evidence import NotAManifest, Signed, file_mismatches, mismatches, outdated, read_manifest
from golive.history.manifest import Manifest, Signer
from golive.history.records import ResultFiles, ResultsFolder
from golive.history.sshsig import Signers, SigningTrouble, check, sign
from golive.model import Signature, WatchRecord

if TYPE_CHECKING:
    from golive.history.store import History

NO_SIGNERS = (
    "the environment does not say whose signatures count: name an OpenSSH allowed_signers file as 'allowed_signers' "
    "under 'sign_off'"
)
_SKEW = timedelta(minutes=2)
_TOLD = ("role", "name", "at", "override", "reason", "expires")


def signers_of(environment: Environment) -> Signers | None:
    """The keys that count in an environment; None if it names no `allowed_signers`."""
    section = environment.section.sign_off
    if section is None or section.allowed_signers is None:
        return None
    revoked = None if section.revoked_keys is None else _beside(environment, section.revoked_keys)
    return Signers(allowed=_beside(environment, section.allowed_signers), revoked=revoked)


def results_folder(history: History) -> ResultsFolder | None:
    """The runs' own folders; None where the history is not kept beside them."""
    return ResultsFolder(Path(history.where).parent) if history.is_sqlite else None


def signed(manifest: Manifest, signer: Signer, key: Path, signers: Signers) -> Signature:
    """Sign the manifest. SigningTrouble if the key cannot, or if its signature would not count."""
    armoured = sign(manifest.text, key)
    checked = check(manifest.text, armoured, role=signer.role, at=signer.at, signers=signers)
    if checked.problem:
        raise SigningTrouble(f"not signed: the signature would not count, {checked.problem}")
    told = {name: getattr(signer, name) for name in _TOLD}
    return Signature(
        **told,
        digest=manifest.digest,
        covers=manifest.covers,
        key=checked.key,
        manifest=manifest.text,
        signature=armoured,
    )


def verified(
    record: WatchRecord, signers: Signers | None, *, now: datetime, results: ResultFiles | None = None
) -> WatchRecord:
    """The record with `problem` set in each signature that does not count, and `tampered`.

    `results` are the runs' own files, where they are at hand. `tampered` comes from every
    signature that is genuine, replaced ones included: signing again does not make changed evidence right.
    """
    findings = [_finding(signature, record, signers, now, results) for signature in record.signatures]
    signatures = tuple(
        replace(signature, problem=finding.problem, key=finding.key)
        for signature, finding in zip(record.signatures, findings, strict=True)
    )
    tampered = (said for finding in findings for said in finding.tampered)
    return replace(record, signatures=signatures, tampered=tuple(dict.fromkeys([*record.tampered, *tampered])))


@dataclass(frozen=True, kw_only=True)
class _Finding:
    problem: str
    key: str = ""
    tampered: tuple[str, ...] = ()


def _finding(
    signature: Signature, record: WatchRecord, signers: Signers | None, now: datetime, results: ResultFiles | None
) -> _Finding:
    text = signature.manifest
    if digest(text) != signature.digest:
        return _Finding(
            problem=f"the text that was signed was changed: its digest is not {signature.digest[:12]}… any more"
        )
    try:
        content = read_manifest(text)
    except NotAManifest as error:
        return _Finding(problem=str(error))
    if said := _untrue(signature, content, record) or _premature(signature, now):
        return _Finding(problem=said)
    if signers is None:
        return _Finding(problem=NO_SIGNERS)
    try:
        checked = check(text, signature.signature, role=signature.role, at=signature.at, signers=signers)
    except SigningTrouble as error:
        return _Finding(problem=f"cannot be verified: {error}")
    if checked.problem:
        return _Finding(problem=checked.problem, key=checked.key)
    tampered = mismatches(content, record) + ([] if results is None else file_mismatches(content, results))
    problem = next(iter([*tampered, *outdated(content, record)]), "")
    return _Finding(problem=problem, key=checked.key, tampered=tuple(tampered))


def _untrue(signature: Signature, content: Signed, record: WatchRecord) -> str:
    """What the history says of the signature and the signed text does not."""
    told = content.signer
    for name in _TOLD:
        if getattr(told, name) != getattr(signature, name):
            return f"its {name} was changed: {getattr(told, name)!s} was signed, not {getattr(signature, name)!s}"
    if signature.covers != tuple(run.run for run in content.runs):
        return "the runs that it is said to cover are not those that were signed"
    watch = record.watch.id if record.watch else "none"
    if content.environment != record.environment or content.watch.get("id") != watch:
        return f"is for the watch {content.watch.get('id')} of {content.environment}"
    return ""


def _premature(signature: Signature, now: datetime) -> str:
    return f"is dated in the future ({signature.at:%Y-%m-%d %H:%M} UTC)" if signature.at > now + _SKEW else ""


def _beside(environment: Environment, path: str) -> Path:
    """The path as the environment's file means it; a reference that has no value here is left as it is written."""
    return Path(path) if REFERENCE.search(path) else environment.file.parent / Path(path).expanduser()
