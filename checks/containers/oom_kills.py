"""No process of a container was killed for lack of memory.

Why: the kernel kills without a word in the service's log, and what is left of the service answers with errors.
When it fails: compare the memory that the service used with its limit over the watch; find the leak, or raise the
limit.
"""

from collections.abc import Iterable, Iterator

from pydantic import Field

from fixtures.containers import ContainerParams, Containers
from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import Count
from golive.model import CouldNotLook
from golive.targets.services import Crash
from golive.targets.services.containers import Container


class Params(ContainerParams):
    at_most: Count = Field(0, description="how many a container may have had since it was started")


def test_no_process_of_a_container_was_killed_for_lack_of_memory(
    criterion: Params, containers: Containers, measure: Measure, evidence: EvidenceSink
) -> None:
    def faults(container: Container) -> Iterator[str]:
        kills = max(container.oom_kills or 0, _ended(container, containers.reading.crashes))
        if kills > criterion.at_most:
            yield f"{kills} killed for lack of memory" + ("" if container.running else f", it is {container.state}")
        elif container.running and container.oom_kills is None:
            raise CouldNotLook("how many of its processes were killed is not told")

    containers.judge(faults, subject="short of memory", shown=_shown, measure=measure, evidence=evidence)


def _ended(container: Container, crashes: Iterable[Crash]) -> int:
    """How often the container itself ended so, since it was made; a new start sets the kernel's count back to 0."""
    name, made = container.service, container.created_at
    own = [crash for crash in crashes if crash.says.startswith(f"{name}: killed for lack of memory")]
    since = [crash for crash in own if crash.at is None or made is None or crash.at >= made]
    return max(len(since), int(container.oom_killed))


def _shown(container: Container) -> str:
    counted = "not told" if container.oom_kills is None else str(container.oom_kills)
    return f"{counted} since its start" + (", its last end was one" if container.oom_killed else "")
