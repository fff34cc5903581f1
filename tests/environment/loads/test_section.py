"""`load:` is read as it is written, and refused where it could do harm, do nothing or be misunderstood."""

from __future__ import annotations

from pathlib import Path

import pytest

from golive.environment.load import Environment
from golive.environment.loads import Caps, LoadSection, Worker
from golive.environment.params import Request
from golive.environment.problems import EnvironmentInvalid
from tests.environment.conftest import BASE, CRITERION, Load

ENVIRONMENT = """
system: shop
production: false
hosts:
  app: {connect: "local://"}
  loadgen: {connect: "ssh://me@loadgen"}
endpoints:
  api: {url: "http://127.0.0.1:1"}
  web: {url: "http://127.0.0.1:2"}
accounts:
  ann: {endpoint: api, username: ann, password: "${env:ANN}"}
criteria: [criteria.yaml]
load:
  endpoints: [api]
  max_users: 100
  max_rate: 50/s
  hours: ["22:00-05:00"]
  abort_on: [{errors: 50 %, over: 5 s, min_requests: 20}]
  profiles:
    steady:
      scenarios:
        - name: cashier
          weight: 3
          as: ann
          think_time: 200 ms to 1 s
          feed: {file: skus.csv}
          steps:
            - GET /api/orders/{sku}
            - {request: POST /api/orders, body: {sku: "{sku}"}, status: [201], save: {order: data.id},
               clean_up: "DELETE /api/orders/{order}"}
            - GET /api/orders/{order}
      stages: [{ramp: 10 s, users: 20}, {hold: 30 s}]
      warm_up: 5 s
    arriving:
      model: open
      users: 30
      scenarios: [{name: visitor, steps: [GET /]}]
      stages: [{ramp: 10 s, rate: 40/s}, {soak: 1 min}]
      workers: [loadgen]
"""
SKUS = "sku\nA1\nB2\n"


def read(load: Load, environment: str = ENVIRONMENT, **more: str) -> Environment:
    return load(environment, CRITERION + "  host: app\n", variables={"ANN": "hush"}, **{"skus__csv": SKUS, **more})


def section(load: Load, environment: str = ENVIRONMENT, **more: str) -> LoadSection:
    found = read(load, environment, **more).section.load
    assert found is not None
    return found


def changed(old: str, new: str) -> str:
    assert ENVIRONMENT.count(old) == 1, f"{old!r} stands there {ENVIRONMENT.count(old)} times"
    return ENVIRONMENT.replace(old, new)


def test_everything_that_was_written_is_read(load: Load) -> None:
    found = section(load)
    steady, arriving = found.profiles["steady"], found.profiles["arriving"]
    assert (found.max_users, found.max_rate, str(found.hours[0])) == (100, 50.0, "22:00-05:00")
    assert (found.abort_on[0].errors, found.abort_on[0].over) == (50.0, 5.0)
    assert steady.endpoint == arriving.endpoint == "api"
    scenario = steady.scenarios[0]
    assert (scenario.account, scenario.weight, scenario.think_time) == ("ann", 3, (0.2, 1.0))
    assert [step.name for step in scenario.steps] == [
        "GET /api/orders/{sku}", "POST /api/orders", "GET /api/orders/{order}",
    ]  # fmt: skip
    assert scenario.steps[1].clean_up == Request("DELETE", "/api/orders/{order}")
    assert scenario.steps[1].needs == {"sku"}
    assert steady.request_names == tuple(step.name for step in scenario.steps)
    assert (arriving.model, arriving.users, arriving.peak) == ("open", 30, 40.0)
    assert arriving.workers == (Worker.model_validate("loadgen"),)


def test_files_are_found_beside_the_file_that_names_them(load: Load, tmp_path: Path) -> None:
    scenario = section(load).profiles["steady"].scenarios[0]
    assert scenario.feed is not None
    assert scenario.feed.file == str(tmp_path / "environments" / "skus.csv")


def test_profiles_of_an_included_file_are_there_and_find_their_files(load: Load, tmp_path: Path) -> None:
    own, _, loads = ENVIRONMENT.partition("load:\n")
    (tmp_path / "environments" / "shared").mkdir()
    (tmp_path / "environments" / "shared" / "skus.csv").write_text(SKUS)
    (tmp_path / "environments" / "shared" / "load.yaml").write_text(f"load:\n{loads}")
    scenario = section(load, f"{own}include: [shared/load.yaml]\n").profiles["steady"].scenarios[0]
    assert scenario.feed is not None
    assert scenario.feed.file == str(tmp_path / "environments" / "shared" / "skus.csv")


def test_environment_without_load_is_as_it_was(load: Load) -> None:
    environment = load()
    assert environment.section.load is None
    assert environment.section.production is None
    assert environment.section.is_production


