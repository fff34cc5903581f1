"""Every container has a health check, and it is healthy.

Why: an engine without a health check keeps a service that hangs, sends it traffic and calls it running.
When it fails: add `healthcheck:` (in Kubernetes a `readinessProbe`) that asks the service itself; when it is unhealthy,
what its last check said is named.
"""

from collections.abc import Iterator

from fixtures.containers import ContainerParams, Containers
from fixtures.measure import EvidenceSink, Measure
from golive.model import CouldNotLook
from golive.targets.services.containers import Container


class Params(ContainerParams):
    """The services, and those that are excepted."""


def test_every_container_has_a_health_check_and_is_healthy(
    containers: Containers, measure: Measure, evidence: EvidenceSink
) -> None:
    def faults(container: Container) -> Iterator[str]:
        health = container.health
        if container.prepares:
            return
        if health is None:
            raise CouldNotLook("whether it has a health check is not told")
        if not health.checked:
            yield "has no health check"
        elif not container.running:
            yield f"is {container.told}"
        elif health.is_healthy is not True:
            said = f", its last check said: {health.output}" if health.output else ""
            yield f"is {health.status or 'not told to be healthy'}{said}"

    containers.judge(faults, subject="not known to be healthy", shown=_shown, measure=measure, evidence=evidence)


def _shown(container: Container) -> str:
    health = container.health
    if health is None or not health.checked:
        return "no health check"
    return f"{health.status or 'no result'}{f': {health.output}' if health.output else ''}"
