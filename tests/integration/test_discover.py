"""`golive discover` of a compose project over a real sshd: valid, green, without secrets, red once something breaks."""

from __future__ import annotations

import json
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.boxes import Boxes, boxes, command
from tests.integration.world.engine import running_engine
from tests.sessions import BIN, run
from tests.sshd import sshd

MARKER = "hunter2-planted-77aa"
PROJECT = """
version: "2.4"
services:
  web:
    image: IMAGE
    command: [/bin/busybox, nc, -ll, -p, "8080", -e, /bin/sh, /serve]
    user: "1000:1000"
    read_only: true
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    mem_limit: 64m
    cpus: 0.5
    pids_limit: 64
    restart: unless-stopped
    ports: ["127.0.0.1:PORT:8080"]
    volumes: ["./serve:/serve:ro"]
    environment: {API_TOKEN: MARKER}
    healthcheck: {test: [CMD, /bin/test, -e, /serve], interval: 1s, timeout: 2s, retries: 30}
  worker:
    image: IMAGE
    command:
    - /bin/sh
    - -c
    - while :; do echo '{"level":"info","msg":"tick"}'; sleep 1; done
    - --password=MARKER
    restart: unless-stopped
  migrate:
    image: IMAGE
    command: ["true"]
"""
SICK = """
version: "2.4"
services:
  web:
    image: IMAGE
    command: [/bin/sleep, "600"]
    healthcheck: {test: [CMD, /bin/false], interval: 1s, timeout: 2s, retries: 1}
  late: {image: IMAGE, command: [/bin/sh, -c, exit 137]}
  worker: {image: IMAGE, command: [/bin/sleep, "600"]}
  migrate: {image: IMAGE, command: ["true"]}
"""
FAILING = """
version: "2.4"
services:
  first: {image: IMAGE, command: [/bin/sh, -c, "echo CRITICAL migration failed; echo INFO up; sleep 600"]}
  last: {image: IMAGE, command: [/bin/sh, -c, "echo CRITICAL migration failed; echo INFO up; sleep 600"]}
"""
SERVE = r"""
read -r method path rest
while IFS= read -r line; do [ ${#line} -gt 1 ] || break; done
say() {
  printf 'HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %s\r\nConnection: close\r\n\r\n' "$1" "$2" "${#3}"
  printf %s "$3"
}
case $path in
/health) say '200 OK' application/json '{"status":"ok"}' ;;
/) say '200 OK' text/html '<html><title>Corner shop</title></html>' ;;
*) say '404 Not Found' text/plain no ;;
esac
"""


@dataclass
class Shop:
    """The project on its engine, and how its host is reached."""

    engine: Boxes
    folder: Path
    port: int
    reached: tuple[str, ...]

    def compose(self, *arguments: str, kind: str = "", folder: Path | None = None) -> None:
        program = ("docker-compose",) if shutil.which("docker-compose") else ("docker", "compose")
        command(*program, "-p", f"{self.engine.token}{kind}", *arguments, folder=folder or self.folder)

    def until_healthy(self) -> None:
        """Wait for the web server."""
        self.engine.until(self.container("web"), "{{.State.Health.Status}}", "healthy")

    def container(self, service: str, kind: str = "") -> str:
        """The id of a service's container; compose v1 and v2 name it differently."""
        ours = ("--filter", f"label=com.docker.compose.project={self.engine.token}{kind}")
        return self.engine.call("ps", "-aq", *ours, "--filter", f"label=com.docker.compose.service={service}").split()[
            0
        ]

    def discover(self, file: Path, *arguments: str) -> tuple[int, str]:
        words = (str(BIN / "golive"), "discover", *arguments, *self.reached, f"--output={file}")
        done = run(words)
        return done.returncode, done.stdout

    def judged(self, file: Path, *arguments: str) -> dict[str, dict[str, Any]]:
        """The outcomes of one checkpoint, by criterion."""
        output = file.parent / "output"
        done = run([str(BIN / "pytest"), f"--env={file}", f"--output={output}", "-m", "checkpoint", *arguments])
        assert done.returncode in (0, 1), done.stdout
        found = json.loads((output / file.stem / "latest/results.json").read_text())
        return {outcome["criterion"]: outcome for outcome in found["outcomes"]}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("corner-shop")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with running_engine(), boxes("docker") as engine, sshd(folder / "ssh", "shop") as server:
        text = PROJECT.replace("IMAGE", f"{engine.token}:1").replace("PORT", str(port)).replace("MARKER", MARKER)
        (folder / "docker-compose.yml").write_text(text)
        (folder / "serve").write_text(SERVE)
        made = Shop(engine, folder, port, ("--host=ssh://shop", f"--ssh-config={server.config}"))
        made.compose("up", "-d")
        made.until_healthy()
        yield made


