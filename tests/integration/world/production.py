"""Warungin under compose on a host over SSH, and its environment: that of the demo, moved there."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from demo import layout
from demo.settings import SERVICES
from tests.integration.world.engine import running_engine
from tests.integration.world.host import PretendedHost
from tests.integration.world.system import HERE, PUBLISHED, ROOT, System, seen_by_containers
from tests.verification import Verified

TIMEOUT_S = 120
TIMEOUT_OF_HOST_S = 10
ENGINE_SOCKET = Path("/var/run/docker.sock")
_CLIENTS = ("psql", "pg_dump", "pg_restore", "pg_isready")


class Production:
    """The system, its host, and the file that describes both."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.system = System(folder)
        self.host = PretendedHost(folder / "host")
        self.environment = folder / "warungin.yaml"
        self.output = folder / "out"
        self.bin = folder / "bin"

    def start(self) -> None:
        """Eight healthy containers, an sshd, and the environment file."""
        self.system.prepare()
        self.bin.mkdir()
        packages = layout.bundled_postgres().parents[1]
        for name in _CLIENTS:
            inside = Path("/srv/packages") / layout.bundled_postgres().relative_to(packages) / "bin" / name
            (self.bin / name).symlink_to(inside)
        mounts = {
            "/srv/warungin": self.system.state,
            "/srv/compose": self.system.compose_dir,
            "/srv/packages": packages,
            "/srv/bin": self.bin,
        }
        self.host.start(mounts, groups=[ENGINE_SOCKET.stat().st_gid])
        self.system.start()
        self.describe()

    def stop(self) -> None:
        """End and remove everything."""
        self.host.stop()
        self.system.remove()

    def describe(self, **host: Any) -> None:
        """Write the environment, with these keys for its host."""
        described = _of_demo() | self._own()
        described["hosts"]["app"] |= host
        self.environment.write_text(yaml.safe_dump(described, sort_keys=False), encoding="utf-8")

    def verify(self, *arguments: str) -> Verified:
        """`pytest --env=… ARGUMENTS`, as a user would call it."""
        return verified(self.environment, self.output, self._variables(), *arguments)

    def look(self, what: str) -> None:
        """A first look since the deployment: what later ones go on from, or compare with."""
        found = self.verify("-m", "checkpoint", "-k", what)
        assert found.exit_code == 0, found.printed

    def _own(self) -> dict[str, Any]:
        """What differs from the demo."""
        files = {name: f"/srv/warungin/logs/{name}.log" for name in ("api", "worker", "scheduler", "mail", "collector")}
        logs: dict[str, Any] = {
            name: {"kind": "file", "host": "app", "path": path, "sparse": name != "api"} for name, path in files.items()
        }
        for name, service in {"postgres": "postgres", "redis": "redis", "web": "frontend"}.items():
            where = {"host": "app", "project": self.system.project, "service": service}
            logs[name] = {"kind": "docker", "format": "text", **where}
        demo = _of_demo()
        ports = dataclasses.asdict(self.system.settings.ports)
        adjust = demo["adjust"] | {
            "warungin.containers.published-ports": {
                "ports": {name: [f"127.0.0.1:{ports[name]}"] for name in PUBLISHED},
            },
            # The deployment is recorded once all are healthy.
            "warungin.health.no-restarts": {"grace": "0 s"},
            "warungin.machine.database-port": {"port": ports["postgres"]},
            # In place of an image of its own each container has this machine's programs.
            "warungin.containers.no-engine-socket": {"allowed": [str(path) for path in seen_by_containers()]},
            # Each container that comes and goes takes an interface with it, and what was on its way there is dropped.
            "warungin.health.network-stable[connections]": {"allowed": 50},
            "warungin.incident.critical.action-rollback": {"path": "/srv/warungin/documents/rollback.sh"},
        }
        return {
            "says": "Warungin POS, eight containers on a host over SSH",
            "hosts": {
                "app": {
                    "connect": "ssh://app",
                    "ssh_config": str(self.host.client_config),
                    "path": ["/srv/bin"],
                    "timeout": f"{TIMEOUT_OF_HOST_S} s",
                    "cpu_window": "1 s",
                }
            },
            "services": {
                "all": {
                    "kind": "compose",
                    "host": "app",
                    "project": self.system.project,
                    "project_dir": "/srv/compose",
                    "expected": [*SERVICES],
                }
            },
            "logs": logs,
            "backups": {"main": demo["backups"]["main"] | {"folder": "/srv/warungin/backups"}},
            "criteria": [str(ROOT / "environments/criteria/warungin/*.yaml"), str(HERE / "criteria.yaml")],
            "adjust": adjust,
            "waivers": [
                {
                    "criterion": "warungin.health.cpu",
                    "reason": "the host is the machine that runs the tests, and does their work too",
                    "approver": "whoever runs the tests",
                    "risk": "none",
                    "expires": (datetime.now(UTC) + timedelta(days=1)).isoformat(),
                }
            ],
        }

    def _variables(self) -> dict[str, str]:
        settings = self.system.settings
        values = {
            "api_url": settings.api_url,
            "web_url": settings.web_url,
            "collector_url": settings.collector_url,
            "database_url": f"postgresql://golive@127.0.0.1:{settings.ports.postgres}/warungin",
            "scratch_url": f"postgresql://golive_scratch@127.0.0.1:{settings.ports.postgres}/postgres",
            "redis_url": settings.redis_url,
            "documents": str(settings.documents),
            "signers": str(settings.signers),
            "version": settings.version,
            "deployed_at": self.system.deployed_at,
        }
        return {f"WORLD_{key.upper()}": value for key, value in {**settings.secrets, **values}.items()}


@contextmanager
def running_production() -> Iterator[Production]:
    """One that is up, with an engine under it; nothing of it is left."""
    assert os.geteuid() == 0, "a host is pretended with mounts and namespaces, which only root can make"
    folder = Path(tempfile.mkdtemp(prefix="gl-"))
    folder.chmod(0o711)  # the containers' user and the host's must come through
    with running_engine():
        production = Production(folder)
        try:
            production.start()
            yield production
        finally:
            production.stop()
            shutil.rmtree(folder, ignore_errors=True)


def verified(environment: Path, output: Path, variables: Mapping[str, str], *arguments: str) -> Verified:
    """A run of the suite in a process of its own, and what it came to."""
    kept = {k: v for k, v in os.environ.items() if k != "CI" and not k.startswith(("GITHUB_", "PYTEST_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", f"--env={environment}", f"--output={output}", *arguments],
        cwd=ROOT,
        env={**kept, **variables},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    results = output / environment.stem / "latest" / "results.json"
    found = json.loads(results.read_text(encoding="utf-8")) if results.exists() else {"outcomes": []}
    return Verified(done.returncode, done.stdout + done.stderr, {o["criterion"]: o for o in found["outcomes"]})


def _of_demo() -> dict[str, Any]:
    """The demo's environment, whose references to the demo become those to variables. Nobody presses this one."""
    text = (ROOT / "environments/demo.yaml").read_text(encoding="utf-8")
    moved = re.sub(r"\$\{demo:(\w+)\}", lambda found: f"${{env:WORLD_{found[1].upper()}}}", text)
    described: dict[str, Any] = yaml.safe_load(moved)
    del described["demo"], described["load"]
    described["adjust"] = {name: keys for name, keys in described["adjust"].items() if ".load." not in name}
    return described
