"""Checks of services, on a real supervisord with trivial programs."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from checks.services import deployed, no_crashes, no_restarts, resources, running, uptime
from golive.environment.sections import DeploymentSection
from golive.model import Status
from golive.targets.services import ServicesReading
from tests.judged import Judged, judged, run_context
from tests.shims import local_host
from tests.supervised import Supervised, supervised

EXPECTED = ("api", "worker")
RUNNING = running.test_all_services_are_running
RESTARTS = no_restarts.test_no_service_has_restarted_since_the_deployment
CRASHES = no_crashes.test_no_service_has_crashed
UPTIME = uptime.test_every_service_has_been_up_for_the_whole_window
RESOURCES = resources.test_use_of_every_service_is_recorded
DEPLOYED = deployed.test_deployment_is_recorded_and_is_what_runs


@pytest.fixture(scope="module")
def manager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Supervised]:
    with supervised(tmp_path_factory.mktemp("services") / "s", EXPECTED) as found:
        yield found


def read(manager: Supervised, *expected: str) -> ServicesReading:
    return local_host(manager.bin, {"app": manager.config(*(expected or EXPECTED))}).read_services("app")


def look(
    check: Callable[..., None],
    model: Any,
    services: ServicesReading,
    folder: Path,
    *,
    deployed_at: datetime | None = None,
    version: str = "",
    **more: Any,
) -> Judged:
    """One run's judgement; what it leaves is kept in `folder` for the next."""
    context = run_context(folder, deployment=DeploymentSection(deployed_at=deployed_at, version=version))
    params = model.model_validate({"services": "app", **more})
    found = judged(check, criterion=params, services=services, context=context, now=datetime.now(UTC))
    context.state.commit()
    return found


@contextmanager
def stopped(manager: Supervised, name: str) -> Iterator[None]:
    manager.ctl("stop", name)
    yield
    manager.ctl("start", name)


def test_everything_is_well(manager: Supervised, tmp_path: Path) -> None:
    services, now = read(manager), datetime.now(UTC)
    given: dict[str, Any] = {"services": services, "folder": tmp_path, "deployed_at": now}
    assert look(RUNNING, running.Params, **given).message == "running: 2 of 2 services, at least 2 of 2 services needed"
    assert look(RESTARTS, no_restarts.Params, **given, grace="0 s").status is Status.PASS
    assert look(CRASHES, no_crashes.Params, **given).status is Status.PASS
    assert look(UPTIME, uptime.Params, **given).status is Status.PASS
    assert look(UPTIME, uptime.Params, **given, window="1 ms").status is Status.PASS
    found = look(RESOURCES, resources.Params, **given, cpu=90, memory="500 MB")
    assert (found.status, found.message) == (Status.PASS, "recorded for 2 services")
    names = {f"{service} {what}" for service in EXPECTED for what in ("cpu", "memory", "up")}
    assert {m.name for m in found.recorder.measurements} == names
    assert 0 < found.value("api up") < 600
    assert look(DEPLOYED, deployed.Params, **given, before="1 h").status is Status.PASS


def test_a_service_that_is_stopped_fails(manager: Supervised, tmp_path: Path) -> None:
    with stopped(manager, "worker"):
        services = read(manager)
    now = datetime.now(UTC)
    found = look(RUNNING, running.Params, services, tmp_path)
    assert found.status is Status.FAIL
    assert found.message == "running: 1 of 2 services, at least 2 of 2 services needed (worker is STOPPED)"
    assert "worker is STOPPED" in look(UPTIME, uptime.Params, services, tmp_path, window="1 s").message
    assert (
        look(RESOURCES, resources.Params, services, tmp_path).message
        == "worker is STOPPED, so nothing is recorded of it"
    )
    # That it is down is another criterion's matter.
    assert look(DEPLOYED, deployed.Params, services, tmp_path, deployed_at=now).status is Status.PASS
    assert look(RESTARTS, no_restarts.Params, services, tmp_path, deployed_at=now).status is Status.PASS