@pytest.fixture(scope="module")
def written(shop: Shop) -> Path:
    """The environment that discovery writes of it."""
    file = shop.folder / "found" / "corner.yaml"
    code, out = shop.discover(file, "compose", str(shop.folder))
    assert code == 0, out
    assert "written, after it was loaded as a run loads it:" in out
    assert MARKER not in out
    assert "found sick:" not in out
    return file


def test_what_is_written_is_valid_and_holds_no_secret(shop: Shop, written: Path) -> None:
    criteria = written.parent / "criteria/corner/discovered.yaml"
    assert not any(MARKER in file.read_text() for file in (written, criteria))
    done = run([str(BIN / "golive"), "validate", f"--env={written}"])
    assert done.returncode == 0, done.stdout
    listed = run([str(BIN / "golive"), "criteria", f"--env={written}"]).stdout
    for name in (
        f"corner.services.running[{shop.engine.token}]",
        f"corner.containers.not-root[{shop.engine.token}]",
        f"corner.ports.listening[{shop.port}]",
        "corner.http.web-health",
        "corner.http.web-latency",
        "corner.http.web-page",
        "corner.logs.no-critical[worker]",
        "corner.health.disk[/]",
    ):
        assert f"{name}\t" in listed, listed
    assert "expected: [web, worker]" in written.read_text()
    assert "leave_out: [migrate]" in written.read_text()
    assert "worker: 'found so: runs as root'" in criteria.read_text()


def test_the_first_run_is_green(shop: Shop, written: Path) -> None:
    # How busy this machine is is not the project's doing.
    found = shop.judged(written, "-k", "not health.cpu")
    assert {name: o["message"] for name, o in found.items() if o["outcome"] not in ("pass", "attested")} == {}
    assert len(found) > 20


def test_a_stopped_container_turns_its_criterion_red(shop: Shop, written: Path) -> None:
    shop.compose("stop", "-t", "1", "worker")
    try:
        found = shop.judged(written, "-k", "services.running")
    finally:
        shop.compose("start", "worker")
    one = found[f"corner.services.running[{shop.engine.token}]"]
    assert one["outcome"] == "fail"
    assert "worker is exited" in one["message"]


def test_a_closed_port_turns_its_criteria_red(shop: Shop, written: Path) -> None:
    shop.compose("stop", "-t", "1", "web")
    try:
        found = shop.judged(written, "-k", "ports or http")
    finally:
        shop.compose("start", "web")
        shop.until_healthy()
    message = found[f"corner.ports.listening[{shop.port}]"]["message"]
    assert f"port {shop.port}/tcp of host app is not listened on" in message
    assert found["corner.http.web-health"]["outcome"] == "fail"
    assert found["corner.http.web-latency"]["outcome"] in ("fail", "unknown")


def test_a_container_made_anew_with_more_rights_turns_hardening_red(shop: Shop, written: Path) -> None:
    file = shop.folder / "docker-compose.yml"
    before = file.read_text()
    file.write_text(before.replace('user: "1000:1000"', 'user: "0"').replace("127.0.0.1:PORT", "PORT"))
    shop.compose("up", "-d", "web")
    try:
        shop.until_healthy()
        found = shop.judged(written, "-k", "containers.not-root")
    finally:
        file.write_text(before)
        shop.compose("up", "-d", "web")
        shop.until_healthy()
    one = found[f"corner.containers.not-root[{shop.engine.token}]"]
    assert one["outcome"] == "fail"
    assert "web: runs as root" in one["message"]


