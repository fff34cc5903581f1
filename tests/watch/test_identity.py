"""What is deployed, read from a real demo: the same while nothing is changed, and each change named."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from demo import control
from demo import settings as demo_settings
from demo.faults import FAULTS
from demo.state import State
from demo.supervisor import Supervisor
from fixtures.options import environment_of
from golive.environment.load import Environment
from golive.judge.identity import differences
from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from golive.watch.identity import NOTHING_DECLARED, read_identity

pytestmark = pytest.mark.xdist_group("demo-identity")

VOIDING = sorted(name for name, fault in FAULTS.items() if fault.shows_in == "watch")
LONGEST_S = 0.2


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """A demo of this module's own; tests leave it as they found it."""
    place = tmp_path_factory.mktemp("d") / "s"
    yield control.up(place)
    control.down(place)


@pytest.fixture(scope="module")
def environment(state: State) -> Environment:
    return environment_of("demo", lambda: {**state.values, **state.secrets})


@pytest.fixture(scope="module")
def hosts(environment: Environment) -> Mapping[str, Host]:
    section = environment.section
    return {"app": Host("app", section.hosts["app"], section.services)}


def with_services(environment: Environment, **services: object) -> Environment:
    return replace(environment, section=environment.section.model_copy(update={"services": services}))


def test_a_healthy_target_is_the_same_every_time_and_is_read_fast(
    environment: Environment, hosts: Mapping[str, Host]
) -> None:
    read_identity(environment, hosts)
    began = time.perf_counter()
    first = read_identity(environment, hosts)
    took_s = time.perf_counter() - began
    assert read_identity(environment, hosts) == first
    assert took_s < LONGEST_S
    assert "all configuration" in first
    for service in environment.section.services["all"].expected:
        assert first[f"all/{service} replicas"] == "1"
        assert re.fullmatch("sha256:[0-9a-f]{64}", first[f"all/{service} binary"])
        assert re.fullmatch("sha256:[0-9a-f]{64}", first[f"all/{service} configuration"])


def test_nothing_secret_is_in_it(environment: Environment, hosts: Mapping[str, Host], state: State) -> None:
    told = str(read_identity(environment, hosts))
    secrets = demo_settings.load(state.directory).secrets.values()
    assert not [secret for secret in secrets if secret in told]


def test_a_restart_is_no_change(environment: Environment, hosts: Mapping[str, Host], state: State) -> None:
    before = read_identity(environment, hosts)
    client = Supervisor(demo_settings.load(state.directory))
    pid = client.services()["collector"].pid
    client.restart("collector")
    assert client.services()["collector"].pid != pid
    assert read_identity(environment, hosts) == before


def test_there_are_faults_that_void_a_watch() -> None:
    assert VOIDING == ["binary-changed", "configuration-changed"]


@pytest.mark.parametrize("name", VOIDING)
def test_a_fault_that_voids_a_watch_is_named_and_gone_when_healed(
    name: str, environment: Environment, hosts: Mapping[str, Host], state: State
) -> None:
    before = read_identity(environment, hosts)
    control.break_(name, state.directory)
    try:
        after = read_identity(environment, hosts)
    finally:
        control.heal(name, state.directory)
    (told,) = differences(before, after)
    assert re.search(FAULTS[name].told_as, told), told
    assert read_identity(environment, hosts) == before


def test_a_set_that_cannot_be_read_leaves_nothing_read(environment: Environment, tmp_path: Path) -> None:
    good = environment.section.services["all"]
    bad = good.model_copy(update={"config": str(tmp_path / "none.conf")})
    broken = with_services(environment, all=good, extra=bad, third=bad)
    host = Host("app", environment.section.hosts["app"], broken.section.services)
    with pytest.raises(CouldNotLook) as problem:
        read_identity(broken, {"app": host})
    told = str(problem.value)
    assert told.startswith(f"host app: supervisord ({tmp_path}/none.conf): cat: ")
    assert told.count("none.conf: No such file") == 1


def test_a_host_that_cannot_be_reached_is_could_not_look(environment: Environment) -> None:
    section = environment.section.hosts["app"].model_copy(update={"connect": "ssh://nobody@127.0.0.1:1"})
    host = Host("app", section, environment.section.services)
    with pytest.raises(CouldNotLook, match=r"host app: .*127\.0\.0\.1.*[Rr]efused"):
        read_identity(environment, {"app": host})


def test_without_services_it_says_that_nothing_is_watched(environment: Environment) -> None:
    assert read_identity(with_services(environment), {}) == NOTHING_DECLARED
