"""`golive attest`: a named person affirms a criterion for a limited time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from golive.history.people import add_attestation, attestations
from golive.model import Attestation
from tests.signing_desk import CRITERIA, REHEARSED, SIGNED, STORE, Desk


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, capsys, monkeypatch)


GIVEN = ("--by=Sari Hartono", "--note=done on Friday")


def test_an_attestation_is_kept_with_its_role_and_end(desk: Desk) -> None:
    code, out, _ = desk.ask("attest", REHEARSED, *GIVEN)
    until = datetime.now(UTC) + timedelta(days=2)
    assert code == 0
    assert out.startswith(f"{REHEARSED}: attested by Sari Hartono, Tech Lead; it holds until {until:%Y-%m-%d %H:}")
    with desk.history() as history:
        (kept,) = attestations(history, "shop")
    assert (kept.criterion, kept.by, kept.role, kept.note) == (REHEARSED, "Sari Hartono", "Tech Lead", "done on Friday")


def test_it_answers_its_criterion_in_the_verdict(desk: Desk) -> None:
    assert f"{REHEARSED} is not attested by the Tech Lead" in desk.ask("verdict")[1]
    desk.ask("attest", REHEARSED, *GIVEN)
    assert REHEARSED not in desk.ask("verdict")[1]


def test_it_holds_for_a_shorter_time_if_asked(desk: Desk) -> None:
    code, _, _ = desk.ask("attest", REHEARSED, *GIVEN, "--valid-for=1 h", "--role=tech lead")
    assert code == 0
    with desk.history() as history:
        now = datetime.now(UTC)
        assert len(attestations(history, "shop", valid_at=now + timedelta(minutes=59))) == 1
        assert attestations(history, "shop", valid_at=now + timedelta(minutes=61)) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], f"which criterion? These are answered by an attestation: {REHEARSED}\n"),
        (
            ["warungin.material.rehersed"],
            f"unknown criterion 'warungin.material.rehersed'. Did you mean '{REHEARSED}'?",
        ),
        ([STORE, *GIVEN], f"{STORE} is answered by the check hosts/file, not by a person\n"),
        ([SIGNED, *GIVEN], f"{SIGNED} takes a signature: golive sign --env="),
        ([REHEARSED, "--note=x"], "--by: an attestation carries the name of the person who answers for it\n"),
        ([REHEARSED, "--by=A"], "--note: an attestation says what was looked at, and what was found\n"),
        (
            [REHEARSED, *GIVEN, "--role=QA Lead"],
            f"--role: {REHEARSED} is for the Tech Lead to affirm, not for the QA Lead\n",
        ),
        ([REHEARSED, *GIVEN, "--valid-for=3 d"], f"--valid-for: an attestation of {REHEARSED} holds 2 d at most\n"),
        ([REHEARSED, *GIVEN, "--valid-for=0 s"], "holds 2 d at most\n"),
        ([REHEARSED, *GIVEN, "--valid-for=3"], "--valid-for: a duration needs a number and a unit"),
    ],
    ids=range(10),
)
def test_what_does_not_fit_is_refused(arguments: list[str], words: str, desk: Desk) -> None:
    code, _, said = desk.ask("attest", *arguments)
    assert code == 4
    assert words in said
    with desk.history() as history:
        assert attestations(history, "shop") == []


def test_where_no_person_answers_it_says_so(desk: Desk) -> None:
    desk.shop.write([CRITERIA[0]], system="warungin")
    code, _, said = desk.ask("attest", "warungin.x.y", *GIVEN)
    assert (code, said) == (4, "warungin.x.y: no criterion here is answered by a person\n")


def test_the_list_says_what_holds(desk: Desk) -> None:
    code, out, _ = desk.ask("attest", "--list")
    assert (code, out) == (1, "nothing was affirmed for shop so far\n")
    now = datetime.now(UTC)
    with desk.history() as history:
        old = Attestation(criterion=REHEARSED, by="Ann", role="Tech Lead", at=now - timedelta(days=3), note="old")
        add_attestation(history, "shop", old, None)
        gone = Attestation(criterion="warungin.gone.long", by="Bob", role="QA Lead", at=now - timedelta(days=1))
        add_attestation(history, "shop", gone, None)
    code, out, _ = desk.ask("attest", "--list")
    assert code == 1
    assert [line.split("UTC, ")[1] for line in out.splitlines()] == [
        "does not hold any more: old",
        "does not hold any more",
    ]
    desk.attest()
    code, out, _ = desk.ask("attest", "--list")
    assert code == 0
    assert out.splitlines()[2].startswith(f"{REHEARSED} Sari Hartono, Tech Lead, ")
    assert "holds until" in out.splitlines()[2]


def test_it_may_be_given_before_the_first_run(desk: Desk) -> None:
    for file in desk.output.glob("history.sqlite*"):
        file.unlink()
    assert desk.ask("attest", REHEARSED, *GIVEN)[0] == 0