@pytest.mark.parametrize(
    ("written", "expected"),
    [("", True), ("production: true\n", True), ("production: false\n", False), ("demo: true\n", False)],
)
def test_what_says_nothing_of_itself_is_production(load: Load, written: str, expected: bool) -> None:
    assert load(BASE + written).section.is_production is expected


def test_production_has_the_lower_caps() -> None:
    permit = {"permitted_by": "Ann", "reason": "sale", "until": "2030-01-01T00:00:00Z"}
    found = LoadSection.model_validate(
        {
            "endpoints": ["api"],
            "max_users": 100,
            "max_rate": "50/s",
            "production": {**permit, "max_users": 10, "max_rate": "5/s"},
            "profiles": {"a": {"locustfile": "x.py", "stages": [{"ramp": "1 s", "users": 1}]}},
        }
    )
    assert found.caps(production=True) == Caps(10, 5.0)
    assert found.caps(production=False) == Caps(100, 50.0)


def test_load_has_a_kill_switch_even_where_none_is_written(load: Load) -> None:
    found = section(load, changed("  abort_on: [{errors: 50 %, over: 5 s, min_requests: 20}]\n", ""))
    assert [(rule.errors, rule.min_requests) for rule in found.abort_on] == [(50.0, 50)]


def test_processes_leave_one_core_free(load: Load) -> None:
    automatic = section(load, changed("warm_up: 5 s", "processes: auto")).profiles["steady"]
    assert [automatic.worker_processes(cores) for cores in (1, 2, 8)] == [1, 1, 7]
    assert section(load, changed("warm_up: 5 s", "processes: 3")).profiles["steady"].worker_processes(1) == 3


def test_criterion_that_names_an_unknown_profile_is_told_the_nearest(load: Load, tmp_path: Path) -> None:
    area = tmp_path / "sample_checks" / "load"
    area.mkdir()
    (area / "__init__.py").touch()
    (area / "latency.py").write_text(
        '"""Fast.\n\nWhy: users.\nWhen it fails: look.\n"""\n'
        "from golive.environment.params import CheckParams, ProfileRef\n\n"
        "class Params(CheckParams):\n    profile: ProfileRef\n\ndef test_it_is_fast(criterion): ...\n"
    )
    criterion = "- {id: shop.a.b, says: is fast, severity: low, check: load/latency, profile: stedy}\n"
    with pytest.raises(EnvironmentInvalid) as error:
        load(ENVIRONMENT, criterion, variables={"ANN": "hush"}, skus__csv=SKUS)
    assert str(error.value) == (
        "environments/criteria.yaml:1: criterion shop.a.b: unknown load profile 'stedy'. Did you mean 'steady'? "
        "Allowed: arriving, steady."
    )
    good = load(ENVIRONMENT, criterion.replace("stedy", "steady"), variables={"ANN": "hush"}, skus__csv=SKUS)
    assert good.criteria[0].params.profile == "steady"