def test_a_service_that_is_missing_and_one_that_nobody_declared(manager: Supervised, tmp_path: Path) -> None:
    services = read(manager, "api", "mail")
    found = look(RUNNING, running.Params, services, tmp_path, undeclared="fail")
    assert found.message == (
        "running: 1 of 2 services, at least 2 of 2 services needed (mail is not there); "
        "not among the expected services: worker"
    )
    assert "mail is not there" in look(UPTIME, uptime.Params, services, tmp_path, window="1 s").message
    assert "mail is not there" in look(RESOURCES, resources.Params, services, tmp_path).message
    services = read(manager, "api")
    assert look(RUNNING, running.Params, services, tmp_path).status is Status.WARN
    assert look(RUNNING, running.Params, services, tmp_path, undeclared="ignore").status is Status.PASS


def test_an_unhealthy_service_fails(manager: Supervised, tmp_path: Path) -> None:
    services = read(manager)
    sick = replace(services.services["api"], healthy=False, state="running (unhealthy)")
    services = replace(services, services={**services.services, "api": sick})
    assert "api is running (unhealthy)" in look(RUNNING, running.Params, services, tmp_path).message


def test_a_restart_after_the_deployment_fails(manager: Supervised, tmp_path: Path) -> None:
    deployed_at = datetime.now(UTC) - timedelta(minutes=2)
    found = look(RESTARTS, no_restarts.Params, read(manager), tmp_path, deployed_at=deployed_at)
    assert found.status is Status.FAIL
    assert found.message.startswith(
        "restarted since the deployment: 2 of 2 services, at most 0 of 2 services needed (api was started 2"
    )
    assert (
        look(RESTARTS, no_restarts.Params, read(manager), tmp_path, deployed_at=deployed_at, grace="5 min").status
        is Status.PASS
    )


def test_a_restart_within_the_grace_is_seen_by_the_next_look(manager: Supervised, tmp_path: Path) -> None:
    given: dict[str, Any] = {"folder": tmp_path, "deployed_at": datetime.now(UTC), "grace": "1 h"}
    assert look(RESTARTS, no_restarts.Params, services=read(manager), **given).status is Status.PASS
    time.sleep(1.6)
    manager.ctl("restart", "api")
    for _ in range(2):
        found = look(RESTARTS, no_restarts.Params, services=read(manager), **given)
        assert found.status is Status.FAIL
        assert "(api was started 2" in found.message and "at the first look since 2" in found.message
    given["deployed_at"] = datetime.now(UTC)
    assert look(RESTARTS, no_restarts.Params, services=read(manager), **given).status is Status.PASS


def test_a_counted_restart_fails(manager: Supervised, tmp_path: Path) -> None:
    def counted(restarts: int) -> ServicesReading:
        services = read(manager)
        return replace(services, services={n: replace(s, restarts=restarts) for n, s in services.services.items()})

    now = datetime.now(UTC)
    assert look(RESTARTS, no_restarts.Params, counted(1), tmp_path, deployed_at=now).status is Status.PASS
    found = look(RESTARTS, no_restarts.Params, counted(3), tmp_path, deployed_at=now)
    assert "api was restarted 2 times since the first look" in found.message


def test_without_a_deployment_the_first_look_is_unknown_and_the_next_compares(
    manager: Supervised, tmp_path: Path
) -> None:
    assert look(RESTARTS, no_restarts.Params, read(manager), tmp_path).status is Status.UNKNOWN
    assert look(RESTARTS, no_restarts.Params, read(manager), tmp_path).status is Status.PASS
    assert look(CRASHES, no_crashes.Params, read(manager), tmp_path).status is Status.UNKNOWN
    assert look(UPTIME, uptime.Params, read(manager), tmp_path).status is Status.UNKNOWN


