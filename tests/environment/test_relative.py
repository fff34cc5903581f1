"""`within: N % of baseline`: told apart from a check's own `within`, refused with the right words."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.options import CATALOGUE
from golive.environment.json_schema import json_schema
from golive.environment.problems import EnvironmentInvalid
from golive.environment.relative import percent_of_baseline
from tests.environment.conftest import BASE, CRITERION, Load

RUNNING = """
- id: shop.health.running
  says: The services run
  check: services/running
  names: [api]
  within: {within}
  severity: high
"""


@pytest.mark.parametrize(
    ("text", "percent"),
    [
        ("20 % of baseline", 20),
        (" 2.5% of  baseline ", 2.5),
        ("0 % of baseline", 0),
        ("2 h", None),
        (20, None),
        (None, None),
    ],
)
def test_a_share_of_the_baseline(text: Any, percent: float | None) -> None:
    assert percent_of_baseline(text) == percent


@pytest.mark.parametrize(
    "text", ["20 %", "20 % of the baseline", "-5 % of baseline", "x % of baseline", "% of baseline"]
)
def test_a_share_of_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is written '20 % of baseline'; got"):
        percent_of_baseline(text)


def test_every_check_may_be_held_against_the_baseline(load: Load) -> None:
    (criterion,) = load(BASE, CRITERION + "  within: 20 % of baseline\n").criteria
    assert (criterion.baseline_percent, criterion.params.critical) == (20, 80)
    assert load().criteria[0].baseline_percent is None


def test_a_parameter_of_that_name_stays_one(load: Load) -> None:
    (criterion,) = load(BASE, RUNNING.format(within="2 h")).criteria
    assert (criterion.baseline_percent, criterion.params.within) == (None, 7200)
    (criterion,) = load(BASE, RUNNING.format(within="3 % of baseline")).criteria
    assert (criterion.baseline_percent, criterion.params.within) == (3, 1)


@pytest.mark.parametrize(
    ("criteria", "message"),
    [
        (
            CRITERION + "  within: 20 % of base\n",
            (
                "criteria.yaml:8: criterion shop.health.cpu: a limit relative to the baseline is written "
                "'20 % of baseline'; got '20 % of base'"
            ),
        ),
        (CRITERION + "  within: 2 h\n", "criterion shop.health.cpu: unknown key 'within'."),
        (
            "- {id: shop.a.b, says: Somebody agrees, severity: low, attest: {role: QA}, within: 5 % of baseline}",
            "criterion shop.a.b: only what a check measures can be compared with a baseline",
        ),
        (
            CRITERION + "  witin: 5 % of baseline\n",
            "unknown key 'witin'. Did you mean 'within'?",
        ),
    ],
)
def test_faults_are_told(load: Load, criteria: str, message: str) -> None:
    with pytest.raises(EnvironmentInvalid) as error:
        load(BASE, criteria)
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_it_stays_when_another_check_answers(load: Load) -> None:
    several = """
- id: shop.health.host
  says: The host is well
  severity: high
  check: hosts/cpu
  within: 10 % of baseline
  for_each:
    cpu: {critical: 80}
    api: {check: services/running, names: [api]}
    web: {check: services/running, names: [web], within: 5 % of baseline}
"""
    found = {c.item: (c.check, c.baseline_percent) for c in load(BASE, several).criteria}
    assert found == {"cpu": ("hosts/cpu", 10), "api": ("services/running", 10), "web": ("services/running", 5)}
    adjusted = BASE + "adjust: {shop.health.cpu: {check: services/running, names: [api]}}\n"
    (criterion,) = load(adjusted, CRITERION + "  within: 9 % of baseline\n").criteria
    assert (criterion.check, criterion.baseline_percent) == ("services/running", 9)


def test_the_schema_knows_both() -> None:
    variants = json_schema(CATALOGUE)["anyOf"][1]["items"]["anyOf"]
    by_check = {
        v["properties"]["check"]["const"]: v["properties"]["within"] for v in variants if "check" in v["properties"]
    }
    assert by_check["hosts/cpu"]["examples"] == ["20 % of baseline"]
    own, relative = by_check["history/recent"]["anyOf"]
    assert "ms|s|min|h|d" in own["pattern"].replace("|m|", "|")
    assert relative["examples"] == ["20 % of baseline"]
    assert by_check["history/recent"]["description"] == "greatest age of that run"
