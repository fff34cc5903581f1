"""Warungin under compose: made, deployed, changed and taken down. What its services run is the demo's own code."""

from __future__ import annotations

import copy
import dataclasses
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from demo import frontend, layout, postgres, redis_server, seed
from demo import start as demo_start
from demo.settings import SERVICES, Settings
from tests.integration.world.engine import USER, docker, make_image

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
FIRST = ("postgres", "redis", "mail", "collector")
PUBLISHED = ("postgres", "redis", "collector", "api", "frontend")
READY_WITHIN_S = 60
GRACE_S = 2.0
_WHO_MAY = "host all all all scram-sha-256\n"


class System:
    """Eight containers of one compose project, in a folder of their own. Everything here acts as root on the engine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.compose_dir = folder / "compose"
        self.project = f"warungin-{folder.name.lower().replace('_', '-')}"
        self.image = f"{self.project}:6.1.0"
        self.settings: Settings
        self.deployed_at = ""

    def prepare(self) -> None:
        """Image, data, configuration: all but the containers."""
        make_image(self.image)
        self.settings = demo_start.prepare(layout.claim(self.state))
        postgres.create_cluster(self.settings)
        self._open_up()
        shutil.copytree(HERE, self.compose_dir / "world", ignore=shutil.ignore_patterns("__pycache__"))
        self.write(self.declared())

    def start(self) -> None:
        """Eight healthy containers, with a month of sales in the database."""
        self.compose("up", "-d", *FIRST)
        rows = seed.make_rows(self.settings, now=datetime.now(UTC))
        self.wait_until_healthy("postgres")
        seed.seed(self.settings, rows)
        self.compose("up", "-d")
        self.deploy()

    def deploy(self) -> None:
        """Wait until all are healthy, and record that the deployment is complete."""
        self.wait_until_healthy(*SERVICES)
        self.deployed_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def let_grace_pass(self, grace_s: float = GRACE_S) -> None:
        """Wait until what happens now counts as after the deployment, and not as part of it."""
        age_s = (datetime.now(UTC) - datetime.fromisoformat(self.deployed_at)).total_seconds()
        time.sleep(max(0.0, grace_s - age_s))

    def remove(self) -> None:
        """Containers, network, image and cluster go."""
        self.compose("down", "--timeout", "1", check=False)
        docker("image", "rm", "--force", self.image, check=False)
        if layout.annex(self.state).is_dir():
            shutil.rmtree(layout.annex(self.state))

    def compose(self, *arguments: str, check: bool = True) -> None:
        """`docker-compose ARGUMENTS`, or Compose v2 where there is no v1."""
        program = ["docker-compose"] if shutil.which("docker-compose") else ["docker", "compose"]
        done = subprocess.run(
            [*program, "--project-name", self.project, *arguments],
            cwd=self.compose_dir,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, f"compose {' '.join(arguments)}: {done.stderr}{done.stdout}"

    def container(self, service: str) -> str:
        """The id of its container, whatever its state."""
        labels = {"project": self.project, "service": service}
        filters = [f"--filter=label=com.docker.compose.{key}={value}" for key, value in labels.items()]
        found = docker("ps", "-aq", "--no-trunc", *filters).split()
        assert len(found) == 1, f"{service} has {len(found)} containers"
        return found[0]

    def inspect(self, service: str) -> dict[str, Any]:
        """What the engine knows of its container."""
        return dict(json.loads(docker("inspect", self.container(service)))[0])

    def pid(self, service: str) -> int:
        """Its first process, as this machine numbers it."""
        return int(self.inspect(service)["State"]["Pid"])

    def wait_until_healthy(self, *services: str) -> None:
        """AssertionError with its last words when one of them is not healthy in time."""
        self.wait_for(lambda: all(self._health(name) == "healthy" for name in services), ", ".join(services))

    def wait_for(self, holds: Callable[[], bool], what: str) -> None:
        """Look again and again. AssertionError when it does not come about in time."""
        deadline = time.monotonic() + READY_WITHIN_S
        while not holds():
            assert time.monotonic() < deadline, f"not in {READY_WITHIN_S} s: {what}\n{self._told()}"
            time.sleep(0.1)

    def declared(self) -> dict[str, Any]:
        """What the compose file says."""
        return dict(yaml.safe_load((HERE / "compose.yaml").read_text(encoding="utf-8")))

    def write(self, declared: Mapping[str, Any]) -> None:
        """The project's files, with that as its compose file."""
        base = yaml.safe_load((HERE / "service.yaml").read_text(encoding="utf-8"))
        base["services"]["service"]["volumes"] += [f"{path}:{path}:ro" for path in seen_by_containers()[1:]]
        (self.compose_dir / "service.yaml").write_text(yaml.safe_dump(base), encoding="utf-8")
        (self.compose_dir / "docker-compose.yaml").write_text(yaml.safe_dump(dict(declared)), encoding="utf-8")
        variables = "".join(f"{key}={value}\n" for key, value in self._variables().items())
        (self.compose_dir / ".env").write_text(variables, encoding="utf-8")

    def make_anew(self, service: str) -> None:
        """Another container in place of the one that there is, which takes what is known of its past with it."""
        self.compose("up", "-d", "--no-deps", "--force-recreate", service)
        self.deploy()

    @contextmanager
    def changed(self, service: str, **keys: Any) -> Iterator[None]:
        """A container that is made anew with other keys in its declaration; at the end it is as it was, made anew."""
        declared = copy.deepcopy(self.declared())
        declared["services"][service].update(keys)
        self.write(declared)
        try:
            self.compose("up", "-d", "--no-deps", service)
            self.wait_until_healthy(service)
            yield
        finally:
            self.write(self.declared())
            self.compose("up", "-d", "--no-deps", service)
            self.deploy()

    def _health(self, service: str) -> str:
        filters = [f"--filter=label=com.docker.compose.{k}={v}" for k, v in
                   {"project": self.project, "service": service}.items()]  # fmt: skip
        status = docker("ps", "--format", "{{.Status}}", *filters)
        return "healthy" if "(healthy)" in status else status.strip()

    def _told(self) -> str:
        lines = [docker("ps", "-a", "--filter", f"label=com.docker.compose.project={self.project}")]
        for name in SERVICES:
            if self._health(name) != "healthy":
                found = docker("ps", "-aq", "--filter", f"label=com.docker.compose.project={self.project}",
                               "--filter", f"label=com.docker.compose.service={name}").split()  # fmt: skip
                for container in found:
                    lines.append(f"{name}: {docker('logs', '--tail', '20', container)}")
                    lines.append(docker("inspect", "--format", "{{json .State}}", container))
        return "\n".join(lines)

    def _variables(self) -> dict[str, object]:
        bundled = layout.bundled_postgres()
        ports = dataclasses.asdict(self.settings.ports)
        return {
            "IMAGE": self.image,
            "STATE": self.state,
            "ROOT": ROOT,
            "PYTHON": sys.executable,
            "POSTGRES": bundled,
            "POSTGRES_HOME": self.settings.postgres_home,
            "REDIS": redis_server.command()[0],
            "NGINX": frontend.command()[0],
            "MAIL_PORT": ports["mail_smtp"],
            **{f"{name.upper()}_PORT": ports[name] for name in PUBLISHED},
        }

    def _open_up(self) -> None:
        """What `demo` configured for loopback is configured for a network, and belongs to the containers' user."""
        data = self.settings.postgres_data
        with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("listen_addresses = '*'\nunix_socket_directories = ''\n")
        (data / "pg_hba.conf").write_text(_WHO_MAY, encoding="utf-8")
        nginx = self.state / "nginx" / "nginx.conf"
        text = nginx.read_text(encoding="utf-8").replace("user root;", "")
        ports = self.settings.ports
        for loopback, elsewhere in (
            (f"server 127.0.0.1:{ports.api}", f"server api:{ports.api}"),
            (f"listen 127.0.0.1:{ports.frontend}", f"listen {ports.frontend}"),
        ):
            assert loopback in text
            text = text.replace(loopback, elsewhere)
        nginx.write_text(text, encoding="utf-8")
        for top in (self.state, self.settings.postgres_home):
            for path in (top, *top.rglob("*")):
                os.chown(path, USER, USER, follow_symlinks=False)
        for name in ("logs", "backups", "bin", "documents"):
            (self.state / name).chmod(0o755)


def seen_by_containers() -> list[Path]:
    """/usr, and of the interpreter, the packages and the demo what does not lie there."""
    package = importlib.util.find_spec("flask")
    assert package is not None
    assert package.origin is not None
    found = [Path("/usr")]
    for path in (Path(sys.base_prefix), Path(sys.prefix), Path(package.origin).parents[1], ROOT / "demo"):
        if not any(path.is_relative_to(other) for other in found):
            found.append(path)
    return found