STAGES = "stages: [{ramp: 10 s, users: 20}, {hold: 30 s}]"
FAULTS = {
    "unknown key": ("warm_up:", "warmup:", "environments/shop.yaml:33: environment: load.profiles.steady: unknown key"),
    "unknown endpoint": (
        "load:\n  endpoints: [api]",
        "load:\n  endpoints: [apo]",
        "environments/shop.yaml:14: load: unknown endpoint 'apo'. Did you mean 'api'? Allowed: api, web.",
    ),
    "no endpoint": ("load:\n  endpoints: [api]", "load:\n  endpoints: []", "'load.endpoints': tuple should have"),
    "endpoint that is not allowed": (
        "warm_up: 5 s",
        "endpoint: web",
        "shop.yaml:33: load.profiles.steady: load may be aimed at api ('load.endpoints'), not at 'web'",
    ),
    "unknown account": ("as: ann", "as: anna", "environments/shop.yaml:24: load: unknown account 'anna'"),
    "unknown host": ("workers: [loadgen]", "workers: [loadgem]", "shop.yaml:39: load: unknown host 'loadgem'"),
    "worker that is here": (
        "workers: [loadgen]",
        "workers: [app]",
        "shop.yaml:39: load.profiles.arriving: a worker is reached by ssh://, and host 'app' by local://",
    ),
    "worker twice": (
        "workers: [loadgen]",
        "workers: [loadgen, {host: loadgen, processes: 2}]",
        "load.profiles.arriving: host 'loadgen' is there twice; give it more 'processes'",
    ),
    "too many users": (
        "users: 20}",
        "users: 101}",
        "shop.yaml:32: load.profiles.steady: 101 users are more than the 100 of 'load.max_users'",
    ),
    "too high a rate": (
        "rate: 40/s}",
        "rate: 51/s}",
        "shop.yaml:38: load.profiles.arriving: 51/s is more than the 50/s of 'load.max_rate'",
    ),
    "too large a pool": (
        "users: 30",
        "users: 300",
        "shop.yaml:36: load.profiles.arriving: 300 users are more than the 100 of 'load.max_users'",
    ),
    "steps too high": (
        "{hold: 30 s}]",
        "{steps: 1 s, by: 10, until: 200}]",
        "shop.yaml:32: load.profiles.steady: 200 users are more than the 100 of 'load.max_users'",
    ),
    "neither scenarios nor a locustfile": (
        "scenarios: [{name: visitor, steps: [GET /]}]",
        "says: nothing",
        "load.profiles.arriving: needs either 'scenarios' or a 'locustfile', and not both",
    ),
    "both": (
        "warm_up: 5 s",
        "locustfile: skus.csv",
        "shop.yaml:33: load.profiles.steady: needs either 'scenarios' or a 'locustfile', and not both",
    ),
    "rate in the closed model": (
        "users: 20}",
        "rate: 20/s}",
        "load.profiles.steady: the closed model has 'users' in its stages, not 'rate'",
    ),
    "users in the open model": (
        "rate: 40/s}",
        "users: 40}",
        "load.profiles.arriving: the open model has 'rate' in its stages, not 'users'",
    ),
    "steps of the other model": (
        "{soak: 1 min}",
        "{steps: 1 s, by: 1, until: 50}",
        "load.profiles.arriving: the open model has rates, as in '10/s' in 'by' and 'until'",
    ),
    "no pool": ("      users: 30\n", "", "load.profiles.arriving: the open model needs 'users', how many may be busy"),
    "pool in the closed model": ("warm_up: 5 s", "users: 5", "in the closed model the stages say how many users"),
    "arrivals in the closed model": ("warm_up: 5 s", "arrivals: poisson", "'arrivals' belongs to 'model: open'"),
    "thinking in the open model": (
        "{name: visitor,",
        "{name: visitor, think_time: 1 s,",
        "load.profiles.arriving: users of the open model do not think",
    ),
    "no weight": ("weight: 3", "weight: 0", "shop.yaml:23: environment: 'load.profiles.steady.scenarios.0.weight':"),
    "field that nothing gives": (
        "GET /api/orders/{sku}",
        "GET /api/orders/{order}",
        (
            "shop.yaml:28: load.profiles.steady: GET /api/orders/{order}: neither the feed nor an earlier 'save' gives"
            " it: unknown field '{order}'. Allowed: {sku}."
        ),
    ),
    "field that is misspelt": (
        '{sku: "{sku}"}',
        '{sku: "{skus}"}',
        (
            "shop.yaml:29: load.profiles.steady: POST /api/orders: neither the feed nor an earlier 'save' gives it:"
            " unknown field '{skus}'. Did you mean '{sku}'? Allowed: {sku}."
        ),
    ),
    "clean-up by what nothing gives": (
        "DELETE /api/orders/{order}",
        "DELETE /api/orders/{id}",
        "unknown field '{id}'. Allowed: {order}, {sku}.",
    ),
    "saved under no name": (
        "save: {order:",
        "save: {'or der':",
        "'load.profiles.steady.scenarios.0.steps.1.save.or de",
    ),
    "hours": ('"22:00-05:00"', '"22-5"', "shop.yaml:17: environment: 'load.hours.0': hours are two different times"),
    "stage without a level before it": (
        STAGES,
        "stages: [{hold: 30 s}]",
        "shop.yaml:32: load.profiles.steady: 'hold' stays at the level before it, and there is none: begin with a",
    ),
    "spike without a level before it": (
        STAGES,
        "stages: [{spike: 3 s, users: 9}]",
        "load.profiles.steady: a 'spike' goes back to the level before it, and there is none",
    ),
    "steps without an end": ("{hold: 30 s}]", "{steps: 10 s, by: 5}]", "'steps' needs 'by' and 'until', as in"),
    "steps that go nowhere": (
        "{hold: 30 s}]",
        "{steps: 10 s, by: 5, until: 20}]",
        "load.profiles.steady: the steps end where they begin: the level before them is 20",
    ),
    "steps beyond number": (
        "{soak: 1 min}",
        "{steps: 1 s, by: 0.001/s, until: 50/s}",
        "load.profiles.arriving: that makes 10000 steps, more than 1000",
    ),
    "no users at all": ("users: 20}", "users: 0}", "load.profiles.steady: no stage has a user or a request"),
    "nothing but warm-up": (
        "warm_up: 5 s",
        "warm_up: 40 s",
        "shop.yaml:33: load.profiles.steady: it lasts 40 s, all of which is warm-up, so nothing would be counted",
    ),
    "feed that is missing": (
        "skus.csv",
        "sku.csv",
        "shop.yaml:26: load.profiles.steady: the feed 'environments/sku.csv' cannot be read: No such file or directory",
    ),
    "scenario twice": (
        "[{name: visitor, steps: [GET /]}]",
        "[{name: visitor, steps: [GET /]}, {name: visitor, steps: [GET /a]}]",
        "load.profiles.arriving: two scenarios are called 'visitor'",
    ),
    "step that is no request": ("steps: [GET /]", "steps: [GET]", "scenarios.0.steps.0': a request is a method"),
    "step that is a number": ("steps: [GET /]", "steps: [5]", "steps.0': a mapping is expected (body, clean_up,"),
    "abort on nothing": ("{errors: 50 %, over:", "{over:", "'load.abort_on.0': needs at least one of errors, p50"),
    "abort on no share": ("errors: 50 %", "errors: 120 %", "'load.abort_on.0.errors': a share is above 0 and at most"),
    "no processes": ("warm_up: 5 s", "processes: 0", "a number of processes, or 'auto' for one less than there are"),
    "two stages in one": (
        "{hold: 30 s}",
        "{hold: 30 s, soak: 3 s}",
        "a stage is one of ramp, hold, spike, steps, soak",
    ),
    "name of a profile": ("    steady:", "    my steady:", "string should match pattern"),
    "permission where none is needed": (
        "  max_rate: 50/s\n",
        (
            "  max_rate: 50/s\n  production:\n    {permitted_by: A, reason: b, until: 2030-01-01T00:00:00Z,"
            " max_users: 1, max_rate: 1/s}\n"
        ),
        "shop.yaml:17: load: 'production' permits nothing here: this environment is none",
    ),
    "demo that is production": ("production: false", "demo: true\nproduction: true", "'demo: true' is not production"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_told_once_with_its_place(load: Load, fault: str) -> None:
    old, new, message = FAULTS[fault]
    with pytest.raises(EnvironmentInvalid) as error:
        read(load, changed(old, new))
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1, str(error.value)


def test_caps_in_production_are_not_above_the_general_ones(load: Load) -> None:
    permit = "{permitted_by: A, reason: b, until: 2030-01-01T00:00:00Z, max_users: 101, max_rate: 51/s}"
    environment = changed("production: false", "production: true").replace(
        "load:\n", f"load:\n  production: {permit}\n"
    )
    with pytest.raises(EnvironmentInvalid) as error:
        read(load, environment)
    assert str(error.value).splitlines() == [
        "environments/shop.yaml:14: load: production is not pressed harder than the 100 of 'max_users'",
        "environments/shop.yaml:14: load: production is not pressed harder than the 50/s of 'max_rate'",
    ]


def test_locustfile_takes_the_place_of_scenarios(load: Load, tmp_path: Path) -> None:
    environment = changed("scenarios: [{name: visitor, steps: [GET /]}]", "locustfile: own.py").replace(
        "      model: open\n      users: 30\n", ""
    )
    environment = environment.replace("rate: 40/s", "users: 40")
    profile = section(load, environment, own__py="").profiles["arriving"]
    assert profile.locustfile == str(tmp_path / "environments" / "own.py")
    assert profile.request_names == ()
    with pytest.raises(EnvironmentInvalid, match=r"arriving: there is no file 'environments/owm\.py'"):
        read(load, environment.replace("own.py", "owm.py"), own__py="")


def test_locustfile_has_no_open_model(load: Load) -> None:
    with pytest.raises(EnvironmentInvalid, match="the open model needs 'scenarios'"):
        read(load, changed("scenarios: [{name: visitor, steps: [GET /]}]", "locustfile: own.py"), own__py="")


def test_broken_feed_is_told_in_its_words(load: Load) -> None:
    with pytest.raises(EnvironmentInvalid, match=r"the feed 'environments/skus\.csv' holds no row"):
        read(load, skus__csv="sku\n")


def test_references_may_stay_unresolved_where_criteria_are_only_listed(load: Load) -> None:
    environment = changed("skus.csv", '"${env:FOLDER}/skus.csv"')
    listed = load(environment, CRITERION + "  host: app\n", resolved=False)
    assert listed.section.load is not None
    assert "steady" in listed.section.load.profiles


@pytest.mark.parametrize(
    "rubbish", ["[]", "text", "{profiles: 3}", "{profiles: {a: 3}}", "{endpoints: 4, profiles: {}}"]
)
def test_section_of_another_shape_is_a_problem_and_no_crash(load: Load, rubbish: str) -> None:
    with pytest.raises(EnvironmentInvalid, match=r"environments/shop\.yaml:6: environment: '?load"):
        load(BASE + f"load: {rubbish}\n")
