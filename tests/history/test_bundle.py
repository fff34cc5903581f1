"""The archive of a watch: made, opened again, and every way of tampering with it."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from golive.history.bundle import Parts, write_bundle
from golive.history.criteria_sets import as_data, digest_of
from golive.history.manifest import Signer, manifest
from golive.history.records import ResultsFolder
from golive.history.reopened import Altered, Reopened, reopened
from golive.history.signing import signed, verified
from golive.history.zipped import NotABundle
from golive.judge.verdict import decide
from golive.model import Decision, Note, Status, Verdict, WatchRecord
from reports.results import as_text, results
from tests import watchdays
from tests.signers import Ring, ssh_keygen
from tests.watchdays import CPU, ROLES, day, with_outcome

AT = datetime(2026, 5, 2, 9, 10, tzinfo=UTC)
NOW = AT + timedelta(hours=1)
CRITERIA = digest_of(watchdays.CRITERIA)


def judged(record: WatchRecord, at: datetime) -> Verdict:
    return decide(record, now=at)


def a_day() -> WatchRecord:
    """A clean day that nobody has signed, judged by criteria that have their own digest."""
    record = day(signed_by=())
    runs = tuple(replace(run, criteria_digest=CRITERIA) for run in record.runs)
    watch = replace(watchdays.the_watch(record), criteria_digest=CRITERIA)
    note = Note(at=AT, by="Ann", text="nothing to do")
    return replace(record, runs=runs, watch=watch, criteria_digest=CRITERIA, notes=(note,))


class Archive:
    """A watch in a folder as it is on a machine that verifies, and the archive made of it."""

    def __init__(self, folder: Path, record: WatchRecord, roles: tuple[str, ...] = ROLES) -> None:
        self.ring = Ring(folder / "keys")
        self.ring.allow(*ROLES)
        self.output = folder / "output"
        self.file = folder / "watch.zip"
        self.left_out: list[str] = []
        for run in record.runs:
            (self.output / run.run).mkdir(parents=True)
            (self.output / run.run / "results.json").write_text(as_text(results(run)))
            (self.output / run.run / "report.html").write_text("<p>report</p>")
            (self.output / run.run / ".account-x.lock").touch()
            (self.output / run.run / "outcomes.jsonl").touch()
        self.folder = folder
        for role in roles:
            record = self.signed_by(record, role)
        self.record = record
        self.make()

    def signed_by(self, record: WatchRecord, role: str) -> WatchRecord:
        signer = Signer(role=role, name=watchdays.PEOPLE[role], at=AT)
        made = manifest(record, judged(record, AT), signer, results=ResultsFolder(self.output))
        return replace(
            record, signatures=(*record.signatures, signed(made, signer, self.ring.key(role), self.ring.signers))
        )

    def make(self, **more: Any) -> None:
        record = verified(self.record, self.ring.signers, now=NOW, results=ResultsFolder(self.output))
        self.left_out = write_bundle(
            self.file,
            Parts(
                record=record,
                verdict=judged(record, NOW),
                criteria={CRITERIA: as_data(watchdays.CRITERIA)},
                signers=self.ring.signers,
                folder=self.output,
                **more,
            ),
        )

    @property
    def members(self) -> dict[str, bytes]:
        with zipfile.ZipFile(self.file) as archive:
            return {name: archive.read(name) for name in archive.namelist()}

    def json(self, name: str) -> Any:
        return json.loads(self.members[name])

    def replaced(self, changes: Mapping[str, bytes | None], *, sums: bool = True) -> Path:
        """The archive with members changed, added or (None) taken out, its SHA256SUMS made to agree or not."""
        members = {name: data for name, data in {**self.members, **changes}.items() if data is not None}
        if sums and "SHA256SUMS" not in changes:
            named = {name: sha256(data).hexdigest() for name, data in members.items() if name != "SHA256SUMS"}
            members["SHA256SUMS"] = "".join(f"{d}  {n}\n" for n, d in sorted(named.items())).encode()
        file = self.folder / "changed.zip"
        with zipfile.ZipFile(file, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        return file

    def edited(self, name: str, change: Callable[[Any], object]) -> Path:
        """The archive with one of its JSON members edited by somebody who knows about SHA256SUMS."""
        data = self.json(name)
        change(data)
        return self.replaced({name: json.dumps(data).encode()})

    def run(self, label: str) -> str:
        return next(run.run for run in self.record.runs if run.checkpoint == label)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """A clean day, signed by all four; not to be changed."""
    return Archive(tmp_path_factory.mktemp("archive"), a_day())


def opened(file: Path, **more: Any) -> Reopened:
    return reopened(file, judged, **more)


def altered(file: Path, **more: Any) -> str:
    """The first thing that does not match."""
    try:
        found = opened(file, **more)
    except Altered as error:
        return str(error)
    assert found.mismatches
    return found.mismatches[0]


# Whole


def test_an_archive_can_be_read_again_and_comes_to_the_same_verdict(archive: Archive) -> None:
    found = opened(archive.file)
    assert found.mismatches == ()
    assert found.verdict.decision is Decision.GO
    assert found.verdict == judged(verified(archive.record, archive.ring.signers, now=NOW), NOW)
    assert [s.name for s in found.record.signatures] == list(watchdays.PEOPLE.values())
    assert [run.run for run in found.record.runs] == sorted(run.run for run in archive.record.runs)
    assert {r.run: r for r in found.record.runs} == {r.run: r for r in archive.record.runs}
    assert found.record.notes == archive.record.notes


def test_it_holds_logs_documents_and_reports(tmp_path: Path) -> None:
    archive = Archive(tmp_path, a_day(), roles=())
    guide, report = tmp_path / "GUIDE.md", tmp_path / "golive.html"
    guide.write_text("# Guide")
    report.write_text("<p>the watch</p>")
    documents = {"guide": str(guide), "wiki": "https://wiki/guide", "gone": str(tmp_path / "none.md")}
    archive.make(report=report, documents=documents)
    members = archive.members
    run = archive.run("6h")
    assert members["documents/guide/GUIDE.md"] == b"# Guide"
    assert members["report.html"] == b"<p>the watch</p>"
    assert members[f"results/{run}/report.html"] == b"<p>report</p>"
    assert not {f"results/{run}/.account-x.lock", f"results/{run}/outcomes.jsonl"} & set(members)
    assert archive.left_out == [
        "document wiki: it is kept at https://wiki/guide",
        f"documents/gone/none.md: there is no file {tmp_path}/none.md",
    ]
    readme = members["README.txt"].decode()
    assert all(f"- {said}\n" in readme for said in archive.left_out)
    assert opened(archive.file).mismatches == ()


def test_without_the_runs_folders_it_is_whole_and_says_what_is_missing(tmp_path: Path) -> None:
    archive = Archive(tmp_path, a_day())
    for file in archive.output.rglob("*"):
        if file.is_file():
            file.unlink()
    for folder in archive.output.iterdir():
        folder.rmdir()
    archive.make()
    assert archive.left_out[0] == f"the folder of run {archive.record.runs[0].run} is not here"
    assert opened(archive.file).mismatches == ()


def test_the_same_evidence_gives_the_same_bytes(archive: Archive, tmp_path: Path) -> None:
    before = archive.file.read_bytes()
    archive.make()
    assert archive.file.read_bytes() == before


def test_a_watch_that_is_not_signed_can_be_archived(tmp_path: Path) -> None:
    found = opened(Archive(tmp_path, a_day(), roles=()).file)
    assert (found.mismatches, found.verdict.decision) == ((), Decision.PENDING)


def test_the_readme_says_how_to_check_it_by_hand(archive: Archive, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive.file) as file:
        file.extractall(tmp_path)
    folder = tmp_path / "signatures" / "01-qa-lead"
    said = ssh_keygen(
        "-Y", "verify", "-f", str(tmp_path / "allowed_signers"), "-I", "qa-lead", "-n", "golive",
        "-s", str(folder / "manifest.json.sig"), message=(folder / "manifest.json").read_bytes(),
    )  # fmt: skip
    assert 'Good "golive" signature for qa-lead' in said
    for line in (tmp_path / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert sha256((tmp_path / name).read_bytes()).hexdigest() == digest
    statement = json.loads((tmp_path / "statement.intoto.json").read_text())
    assert statement["predicate"]["result"] == "PASSED"


def test_numbers_that_json_does_not_know_survive(tmp_path: Path) -> None:
    from golive.model import Measurement

    odd = (Measurement(name="odd", value=float("inf"), unit="s"),)
    record = with_outcome(a_day(), "6h", CPU, Status.PASS, "fine", measurements=odd)
    assert opened(Archive(tmp_path, record).file).mismatches == ()


# Tampered with


def test_a_member_that_was_edited_without_its_sum(archive: Archive) -> None:
    name = f"runs/{archive.run('6h')}.json"
    text = archive.members[name].replace(b'"pass"', b'"warn"', 1)
    said = altered(archive.replaced({name: text}, sums=False))
    assert said == f"{name} was changed: its digest is not the one in SHA256SUMS"


def test_members_that_were_added_or_taken_out(archive: Archive) -> None:
    name = f"runs/{archive.run('6h')}.json"
    assert altered(archive.replaced({name: None}, sums=False)) == f"{name} is missing"
    assert altered(archive.replaced({"more.txt": b"more"}, sums=False)) == "more.txt was added"


def test_an_outcome_that_was_edited(tmp_path: Path) -> None:
    archive = Archive(tmp_path, with_outcome(a_day(), "6h", CPU, Status.FAIL, "91 %"))
    run = archive.run("6h")

    def heal(data: Any) -> None:
        (outcome,) = (o for o in data["outcomes"] if o["criterion"] == CPU)
        outcome["outcome"] = "pass"

    said = altered(archive.edited(f"runs/{run}.json", heal))
    assert said == (
        f"run {run} (checkpoint 6h) was changed in the records after the signing: the outcome of {CPU} differs"
    )


def test_a_run_that_was_taken_out(archive: Archive) -> None:
    run = archive.run("6h")
    said = altered(archive.replaced({f"runs/{run}.json": None}))
    assert said == f"run {run} (checkpoint 6h) is gone from the records"


def test_a_run_that_was_exchanged_for_another(archive: Archive) -> None:
    name, other = f"runs/{archive.run('6h')}.json", f"runs/{archive.run('8h')}.json"
    said = altered(archive.replaced({name: archive.members[other]}))
    assert said == f"{name} is the record of run {archive.run('8h')}"


def test_a_results_file_that_was_edited(archive: Archive) -> None:
    name = f"results/{archive.run('6h')}/results.json"
    text = archive.members[name].replace(b"all as it should be", b"fine", 1)
    said = altered(archive.replaced({name: text}))
    assert said.startswith(f"{name} (checkpoint 6h) was changed after the signing: the outcome of ")


def test_a_manifest_that_was_made_anew_does_not_help(tmp_path: Path) -> None:
    """Whoever edits a run and makes everything that is not signed agree is found by the signatures."""
    archive = Archive(tmp_path, with_outcome(a_day(), "6h", CPU, Status.FAIL, "91 %"))
    healed = replace(archive.record, runs=a_day().runs)
    for run in healed.runs:
        (archive.output / run.run / "results.json").write_text(as_text(results(run)))
    write_bundle(
        archive.file,
        Parts(
            record=healed,
            verdict=judged(healed, NOW),
            criteria={CRITERIA: as_data(watchdays.CRITERIA)},
            signers=archive.ring.signers,
            folder=archive.output,
        ),
    )
    said = altered(archive.file)
    assert said == (
        f"run {archive.run('6h')} (checkpoint 6h) was changed in the records after the signing: "
        f"the outcome of {CPU} differs"
    )


def test_a_signature_that_was_exchanged(archive: Archive) -> None:
    theirs = archive.members["signatures/02-security-lead/manifest.json.sig"]
    said = altered(archive.replaced({"signatures/01-qa-lead/manifest.json.sig": theirs}))
    assert said.startswith("the signature of Ratna Wijaya (QA Lead) does not count: is no signature of this text")


def test_a_signature_that_was_taken_out(archive: Archive) -> None:
    gone = dict.fromkeys(n for n in archive.members if n.startswith("signatures/01-"))
    said = altered(archive.replaced(gone))
    assert said.startswith("the verdict says GO, and the records come to PENDING: not signed by the QA Lead")


def test_a_signed_manifest_that_was_edited(archive: Archive) -> None:
    name = "signatures/01-qa-lead/manifest.json"
    text = archive.members[name].replace(b"Ratna", b"Ratnb")
    assert "does not count: the text that was signed was changed" in altered(archive.replaced({name: text}))


def test_criteria_that_were_edited(archive: Archive) -> None:
    name = f"criteria/{CRITERIA}.json"

    def drop(data: Any) -> None:
        data.pop()

    assert altered(archive.edited(name, drop)) == f"{name} was changed: the criteria in it have another digest"
    assert altered(archive.replaced({name: None})) == f"{name} is missing"


QUORUM_CHANGED = (
    "the signature of Ratna Wijaya (QA Lead) does not count: the environment asks for something else since (sign_off)"
)
TOLERANCE_CHANGED = "the watch was changed after the signing: tolerance_s was 900, is 9000"


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("verdict.json", lambda d: d.update(decision="NO-GO"), "the verdict says NO-GO, and the records come to GO"),
        ("verdict.json", lambda d: d.update(trial=True), "the verdict is not the one that the records come to: trial"),
        ("verdict.json", lambda d: d.update(at="2026-05-20T00:00:00Z"), "the verdict says GO, and the records come to"),
        ("verdict.json", lambda d: d.pop("at"), "verdict.json is not what golive writes: at: Field required"),
        ("manifest.json", lambda d: d["rules"]["sign_off"].update(quorum=1), "manifest.json is not the one that the"),
        ("statement.intoto.json", lambda d: d["predicate"].update(result="WARNED"), "statement.intoto.json does not"),
        ("watch.json", lambda d: d["sign_off"].update(quorum=1), QUORUM_CHANGED),
        ("watch.json", lambda d: d["watch"].update(tolerance_s=9000), TOLERANCE_CHANGED),
        ("watch.json", lambda d: d["probes"].pop(), "the availability of web was changed"),
        ("watch.json", lambda d: d["notes"].clear(), "the note by Ann of 2026-05-02T09:10:00Z was changed or taken"),
        ("watch.json", lambda d: d.pop("watch"), "watch.json is not what golive writes: watch: Field required"),
        ("watch.json", lambda d: d["watch"].update(schedule=[]), "its records cannot be judged"),
        ("watch.json", lambda d: d["watch"].update(time_scale=0), "its records cannot be judged: ZeroDivisionError"),
        ("watch.json", lambda d: d["watch"].update(starts_at="2026-05-01T09:00:00"), "its records cannot be judged"),
        ("watch.json", lambda d: d.update(golive="bundle/2"), "watch.json is not what golive writes: golive"),
    ],
    ids=[
        "decision", "trial", "moment", "no moment", "manifest", "statement", "quorum", "tolerance", "availability",
        "notes", "no watch", "no schedule", "no time", "no zone", "kind",
    ],
)  # fmt: skip
def test_what_was_edited_is_named(name: str, change: Callable[[Any], object], words: str, archive: Archive) -> None:
    assert altered(archive.edited(name, change)).startswith(words)


@pytest.mark.parametrize("name", ["watch.json", "verdict.json", "manifest.json", "statement.intoto.json"])
@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"[" * 50_000, b'{"at": 1e999}'], ids=range(5))
def test_rubbish_is_named_by_its_member(name: str, content: bytes, archive: Archive) -> None:
    said = altered(archive.replaced({name: content}))
    assert name in said
    assert "\n" not in said


@pytest.mark.parametrize("content", [b"", b"[]", b'{"schema": 2}', b'{"schema": 1}', b"[" * 50_000], ids=range(5))
def test_rubbish_instead_of_a_run_is_named(content: bytes, archive: Archive) -> None:
    name = f"runs/{archive.run('6h')}.json"
    assert altered(archive.replaced({name: content})).startswith(f"{name} is not the record of a run: ")


# Whose keys


def test_keys_of_ones_own_decide(archive: Archive, tmp_path: Path) -> None:
    mine = Ring(tmp_path / "mine")
    said = altered(archive.file, allowed_signers=mine.signers.allowed)
    assert said.startswith("the signature of Ratna Wijaya (QA Lead) does not count: its key (ED25519 ")
    assert said.endswith(f"does not stand in {mine.signers.allowed} for the QA Lead")
    assert opened(archive.file, allowed_signers=archive.ring.signers.allowed).mismatches == ()
    said = altered(archive.file, allowed_signers=tmp_path / "none")
    assert f"there is no file {tmp_path}/none" in said


def test_keys_that_somebody_else_put_in_are_found_by_ones_own(archive: Archive, tmp_path: Path) -> None:
    forger = Archive(tmp_path, a_day())
    assert opened(forger.file).mismatches == ()
    said = altered(forger.file, allowed_signers=archive.ring.signers.allowed)
    assert "does not count: its key" in said


# No archive


def with_members(folder: Path, *members: tuple[zipfile.ZipInfo | str, bytes]) -> Path:
    file = folder / "made.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file


def refused(file: Path) -> str:
    with pytest.raises(NotABundle) as caught:
        opened(file)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_other_files_are_no_bundle(tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert refused(other) == f"{other} cannot be read: No such file or directory"
    other.write_bytes(b"other")
    assert refused(other).startswith(f"{other} is no zip archive: ")
    assert refused(tmp_path) == f"{tmp_path} cannot be read: Is a directory"
    assert "is no bundle of golive" in refused(with_members(tmp_path, ("a.txt", b"a")))


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up", "a//b", "a/", "./a", "a\\b", "c:/x", "a\nb"])
def test_names_that_lead_elsewhere_are_refused(name: str, tmp_path: Path) -> None:
    said = refused(with_members(tmp_path, ("SHA256SUMS", b""), (name, b"")))
    assert "has a name that " in said


def test_links_are_refused(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("runs/link.json")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "is no plain file" in refused(with_members(tmp_path, (link, b"/etc/passwd")))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_doubled_members_are_refused(tmp_path: Path) -> None:
    assert "has two members 'a'" in refused(with_members(tmp_path, ("a", b"1"), ("a", b"2")))


def test_bombs_are_refused_before_they_go_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "bomb.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(4):
            archive.writestr(f"zeros-{number}", bytes(2**20))
    monkeypatch.setattr("golive.history.zipped.MOST_BYTES", 2**21)
    assert "would unpack to more than" in refused(file)
    monkeypatch.setattr("golive.history.zipped.MOST_BYTES", 2**30)
    monkeypatch.setattr("golive.history.zipped.MOST_MEMBERS", 3)
    assert "has 4 members" in refused(file)


def test_a_member_that_is_larger_than_it_says_is_refused(archive: Archive, tmp_path: Path) -> None:
    file = tmp_path / "lying.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("SHA256SUMS", b"0" * 5000)
        made.writestr("watch.json", b"{}")
    raw = bytearray(file.read_bytes())
    central = raw.index(b"PK\x01\x02")
    raw[central + 24 : central + 28] = (10).to_bytes(4, "little")
    file.write_bytes(raw)
    assert "SHA256SUMS is damaged" in refused(file)


def test_a_member_that_is_too_large_to_be_held_is_refused(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("golive.history.zipped.MOST_IN_MEMORY", 100)
    assert "SHA256SUMS is too large" in refused(archive.file)


def test_encrypted_or_oddly_compressed_members_are_refused(tmp_path: Path) -> None:
    file = with_members(tmp_path, ("a", b"1"))
    raw = bytearray(file.read_bytes())
    central = raw.index(b"PK\x01\x02")
    raw[central + 8] |= 1
    file.write_bytes(raw)
    assert "is encrypted" in refused(file)
    raw[central + 8] &= 0xFE
    raw[central + 10] = 99
    file.write_bytes(raw)
    assert "is compressed in a way that no bundle is" in refused(file)


@pytest.mark.parametrize("sums", [b"rubbish\n", b"ab  runs/a\n", b"\xff\n"], ids=range(3))
def test_rubbish_in_the_sums_is_named(sums: bytes, archive: Archive) -> None:
    assert refused(archive.replaced({"SHA256SUMS": sums})).startswith("SHA256SUMS is damaged at ")


def test_a_damaged_archive_is_told(archive: Archive, tmp_path: Path) -> None:
    raw = bytearray(archive.file.read_bytes())
    at = raw.index(b"runs/") + 60
    raw[at : at + 20] = bytes(20)
    file = tmp_path / "damaged.zip"
    file.write_bytes(raw)
    with pytest.raises((NotABundle, Altered)) as caught:
        opened(file)
    assert "damaged" in str(caught.value) or "was changed" in str(caught.value)


def test_what_cannot_be_written_leaves_nothing(archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_bundle(
            tmp_path / "folder", Parts(record=archive.record, verdict=judged(archive.record, NOW), criteria={})
        )
    assert [f.name for f in tmp_path.iterdir()] == ["folder"]
