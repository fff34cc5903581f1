"""An environment is read whole, or refused with every problem, each with its place and the right name."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from golive.environment.load import environment_names, find_environment
from golive.environment.problems import EnvironmentInvalid
from golive.model import Severity, Status, When
from tests.environment.conftest import BASE, CRITERION, Load


def refused(load: Load, *args: str, **kwargs: object) -> str:
    with pytest.raises(EnvironmentInvalid) as error:
        load(*args, **kwargs)
    return str(error.value)


def test_criterion_carries_everything_that_was_written(load: Load) -> None:
    (criterion,) = load().criteria
    assert criterion.id == "shop.health.cpu"
    assert criterion.severity is Severity.HIGH
    assert criterion.when == (When.CHECKPOINT,)
    assert criterion.check == "hosts/cpu"
    assert criterion.params.critical == 80
    assert criterion.area == "health"
    assert str(criterion.place) == "environments/criteria.yaml:2"


def test_only_host_there_is_need_not_be_named(load: Load) -> None:
    assert load().criteria[0].params.host == "app"


def test_host_must_be_named_when_there_are_several(load: Load) -> None:
    two = BASE.replace('{app: {connect: "local://"}}', '{app: {connect: "local://"}, db: {connect: "local://"}}')
    assert "criterion shop.health.cpu: the key 'host' is missing" in refused(load, two)


FAULTS = {
    "unknown key": (
        CRITERION.replace("critical:", "critcal:"),
        (
            "environments/criteria.yaml:5: criterion shop.health.cpu: unknown key 'critcal'. Did you mean 'critical'? "
            "Allowed: critical, for_each, host, id, no_data, retries, says, severity, warning, when, within."
        ),
    ),
    "unknown check": (
        CRITERION.replace("hosts/cpu", "hosts/cpuu"),
        "criteria.yaml:4: criterion shop.health.cpu: unknown check 'hosts/cpuu'. Did you mean 'hosts/cpu'?",
    ),
    "unknown host": (
        CRITERION.replace("critical: 80", "host: ap"),
        "environments/criteria.yaml:5: criterion shop.health.cpu: unknown host 'ap'. Did you mean 'app'? Allowed: app.",
    ),
    "wrong type": (
        CRITERION.replace("80\n", "eighty\n"),
        "environments/criteria.yaml:5: criterion shop.health.cpu: 'critical': input should be a valid number",
    ),
    "beyond 100 percent": (CRITERION.replace("80\n", "800\n"), "'critical': input should be less than or equal to 100"),
    "wrong severity": (
        CRITERION.replace("severity: high", "severity: huge"),
        "'severity': input should be 'critical', 'high', 'medium' or 'low'; got 'huge'",
    ),
    "no severity": (CRITERION.replace("  severity: high\n", ""), "the key 'severity' is missing"),
    "wrong id": (CRITERION.replace("shop.health.cpu", "Shop CPU"), "'id': string should match pattern"),
    "two answers": (
        CRITERION + "  attest: {role: QA Lead}\n",
        "environments/criteria.yaml:8: criterion shop.health.cpu: is answered twice, by 'check' and 'attest'",
    ),
    "duplicate id": (
        CRITERION + CRITERION,
        "environments/criteria.yaml:9: criterion shop.health.cpu is already defined at environments/criteria.yaml:2",
    ),
    "misspelt answer": (
        CRITERION.replace("check:", "chek:"),
        "unknown key 'chek'. Did you mean 'check'?",
    ),
    "vacuous": (
        "- {id: shop.a.b, says: all run, severity: low, check: services/running}",
        "criterion shop.a.b: would assert nothing: 'names' is empty",
    ),
    "duration without a unit": (
        "- {id: shop.a.b, says: all run, severity: low, check: services/running, names: [a], within: 5}",
        "'within': a duration needs a number and a unit (ms, s, min, h, d), as in '5 s'; got 5",
    ),
    "request without a path": (
        "- {id: shop.a.b, says: all run, severity: low, check: services/running, names: [a], request: GET}",
        "'request': a request is a method",
    ),
    "reference in a list": (
        "- {id: shop.a.b, says: all run, severity: low, check: services/running, names: [a], at: [api, apo]}",
        "unknown endpoint 'apo'. Did you mean 'api'?",
    ),
    "empty for_each": (CRITERION + "  for_each: []\n", "it is empty, so nothing would be checked"),
    "for_each without use": (CRITERION + "  for_each: [a, b]\n", "no value of it mentions {item}"),
    "for_each twice the same": (CRITERION + "  for_each: [a, a]\n", "'for_each' names an item twice"),
    "feature without a test": (
        "- {id: shop.a.b, says: it works, severity: low, feature: tests/test_x.py::test_no}",
        "'feature' names the test that proves it",
    ),
    "reason too short": (
        "- {id: shop.a.b, says: it works, severity: low, not_applicable: ''}",
        "'not_applicable' needs the reason as a sentence",
    ),
    "attest without a role": (
        "- {id: shop.a.b, says: it works, severity: low, attest: {}}",
        "criterion shop.a.b: attest: the key 'role' is missing",
    ),
    "unknown occasion": (CRITERION.replace("[checkpoint]", "[checkpint]"), "'when.0': input should be 'checkpoint'"),
    "no list": ("id: shop.a.b", "environments/criteria.yaml:1: a criteria file is a list of criteria"),
    "no mapping": ("- just text", "a criterion is a mapping with 'id', 'says', 'severity'"),
    "empty": ("", "environments/criteria.yaml:1: is empty"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_in_a_criterion_is_told_with_place_and_remedy(load: Load, fault: str) -> None:
    criteria, message = FAULTS[fault]
    told = refused(load, BASE, criteria)
    assert message in told
    assert len(told.splitlines()) == 1


ENVIRONMENT_FAULTS = {
    "unknown section": (
        BASE + "hostz: {}\n",
        "environments/shop.yaml:6: environment: unknown key 'hostz'. Did you mean 'hosts'?",
    ),
    "unknown key of a host": (
        BASE.replace("connect:", "conect:"),
        "environment: hosts.app: unknown key 'conect'. Did you mean 'connect'?",
    ),
    "no system": (BASE.replace("system: shop\n", ""), "environment: the key 'system' is missing"),
    "url without a scheme": (
        BASE.replace("http://127.0.0.1:1", "127.0.0.1"),
        "is no absolute URL: write scheme://host[:port]",
    ),
    "password in a url": (
        BASE.replace("http://127", "http://me:hunter22@127"),
        "'endpoints.api.url': no password in a URL: give it as 'password: ${env:NAME}'",
    ),
    "unknown kind": (
        BASE + "services: {all: {kind: supervisord, host: app, expected: [a]}}\n",
        "environments/shop.yaml:6: services.all: unknown kind 'supervisord'. Did you mean 'supervisor'?",
    ),
    "no kind": (BASE + "logs: {api: {path: /x}}\n", "logs.api: the key 'kind' is missing. Allowed: "),
    "no criteria file": (BASE.replace("criteria.yaml", "nothing.yaml"), "criteria: no file matches"),
    "waiver without criterion": (
        BASE
        + "waivers: [{criterion: shop.health.cpo, reason: r, approver: a, risk: low, expires: 2030-01-01T00:00:00Z}]\n",
        "environments/shop.yaml:6: waivers: unknown criterion 'shop.health.cpo'. Did you mean 'shop.health.cpu'?",
    ),
    "waiver without zone": (
        BASE
        + "waivers: [{criterion: shop.health.cpu, reason: r, approver: a, risk: low, expires: 2030-01-01T00:00:00}]\n",
        "'waivers.0.expires': a time needs its zone",
    ),
    "attestation of a checked criterion": (
        BASE + "attestations: [{criterion: shop.health.cpu, by: Ann, role: QA, at: 2030-01-01T00:00:00Z}]\n",
        "attestations: unknown criterion 'shop.health.cpu'",
    ),
    "adjusting what is not there": (
        BASE + "adjust: {shop.health.cpi: {critical: 9}}\n",
        "adjust: unknown criterion 'shop.health.cpi'",
    ),
    "adjusting an unknown key": (
        BASE + "adjust: {shop.health.cpu: {critcal: 9}}\n",
        "environments/shop.yaml:6: criterion shop.health.cpu: unknown key 'critcal'. Did you mean 'critical'?",
    ),
    "include that is missing": (BASE + "include: [other.yaml]\n", "include: there is no file 'other.yaml'"),
    "not a mapping": ("[1, 2]", "environments/shop.yaml:1: an environment is a mapping (system, "),
    "section of another type": (
        BASE.replace('{app: {connect: "local://"}}', "app"),
        "'hosts': input should be a valid dictionary",
    ),
}


@pytest.mark.parametrize("fault", ENVIRONMENT_FAULTS)
def test_fault_in_an_environment_is_told_with_place_and_remedy(load: Load, fault: str) -> None:
    environment, message = ENVIRONMENT_FAULTS[fault]
    told = refused(load, environment)
    assert message in told
    assert "hunter22" not in told


def test_every_problem_is_told_at_once(load: Load) -> None:
    told = refused(
        load,
        BASE,
        CRITERION.replace("critical:", "critcal:")
        + CRITERION.replace("shop.health.cpu", "shop.b.c").replace(": 80", ": x").replace("high", "huge"),
    )
    assert len(told.splitlines()) == 3
    assert told.splitlines() == sorted(told.splitlines(), key=lambda line: int(line.split(":")[1]))


def test_for_each_expands_one_criterion_over_a_list(load: Load) -> None:
    criteria = (
        "- {id: shop.a.run, says: runs, severity: low, check: services/running, names: ['{item}'], for_each: [web, db]}"
    )
    found = load(BASE, criteria).criteria
    assert [c.id for c in found] == ["shop.a.run[web]", "shop.a.run[db]"]
    assert found[1].params.names == ("db",)
    assert found[1].base_id == "shop.a.run"


def test_for_each_mapping_overrides_keys(load: Load) -> None:
    found = load(BASE, CRITERION + "  for_each: {day: {}, night: {critical: 95}}\n").criteria
    assert {c.id: c.params.critical for c in found} == {"shop.health.cpu[day]": 80, "shop.health.cpu[night]": 95}


def test_environment_adjusts_single_keys(load: Load) -> None:
    environment = load(BASE + "adjust: {shop.health.cpu: {critical: 60, severity: critical}}\n")
    assert environment.criteria[0].params.critical == 60
    assert environment.criteria[0].severity is Severity.CRITICAL


def test_environment_can_answer_a_criterion_otherwise(load: Load) -> None:
    environment = load(
        BASE
        + "adjust: {shop.health.cpu: {not_applicable: serverless, there is no host}}\n".replace(
            "serverless,", "'serverless,"
        ).replace("host}}", "host'}}")
    )
    assert environment.criteria[0].answer == "not_applicable"
    assert environment.criteria[0].params.reason == "serverless, there is no host"


def test_unanswered_criterion_is_listed_as_such(load: Load) -> None:
    environment = load(BASE, CRITERION + "- {id: shop.watch.day, says: a day passes, severity: high}\n")
    assert environment.unanswered == ("shop.watch.day",)


def test_attestation_and_no_data_are_read(load: Load) -> None:
    environment = load(
        BASE, "- {id: shop.sign.qa, says: signs, severity: high, attest: {role: QA, valid_for: 2 d}, no_data: fail}"
    )
    criterion = environment.criteria[0]
    assert criterion.check == "people/attested"
    assert (criterion.params.role, criterion.params.valid_for) == ("QA", 172_800.0)
    assert criterion.no_data is Status.FAIL


def test_included_files_are_joined_and_the_outer_one_wins(load: Load) -> None:
    environment = load(
        BASE + "include: [base.yaml]\n",
        CRITERION + "  host: app\n",
        base__yaml="hosts: {db: {connect: 'ssh://db'}, app: {connect: 'ssh://old'}}\ndeployment: {version: '1'}\n",
    )
    assert environment.section.hosts["db"].connect == "ssh://db"
    assert environment.section.hosts["app"].connect == "local://"
    assert environment.deployment.version == "1"


def test_cyclic_include_is_one_line(load: Load) -> None:
    told = refused(load, BASE + "include: [a.yaml]\n", a__yaml="include: [shop.yaml]\n")
    assert "includes itself: environments/shop.yaml -> environments/a.yaml -> environments/shop.yaml" in told


def test_times_are_utc(load: Load) -> None:
    environment = load(BASE + "deployment: {deployed_at: 2026-05-01T11:00:00+02:00}\n")
    assert environment.deployment.deployed_at == datetime(2026, 5, 1, 9, tzinfo=UTC)


def test_environment_is_found_by_name_or_path(tmp_path: Path) -> None:
    (tmp_path / "prod.yaml").touch()
    assert environment_names(tmp_path) == ["prod"]
    assert find_environment("prod", tmp_path) == tmp_path / "prod.yaml"
    assert find_environment("/x/y.yaml", tmp_path) == Path("/x/y.yaml")
    with pytest.raises(EnvironmentInvalid, match=r"unknown environment 'prid'. Did you mean 'prod'\? Allowed: prod."):
        find_environment("prid", tmp_path)


def test_check_that_cannot_be_imported_stops_the_run_with_its_reason(load: Load, tmp_path: Path) -> None:
    (tmp_path / "sample_checks/hosts/cpu.py").write_text(
        '"""C.\n\nWhy: w.\nWhen it fails: f.\n"""\nimport no_such_module\n'
    )
    assert "check hosts/cpu cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'" in refused(load)
