"""The root file system of every container is read-only.

Why: an intruder who cannot write cannot stay; and what a service writes beside its volumes is lost at the next
deployment.
When it fails: set `read_only: true` (`readOnlyRootFilesystem` in Kubernetes) and give the folders that the service
writes a volume or a `tmpfs`.
"""

from collections.abc import Iterator

from fixtures.containers import ContainerParams, Containers
from fixtures.measure import EvidenceSink, Measure
from golive.targets.services.containers import Container


class Params(ContainerParams):
    """The services, and those that are excepted."""


def test_the_root_of_every_container_is_read_only(
    containers: Containers, measure: Measure, evidence: EvidenceSink
) -> None:
    def faults(container: Container) -> Iterator[str]:
        if not container.rights.read_only_root:
            yield "can write its root"

    containers.judge(
        faults,
        subject="with a writable root",
        shown=lambda container: "read-only" if container.rights.read_only_root else "writable",
        measure=measure,
        evidence=evidence,
    )