def test_a_start_that_is_not_told_is_unknown(manager: Supervised, tmp_path: Path) -> None:
    services = read(manager)
    silent = {name: replace(s, started_at=None, memory_bytes=None) for name, s in services.services.items()}
    services, now = replace(services, services=silent), datetime.now(UTC)
    for check, model in ((RESTARTS, no_restarts.Params), (UPTIME, uptime.Params), (DEPLOYED, deployed.Params)):
        assert look(check, model, services, tmp_path, deployed_at=now).status is Status.UNKNOWN
    found = look(RESOURCES, resources.Params, services, tmp_path)
    assert (found.status, "memory of api: no value was read" in found.message) == (Status.UNKNOWN, True)


def test_a_crash_fails_though_the_service_is_up_again(manager: Supervised, tmp_path: Path) -> None:
    deployed_at = datetime.now(UTC)
    manager.kill("worker")
    services = read(manager)
    assert look(RUNNING, running.Params, services, tmp_path).status is Status.PASS
    found = look(CRASHES, no_crashes.Params, services, tmp_path, deployed_at=deployed_at)
    assert found.status is Status.FAIL
    assert (
        "1 crashes, at most 0 crashes needed (exited: worker (terminated by SIGKILL; not expected) at 2"
        in found.message
    )
    time.sleep(0.01)
    assert look(CRASHES, no_crashes.Params, services, tmp_path, deployed_at=datetime.now(UTC)).status is Status.PASS
    assert look(CRASHES, no_crashes.Params, services, tmp_path, window="1 h").status is Status.FAIL


def test_crashes_that_cannot_be_told_are_unknown(manager: Supervised, tmp_path: Path) -> None:
    none = replace(read(manager), crashes=())
    found = look(CRASHES, no_crashes.Params, none, tmp_path, window="1 h")
    assert found.status is Status.UNKNOWN
    assert found.message.startswith("crashes are told since 2")
    elsewhere = manager.config(*EXPECTED).model_copy(update={"log": "/no/such.log"})
    services = local_host(manager.bin, {"app": elsewhere}).read_services("app")
    found = look(CRASHES, no_crashes.Params, services, tmp_path, window="1 s")
    assert found.status is Status.UNKNOWN
    assert found.message.startswith("supervisord's log could not be read (head: cannot open")


def test_a_service_younger_than_the_window_fails(manager: Supervised, tmp_path: Path) -> None:
    found = look(UPTIME, uptime.Params, read(manager), tmp_path, window="24 h")
    assert found.status is Status.FAIL
    assert "api up: " in found.message and "at least 86400 s needed (since 2" in found.message


def test_a_deployment_younger_than_the_window_leaves_it_open(manager: Supervised, tmp_path: Path) -> None:
    given: dict[str, Any] = {"services": read(manager), "folder": tmp_path, "window": "24 h"}
    found = look(UPTIME, uptime.Params, **given, deployed_at=datetime.now(UTC))
    assert found.status is Status.UNKNOWN
    assert found.message.startswith("the deployment is younger than the window, which ends 2")


def test_a_restart_since_a_young_deployment_fails_at_once(manager: Supervised, tmp_path: Path) -> None:
    given: dict[str, Any] = {"services": read(manager), "folder": tmp_path, "window": "24 h"}
    found = look(UPTIME, uptime.Params, **given, deployed_at=datetime.now(UTC) - timedelta(hours=1))
    assert found.status is Status.FAIL
    assert "api up: " in found.message and "the deployment is younger than the window" in found.message


def test_services_may_start_a_little_after_the_deployment(manager: Supervised, tmp_path: Path) -> None:
    services = read(manager)
    started = min(service.started_at for service in services.found if service.started_at)
    given: dict[str, Any] = {"services": services, "folder": tmp_path, "deployed_at": started - timedelta(seconds=20)}
    window = f"{(datetime.now(UTC) - started).total_seconds() + 15:.0f} s"
    assert look(UPTIME, uptime.Params, **given, window=window).status is Status.PASS
    assert look(UPTIME, uptime.Params, **given, window=window, grace="1 s").status is Status.FAIL


