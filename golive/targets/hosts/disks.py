"""The file systems that paths of a host lie on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from golive.targets.hosts.host import Host
from golive.targets.hosts.machine import FileSystem
from golive.targets.hosts.questions.file_system import FileSystemOf


def asked_of(paths: Sequence[str]) -> tuple[FileSystemOf, ...]:
    """What a host is to be asked for `of_paths`; the root is always among its facts."""
    return tuple(FileSystemOf(path=path) for path in paths if path != "/")


def of_paths(host: Host, paths: Sequence[str]) -> Mapping[str, FileSystem]:
    """The file system of each path. CouldNotLook names the path that is not there or cannot be looked at.

    Mount points are among the facts of the host.
    """
    facts = host.facts
    mounted = {found.mount: found for found in facts.need(facts.file_systems, "file_systems")}
    return {path: mounted.get(path) or host.answer(FileSystemOf(path=path)) for path in paths}
