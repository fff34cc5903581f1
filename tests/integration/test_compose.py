"""A compose project on a real engine: what is declared against what is there, and what is deployed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from checks.services import no_restarts, running, unchanged
from golive.environment.sections import DeploymentSection
from golive.judge.identity import differences
from golive.model import CouldNotLook, Deployment, Slot, Status, Watch, When
from golive.targets.services import ServicesReading
from golive.targets.services.compose import Config
from golive.watch.identity import read_identity
from tests.integration.boxes import Boxes, boxes, command, host, read
from tests.integration.world.engine import running_engine
from tests.judged import Judged, judged, run_context

PROJECT = """
version: "2.4"
services:
  api:
    image: IMAGE
    command: sh -c "trap 'exit 0' TERM; while :; do sleep 0.1; done"
    environment: {PASSWORD: planted-marker}
  worker:
    image: IMAGE
    command: sh -c "trap 'exit 0' TERM; while :; do sleep 0.1; done"
    scale: 2
  migrate:
    image: IMAGE
    command: "true"
"""
EXPECTED = ("api", "worker")


@dataclass
class Project:
    """A project in a folder; `is_whole` as long as no test has changed it."""

    engine: Boxes
    folder: Path
    is_whole: bool = False

    def compose(self, *arguments: str) -> str:
        """Compose, of whichever version is installed."""
        self.is_whole = False
        program = ("docker-compose",) if shutil.which("docker-compose") else ("docker", "compose")
        return command(*program, "-p", self.engine.token, *arguments, folder=self.folder)

    def write(self, old: str = "", new: str = "") -> None:
        """The compose file, with one change."""
        self.is_whole = False
        text = PROJECT.replace("IMAGE", f"{self.engine.token}:1")
        (self.folder / "docker-compose.yml").write_text(text.replace(old, new) if old else text)

    def up(self) -> None:
        """Everything as the file has it."""
        self.compose("up", "-d", "--remove-orphans", "-t", "2")

    def config(self, **keys: Any) -> Config:
        given = {"expected": EXPECTED, "project": self.engine.token, "leave_out": ["migrate"], **keys}
        return Config.model_validate({"kind": "compose", "host": "app", **given})

    def read(self, **keys: Any) -> ServicesReading:
        return read(self.config(**keys))

    def engine_does(self, *arguments: str) -> None:
        """A command of the engine, behind the back of compose."""
        self.is_whole = False
        self.engine.call(*arguments)

    def container(self, service: str, number: int = 1) -> str:
        """The name of one container."""
        (name,) = (c.name for c in self.read().services[service].containers if c.name.endswith(str(number)))
        return name


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with running_engine(), boxes("docker") as engine:
        assert shutil.which("docker-compose") or "compose" in engine.call("help"), "install docker-compose"
        yield Project(engine, tmp_path_factory.mktemp("project"))


@pytest.fixture
def project(whole: Project) -> Project:
    """The project as it should be."""
    if not whole.is_whole:
        whole.engine.image("1")
        whole.write()
        whole.up()
        whole.is_whole = True
    return whole


def run(reading: ServicesReading, **keys: Any) -> Judged:
    params = running.Params.model_validate({"services": "app", **keys})
    return judged(running.test_all_services_are_running, criterion=params, services=reading)


def test_a_whole_project_passes_by_name_and_by_folder(project: Project) -> None:
    found = project.read(replicas={"worker": 2})
    assert (run(found, undeclared="fail").status, found.undeclared) == (Status.PASS, ())
    in_folder = project.read(project=None, project_dir=str(project.folder))
    assert run(in_folder, undeclared="fail").status is Status.PASS
    linked = project.folder.with_name("link")
    linked.symlink_to(project.folder)
    assert run(project.read(project=None, project_dir=str(linked))).status is Status.PASS


def test_what_is_run_by_hand_is_no_part_of_a_service(project: Project) -> None:
    project.compose("run", "-d", "api", "sleep", "100")
    found = project.read()
    assert [len(found.services[name].containers) for name in EXPECTED] == [1, 2]


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_stopped_service_fails(project: Project, how: str) -> None:
    project.engine_does(how, project.container("api"))
    found = run(project.read())
    assert found.status is Status.FAIL
    code = {"stop": 0, "kill": 137}[how]
    assert f"1 of 2 services, at least 2 of 2 services needed (api is exited (exit code {code}))" in found.message


def test_a_service_whose_container_was_removed_fails_though_compose_lists_nothing(project: Project) -> None:
    project.compose("rm", "-s", "-f", "api")
    found = run(project.read(project_dir=str(project.folder)), undeclared="fail")
    assert found.status is Status.FAIL
    assert found.message.startswith("running: 1 of 2 services, at least 2 of 2 services needed (api is not there)")


def test_without_any_container_everything_is_missing(project: Project) -> None:
    project.engine_does("rm", "-f", *(container.name for container in project.read().containers))
    for by in ({}, {"project": None, "project_dir": str(project.folder)}):
        found = run(project.read(**by))
        assert found.status is Status.FAIL
        assert "api is not there, worker is not there, compose project " in found.message


def test_one_of_two_replicas_does_not_hide_the_other(project: Project) -> None:
    name = project.container("worker", 2)
    project.engine_does("stop", "-t", "2", name)
    found = run(project.read())
    assert f"worker is exited (exit code 0): {name}; 1 of 2 run" in found.message
    project.engine.call("rm", name)
    assert run(project.read()).status is Status.PASS  # nobody said that there must be two
    found = run(project.read(replicas={"worker": 2}))
    assert "; 1 of 2 run)" in found.message


def test_the_declared_services_are_those_of_the_file(project: Project) -> None:
    in_folder = {"project": None, "project_dir": str(project.folder)}
    found = run(project.read(**in_folder, expected=["api"]))
    assert (found.status, found.message) == (Status.WARN, "not among the expected services: worker")
    project.write("  migrate:\n", "  report: {image: IMAGE}\n  migrate:\n")
    found = run(project.read(**in_folder), undeclared="fail")
    told = "declared in the compose file, not expected and without a container: report"
    assert (found.status, found.message) == (Status.FAIL, f"running: 2 of 2 services; {told}") or told in found.message
    project.write("  worker:\n", "  other:\n")
    assert "expected, but not declared in the compose file: worker" in run(project.read(**in_folder)).message


def test_a_compose_file_that_cannot_be_read_is_unknown_and_needs_no_variables(project: Project) -> None:
    in_folder = {"project": None, "project_dir": str(project.folder)}
    project.write("PASSWORD: planted-marker", 'PASSWORD: "${NOT_SET:?must be set}"')
    assert run(project.read(**in_folder), undeclared="fail").status is Status.PASS
    (project.folder / "docker-compose.yml").write_text("services: [rubbish\n")
    found = run(project.read(**in_folder))
    assert found.status is Status.UNKNOWN
    assert found.message.startswith("which services the compose file declares is not known: ")
    assert run(project.read(**in_folder), undeclared="ignore").status is Status.PASS


def test_a_folder_that_is_not_there_is_unknown(project: Project) -> None:
    with pytest.raises(CouldNotLook, match=r"host app: compose project /no/such/folder: .*/no/such/folder"):
        project.read(project=None, project_dir="/no/such/folder")


def test_a_service_that_was_made_anew_has_restarted(project: Project, tmp_path: Path) -> None:
    def look() -> Judged:
        context = run_context(tmp_path, deployment=DeploymentSection(deployed_at=deployed))
        check = no_restarts.test_no_service_has_restarted_since_the_deployment
        params = no_restarts.Params.model_validate({"services": "app"})
        found = judged(check, criterion=params, context=context, services=project.read())
        context.state.commit()
        return found

    deployed = datetime.now(UTC)
    assert look().status is Status.PASS
    project.compose("up", "-d", "--force-recreate", "-t", "2", "api")
    found = look()
    assert found.status is Status.FAIL
    assert "1 of 2 services" in found.message and "(api was started " in found.message


# What is deployed


def deployed_now(project: Project) -> dict[str, str]:
    config = project.config()
    environment = run_context(project.folder / "state").environment
    section = environment.section.model_copy(update={"services": {"all": config}})
    return read_identity(replace(environment, section=section), {"app": host({"all": config})})


def test_a_restart_is_no_change_and_what_was_changed_is_named(project: Project) -> None:
    before = deployed_now(project)
    assert set(before) == {f"all/{s} {what}" for s in EXPECTED for what in ("image", "configuration", "replicas")}
    assert (before["all/api replicas"], before["all/worker replicas"]) == ("1", "2")
    assert "planted-marker" not in str(before)
    project.compose("restart", "-t", "2", "api")
    assert differences(before, deployed_now(project)) == []

    project.engine.image("1", "another")
    assert differences(before, deployed_now(project)) == []  # it is not deployed yet
    project.up()
    changed = differences(before, deployed_now(project))
    assert {"all/api image", "all/worker image"} <= {line.split(" changed")[0] for line in changed}

    project.engine.image("1")
    project.write("planted-marker", "planted-other")
    project.compose("up", "-d", "-t", "2", "--scale", "worker=3")
    changed = differences(before, deployed_now(project))
    assert "all/worker replicas changed from 2 to 3" in changed
    assert any(line.startswith("all/api configuration changed from sha256:") for line in changed)
    assert "planted" not in str(changed)


def test_an_image_that_was_exchanged_during_a_watch_fails(project: Project, tmp_path: Path) -> None:
    begun = deployed_now(project)
    project.engine.image("1", "yet another")
    project.up()
    context = run_context(tmp_path)
    now = datetime.now(UTC)
    context.target_identity = deployed_now(project)
    context.watch = Watch(
        id="w",
        environment="test",
        system="shop",
        deployment=Deployment(),
        starts_at=now,
        opened_at=now,
        schedule=(Slot(label="4h", offset_s=14_400, occasions=(When.CHECKPOINT,)),),
        tolerance_s=900,
        target=begun,
    )
    check = unchanged.test_what_is_deployed_is_what_the_watch_began_with
    found = judged(check, criterion=unchanged.Params(), context=context)
    assert found.status is Status.FAIL
    assert "all/api image changed from sha256:" in found.message
