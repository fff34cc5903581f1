"""The file systems that paths of a host lie on."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

from golive.model import CouldNotLook
from golive.targets.hosts.host import Host
from golive.targets.hosts.machine import FileSystem
from golive.targets.hosts.reading import Garbled, file_systems
from golive.targets.shell import one_line

_NEXT = "-- golive next"


def of_paths(host: Host, paths: Sequence[str]) -> Mapping[str, FileSystem]:
    """The file system of each path. CouldNotLook names the path that is not there or cannot be looked at.

    Mount points are among the facts of the host; for other paths `df` is asked, once for all of them.
    """
    facts = host.facts
    mounted = {found.mount: found for found in facts.need(facts.file_systems, "file_systems")}
    others = [path for path in paths if path not in mounted]
    if not others:
        return {path: mounted[path] for path in paths}
    command = "; ".join(
        f"df -P -B1 -- {shlex.quote(path)} 2>&1; echo '{_NEXT}'; df -P -i -- {shlex.quote(path)} 2>&1; echo '{_NEXT}'"
        for path in others
    )
    said = host.run(f"LC_ALL=C; export LC_ALL; {command}").stdout.split(f"{_NEXT}\n")
    asked = {path: _one(host, path, *said[2 * i : 2 * i + 2]) for i, path in enumerate(others)}
    return {path: mounted.get(path) or asked[path] for path in paths}


def _one(host: Host, path: str, sizes: str = "", inodes: str = "") -> FileSystem:
    try:
        return file_systems(sizes, inodes)[0]
    except Garbled:
        raise CouldNotLook(f"host {host.name}: {path}: {one_line(sizes) or 'df told nothing'}") from None
