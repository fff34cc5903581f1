"""Every container has limits of memory, CPU and processes.

Why: without them one leak or one loop takes the whole host, and every other service with it.
When it fails: set `mem_limit`, `cpus` and `pids_limit` (in Kubernetes `resources.limits`) a good way above what the
service used in the last day, and deploy.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from fixtures.containers import ContainerParams, Containers
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Size
from golive.model import CouldNotLook
from golive.targets.services.containers import Container

Kind = Literal["memory", "cpu", "pids"]


class Params(ContainerParams):
    limits: Annotated[tuple[Kind, ...], Field(min_length=1, description="which limits there must be")] = (
        "memory",
        "cpu",
        "pids",
    )
    memory_at_most: Size | None = Field(None, description="the largest limit of memory that is one")
    cpus_at_most: Annotated[float, Field(gt=0, description="the largest limit of CPUs that is one")] | None = None
    pids_at_most: Annotated[int, Field(gt=0, description="the largest limit of processes that is one")] | None = None


def test_every_container_has_limits(
    criterion: Params, containers: Containers, measure: Measure, evidence: EvidenceSink
) -> None:
    def faults(container: Container) -> Iterator[str]:
        limits = container.limits
        told: dict[Kind, tuple[float | None, float | None]] = {
            "memory": (limits.memory_bytes, criterion.memory_at_most),
            "cpu": (limits.cpus, criterion.cpus_at_most),
            "pids": (limits.pids, criterion.pids_at_most),
        }
        for kind in criterion.limits:
            value, most = told[kind]
            if value is None:
                raise CouldNotLook(f"its limit of {kind} is not told")
            if value == 0:
                yield f"no limit of {kind}"
            elif most is not None and value > most:
                yield f"the limit of {kind} is {_amount(kind, value)}, at most {_amount(kind, most)} is allowed"

    containers.judge(faults, subject="without limits", shown=_shown, measure=measure, evidence=evidence)


def _amount(kind: Kind, value: float) -> str:
    return f"{value / 1e6:g} MB" if kind == "memory" else f"{value:g}"


def _shown(container: Container) -> str:
    limits = container.limits
    amounts: dict[Kind, float | None] = {"memory": limits.memory_bytes, "cpu": limits.cpus, "pids": limits.pids}
    words = {
        kind: "not told" if value is None else _amount(kind, value) if value else "none"
        for kind, value in amounts.items()
    }
    return ", ".join(f"{kind} {word}" for kind, word in words.items())
