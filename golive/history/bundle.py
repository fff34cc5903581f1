"""The archive of a watch: one file from which anybody can check, without anything else, what was found and signed.

A zip file with these members; all but the first are listed in it:

- `SHA256SUMS`; `README.txt`, which tells how to check the archive by hand
- `watch.json`: the watch, what the environment asked for, waivers, attestations, notes, availability
- `criteria/DIGEST.json`: each set of criteria that a run was judged by, under its digest
- `runs/RUN.json`: each run with every outcome, measurement and piece of evidence, as in `results.json`
- `results/RUN/…`: what the run left in its own folder: results.json, report.html, junit.xml
- `manifest.json`: the manifest as it was when the archive was made; `signatures/N-ROLE/` has the one that was signed
  (`manifest.json`), the signature (`manifest.json.sig`) and what is said of it (`signature.json`)
- `allowed_signers`, `revoked_keys`, `verdict.json`, `statement.intoto.json` (`golive.history.intoto`)
- `report.html`, `documents/NAME/FILE`: the report over the watch, and the environment's documents
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from golive import __version__
from golive.environment.load import Environment
from golive.history.canonical import canonical, digest
from golive.history.intoto import statement
from golive.history.manifest import Signer, manifest
from golive.history.plain import plain, run_data
from golive.history.records import JOURNAL, ResultFiles, ResultsFolder
from golive.history.sshsig import NAMESPACE, Signers
from golive.history.zipped import write_zip
from golive.model import RunRecord, Signature, Verdict, WatchRecord

KIND = "bundle/1"
MANIFEST = "manifest.json"
STATEMENT = "statement.intoto.json"
_LARGEST = 64 * 2**20
_APART = ("watch", "runs", "criteria", "signatures", "tampered")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What an archive is made of, beside what the history holds.

    `criteria` are the sets of criteria by digest, that of the record among them; `folder` holds the runs' own
    folders, `report` is the report over the watch, `documents` are the environment's documents by name.
    """

    record: WatchRecord
    verdict: Verdict
    criteria: Mapping[str, Sequence[Mapping[str, Any]]]
    signers: Signers | None = None
    folder: Path | None = None
    report: Path | None = None
    documents: Mapping[str, str] = field(default_factory=dict)

    @property
    def results(self) -> ResultFiles | None:
        """The runs' own files, where they are at hand."""
        return None if self.folder is None else ResultsFolder(self.folder)


def write_bundle(file: Path, parts: Parts) -> list[str]:
    """Write the archive, and give what could not be put in, a sentence each.

    The same evidence at the same moment gives the same bytes. ValueError when there is no watch, OSError when
    something cannot be read or written.
    """
    files, left_out = _files(parts)
    write_zip(file, {**_told(parts, left_out), **files})
    return left_out


def evidence_manifest(record: WatchRecord, verdict: Verdict, results: ResultFiles | None) -> str:
    """The manifest that nobody has signed: what the chain over the runs is when the archive is made."""
    return manifest(record, verdict, Signer(role="", name="", at=verdict.at), results=results).text


def intoto_of(parts: Parts) -> dict[str, Any]:
    """The statement about the watch (`golive.history.intoto`), as it is in the archive."""
    unsigned = evidence_manifest(parts.record, parts.verdict, parts.results)
    return statement(parts.record, parts.verdict, manifest_digest=digest(unsigned))


def documents_of(environment: Environment) -> dict[str, str]:
    """Where the environment's documents are: a URL, or a path."""
    return {
        name: place if "://" in place else str(environment.file.parent / place)
        for name, place in environment.section.documents.items()
    }


def _told(parts: Parts, left_out: Sequence[str]) -> dict[str, bytes]:
    """What the archive says itself, by the name of the member."""
    record, verdict = parts.record, parts.verdict
    unsigned = evidence_manifest(record, verdict, parts.results)
    told = {
        "README.txt": _readme(record, verdict, left_out),
        "watch.json": _json(watch_content(record)),
        MANIFEST: unsigned,
        "verdict.json": _json(verdict_content(verdict)),
        STATEMENT: _json(intoto_of(parts)),
        **{f"criteria/{name}.json": _json(list(data)) for name, data in parts.criteria.items()},
        **{f"runs/{run.run}.json": _json(run_content(run)) for run in record.runs},
    }
    for number, signature in enumerate(record.signatures, 1):
        folder = _folder(number, signature)
        told[f"{folder}/{MANIFEST}"] = signature.manifest
        told[f"{folder}/{MANIFEST}.sig"] = signature.signature
        told[f"{folder}/signature.json"] = _json(signature_content(signature))
    return {name: text.encode("utf-8", "backslashreplace") for name, text in told.items()}