def test_all_containers_of_the_host_are_found_too(shop: Shop, tmp_path: Path) -> None:
    file = tmp_path / "engine.yaml"
    code, out = shop.discover(file, "docker")
    assert code == 0, out
    assert f"  {shop.engine.token}:" in file.read_text()


def test_what_is_sick_is_expected_named_and_red_in_the_first_run(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text(SICK.replace("IMAGE", f"{shop.engine.token}:1"))
    shop.compose("up", "-d", kind="sick", folder=tmp_path)
    try:
        shop.engine.until(shop.container("web", "sick"), "{{.State.Health.Status}}", "unhealthy")
        file = tmp_path / "found" / "sick.yaml"
        code, out = shop.discover(file, "compose", str(tmp_path))
        assert code == 0, out
        found = shop.judged(file, "-k", "not health")
    finally:
        shop.compose("down", "-t", "1", kind="sick", folder=tmp_path)
    assert "expected: [late, web, worker]" in file.read_text()
    assert "leave_out: [migrate]" in file.read_text()
    sick = out.partition("found sick:\n")[2].partition("left out:")[0]
    assert "service late: exited (exit code 137): it is expected all the same" in sick
    assert "service web: running (unhealthy" in sick
    assert "worker" not in sick
    assert [name for name, o in found.items() if o["outcome"] != "pass"] == [
        f"sick.services.running[{shop.engine.token}sick]"
    ]
    one = found[f"sick.services.running[{shop.engine.token}sick]"]
    assert one["outcome"] == "fail"
    assert "late is exited (exit code 137)" in one["message"]
    assert "web is running (unhealthy" in one["message"]


def test_what_was_logged_while_starting_is_told(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text(FAILING.replace("IMAGE", f"{shop.engine.token}:1"))
    try:
        for service in ("first", "last"):
            # The second one is made later, so the log of neither is whole from the first start on.
            shop.compose("up", "-d", service, kind="failing", folder=tmp_path)
            time.sleep(4)
        file = tmp_path / "found" / "failing.yaml"
        code, out = shop.discover(file, "compose", str(tmp_path))
        assert code == 0, out
        found = shop.judged(file, "-k", "no-restarts or no-crashes or logs")
    finally:
        shop.compose("down", "-t", "1", kind="failing", folder=tmp_path)
    sick = out.partition("found sick:\n")[2].partition("left out:")[0]
    assert "log first, log last: 1 critical among 2 lines read since it was deployed" in sick
    criteria = (tmp_path / "found/criteria/failing/discovered.yaml").read_text()
    assert criteria.count("1 of them is critical: read them") == 2
    assert "failing.logs.no-critical[first]" not in found
    assert {name: o["message"] for name, o in found.items() if o["outcome"] != "pass"} == {}
    assert f"failing.services.no-restarts[{shop.engine.token}failing]" in found


def test_a_project_whose_containers_have_all_ended_is_refused(shop: Shop, tmp_path: Path) -> None:
    text = SICK.replace("IMAGE", f"{shop.engine.token}:1").replace('"600"', '"0"')
    (tmp_path / "docker-compose.yml").write_text(text)
    shop.compose("up", "-d", kind="ended", folder=tmp_path)
    try:
        for service in ("web", "late", "worker", "migrate"):
            shop.engine.until(shop.container(service, "ended"), "{{.State.Status}}", "exited")
        code, out = shop.discover(tmp_path / "none.yaml", "compose", str(tmp_path))
    finally:
        shop.compose("down", kind="ended", folder=tmp_path)
    assert code == 2
    assert out.splitlines()[-1].startswith(f"golive discover: compose {tmp_path}: none of its containers runs: ")
    assert not (tmp_path / "none.yaml").exists()


def test_a_project_that_is_not_up_is_refused(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text('version: "2.4"\nservices: {web: {image: nothing}}\n')
    code, out = shop.discover(tmp_path / "none.yaml", "compose", str(tmp_path))
    assert code == 2
    assert out.splitlines()[-1].endswith("no container of it is there: bring it up first")
    assert not (tmp_path / "none.yaml").exists()
