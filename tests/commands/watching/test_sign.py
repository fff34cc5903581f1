"""`golive sign` with real keys at a watch that is over, and every way of tampering with what was signed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from golive.history.people import signatures
from golive.judge.wording import moment
from tests.signing_desk import SIGN_OFF, STORE, Desk


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path, capsys, monkeypatch)


def test_signing_shows_what_is_signed_and_what_it_makes_of_the_verdict(desk: Desk) -> None:
    desk.attest()
    code, out, _ = desk.ask("sign", "--role=qa lead", f"--key={desk.ring.key('QA Lead')}")
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "warungin on shop, watch shop-watch, version 2.4.1"
    assert lines[1].startswith("PENDING at 20")
    assert lines[2] == "  PENDING: not signed by the QA Lead and the Tech Lead (0 of 2 signatures)"
    assert lines[3].startswith("3 runs, manifest SHA-256 ")
    assert lines[4].startswith("signed by Ratna Wijaya, QA Lead, with the ED25519 key SHA256:")
    assert lines[5] == "the verdict is now PENDING: not signed by the Tech Lead (1 of 2 signatures)"
    with desk.history() as history:
        (kept,) = signatures(history, "shop-watch")
    assert (kept.role, kept.name, kept.override) == ("QA Lead", "Ratna Wijaya", False)
    assert kept.digest in lines[3]


def test_when_everybody_has_signed_it_is_go(desk: Desk) -> None:
    desk.attest()
    desk.sign("QA Lead")
    _, out, _ = desk.sign("Tech Lead")
    assert out.splitlines()[-1] == "the verdict is now GO"
    code, out, _ = desk.ask("verdict")
    assert (code, out.split()[0]) == (0, "GO")


def test_signing_again_takes_the_place_and_both_are_kept(desk: Desk) -> None:
    desk.sign("QA Lead", name="Ratna")
    _, out, _ = desk.sign("QA Lead", name="Rina")
    assert "it takes the place of the signature of Ratna from 20" in out
    with desk.history() as history:
        assert [s.name for s in signatures(history, "shop-watch")] == ["Ratna", "Rina"]
    assert desk.ask("verify")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--role=QA Led"], "--role: unknown role 'QA Led'. Did you mean 'QA Lead'?"),
        ([], "--role: who signs? One of QA Lead, Tech Lead"),
        (
            ["--role=Tech Lead"],
            "--name: a signature carries the name of the person who signs as Tech Lead; give --name=…",
        ),
        (["--role=QA Lead"], "--key: the SSH key of the QA Lead, as in --key ~/.ssh/id_ed25519"),
        (["--role=QA Lead", "--reason=x", "--key=k"], "--reason and --expires belong to --override"),
        (["--role=QA Lead", "--key=/none"], "there is no key /none; make one with: ssh-keygen -t ed25519 -f /none"),
        (
            ["--role=QA Lead", "--key=/none", "--watch=shop-wach"],
            "unknown watch 'shop-wach'. Did you mean 'shop-watch'?",
        ),
    ],
    ids=range(7),
)
def test_what_is_missing_is_asked_for(arguments: list[str], words: str, desk: Desk) -> None:
    code, _, said = desk.ask("sign", *arguments)
    assert code == 4
    assert words in said
    assert said.count("\n") == 1


def test_a_key_that_is_not_allowed_signs_nothing(desk: Desk) -> None:
    key = desk.ring.key("Somebody")
    code, _, said = desk.ask("sign", "--role=QA Lead", f"--key={key}")
    assert code == 4
    assert said.startswith("not signed: the signature would not count, its key (ED25519 key SHA256:")
    assert said.endswith(f"does not stand in {desk.ring.signers.allowed} for the QA Lead\n")
    with desk.history() as history:
        assert signatures(history, "shop-watch") == []


def test_an_environment_without_sign_off_says_how_to_set_it_up(desk: Desk) -> None:
    desk.write({"roles": ["QA Lead"]})
    code, _, said = desk.sign("QA Lead")
    assert code == 4
    assert said.startswith("shop does not say whose signatures count. Keep a file with a line for each role")
    desk.write(None)
    code, _, said = desk.sign("QA Lead")
    assert code == 4
    assert said == "shop says nobody who signs: add 'sign_off' with 'roles' and 'allowed_signers' to it\n"
    desk.write({**SIGN_OFF, "allowed_signers": "none"})
    code, _, said = desk.sign("QA Lead")
    assert (code, said) == (4, f"allowed_signers: there is no file {desk.folder}/none\n")


def test_before_the_last_checkpoint_has_ended_nobody_signs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path, capsys, monkeypatch, hours_ago=20)
    code, _, said = desk.sign("QA Lead")
    assert code == 4
    due = desk.starts_at + timedelta(hours=24)
    assert said == (
        f"the last checkpoint, 24h, has not ended: it is due at {moment(due)}. Sign when all evidence is there\n"
    )


def test_while_the_last_checkpoint_goes_on_nobody_signs(desk: Desk) -> None:
    run = desk.run_at("24h")
    desk.sql("UPDATE runs SET finished_at = NULL, alive_at = alive_at + 1000000000000 WHERE run = ?", run)
    code, _, said = desk.sign("QA Lead")
    assert code == 4
    assert f"the last checkpoint, 24h, has not ended: run {run} is going on" in said


def test_without_a_watch_there_is_nothing_to_sign(desk: Desk) -> None:
    desk.sql("DELETE FROM watches")
    code, _, said = desk.sign("QA Lead")
    assert (code, said) == (4, "no watch of shop has begun, so there is nothing to sign: golive watch\n")


# Overriding


def in_a_day() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%MZ")


def failed(desk: Desk) -> None:
    desk.change_outcome(desk.run_at("12h"), STORE, outcome="fail", message="it is gone")


def test_the_override_role_accepts_a_no_go_for_a_while(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(desk.folder)
    failed(desk)
    code, out, _ = desk.sign(
        "Product Manager", "--override", "--reason=the old one is worse", f"--expires={in_a_day()}"
    )
    assert code == 0
    assert "NO-GO" in out.splitlines()[1]
    assert any(
        line.startswith("accepted until 20") and line.endswith(": the old one is worse") for line in out.splitlines()
    )
    assert out.splitlines()[-1] == "the verdict is now GO by override"
    assert desk.ask("bundle")[1].startswith("shop-watch.zip: GO by override, ")
    assert "\nGO by override at " in desk.ask("verify", "shop-watch.zip", env=False)[1]
    code, out, _ = desk.ask("verdict")
    assert code == 0
    assert "Sari Hartono (Product Manager) accepts what follows until" in out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--reason=x", "--expires=2099-01-01T00:00Z"], "--role: who signs? One of Product Manager"),
        (["--role=QA Lead", "--reason=x", "--expires=2099-01-01T00:00Z"],
         "--override: only the Product Manager may accept a NO-GO"),
        (["--role=Product Manager", "--name=D", "--expires=2099-01-01T00:00Z"],
         "--reason: accepting a NO-GO takes a reason"),
        (["--role=Product Manager", "--name=D", "--reason=x"], "--expires: accepting a NO-GO takes an end, as in"),
        (["--role=Product Manager", "--name=D", "--reason=x", "--expires=2099-01-01T00:00"],
         "--expires: a time needs its zone: end it with Z for UTC"),
        (["--role=Product Manager", "--name=D", "--reason=x", "--expires=soon"], "--expires: 'soon' is no time"),
        (["--role=Product Manager", "--name=D", "--reason=x", "--expires=2020-01-01T00:00Z"],
         "--expires: 2020-01-01T00:00Z has passed"),
    ],
    ids=range(7),
)  # fmt: skip
def test_an_override_takes_its_role_a_reason_and_an_end(arguments: list[str], words: str, desk: Desk) -> None:
    code, _, said = desk.ask("sign", "--override", *arguments)
    assert code == 4
    assert words in said


def test_without_an_override_role_there_is_no_override(desk: Desk) -> None:
    desk.write({"roles": ["QA Lead"], "allowed_signers": "keys/allowed_signers"})
    code, _, said = desk.sign("QA Lead", "--override", "--reason=x", f"--expires={in_a_day()}")
    assert (code, said) == (4, "--override: shop names no 'override_role' under 'sign_off'\n")


def test_a_plain_signature_does_not_change_a_no_go(desk: Desk) -> None:
    failed(desk)
    code, out, _ = desk.sign("QA Lead")
    assert code == 0
    assert "a signature does not change NO-GO; to accept it takes --override" in out
    assert "the verdict is now NO-GO" in out


# Tampering


def refused(desk: Desk) -> str:
    """What `golive verify` says of evidence that was changed, which is also what stands against GO."""
    code, _, said = desk.ask("verify")
    assert code == 1
    code, out, _ = desk.ask("verdict")
    assert code in (1, 3)
    assert not out.startswith("GO")
    return said


@pytest.fixture
def signed(desk: Desk) -> Desk:
    desk.sign_all()
    assert desk.ask("verify")[0] == 0
    return desk


def test_an_outcome_edited_in_the_store_is_named(signed: Desk) -> None:
    run = signed.run_at("12h")
    signed.change_outcome(run, STORE, message="fine")
    assert refused(signed).startswith(
        f"shop-watch: run {run} (checkpoint 12h) was changed in the records after the signing: "
        f"the outcome of {STORE} differs"
    )
    code, out, _ = signed.ask("verdict")
    assert code == 1
    assert f"NO-GO    evidence was altered: run {run} (checkpoint 12h) was changed" in out


def test_an_edited_results_file_is_named(signed: Desk) -> None:
    file = signed.output / signed.run_at("12h") / "results.json"
    file.write_text(file.read_text().replace("all as it should be", "better still", 1))
    assert refused(signed).startswith(
        f"shop-watch: {file} (checkpoint 12h) was changed after the signing: the outcome of {STORE} differs"
    )
    assert signed.ask("verdict")[0] == 1


def test_a_deleted_run_is_named(signed: Desk) -> None:
    run = signed.run_at("12h")
    signed.sql("DELETE FROM runs WHERE run = ?", run)
    assert refused(signed).startswith(f"shop-watch: run {run} (checkpoint 12h) is gone from the records")


def test_a_swapped_signature_is_named(signed: Desk) -> None:
    signed.sql(
        "UPDATE signatures SET signature = (SELECT signature FROM signatures WHERE role = 'Tech Lead') "
        "WHERE role = 'QA Lead'"
    )
    assert refused(signed).startswith(
        "shop-watch: the signature of Sari Hartono (QA Lead) does not count: is no signature of this text"
    )


def test_an_edited_manifest_is_named(signed: Desk) -> None:
    signed.sql("UPDATE signatures SET manifest = replace(manifest, 'PENDING', 'GO') WHERE role = 'QA Lead'")
    assert "(QA Lead) does not count: the text that was signed was changed: its digest is not " in refused(signed)


def test_another_name_under_a_signature_is_named(signed: Desk) -> None:
    signed.sql("UPDATE signatures SET name = 'Mallory' WHERE role = 'QA Lead'")
    assert "does not count: its name was changed: Sari Hartono was signed, not Mallory" in refused(signed)


def test_a_key_that_is_taken_off_the_list_counts_no_more(signed: Desk) -> None:
    signed.ring.only([f"tech-lead {signed.ring.public('Tech Lead')}"])
    assert f"does not stand in {signed.ring.signers.allowed} for the QA Lead" in refused(signed)
    signed.ring.only([f"{role} {signed.ring.public(role)}" for role in ("tech-lead", "qa-lead")])
    assert signed.ask("verify")[0] == 0


def test_a_revoked_key_counts_no_more(signed: Desk) -> None:
    (signed.folder / "revoked").write_text(f"{signed.ring.public('QA Lead')}\n")
    signed.write({**SIGN_OFF, "revoked_keys": "revoked"})
    assert f"was revoked in {signed.folder}/revoked" in refused(signed)


def test_a_waiver_after_the_signing_takes_a_new_signature(signed: Desk) -> None:
    waiver = {"criterion": STORE, "reason": "r", "approver": "a", "risk": "low", "expires": "2099-01-01T00:00Z"}
    signed.write(waivers=[waiver])
    assert f"does not count: the waiver of {STORE} was changed since" in refused(signed)
    signed.sign_all()
    code, out, _ = signed.ask("verdict")
    assert (code, out.split()[0]) == (0, "GO")
    assert signed.ask("verify")[0] == 0, "what was replaced is of no account"
