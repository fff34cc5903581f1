"""Criteria about containers that could never be answered are refused when the environment is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.options import CATALOGUE
from golive.environment.load import load_environment, read_files
from golive.environment.problems import EnvironmentInvalid

ENVIRONMENT = """
system: shop
hosts: {app: {connect: "local://"}}
services:
  units: {kind: systemd, host: app, expected: [api]}
  boxes: {kind: docker, host: app, expected: [api, db]}
criteria: [criteria.yaml]
"""


def loaded(folder: Path, criterion: str) -> str:
    """What is wrong with the environment, empty when it loads."""
    (folder / "shop.yaml").write_text(ENVIRONMENT)
    (folder / "criteria.yaml").write_text(
        f"- {{id: shop.security.a, says: not root, check: containers/not_root, severity: high, {criterion}}}\n"
    )
    try:
        load_environment(read_files(folder / "shop.yaml"), catalogue=CATALOGUE, project=folder, providers=None)
    except EnvironmentInvalid as invalid:
        return str(invalid)
    return ""


@pytest.mark.parametrize(
    ("criterion", "told"),
    [
        ("services: units", "criterion shop.security.a: services entry units is of kind systemd, which runs no"),
        ("services: boxes, except: {dbb: it drops root}", "unknown service 'dbb'. Did you mean 'db'?"),
        ("services: boxers", "Did you mean 'boxes'?"),
    ],
)
def test_what_could_never_be_answered_is_refused(tmp_path: Path, criterion: str, told: str) -> None:
    assert told in loaded(tmp_path, criterion)


def test_what_can_be_answered_is_loaded(tmp_path: Path) -> None:
    assert loaded(tmp_path, "services: boxes, except: {db: it drops root}") == ""