def test_use_above_its_limit_fails(manager: Supervised, tmp_path: Path) -> None:
    found = look(RESOURCES, resources.Params, read(manager), tmp_path, memory="1 kB")
    assert found.status is Status.FAIL
    assert "memory of api: " in found.message and "below 0.001 MB needed" in found.message


def test_deployments_that_cannot_be(manager: Supervised, tmp_path: Path) -> None:
    services, now = read(manager), datetime.now(UTC)
    found = look(DEPLOYED, deployed.Params, services, tmp_path)
    assert (found.status, found.message) == (
        Status.FAIL,
        "no deployment is recorded: set 'deployed_at' under 'deployment'",
    )
    found = look(DEPLOYED, deployed.Params, services, tmp_path, deployed_at=now + timedelta(hours=1), version="1.2")
    assert found.status is Status.FAIL and found.message.startswith("version 1.2 is recorded as complete at 2")
    found = look(DEPLOYED, deployed.Params, services, tmp_path, deployed_at=now - timedelta(hours=2))
    assert found.message.startswith("youngest service started after the deployment: 7")
    found = look(DEPLOYED, deployed.Params, services, tmp_path, deployed_at=now, before="1 ms")
    assert found.message.startswith("youngest service started before the deployment: ")


def test_what_is_declared_expected_and_there_ought_to_be_the_same(manager: Supervised, tmp_path: Path) -> None:
    services = read(manager, "api")
    found = look(RUNNING, running.Params, replace(services, undeclared=("job",)), tmp_path, undeclared="fail")
    assert found.message.endswith("declared in the compose file, not expected and without a container: job")
    orphan = replace(services, undeclared=(), unknown_to_file=("api",))
    found = look(RUNNING, running.Params, orphan, tmp_path)
    assert (found.status, found.message) == (Status.WARN, "expected, but not declared in the compose file: api")
    unread = replace(services, undeclared=(), declared_gap="the file cannot be read")
    found = look(RUNNING, running.Params, unread, tmp_path)
    assert (found.status, found.message) == (Status.UNKNOWN, "the file cannot be read")
    assert look(RUNNING, running.Params, unread, tmp_path, undeclared="ignore").status is Status.PASS


def test_where_nothing_is_found_it_says_where_it_looked(manager: Supervised, tmp_path: Path) -> None:
    nothing = replace(read(manager), services={}, note="compose project shop has no container")
    found = look(RUNNING, running.Params, nothing, tmp_path)
    assert found.status is Status.FAIL
    assert found.message.endswith("(api is not there, worker is not there, compose project shop has no container)")


def test_what_is_not_there_shows_neither_restarts_nor_crashes(manager: Supervised, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    some = read(manager, "api", "mail")
    found = look(RESTARTS, no_restarts.Params, some, tmp_path, deployed_at=now)
    assert (found.status, "mail is not there" in found.message) == (Status.UNKNOWN, True)
    # So do containers that are gone from an engine that remembers no event.
    nothing = replace(some, services={}, crashes=(), crashes_since=None)
    found = look(CRASHES, no_crashes.Params, nothing, tmp_path, deployed_at=now)
    assert (found.status, "since when crashes are told is not known" in found.message) == (Status.UNKNOWN, True)


def test_what_started_just_after_the_deployment_has_nothing_older_to_tell(manager: Supervised, tmp_path: Path) -> None:
    services = read(manager)
    assert services.crashes_since is not None
    given: dict[str, Any] = {"services": replace(services, crashes=()), "folder": tmp_path}
    deployed_at = services.crashes_since - timedelta(seconds=20)
    assert look(CRASHES, no_crashes.Params, **given, deployed_at=deployed_at).status is Status.PASS
    assert look(CRASHES, no_crashes.Params, **given, deployed_at=deployed_at, grace="1 s").status is Status.UNKNOWN
    assert look(CRASHES, no_crashes.Params, **given, window="1 h").status is Status.UNKNOWN
