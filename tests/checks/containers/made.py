"""Containers as records, and the judgement of a check over them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from fixtures.containers import Containers
from golive.targets.services import Crash, Service, ServicesReading
from golive.targets.services.containers import Container, Health, Image, Limits, Rights
from tests.judged import Judged, judged

DIGEST = f"sha256:{'1a' * 32}"
OTHER = f"sha256:{'2b' * 32}"
MADE_AT = datetime(2026, 5, 1, 10, tzinfo=UTC)
RIGHTS = Rights(user="1000", uids=frozenset({1000}), no_new_privileges=True, read_only_root=True)
IMAGE = Image(reference="shop/x:1.2", digest=DIGEST, registry_digests=(OTHER,), reference_digest=DIGEST)
LIMITS = Limits(memory_bytes=64_000_000, cpus=0.5, pids=50)


def container(service: str = "api", **changes: Any) -> Container:
    """A container with which nothing is wrong, with what is changed in it or in its `rights`, `image` and `limits`."""
    rights = {key: changes.pop(key) for key in list(changes) if key in Rights.__dataclass_fields__}
    image = {key: changes.pop(key) for key in list(changes) if key in Image.__dataclass_fields__}
    limits = {key: changes.pop(key) for key in list(changes) if key in ("memory", "cpus", "pids_limit")}
    named = {{"memory": "memory_bytes", "pids_limit": "pids"}.get(key, key): value for key, value in limits.items()}
    plain = Container(
        name=f"shop-{service}-1",
        service=service,
        id=service,
        state="running",
        running=True,
        health=Health(checked=True, status="healthy"),
        created_at=MADE_AT,
        restarts=0,
        restart_policy="always",
        oom_kills=0,
        rights=replace(RIGHTS, **rights),
        image=replace(IMAGE, **image),
        limits=replace(LIMITS, **named),
    )
    return replace(plain, **changes)


def reading(*containers: Container, expected: tuple[str, ...] = (), crashes: tuple[Crash, ...] = ()) -> ServicesReading:
    """One set of these containers."""
    names = tuple(dict.fromkeys(one.service for one in containers))
    services = {
        name: Service(
            name=name, state="x", running=True, containers=tuple(one for one in containers if one.service == name)
        )
        for name in names
    }
    return ServicesReading(expected=expected or names, services=services, crashes=crashes)


def look(check: str, found: ServicesReading, **keys: Any) -> Judged:
    """The judgement of `containers/CHECK` with these parameters."""
    module = import_module(f"checks.containers.{check}")
    (function,) = (value for name, value in vars(module).items() if name.startswith("test_"))
    criterion = module.Params.model_validate({"services": "app", **keys})
    containers = Containers(name="app", reading=found, excepted=criterion.excepted)
    return judged(function, criterion=criterion, containers=containers)
