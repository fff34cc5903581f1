"""SHA-256 digests of files and texts. Those of files are taken on their host, so that no content travels."""

from __future__ import annotations

import hashlib
import re

from golive.model import CouldNotLook
from golive.targets.shell import plain

HASHED = "sort -u | tr '\\n' '\\0' | xargs -0 -r sha256sum 2>&1"
"""Shell text: reads paths, one a line, and prints what `digests` reads. None may be of what is there and no file."""

_NO_FILE = ("No such file or directory", "Not a directory")
_LINE = re.compile(r"\\?(?P<hex>[0-9a-f]{64}) [ *](?P<path>.+)")


def digests(said: str, host: str) -> dict[str, str]:
    """Digest by path out of what `sha256sum` printed; a path at which there is nothing has none.

    CouldNotLook when anything else could not be read: a file, a closed folder, or `sha256sum` is not there.
    """
    found = {}
    for line in said.splitlines():
        read = _LINE.fullmatch(line)
        if read is None and line.strip() and not line.endswith(_NO_FILE):
            raise CouldNotLook(f"host {host}: what is deployed cannot be read: {plain(line)}")
        if read is not None:
            found[read["path"]] = f"sha256:{read['hex']}"
    return found


def digest_of(text: str) -> str:
    """The digest of a text."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
