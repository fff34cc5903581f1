"""Signatures by real SSH keys: which count, which do not and why."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import PIPE

import pytest

from golive.history.canonical import digest
from golive.history.manifest import Signer, manifest
from golive.history.records import ResultsFolder
from golive.history.signing import NO_SIGNERS, signed, verified
from golive.history.sshsig import Signers, SigningTrouble, check, principals, sign
from golive.model import Decision, Signature, Status, Verdict, WatchRecord
from reports.results import as_text, results
from tests.signers import Ring, ssh_keygen
from tests.watchdays import CPU, day, with_outcome, without_run

AT = datetime(2026, 5, 2, 9, 10, tzinfo=UTC)
NOW = AT + timedelta(hours=1)
PENDING = Verdict(decision=Decision.PENDING, reasons=(), at=AT)
ROLE = "QA Lead"


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    made = Ring(tmp_path / "keys")
    made.allow(ROLE)
    return made


def by(role: str = ROLE, *, at: datetime = AT, name: str = "Ratna Wijaya", **more: object) -> Signer:
    return Signer(role=role, name=name, at=at, **more)  # type: ignore[arg-type]


def signature(
    record: WatchRecord, ring: Ring, signer: Signer | None = None, results: ResultsFolder | None = None
) -> Signature:
    signer = signer or by()
    made = manifest(record, PENDING, signer, results=results)
    return signed(made, signer, ring.key(signer.role), ring.signers)


def seen(record: WatchRecord, *signatures: Signature, ring: Ring, results: ResultsFolder | None = None) -> WatchRecord:
    return verified(replace(record, signatures=signatures), ring.signers, now=NOW, results=results)


def problem(record: WatchRecord, given: Signature, ring: Ring) -> str:
    return seen(record, given, ring=ring).signatures[0].problem


@pytest.fixture
def record() -> WatchRecord:
    return day(signed_by=())


# What counts


def test_a_signature_by_an_allowed_key_counts(record: WatchRecord, ring: Ring) -> None:
    made = signature(record, ring)
    assert made.covers == tuple(run.run for run in record.runs)
    assert made.key.startswith("ED25519 key SHA256:")
    found = seen(record, made, ring=ring)
    assert found.signatures == (made,)
    assert found.tampered == ()


def test_the_role_may_stand_in_quotes_or_among_others(record: WatchRecord, ring: Ring) -> None:
    made = signature(record, ring)
    for line in (f'"QA Lead" {ring.public(ROLE)}', f"tech-lead,qa-lead {ring.public(ROLE)}",
                 f'qa-lead namespaces="golive" {ring.public(ROLE)}'):  # fmt: skip
        ring.only(["# who may sign", "", line])
        assert problem(record, made, ring) == ""


def test_a_certificate_of_an_allowed_authority_counts(record: WatchRecord, ring: Ring) -> None:
    key, authority = ring.key(ROLE), ring.key("authority")
    ssh_keygen("-q", "-s", str(authority), "-I", "ratna", "-n", "qa-lead", f"{key}.pub")
    ring.only([f"* cert-authority {ring.public('authority')}"])
    signer = by()
    made = manifest(record, PENDING, signer)
    certificate = key.with_name(f"{key.name}-cert.pub")
    certificate.rename(key.with_suffix(".pub"))
    assert seen(record, signed(made, signer, key, ring.signers), ring=ring).signatures[0].problem == ""


def test_a_later_signature_does_not_spoil_the_one_before(record: WatchRecord, ring: Ring) -> None:
    first = signature(record, ring)
    again = signature(record, ring, by(at=AT + timedelta(minutes=5)))
    assert [s.problem for s in seen(record, first, again, ring=ring).signatures] == ["", ""]


def test_a_key_counts_for_the_time_at_which_it_signed(record: WatchRecord, ring: Ring) -> None:
    made = signature(record, ring)
    ring.only([f'qa-lead valid-before="202605020911" {ring.public(ROLE)}'])
    assert problem(record, made, ring) == ""
    ring.only([f'qa-lead valid-before="202605020909" {ring.public(ROLE)}'])
    said = problem(record, made, ring)
    assert said.startswith("its key (ED25519 key SHA256:")
    assert "was not valid at 2026-05-02 09:10 UTC: key has expired" in said
    ring.only([f'qa-lead valid-after="20270101" {ring.public(ROLE)}'])
    assert "was not valid at 2026-05-02 09:10 UTC: key is not yet valid" in problem(record, made, ring)


def test_times_of_keys_are_utc_wherever_it_is_checked(
    record: WatchRecord, ring: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = signature(record, ring)
    ring.only([f'qa-lead valid-after="202605020909",valid-before="202605020911" {ring.public(ROLE)}'])
    monkeypatch.setenv("TZ", "Asia/Jakarta")
    assert problem(record, made, ring) == ""


# What does not


def test_a_key_that_is_not_allowed_does_not_count(record: WatchRecord, ring: Ring) -> None:
    made = signature(record, ring)
    ring.only([])
    assert problem(record, made, ring).endswith(f"does not stand in {ring.signers.allowed} for the QA Lead")


def test_the_key_of_another_role_does_not_count(record: WatchRecord, ring: Ring) -> None:
    made = signature(record, ring)
    ring.only([f"tech-lead {ring.public(ROLE)}"])
    assert problem(record, made, ring).endswith(f"is that of 'tech-lead' in {ring.signers.allowed}, not of the QA Lead")


def test_a_key_for_another_purpose_does_not_count(record: WatchRecord, ring: Ring) -> None:
    made = signature(record, ring)
    ring.only([f'qa-lead namespaces="git" {ring.public(ROLE)}'])
    assert 'may not sign this: key is not permitted for use in signature namespace "golive"' in problem(
        record, made, ring
    )


def test_a_revoked_key_does_not_count(record: WatchRecord, ring: Ring, tmp_path: Path) -> None:
    made = signature(record, ring)
    revoked = tmp_path / "revoked"
    revoked.write_text(f"{ring.public(ROLE)}\n")
    signers = Signers(allowed=ring.signers.allowed, revoked=revoked)
    found = verified(replace(record, signatures=(made,)), signers, now=NOW)
    assert found.signatures[0].problem.endswith(f"was revoked in {revoked}")
    krl = tmp_path / "krl"
    ssh_keygen("-q", "-k", "-f", str(krl), f"{ring.key(ROLE)}.pub")
    found = verified(replace(record, signatures=(made,)), replace(signers, revoked=krl), now=NOW)
    assert "was revoked" in found.signatures[0].problem
    found = verified(replace(record, signatures=(made,)), replace(signers, revoked=tmp_path / "none"), now=NOW)
    assert found.signatures[0].problem == (f"cannot be verified: revoked_keys: there is no file {tmp_path / 'none'}")


def test_a_swapped_signature_does_not_count(record: WatchRecord, ring: Ring) -> None:
    ring.allow("Tech Lead")
    mine, other = signature(record, ring), signature(record, ring, by("Tech Lead", name="Sari"))
    said = problem(record, replace(mine, signature=other.signature), ring)
    assert said.startswith("is no signature of this text: ")


@pytest.mark.parametrize("text", ["", "rubbish", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"])
def test_rubbish_is_no_signature(text: str, record: WatchRecord, ring: Ring) -> None:
    said = problem(record, replace(signature(record, ring), signature=text), ring)
    assert said.startswith("is no signature of this text: ")
    assert "\n" not in said


def test_a_signature_of_another_namespace_does_not_count(record: WatchRecord, ring: Ring, tmp_path: Path) -> None:
    made = signature(record, ring)
    file = tmp_path / "text"
    file.write_text(made.manifest)
    ssh_keygen("-q", "-Y", "sign", "-f", str(ring.key(ROLE)), "-n", "git", str(file))
    said = problem(record, replace(made, signature=(tmp_path / "text.sig").read_text()), ring)
    assert said == "is no signature of this text: Couldn't verify signature: namespace does not match"


def test_an_edited_manifest_does_not_count(record: WatchRecord, ring: Ring) -> None:
    made = signature(record, ring)
    edited = replace(made, manifest=made.manifest.replace('"PENDING"', '"GO"'))
    assert problem(record, edited, ring).startswith("the text that was signed was changed: its digest is not ")
    hidden = replace(edited, digest=digest(edited.manifest))
    assert problem(record, hidden, ring).startswith("is no signature of this text: ")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Mallory"}, "its name was changed: Ratna Wijaya was signed, not Mallory"),
        ({"role": "Tech Lead"}, "its role was changed: QA Lead was signed, not Tech Lead"),
        ({"at": AT + timedelta(days=1)}, "its at was changed"),
        ({"override": True}, "its override was changed: False was signed, not True"),
        ({"reason": "fine"}, "its reason was changed"),
        ({"expires": AT}, "its expires was changed"),
        ({"covers": ()}, "the runs that it is said to cover are not those that were signed"),
        ({"manifest": "{}", "digest": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"},
         "the signed text is no manifest of golive"),
    ],
    ids=["name", "role", "at", "override", "reason", "expires", "covers", "manifest"],
)  # fmt: skip
def test_what_the_history_says_must_be_what_was_signed(
    changes: dict[str, object], words: str, record: WatchRecord, ring: Ring
) -> None:
    assert problem(record, replace(signature(record, ring), **changes), ring).startswith(words)  # type: ignore[arg-type]


def test_a_signature_for_another_watch_does_not_count(record: WatchRecord, ring: Ring) -> None:
    made = signature(day(signed_by=(), environment="other"), ring)
    assert problem(record, made, ring) == "is for the watch other-20260501T090000Z-abc123 of other"


def test_a_signature_from_the_future_does_not_count(record: WatchRecord, ring: Ring) -> None:
    made = signature(record, ring, by(at=NOW + timedelta(minutes=5)))
    assert problem(record, made, ring) == "is dated in the future (2026-05-02 10:15 UTC)"
    made = signature(record, ring, by(at=NOW + timedelta(minutes=1)))
    assert problem(record, made, ring) == ""


def test_without_allowed_signers_nothing_counts(record: WatchRecord, ring: Ring) -> None:
    made = signature(record, ring)
    found = verified(replace(record, signatures=(made,)), None, now=NOW)
    assert found.signatures[0].problem == NO_SIGNERS
    ring.signers.allowed.unlink()
    assert problem(record, made, ring) == (
        f"cannot be verified: allowed_signers: there is no file {ring.signers.allowed}"
    )


def test_a_signature_before_the_last_checkpoint_does_not_cover_it(record: WatchRecord, ring: Ring) -> None:
    made = signature(day(until="20h"), ring, by(at=AT - timedelta(hours=3)))
    assert problem(record, made, ring) == f"does not cover run {record.runs[-1].run} (checkpoint 24h)"


# Evidence that was changed


def test_changed_evidence_is_told_and_the_signature_does_not_count(record: WatchRecord, ring: Ring) -> None:
    spoilt = with_outcome(record, "6h", CPU, Status.FAIL, "91 %")
    made = signature(spoilt, ring)
    found = seen(record, made, ring=ring)
    run = f"run {record.runs[5].run} (checkpoint 6h)"
    said = f"{run} was changed in the records after the signing: the outcome of {CPU} differs"
    assert found.tampered == (said,)
    assert found.signatures[0].problem == found.tampered[0]


def test_signing_again_does_not_make_it_right(record: WatchRecord, ring: Ring) -> None:
    first = signature(record, ring)
    less = without_run(record, "6h")
    again = signature(less, ring, by(at=AT + timedelta(minutes=5)))
    found = seen(less, first, again, ring=ring)
    assert found.tampered == (f"run {record.runs[5].run} (checkpoint 6h) is gone from the records",)
    assert [bool(s.problem) for s in found.signatures] == [True, False]


def test_a_signature_that_is_not_genuine_accuses_nobody(record: WatchRecord, ring: Ring) -> None:
    made = replace(signature(record, ring), signature="rubbish")
    assert seen(without_run(record, "6h"), made, ring=ring).tampered == ()


def test_an_edited_results_file_is_told(record: WatchRecord, ring: Ring, tmp_path: Path) -> None:
    for run in record.runs:
        (tmp_path / run.run).mkdir()
        (tmp_path / run.run / "results.json").write_text(as_text(results(run)))
    made = signature(record, ring, results=ResultsFolder(tmp_path))
    assert seen(record, made, ring=ring, results=ResultsFolder(tmp_path)).tampered == ()
    file = tmp_path / record.runs[5].run / "results.json"
    file.write_text(file.read_text().replace("all as it should be", "fine", 1))
    (said,) = seen(record, made, ring=ring, results=ResultsFolder(tmp_path)).tampered
    assert said.startswith(f"{file} (checkpoint 6h) was changed after the signing: the outcome of ")


# Signing


def test_a_key_that_would_not_count_does_not_sign(record: WatchRecord, ring: Ring) -> None:
    signer = by("Tech Lead")
    made = manifest(record, PENDING, signer)
    with pytest.raises(
        SigningTrouble, match=r"^not signed: the signature would not count, its key \(ED25519 .*Tech Lead$"
    ):
        signed(made, signer, ring.key("Tech Lead"), ring.signers)


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    socket = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            assert process.poll() is None
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        yield
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No agent, no terminal and no window to ask in."""
    for name in ("SSH_AUTH_SOCK", "DISPLAY", "WAYLAND_DISPLAY", "SSH_ASKPASS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("agent")
def test_a_key_in_the_agent_signs_by_its_public_half(ring: Ring, tmp_path: Path) -> None:
    key = ring.key(ROLE)
    subprocess.run(["ssh-add", "-q", str(key)], check=True, stderr=subprocess.DEVNULL)
    public = tmp_path / "elsewhere.pub"
    public.write_text(key.with_suffix(".pub").read_text())
    made = sign("text", public)
    assert check("text", made, role=ROLE, at=AT, signers=ring.signers).problem == ""


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda ring: ring.folder / "none", "there is no key {folder}/none; make one with: ssh-keygen -t ed25519"),
        (lambda ring: _public_only(ring), "its private half is neither beside it nor in ssh-agent"),
        (lambda ring: _readable(ring), "others may read it; protect it first: chmod 600 "),
        (lambda ring: _rubbish(ring), "it is no SSH key"),
    ],
    ids=["absent", "public", "readable", "rubbish"],
)
def test_a_key_that_cannot_sign_says_why(prepare: Callable[[Ring], Path], words: str, ring: Ring) -> None:
    with pytest.raises(SigningTrouble) as caught:
        sign("text", prepare(ring))
    assert words.format(folder=ring.folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def _public_only(ring: Ring) -> Path:
    file = ring.folder / "lonely.pub"
    file.write_text(ring.public(ROLE))
    return file


def _readable(ring: Ring) -> Path:
    ring.key(ROLE).chmod(0o644)
    return ring.key(ROLE)


def _rubbish(ring: Ring) -> Path:
    file = ring.folder / "rubbish"
    file.write_text("rubbish")
    file.chmod(0o600)
    return file


SIGN = """
import sys; from pathlib import Path; from golive.history.sshsig import sign, SigningTrouble
try:
    print(sign("text", Path(sys.argv[1])))
except SigningTrouble as error:
    print(f"TROUBLE {error}")
"""


SPAWN = "import pty, sys; pty.spawn(sys.argv[1:])"


def on_terminal(key: Path, answer: str | None) -> str:
    """What signing says in a process with a terminal of its own (None: with none), where `answer` is typed."""
    command = [sys.executable, "-c", SIGN, str(key)]
    if answer is None:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True, check=True, text=True
        )
        return done.stdout
    with subprocess.Popen([sys.executable, "-c", SPAWN, *command], stdin=PIPE, stdout=PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        seen = b""
        while part := os.read(process.stdout.fileno(), 4096):
            seen += part
            if b"Enter passphrase" in part:
                process.stdin.write(f"{answer}\n".encode())
                process.stdin.flush()
    return seen.decode()


@pytest.mark.usefixtures("alone")
def test_a_passphrase_is_asked_for_on_the_terminal(ring: Ring) -> None:
    key = ring.key("Security Lead", passphrase="correct horse")
    ring.allow("Security Lead")
    said = on_terminal(key, "correct horse")
    assert "BEGIN SSH SIGNATURE" in said
    assert "the passphrase is wrong" in on_terminal(key, "battery staple")


@pytest.mark.usefixtures("alone")
def test_without_a_terminal_nobody_is_waited_for(ring: Ring) -> None:
    key = ring.key("Security Lead", passphrase="correct horse")
    assert f"nobody could be asked for it; load the key first: ssh-add {key}" in on_terminal(key, None)


def without_ssh_keygen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def test_without_ssh_keygen_it_is_said_how_to_get_it(
    record: WatchRecord, ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, key = signature(record, ring), ring.key(ROLE)
    without_ssh_keygen(tmp_path, monkeypatch)
    with pytest.raises(SigningTrouble, match="ssh-keygen is not installed here; it comes with OpenSSH"):
        sign("text", key)
    assert problem(record, made, ring).startswith("cannot be verified: ssh-keygen is not installed here")


def test_one_that_never_answers_is_given_up(ring: Ring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = ring.key(ROLE)
    (tmp_path / "bin").mkdir()
    stuck = tmp_path / "bin" / "ssh-keygen"
    stuck.write_text("#!/bin/sh\nexec /bin/sleep 60\n")
    stuck.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(SigningTrouble, match=r"ssh-keygen did not sign within 0\.2 s"):
        sign("text", key, timeout_s=0.2)
    monkeypatch.setattr("golive.history.sshsig._TIMEOUT_S", 0.2)
    with pytest.raises(SigningTrouble, match=r"ssh-keygen did not check a signature within 0\.2 s"):
        check("text", "", role=ROLE, at=AT, signers=ring.signers)


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("QA Lead", ("qa-lead", "QA Lead")),
        ("Head of R&D, Asia", ("head-of-r-d-asia", "Head of R&D, Asia")),
        ("ops", ("ops",)),
        ("負責人", ("負責人",)),
    ],
)
def test_how_a_role_is_called_in_allowed_signers(role: str, names: tuple[str, ...]) -> None:
    assert principals(role) == names
