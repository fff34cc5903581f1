"""The keys that come with the demo: real ones, that only their owner may read and that ssh-keygen understands."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import yaml

from demo.signers import ROLES, make_keys
from golive.history.sshsig import Signers, check, principals, sign
from tests.sessions import ROOT
from tests.signers import Ring


def test_every_role_of_the_demo_can_sign(tmp_path: Path) -> None:
    Ring(tmp_path / "other")  # looks for ssh-keygen
    make_keys(tmp_path)
    environment = yaml.safe_load((ROOT / "environments" / "demo.yaml").read_text())
    signers, now = Signers(allowed=tmp_path / "allowed_signers"), datetime.now(UTC)
    roles = environment["sign_off"]["roles"]
    assert [principals(role)[0] for role in roles] == list(ROLES)
    for role in roles:
        key = tmp_path / principals(role)[0]
        assert check("text", sign("text", key), role=role, at=now, signers=signers).problem == ""
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    other = check("text", sign("text", tmp_path / "qa-lead"), role="Tech Lead", at=now, signers=signers)
    assert other.problem.endswith("not of the Tech Lead")


def test_the_contacts_of_the_demo_are_those_who_sign(tmp_path: Path) -> None:
    make_keys(tmp_path)
    contacts = yaml.safe_load((ROOT / "environments" / "demo.yaml").read_text())["contacts"]
    named = {principals(contact["role"])[0]: contact["name"] for contact in contacts}
    for role, person in ROLES.items():
        assert named[role] == person
        assert (tmp_path / f"{role}.pub").read_text().endswith(f" {person}\n")


def test_each_start_makes_other_keys(tmp_path: Path) -> None:
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        make_keys(tmp_path / name)
        made.append((tmp_path / name / "qa-lead.pub").read_text())
    assert made[0] != made[1]
