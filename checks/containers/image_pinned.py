"""Every container runs an image that is pinned: by an explicit tag, or by its digest.

Why: `latest`, or no tag, is another program after the next pull, and nobody can say which one ran yesterday.
When it fails: write the version's tag, or better `name@sha256:…`, into the compose file or manifest and deploy it.
"""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from fixtures.containers import ContainerParams, Containers
from fixtures.measure import EvidenceSink, Measure
from golive.model import CouldNotLook
from golive.targets.services.containers import Container, is_digest, tag_of


class Params(ContainerParams):
    by: Literal["tag", "digest"] = Field("tag", description="what is enough; a digest always is")
    moving: Annotated[tuple[str, ...], Field(min_length=1, description="tags that pin nothing")] = ("latest",)


def test_every_image_is_pinned(
    criterion: Params, containers: Containers, measure: Measure, evidence: EvidenceSink
) -> None:
    def faults(container: Container) -> Iterator[str]:
        reference = container.image.reference if container.image else ""
        if not reference:
            raise CouldNotLook("the name of its image is not told")
        tag = tag_of(reference)
        if is_digest(reference):
            return
        if criterion.by == "digest":
            yield f"{reference} names no digest"
        elif not tag:
            yield f"{reference} names no tag, which means latest"
        elif tag in criterion.moving:
            yield f"{reference} is a tag that moves"

    containers.judge(
        faults,
        subject="not pinned",
        shown=lambda container: container.image.reference if container.image else "not told",
        measure=measure,
        evidence=evidence,
    )
