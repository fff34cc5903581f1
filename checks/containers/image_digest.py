"""The digest of every running image is known, is the expected one, and is still what its tag stands for.

Why: a tag can be moved after the tests; only the digest says that what was tested is what runs and what would start.
When it fails: compare with the digest that the pipeline built. If the tag was moved, deploy again on purpose, or move
it back before a restart brings the other image.
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from fixtures.containers import ContainerParams, Containers
from fixtures.measure import EvidenceSink, Measure
from golive.model import CouldNotLook
from golive.targets.services.containers import Container, Image

_Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class Params(ContainerParams):
    digests: dict[str, _Digest] = Field(
        {}, description="the digest that a service must run: the image's own (its id), or that of its registry"
    )
    from_registry: bool = Field(False, description="the image must have come from a registry, and not been built there")
    tag_stays: bool = Field(True, description="the tag must still stand for the image that runs")

    def named_services(self) -> tuple[str, ...]:
        return (*self.excepted, *self.digests)


def test_every_image_is_the_expected_one(
    criterion: Params, containers: Containers, measure: Measure, evidence: EvidenceSink
) -> None:
    def faults(container: Container) -> Iterator[str]:
        image = container.image
        if image is None or not image.digest:
            raise CouldNotLook("the digest of its image is not told")
        expected = None if container.prepares else criterion.digests.get(container.service)
        if expected is not None and expected not in (image.digest, *(image.registry_digests or ())):
            yield f"runs {_short(image.digest)}, expected {_short(expected)}"
        if criterion.from_registry and image.registry_digests is None:
            raise CouldNotLook("the digests of its image in registries are not told")
        if criterion.from_registry and not image.registry_digests:
            yield f"{image.reference} has no digest of a registry"
        if criterion.tag_stays:
            yield from _moved(image)

    containers.judge(faults, subject="not the expected image", shown=_shown, measure=measure, evidence=evidence)


def _moved(image: Image) -> Iterator[str]:
    """Where only the puller knows what a tag stands for (Kubernetes), there is nothing to compare."""
    if image.reference_digest is None:
        if image.registry_digests is None:
            raise CouldNotLook("what its tag stands for is not told")
    elif not image.reference_digest:
        yield f"{image.reference} stands for no image any more"
    elif image.reference_digest != image.digest:
        yield f"{image.reference} stands for {_short(image.reference_digest)} now, and {_short(image.digest)} runs"


def _short(digest: str | None) -> str:
    return (digest or "?")[:19]


def _shown(container: Container) -> str:
    image = container.image
    if image is None:
        return "not told"
    return (
        f"{image.reference}, image {image.digest}, in registries: {', '.join(image.registry_digests or ()) or 'none'}"
    )
