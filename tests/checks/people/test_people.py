"""people/contacts, documents, attested, not_applicable and no_written_credentials."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from checks.people import attested, contacts, documents, no_written_credentials, not_applicable
from fixtures.context import RunContext
from fixtures.day import Day
from fixtures.past import Past
from golive.environment.redaction import Redactor
from golive.environment.sections import AttestedParams, Contact
from golive.history.people import add_attestation
from golive.history.runs import begin_run, finish_run, run_records
from golive.history.store import History
from golive.model import Attestation, RunRecord, Status
from tests import rogues
from tests.judged import Judged, judged, run_context, written
from tests.signing_desk import Desk

GOOD = Contact(role="QA Lead", name="Sari Dewanti", phone="+62 812-3456-0789", email="sari@warungin.co.id")
ROLE = "QA Lead"
WRITTEN = (
    "A guide of more than a hundred bytes, which says whom to call first, what to stop, and how to roll back again."
)


def reachable(*people: Contact, roles: tuple[str, ...] = (ROLE,)) -> Judged:
    criterion = written(contacts.Params, roles=roles)
    return judged(contacts.test_contacts_are_complete, criterion=criterion, contacts=people)


def test_complete_contacts_pass() -> None:
    found = reachable(GOOD, roles=("qa lead ",))
    assert found.status is Status.PASS
    assert found.message == "1 roles have name, phone and e-mail"


def test_a_role_without_anybody_fails() -> None:
    found = reachable(GOOD, roles=(ROLE, "Tech Lead", "DevOps"))
    assert found.status is Status.FAIL
    assert found.message == "Tech Lead: nobody is named; DevOps: nobody is named"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "________", "is nobody's name"),
        ("name", "TBD", "is nobody's name"),
        ("name", "  ", "is nobody's name"),
        ("name", "<name>", "is nobody's name"),
        ("name", "John Doe", "is nobody's name"),
        ("phone", "0812 3456 0789", "is no phone number with country code (E.164)"),
        ("phone", "+62 ___", "is no phone number"),
        ("phone", "+621234567890", "is no phone number"),
        ("phone", "+6200000000", "is no phone number"),
        ("phone", "+1234", "is no phone number"),
        ("email", "sari@example.com", "is no e-mail address of a person"),
        ("email", "sari.example.com", "is no e-mail address"),
        ("email", "sari@localhost", "is no e-mail address"),
        ("email", "sari@shop.invalid", "is no e-mail address"),
        ("email", "sari @shop.id", "is no e-mail address"),
        ("email", "tbd@shop.id", "is no e-mail address"),
    ],
)
def test_placeholders_and_bad_syntax_fail(field: str, value: str, words: str) -> None:
    found = reachable(GOOD.model_copy(update={field: value}))
    assert found.status is Status.FAIL
    assert found.message.startswith(f"QA Lead: {value.strip()!r} {words}")


def at_hand(folder: Path, place: str, **keys: object) -> Judged:
    criterion = written(documents.Params, documents=["guide"], **keys)
    check = documents.test_documents_are_at_hand
    return judged(check, criterion=criterion, documents={"guide": place}, context=run_context(folder))


def test_a_document_that_says_something_passes(tmp_path: Path) -> None:
    file = tmp_path / "guide.md"
    file.write_text(f"# Guide\n\n{WRITTEN}\n")
    assert at_hand(tmp_path, str(file)).status is Status.PASS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "guide: 0 B, at least 100 B needed; guide: a placeholder"),
        ("short", "guide: 5 B, at least 100 B needed"),
        ("# Guide\n\n" + "=" * 200 + "\n", "guide: a placeholder, it does not say anything yet"),
        ("# Incident response\n\nTODO: to be written by the team before we go live, see ticket 4711." + " " * 100,
         "guide: a placeholder, it does not say anything yet"),
    ],
)  # fmt: skip
def test_a_document_that_says_nothing_fails(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "guide.md"
    file.write_text(text)
    found = at_hand(tmp_path, str(file))
    assert found.status is Status.FAIL
    assert found.message.startswith(words)


def test_a_long_document_may_mention_what_is_to_be_done(tmp_path: Path) -> None:
    file = tmp_path / "guide.md"
    file.write_text(f"{WRITTEN} {WRITTEN} TODO: {WRITTEN}")
    assert at_hand(tmp_path, str(file)).status is Status.PASS


def test_a_missing_document_fails(tmp_path: Path) -> None:
    found = at_hand(tmp_path, str(tmp_path / "none.md"))
    assert found.message == f"guide: there is no file {tmp_path}/none.md"
    assert at_hand(tmp_path, str(tmp_path)).message == f"guide: {tmp_path} is no file"


class _Library(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = WRITTEN.encode()
        self.send_response(200 if self.path == "/guide" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def library() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Library) as web:
        threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{web.server_port}"
        web.shutdown()


def test_a_document_behind_a_url(tmp_path: Path) -> None:
    with library() as url:
        assert at_hand(tmp_path, f"{url}/guide").status is Status.PASS
        found = at_hand(tmp_path, f"{url}/none")
        assert found.status is Status.FAIL
        assert found.message == f"guide: {url}/none answers 404, 200 needed"


def test_a_library_that_cannot_be_reached_is_unknown(tmp_path: Path) -> None:
    with rogues.refusing() as port:
        found = at_hand(tmp_path, f"http://127.0.0.1:{port}/guide")
        assert found.status is Status.UNKNOWN
        assert "cannot be fetched: ConnectionError" in found.message
    with rogues.rogue(rogues.silent) as port:
        assert at_hand(tmp_path, f"http://127.0.0.1:{port}/guide", timeout="200 ms").status is Status.UNKNOWN


NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
ATTESTED = {"criterion": "shop.area.name", "by": "Sari Dewanti", "role": ROLE, "at": NOW - timedelta(days=1)}


def affirmed(folder: Path, *given: dict[str, object], criterion_id: str = "shop.area.name", **keys: object) -> Judged:
    criterion = written(AttestedParams, role=ROLE, valid_for="7 d", **keys)
    context = run_context(folder, attestations=given)
    check = attested.test_person_has_affirmed_it
    day = Day(context, Past(context))
    try:
        return judged(check, criterion=criterion, context=context, day=day, now=NOW, criterion_id=criterion_id)
    finally:
        context.close()
        if context.history is not None:
            context.history.close()


def test_an_attestation_that_holds_is_told_by_name(tmp_path: Path) -> None:
    found = affirmed(tmp_path, {**ATTESTED, "note": "seen it"})
    assert found.status is Status.PASS
    assert found.message == (
        "attested by Sari Dewanti, QA Lead, 2026-04-30 12:00 UTC, holds until 2026-05-07 12:00 UTC: seen it"
    )
    assert affirmed(tmp_path, ATTESTED, criterion_id="shop.area.name[one]").status is Status.PASS


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"criterion": "shop.area.other"}, "not attested yet by the QA Lead"),
        ({"role": "Tech Lead"}, "not attested yet by the QA Lead; Sari Dewanti did, but as Tech Lead"),
        ({"by": " "}, "not attested yet by the QA Lead"),
        (
            {"at": NOW - timedelta(days=7)},
            "the attestation by Sari Dewanti expired at 2026-05-01 12:00 UTC; the QA Lead must renew it",
        ),
        ({"at": NOW + timedelta(minutes=1)}, "the attestation by Sari Dewanti is dated in the future"),
    ],
)
def test_an_attestation_that_does_not_hold_is_unknown(tmp_path: Path, given: dict[str, object], words: str) -> None:
    found = affirmed(tmp_path, {**ATTESTED, **given})
    assert found.status is Status.UNKNOWN
    assert found.message.startswith(words)


def test_the_latest_attestation_counts(tmp_path: Path) -> None:
    old = {**ATTESTED, "at": NOW - timedelta(days=30)}
    assert affirmed(tmp_path, ATTESTED, old).status is affirmed(tmp_path, old, ATTESTED).status is Status.PASS


def kept(folder: Path, expires: datetime | None = None, **changes: object) -> None:
    """An attestation as `golive attest` keeps it."""
    with History.open(folder / "history.sqlite") as history:
        given = Attestation(**{**ATTESTED, **changes})  # type: ignore[arg-type]
        add_attestation(history, "test", given, expires)


def test_an_attestation_of_the_history_counts(tmp_path: Path) -> None:
    assert affirmed(tmp_path).message == "not attested yet by the QA Lead"
    kept(tmp_path, note="seen it")
    assert affirmed(tmp_path).message.endswith("holds until 2026-05-07 12:00 UTC: seen it")
    kept(tmp_path, at=NOW - timedelta(hours=1), by="Ann")
    assert affirmed(tmp_path, ATTESTED).message.startswith("attested by Ann, QA Lead, 2026-05-01 11:00 UTC")


def test_one_that_was_given_for_a_shorter_time_ends_then(tmp_path: Path) -> None:
    kept(tmp_path, expires=NOW - timedelta(minutes=1))
    found = affirmed(tmp_path)
    assert found.status is Status.UNKNOWN
    assert found.message == "the attestation by Sari Dewanti has expired; the QA Lead must renew it"
    assert affirmed(tmp_path, {**ATTESTED, "by": "Ann"}).message.startswith("attested by Ann")


def test_a_history_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    kept(tmp_path)
    connection = sqlite3.connect(tmp_path / "history.sqlite")
    connection.execute("DROP TABLE attestations")
    connection.close()
    found = affirmed(tmp_path)
    assert found.status is Status.UNKNOWN
    assert found.message.startswith("the history cannot be read: history ")


# Signatures


def signed(
    desk: Desk, *, now: datetime | None = None, valid_for: str = "7 d", watch: str | None = "shop-watch"
) -> Judged:
    """The check as a run of the watch sees it."""
    criterion = written(AttestedParams, role=ROLE, valid_for=valid_for, signed=True)
    with desk.history() as history:
        run = f"now-{len(run_records(history, 'shop'))}"
        record = RunRecord(run=run, environment="shop", system="warungin", started_at=datetime.now(UTC), watch=watch)
        begin_run(history, record)
        context = RunContext(
            environment=desk.environment,
            run=run,
            directory=desk.folder,
            started_at=datetime.now(UTC),
            redact=Redactor(),
            history=history,
        )
        check, day = attested.test_person_has_affirmed_it, Day(context, Past(context))
        found = judged(check, criterion=criterion, context=context, day=day, now=now or datetime.now(UTC))
        finish_run(history, run, finished_at=datetime.now(UTC), aborted="a test")
    return found


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, capsys, monkeypatch)


def test_only_a_valid_signature_of_the_role_counts(desk: Desk) -> None:
    how = "golive sign --env=shop --role 'QA Lead'"
    found = signed(desk)
    assert (found.status, found.message) == (Status.UNKNOWN, f"not signed yet by the QA Lead: {how}")
    desk.sign("Tech Lead")
    assert signed(desk).message == f"not signed yet by the QA Lead: {how}"
    desk.sign("QA Lead", name="Ratna Wijaya")
    found = signed(desk)
    assert found.status is Status.PASS
    assert found.message.startswith("signed by Ratna Wijaya, QA Lead, 20")
    desk.ring.only([])
    found = signed(desk)
    assert found.status is Status.UNKNOWN
    assert found.message.startswith("the signature of Ratna Wijaya does not count: its key (ED25519 key SHA256:")
    assert found.message.endswith(f"sign again: {how}")


def test_a_signature_is_no_answer_for_ever(desk: Desk) -> None:
    desk.sign("QA Lead", name="Ratna Wijaya")
    found = signed(desk, now=datetime.now(UTC) + timedelta(days=8))
    assert found.status is Status.UNKNOWN
    assert found.message.startswith("the signature by Ratna Wijaya expired at 20")


def test_an_attestation_is_no_signature(desk: Desk) -> None:
    with desk.history() as history:
        add_attestation(history, "shop", Attestation(**{**ATTESTED, "at": datetime.now(UTC)}), None)  # type: ignore[arg-type]
    assert signed(desk).message.startswith("not signed yet by the QA Lead")


def test_without_a_watch_there_is_nothing_to_sign(desk: Desk) -> None:
    assert signed(desk, watch=None).message == "this run belongs to no watch"


def left_out(**keys: object) -> Judged:
    criterion = written(not_applicable.Params, reason="there is no load balancer", **keys)
    return judged(not_applicable.test_criterion_does_not_apply, criterion=criterion, now=NOW)


def test_what_does_not_apply_says_why() -> None:
    assert left_out().message == "there is no load balancer"
    assert left_out(review_by=NOW + timedelta(days=1)).status is Status.PASS


def test_a_reason_past_its_review_fails() -> None:
    found = left_out(review_by=NOW)
    assert found.status is Status.FAIL
    assert found.message == (
        "left out because 'there is no load balancer', which was to be reviewed by 2026-05-01 12:00 UTC"
    )


def searched(folder: Path, *files: Path) -> Judged:
    context = run_context(folder, files=files)
    criterion = no_written_credentials.Params()
    return judged(no_written_credentials.test_no_credential_is_written_out, criterion=criterion, context=context)


def test_references_are_no_credentials(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("databases:\n  main:\n    url: postgresql://golive@db/shop\n    password: ${env:DB_PASSWORD}\n")
    found = searched(tmp_path, file, file)
    assert found.status is Status.PASS
    assert found.message == "written credentials: 0 credentials, at most 0 credentials needed (1 files read)"


def test_a_written_password_fails_without_being_repeated(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(
        "hosts:\n  app:\n    connect: ssh://root@shop\n    password: hunter2-hunter2\n"
        "# sshpass -p hunter2 ssh root@shop\n"
    )
    found = searched(tmp_path, file)
    assert found.status is Status.FAIL
    assert f"({file}:4 (literal password), {file}:5 (sshpass))" in found.message
    assert "hunter2" not in found.message


def test_files_that_cannot_be_read_are_unknown(tmp_path: Path) -> None:
    assert searched(tmp_path).status is Status.UNKNOWN
    assert "cannot be read: FileNotFoundError" in searched(tmp_path, tmp_path / "gone.yaml").message
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    assert "cannot be read: UnicodeDecodeError" in searched(tmp_path, binary).message