def _folder(number: int, signature: Signature) -> str:
    return f"signatures/{number:02}-{re.sub(r'[^a-z0-9]+', '-', signature.role.casefold()).strip('-') or 'role'}"


def watch_content(record: WatchRecord) -> dict[str, Any]:
    """A record without what lies in members of its own."""
    data = {key: value for key, value in plain(replace(record, criteria=(), runs=())).items() if key not in _APART}
    return {"golive": KIND, "made_with": __version__, "watch": plain(record.watch), **data}


def run_content(run: RunRecord) -> dict[str, Any]:
    """A run as in `results.json`, its moments to the microsecond."""
    exact = {"started_at": plain(run.started_at), "finished_at": plain(run.finished_at)}
    return {**run_data(run), **exact, "deployment": plain(run.deployment)}


def signature_content(signature: Signature) -> dict[str, Any]:
    """A signature without the two texts that lie beside it."""
    return {key: value for key, value in plain(signature).items() if key not in ("manifest", "signature")}


def verdict_content(verdict: Verdict) -> dict[str, Any]:
    """The verdict, with an override by its digest."""
    return {**plain(replace(verdict, override=None)), "override": verdict.override and verdict.override.digest}


def _files(parts: Parts) -> tuple[dict[str, bytes | Path], list[str]]:
    """Files that are put in as they are, and what is left out with the reason."""
    wanted: dict[str, Path] = {}
    left_out: list[str] = []
    for run in parts.record.runs:
        folder = parts.folder / run.run if parts.folder else None
        if folder is not None and folder.is_dir():
            wanted |= {f"results/{run.run}/{file.name}": file for file in sorted(folder.iterdir()) if _is_kept(file)}
        else:
            left_out.append(f"the folder of run {run.run} is not here")
    for name, place in sorted(parts.documents.items()):
        if "://" in place:
            left_out.append(f"document {name}: it is kept at {place}")
        else:
            wanted[f"documents/{name}/{Path(place).name}"] = Path(place)
    if parts.report is not None and parts.report.is_file():
        wanted["report.html"] = parts.report
    if parts.signers is not None:
        wanted["allowed_signers"] = parts.signers.allowed
        wanted |= {"revoked_keys": parts.signers.revoked} if parts.signers.revoked else {}
    refused = {name: why for name, file in wanted.items() if (why := _why_not(file))}
    left_out += [f"{name}: {why}" for name, why in refused.items()]
    return {name: file for name, file in wanted.items() if name not in refused}, left_out


def _is_kept(file: Path) -> bool:
    """The journal is left out: what it holds is in results.json, and that was redacted last."""
    return file.is_file() and not file.is_symlink() and not file.name.startswith(".") and file.name != JOURNAL


def _why_not(file: Path) -> str:
    if not file.is_file():
        return f"there is no file {file}"
    return f"larger than {_LARGEST // 2**20} MiB" if file.stat().st_size > _LARGEST else ""


def _json(data: Any) -> str:
    """Numbers that JSON does not know become null; the others stay as they are, as digests rest on them."""
    try:
        return json.dumps(data, indent=1, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"
    except ValueError:
        return _json(json.loads(canonical(data)))


def _readme(record: WatchRecord, verdict: Verdict, left_out: Sequence[str]) -> str:
    watch = record.watch
    first = _folder(1, record.signatures[0]) if record.signatures else "signatures/01-ROLE"
    role = first.partition("-")[2]
    missing = "".join(f"- {said}\n" for said in left_out) or "Nothing.\n"
    return f"""The evidence of a go-live watch, as golive archived it.

System       {record.system}, environment {record.environment}
Watch        {watch.id if watch else "none"}, version {(watch and watch.deployment.version) or "without a name"}
Verdict      {verdict.decision.value} at {plain(verdict.at)}

Check all of it                golive verify BUNDLE --allowed-signers YOUR_FILE
Check that nothing was changed sha256sum -c SHA256SUMS
Check one signature by hand    ssh-keygen -Y verify -f allowed_signers -I {role} -n {NAMESPACE} \\
                                   -s {first}/{MANIFEST}.sig < {first}/{MANIFEST}

A key that is allowed_signers in here was put in by whoever made the archive. To know whose it is, compare it with a
list of your own.

What was left out
{missing}"""
