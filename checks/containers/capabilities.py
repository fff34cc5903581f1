"""No container holds a capability beyond those that are allowed.

Why: the default set lets a process forge packets, change owners and make devices; hardly any service needs one of it.
When it fails: set `cap_drop: [ALL]`, start the service, and add back by name what it then says it lacks.
"""

from collections.abc import Iterator

from pydantic import Field, field_validator

from fixtures.containers import ContainerParams, Containers
from fixtures.measure import EvidenceSink, Measure
from golive.targets.services.containers import ALL, DEFAULT_CAPABILITIES, Container


class Params(ContainerParams):
    allowed: tuple[str, ...] = Field(
        (), description="capabilities that may be held, without CAP_; `default` stands for the engine's default set"
    )

    @field_validator("allowed")
    @classmethod
    def _bare(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.upper().removeprefix("CAP_") for name in names)

    def asserts_nothing(self) -> str | None:
        return "every capability is allowed" if ALL in self.allowed else None


def test_no_container_holds_more_capabilities_than_allowed(
    criterion: Params, containers: Containers, measure: Measure, evidence: EvidenceSink
) -> None:
    allowed = frozenset(criterion.allowed) | (DEFAULT_CAPABILITIES if "DEFAULT" in criterion.allowed else frozenset())

    def faults(container: Container) -> Iterator[str]:
        more = container.rights.capabilities - allowed
        if ALL in more:
            yield "holds every capability" + (" (privileged)" if container.rights.privileged else "")
        elif more >= DEFAULT_CAPABILITIES:
            others = ", ".join(sorted(more - DEFAULT_CAPABILITIES))
            yield "drops nothing of the default set" + (f", and holds {others}" if others else "")
        elif more:
            yield f"holds {', '.join(sorted(more))}"

    containers.judge(
        faults,
        subject="with more capabilities than allowed",
        shown=lambda container: ", ".join(sorted(container.rights.capabilities)) or "none",
        measure=measure,
        evidence=evidence,
    )
