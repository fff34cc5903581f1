"""The digest of the rules changes with what they demand, and with nothing else."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fixtures.options import CATALOGUE, PROJECT
from golive.environment.load import load_environment, read_files
from golive.environment.params import CheckParams, Request, Secret
from golive.environment.references import standard_providers
from golive.history.criteria_sets import as_data, criteria_data, digest_of, store_criteria
from golive.history.store import History
from golive.model import Criterion, Place, Severity, Status, When
from tests.servers import PASSWORD, secret


class Params(CheckParams):
    limit: float = 80
    host: str = "app"
    request: Request = Request("GET", "/health")
    password: Secret | None = None
    hosts: tuple[str, ...] = ("a", "b")
    nested: dict[str, Any] = {"odd": math.inf, "set": frozenset({"x", "y"}), "at": datetime(2026, 5, 1, tzinfo=UTC)}


ONE = Criterion(
    id="shop.a.b", says="It holds", severity=Severity.HIGH, when=(When.CHECKPOINT, When.GOLIVE), answer="check",
    place=Place(file="x.yaml"), check="hosts/cpu", params=Params(),
)  # fmt: skip
TWO = replace(ONE, id="shop.c.d", params=None)


@pytest.mark.parametrize(
    "change",
    [
        {"says": "It holds well"},
        {"severity": Severity.LOW},
        {"when": (When.GOLIVE,)},
        {"answer": "unanswered"},
        {"check": "hosts/memory"},
        {"no_data": Status.PASS},
        {"retries": 1},
        {"params": Params(limit=81)},
        {"params": Params(hosts=("b", "a"))},
        {"params": Params(request=Request("GET", "/"))},
        {"params": None},
    ],
)
def test_another_rule_is_another_digest(change: dict[str, Any]) -> None:
    assert digest_of([replace(ONE, **change), TWO]) != digest_of([ONE, TWO])
    assert digest_of([ONE]) != digest_of([ONE, TWO])


@pytest.mark.parametrize(
    "same",
    [
        [TWO, ONE],
        [replace(ONE, place=Place(file="y.yaml", line=7)), TWO],
        [replace(ONE, when=(When.GOLIVE, When.CHECKPOINT)), TWO],
        [replace(ONE, params=Params()), TWO],
    ],
    ids=["order", "place", "order of occasions", "equal parameters"],
)
def test_the_same_rules_have_one_digest(same: list[Criterion]) -> None:
    assert digest_of(same) == digest_of([ONE, TWO])


def test_the_digest_is_the_same_in_every_process() -> None:
    """Whoever changes how rules are put down makes every watch that goes on see other rules."""
    assert digest_of([ONE, TWO]) == "ff8761e8cbded1c2c34ce11ba07653017affb860e0c02c1456bf26c70651ab5d"


def test_a_secret_is_not_written_and_not_a_rule() -> None:
    one, other = (replace(ONE, params=Params(password=secret(value))) for value in (PASSWORD, "another-one"))
    assert PASSWORD not in json.dumps(as_data([one]))
    assert digest_of([one]) == digest_of([other])
    told = replace(ONE, says=f"Nobody logs in with {PASSWORD}")
    assert PASSWORD not in json.dumps(as_data([told], [PASSWORD]))


def test_rules_are_kept_under_their_digest(history: History) -> None:
    digest = store_criteria(history, [ONE, TWO])
    assert digest == store_criteria(history, [TWO, ONE]) == digest_of([ONE, TWO])
    assert criteria_data(history, digest) == as_data([ONE, TWO])
    assert criteria_data(history, "none") == []


ENVIRONMENT = """
system: shop
hosts: {app: {connect: "local://"}}
criteria: [criteria.yaml]
adjust:
  shop.a.file: {path: "${env:PLACE}/x"}
  shop.a.each: {path: "${env:PLACE}/{item}"}
"""
CRITERIA = """
- {id: shop.a.file, says: The file is there, check: hosts/file, path: /etc/passwd, severity: high}
- {id: shop.a.each, says: Files are there, check: hosts/file, path: "/etc/{item}", severity: high, for_each: [a, b]}
"""


def test_a_reference_is_the_rule_and_not_its_value(tmp_path: Path) -> None:
    """A verdict may be asked for where the target's values are not known; the rules are the same there."""
    (tmp_path / "shop.yaml").write_text(ENVIRONMENT, encoding="utf-8")
    (tmp_path / "criteria.yaml").write_text(CRITERIA, encoding="utf-8")

    def digest(providers: Any) -> str:
        sources = read_files(tmp_path / "shop.yaml")
        found = load_environment(sources, catalogue=CATALOGUE, project=PROJECT, providers=providers)
        return digest_of(found.criteria, found.secrets)

    one, other = (digest(standard_providers(tmp_path, {"PLACE": place})) for place in ("/srv/one", "/srv/other"))
    assert one == other == digest(None)
    written = ENVIRONMENT.replace("${env:PLACE}/x", "${env:PLACE}/y")
    (tmp_path / "shop.yaml").write_text(written, encoding="utf-8")
    assert digest(None) != one
