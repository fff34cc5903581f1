"""`golive bundle` and `golive verify`: the evidence as one file, and whether it is what was signed."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from tests.signers import Ring
from tests.signing_desk import Desk


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(tmp_path, capsys, monkeypatch)


def bundle(desk: Desk) -> Path:
    desk.sign_all()
    file = desk.folder / "watch.zip"
    code, _, said = desk.ask("bundle", "-o", str(file))
    assert code == 0, said
    return file


def edited(file: Path, name: str, old: bytes, new: bytes) -> Path:
    with zipfile.ZipFile(file) as archive:
        members = {n: archive.read(n) for n in archive.namelist()}
    assert old in members[name]
    members[name] = members[name].replace(old, new, 1)
    with zipfile.ZipFile(file, "w") as archive:
        for member, data in members.items():
            archive.writestr(member, data)
    return file


def test_the_report_in_a_bundle_is_about_what_is_in_it(desk: Desk) -> None:
    """What lies in the output may be the report over another watch."""
    (desk.folder / "output" / "shop").mkdir(parents=True, exist_ok=True)
    for stale in desk.folder.rglob("shop"):
        (stale / "golive.html").write_text("GO, said another watch", encoding="utf-8")
    with zipfile.ZipFile(bundle(desk)) as archive:
        report = archive.read("report.html").decode()
    assert "said another watch" not in report
    assert "shop-watch" in report


def test_a_bundle_is_checked_with_nothing_but_itself(desk: Desk) -> None:
    desk.sign_all()
    code, out, said = desk.ask("bundle")
    assert (code, said) == (0, "")
    file = desk.folder / "shop-watch.zip"
    assert out.splitlines() == [
        "shop-watch.zip: GO, 3 runs, 2 signatures",
        f"SHA-256 {hashlib.sha256(file.read_bytes()).hexdigest()}",
        "check it with: golive verify shop-watch.zip",
    ]
    code, out, said = desk.ask("verify", "shop-watch.zip", env=False)
    lines = out.splitlines()
    assert (code, said) == (0, "")
    assert lines[0] == "warungin on shop, watch shop-watch, version 2.4.1"
    assert lines[1].startswith("GO at 20")
    assert lines[1].endswith(", 3 runs")
    assert lines[2].startswith("  Sari Hartono signed as QA Lead at 20")
    assert lines[4] == "its signatures count by its own allowed_signers; check them by yours: --allowed-signers FILE"
    assert lines[5] == "shop-watch.zip: everything matches"


def test_ones_own_list_of_keys_decides(desk: Desk, tmp_path: Path) -> None:
    file = bundle(desk)
    code, out, _ = desk.ask("verify", str(file), f"--allowed-signers={desk.ring.signers.allowed}", env=False)
    assert code == 0
    assert "by its own" not in out
    other = Ring(tmp_path / "other")
    code, _, said = desk.ask("verify", str(file), f"--allowed-signers={other.signers.allowed}", env=False)
    assert code == 1
    assert said.startswith(f"{file}: the signature of Sari Hartono (QA Lead) does not count: its key (ED25519 ")
    code, _, said = desk.ask("verify", str(file), "--allowed-signers=/none", env=False)
    assert (code, said) == (4, "--allowed-signers: there is no file /none\n")


def test_the_first_thing_that_does_not_match_is_named(desk: Desk) -> None:
    file = bundle(desk)
    name = f"runs/{desk.run_at('12h')}.json"
    code, out, said = desk.ask("verify", str(edited(file, name, b'"pass"', b'"warn"')), env=False)
    assert (code, out) == (1, "")
    assert said == f"{file}: {name} was changed: its digest is not the one in SHA256SUMS\n"


def test_what_is_no_bundle_is_refused(desk: Desk) -> None:
    code, _, said = desk.ask("verify", str(desk.shop.file), env=False)
    assert code == 4
    assert said.startswith(f"{desk.shop.file} is no zip archive: ")
    code, _, said = desk.ask("verify", "none.zip", env=False)
    assert (code, said) == (4, "none.zip cannot be read: No such file or directory\n")


def test_a_bundle_and_an_environment_are_two_questions(desk: Desk) -> None:
    code, _, said = desk.ask("verify", "some.zip")
    assert (code, said) == (4, "give a bundle, or --env for the evidence where it is kept, not both\n")
    code, _, said = desk.ask("verify", env=False)
    assert code == 4
    assert "give --env=NAME" in said


def test_evidence_that_nobody_has_signed_is_not_bound(desk: Desk) -> None:
    code, out, _ = desk.ask("verify")
    assert (code, out.splitlines()[-1]) == (1, "shop-watch: nobody has signed, so nothing is bound yet")
    desk.sign_all()
    code, out, _ = desk.ask("verify")
    assert (code, out.splitlines()[-1]) == (0, "shop-watch: everything matches")


def test_the_statement_can_be_had_by_itself(desk: Desk) -> None:
    desk.sign_all()
    code, _, _ = desk.ask("bundle", "-o", "a.zip", "--intoto", "statement.json")
    assert code == 0
    statement = json.loads((desk.folder / "statement.json").read_text())
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    assert statement["predicate"]["result"] == "PASSED"
    with zipfile.ZipFile("a.zip") as archive:
        assert json.loads(archive.read("statement.intoto.json")) == statement


def test_documents_that_are_gone_are_told(desk: Desk) -> None:
    (desk.folder / "GUIDE.md").write_text("# Guide")
    desk.write(documents={"guide": "GUIDE.md", "plan": "none.md"})
    code, _, said = desk.ask("bundle", "-o", "a.zip")
    assert code == 0
    assert said == f"left out: documents/plan/none.md: there is no file {desk.folder}/none.md\n"
    with zipfile.ZipFile("a.zip") as archive:
        assert archive.read("documents/guide/GUIDE.md") == b"# Guide"


def test_without_a_watch_there_is_nothing_to_archive_or_to_verify(desk: Desk) -> None:
    desk.sql("DELETE FROM watches")
    code, _, said = desk.ask("bundle")
    assert (code, said) == (4, "no watch of shop has begun, so there is nothing to archive\n")
    code, _, said = desk.ask("verify")
    assert (code, said) == (4, "no watch of shop has begun, so there is nothing to verify\n")


def test_a_place_that_cannot_be_written_is_told(desk: Desk) -> None:
    code, _, said = desk.ask("bundle", "-o", "/none/watch.zip")
    assert code == 4
    assert said.endswith(": No such file or directory\n")
    assert said.count("\n") == 1


def test_changed_evidence_goes_into_the_archive_and_is_found_there(desk: Desk) -> None:
    """An archive of evidence that does not match any more does not hide it."""
    desk.sign_all()
    run = desk.run_at("12h")
    desk.sql("DELETE FROM runs WHERE run = ?", run)
    assert desk.ask("bundle", "-o", "a.zip")[0] == 0
    code, _, said = desk.ask("verify", "a.zip", env=False)
    assert code == 1
    assert f"run {run} (checkpoint 12h) is gone from the records" in said
