"""An environment changes single criteria, or single items of one, without touching the files they come from."""

from __future__ import annotations

import pytest

from golive.environment.problems import EnvironmentInvalid
from golive.model import Criterion
from tests.environment.conftest import BASE, Load

DISKS = """
- id: shop.health.disks
  says: Disk {item} has room
  check: hosts/cpu
  critical: 80
  severity: high
  for_each: [root, home, logs]
"""
MIXED = """
- id: shop.health.mixed
  says: Mixed {item}
  severity: high
  for_each:
    cpu: {check: hosts/cpu, critical: 70}
    names: {check: services/running, names: ["{item}"]}
"""


def adjusted(load: Load, criteria: str, adjust: str) -> dict[str, Criterion]:
    return {c.id: c for c in load(BASE + "adjust:\n" + adjust, criteria).criteria}


def refused(load: Load, criteria: str, adjust: str) -> list[str]:
    with pytest.raises(EnvironmentInvalid) as error:
        adjusted(load, criteria, adjust)
    return str(error.value).splitlines()


def test_each_item_may_have_a_check_of_its_own(load: Load) -> None:
    found = {c.id: c for c in load(criteria=MIXED).criteria}
    assert {name: c.check for name, c in found.items()} == {
        "shop.health.mixed[cpu]": "hosts/cpu",
        "shop.health.mixed[names]": "services/running",
    }
    assert found["shop.health.mixed[names]"].params.names == ("names",)
    assert found["shop.health.mixed[cpu]"].says == "Mixed cpu"


def test_one_item_is_adjusted_and_the_others_stay(load: Load) -> None:
    found = adjusted(load, DISKS, '  "shop.health.disks[home]": {critical: 95, severity: low}\n')
    assert {name: (c.params.critical, c.severity.value) for name, c in found.items()} == {
        "shop.health.disks[root]": (80, "high"),
        "shop.health.disks[home]": (95, "low"),
        "shop.health.disks[logs]": (80, "high"),
    }


def test_the_whole_and_an_item_are_adjusted_together(load: Load) -> None:
    both = '  "shop.health.disks[home]": {critical: 95}\n  shop.health.disks: {critical: 60}\n'
    found = adjusted(load, DISKS, both)
    assert [c.params.critical for c in found.values()] == [60, 95, 60]


def test_an_error_in_an_adjusted_item_is_told_where_it_was_written(load: Load) -> None:
    assert refused(load, DISKS, '  "shop.health.disks[home]":\n    severity: low\n    critcal: 95\n') == [
        (
            "environments/shop.yaml:9: criterion shop.health.disks[home]: unknown key 'critcal'. "
            "Did you mean 'critical'? Allowed: critical, for_each, host, id, no_data, retries, says, severity, "
            "warning, when, within."
        )
    ]
    assert refused(load, DISKS, '  "shop.health.disks[home]": {critical: 950}\n') == [
        (
            "environments/shop.yaml:7: criterion shop.health.disks[home]: 'critical': "
            "input should be less than or equal to 100; got 950"
        )
    ]


def test_an_item_that_is_not_there_is_told_with_the_nearest(load: Load) -> None:
    (line,) = refused(load, DISKS, '  "shop.health.disks[hom]": {critical: 95}\n')
    assert line.startswith(
        "environments/shop.yaml:7: adjust: unknown criterion 'shop.health.disks[hom]'. "
        "Did you mean 'shop.health.disks[home]'?"
    )


REPLACED = {
    "not_applicable: it is a demo": ("not_applicable", "people/not_applicable"),
    "attest: {role: Owner}": ("attest", "people/attested"),
    "check: services/running, names: [a]": ("check", "services/running"),
}


@pytest.mark.parametrize("answer", REPLACED)
def test_an_answer_replaces_the_one_there_was(load: Load, answer: str) -> None:
    found = adjusted(
        load, DISKS.replace("  for_each: [root, home, logs]\n", ""), f"  shop.health.disks: {{{answer}}}\n"
    )
    (criterion,) = found.values()
    assert (criterion.answer, criterion.check) == REPLACED[answer]
    assert criterion.severity.value == "high"


@pytest.mark.parametrize("answer", REPLACED)
def test_an_answer_replaces_that_of_one_item(load: Load, answer: str) -> None:
    found = adjusted(load, DISKS, f'  "shop.health.disks[home]": {{{answer}}}\n')
    assert [(c.answer, c.check) for c in found.values()] == [
        ("check", "hosts/cpu"), REPLACED[answer], ("check", "hosts/cpu"),
    ]  # fmt: skip


def test_an_answer_replaces_that_of_one_item_with_its_own(load: Load) -> None:
    found = adjusted(load, MIXED, '  "shop.health.mixed[cpu]": {not_applicable: it is a demo}\n')
    assert [c.answer for c in found.values()] == ["not_applicable", "check"]
    assert found["shop.health.mixed[cpu]"].params.reason == "it is a demo"


def test_everything_wrong_is_told_at_once_whichever_part_it_is_in(load: Load) -> None:
    with pytest.raises(EnvironmentInvalid) as error:
        load(BASE + "probe: 5\n", DISKS.replace("hosts/cpu", "hosts/cpy"))
    assert [line.partition(": ")[0] for line in str(error.value).splitlines()] == [
        "environments/criteria.yaml:4", "environments/shop.yaml:6",
    ]  # fmt: skip
