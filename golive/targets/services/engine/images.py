"""The engine's images: what they are called, and which one a reference stands for now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from golive.targets.services import told
from golive.targets.services.containers import Image, tag_of

_ID = re.compile(r"(sha256:)?(?P<hex>[0-9a-f]{12,64})")


@dataclass(frozen=True, kw_only=True, slots=True)
class Images:
    """Image ids by tag and by registry digest (both as the engine writes them), and the digests of each id."""

    by_name: Mapping[str, str]
    digests: Mapping[str, tuple[str, ...]]

    def image(self, reference: str, digest: str | None) -> Image:
        """The image of a container. What the reference stands for is None when the running image was not told."""
        if digest is None or digest not in self.digests:
            return Image(reference=reference, digest=digest)
        return Image(
            reference=reference,
            digest=digest,
            registry_digests=tuple(name.rpartition("@")[2] for name in self.digests[digest]),
            reference_digest=self._now(reference),
        )

    def _now(self, reference: str) -> str:
        by_id = _ID.fullmatch(reference)
        if by_id:
            return next((one for one in self.digests if one.startswith(f"sha256:{by_id['hex']}")), "")
        return next((self.by_name[name] for name in spelled(reference) if name in self.by_name), "")


def images_of(said: str) -> Images:
    """From one object a line with `id`, `tags` and `digests`."""
    by_name: dict[str, str] = {}
    digests: dict[str, tuple[str, ...]] = {}
    for row in told.objects(said):
        identity = told.text(row.get("id"))
        if identity:
            identity = f"sha256:{identity.removeprefix('sha256:')}"
            names = told.texts(row.get("digests"))
            digests[identity] = names
            by_name |= dict.fromkeys((*told.texts(row.get("tags")), *names), identity)
    return Images(by_name=by_name, digests=digests)


def spelled(reference: str) -> list[str]:
    """The ways in which an engine may write the same reference: `nginx` is `docker.io/library/nginx:latest`."""
    name, at, digest = reference.partition("@")
    tag = tag_of(name)
    bare = name.removesuffix(f":{tag}") if tag else name
    end = f"@{digest}" if at else f":{tag or 'latest'}"
    short = bare.removeprefix("docker.io/").removeprefix("library/")
    full = f"docker.io/{short if '/' in short else f'library/{short}'}"
    return list(dict.fromkeys(f"{one}{end}" for one in (bare, short, full, f"localhost/{bare}")))
