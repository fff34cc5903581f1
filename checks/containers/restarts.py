"""No container was restarted by its policy more often than allowed, and every container has one.

Why: a policy hides crashes, since the service is back before anybody looks; without one it does not come back at all.
When it fails: read the service's log before its last start. Without a policy, set `restart: unless-stopped`.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from fixtures.containers import ContainerParams, Containers
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Count
from golive.model import CouldNotLook
from golive.targets.services.containers import Container

Policy = Literal["always", "unless-stopped", "on-failure", "no"]


class Params(ContainerParams):
    at_most: Count = Field(0, description="how often a container may have been restarted since it was made")
    policies: Annotated[tuple[Policy, ...], Field(min_length=1, description="restart policies that are accepted")] = (
        "always",
        "unless-stopped",
        "on-failure",
    )


def test_no_container_was_restarted_more_often_than_allowed(
    criterion: Params, containers: Containers, measure: Measure, evidence: EvidenceSink
) -> None:
    def faults(container: Container) -> Iterator[str]:
        if container.restarts is None or container.restart_policy is None:
            raise CouldNotLook("its restarts are not told")
        if container.restarts > criterion.at_most:
            yield f"was restarted {container.restarts} times"
        if container.restart_policy not in criterion.policies:
            none = container.restart_policy == "no"
            yield "has no restart policy" if none else f"its restart policy is {container.restart_policy}"

    containers.judge(
        faults,
        subject="restarted, or without a policy",
        shown=lambda container: f"{container.restarts} restarts, policy {container.restart_policy}",
        measure=measure,
        evidence=evidence,
    )
