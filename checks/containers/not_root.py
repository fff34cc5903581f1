"""No container runs as root.

Why: a flaw in the service is then a root shell, one kernel bug away from the host and every neighbour on it.
When it fails: set `user:` in the compose file (`runAsNonRoot` in Kubernetes) or `USER` in the image, and give that
user the files that it writes.
"""

from collections.abc import Iterator

from pydantic import Field

from fixtures.containers import ContainerParams, Containers
from fixtures.measure import EvidenceSink, Measure
from golive.model import CouldNotLook
from golive.targets.services.containers import Container


class Params(ContainerParams):
    may_drop: bool = Field(
        False, description="a container that starts as root holds, when all its processes have given root up"
    )


def test_no_container_runs_as_root(
    criterion: Params, containers: Containers, measure: Measure, evidence: EvidenceSink
) -> None:
    def faults(container: Container) -> Iterator[str]:
        rights = container.rights
        if rights.uids is not None and 0 in rights.uids:
            yield "runs as root"
        elif _is_root(rights.user) and not (criterion.may_drop and rights.uids):
            yield "is started as root"
        elif rights.user is None and not rights.not_root and not rights.uids:
            yield "may run as root, since the image decides (neither runAsNonRoot nor runAsUser is set)"
        elif rights.user and not _is_number(rights.user) and not rights.uids and container.running:
            raise CouldNotLook(f"the number of its user {rights.user} is not told")

    containers.judge(faults, subject="as root", shown=_shown, measure=measure, evidence=evidence)


def _is_root(user: str | None) -> bool:
    """As it is written: a user, and perhaps a group behind a colon; none at all is root."""
    return user is not None and user.partition(":")[0] in ("", "0", "root")


def _is_number(user: str) -> bool:
    return user.partition(":")[0].isdigit()


def _shown(container: Container) -> str:
    rights = container.rights
    user = "the image's" if rights.user is None else rights.user or "root (none is set)"
    uids = "not told" if rights.uids is None else ", ".join(map(str, sorted(rights.uids)))
    return f"user {user}, user ids of its processes: {uids}"
