"""A zip file of plain files: written the same way every time, read without trusting whoever made it.

Nothing is ever unpacked into a folder. What could harm a reader is refused before anything is read: names that leave
the archive, links, encrypted or doubled members, and more content than an archive of a watch can have.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

MOST_MEMBERS = 20_000
MOST_BYTES = 4 * 2**30
MOST_IN_MEMORY = 128 * 2**20
SUMS = "SHA256SUMS"
_LONGEST_NAME = 400
_EPOCH = (1980, 1, 1, 0, 0, 0)
_CHUNK = 2**20


class NotABundle(Exception):
    """The file is not an archive that may be read; the message says why."""


def write_zip(file: Path, members: Mapping[str, bytes | Path]) -> None:
    """Write the members and their SHA256SUMS, in order of their names; the file is there whole or not at all.

    The same members give the same bytes. Raises OSError.
    """
    handle, beside = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            sums = ""
            for name in sorted(members):
                content = members[name]
                data = content if isinstance(content, bytes) else content.read_bytes()
                sums += f"{hashlib.sha256(data).hexdigest()}  {name}\n"
                archive.writestr(_member(name), data, compresslevel=6)
            archive.writestr(_member(SUMS), sums.encode(), compresslevel=6)
        Path(beside).chmod(0o644)
        os.replace(beside, file)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


class Zipped:
    """An archive that is read; a context manager. NotABundle if it may not be read."""

    def __init__(self, file: Path) -> None:
        try:
            self._archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise NotABundle(f"{file} is no zip archive: {error}") from None
        except OSError as error:
            raise NotABundle(f"{file} cannot be read: {error.strerror or error}") from None
        try:
            self._members = _checked(file, self._archive.infolist())
        except NotABundle:
            self._archive.close()
            raise

    @property
    def names(self) -> list[str]:
        """The names of all members, in order."""
        return sorted(self._members)

    def read(self, name: str) -> bytes:
        """A member; NotABundle if it is missing, damaged or too large to be held in memory."""
        if self._member(name).file_size > MOST_IN_MEMORY:
            raise NotABundle(f"{name} is too large")
        try:
            return self._archive.read(name)
        except _DAMAGED as error:
            raise NotABundle(f"{name} is damaged: {error}") from None

    def digest(self, name: str) -> str:
        """SHA-256 of a member, whatever its size; NotABundle if it is missing or damaged."""
        found = hashlib.sha256()
        try:
            with self._archive.open(self._member(name)) as stream:
                while chunk := stream.read(_CHUNK):
                    found.update(chunk)
        except _DAMAGED as error:
            raise NotABundle(f"{name} is damaged: {error}") from None
        return found.hexdigest()

    def sums(self) -> dict[str, str]:
        """What SHA256SUMS says, by name; NotABundle if it is missing or not of that form."""
        found: dict[str, str] = {}
        for line in self.read(SUMS).decode("utf-8", "replace").splitlines():
            digest, gap, name = line.partition("  ")
            if not gap or len(digest) != 64 or name in found:
                raise NotABundle(f"{SUMS} is damaged at {line[:80]!r}")
            found[name] = digest
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._archive.close()

    def _member(self, name: str) -> zipfile.ZipInfo:
        if name not in self._members:
            raise NotABundle(f"{name} is missing")
        return self._members[name]


_DAMAGED = (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, NotImplementedError, ValueError)


def _checked(file: Path, members: list[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    if len(members) > MOST_MEMBERS:
        raise NotABundle(f"{file} has {len(members)} members, more than any bundle")
    if sum(member.file_size for member in members) > MOST_BYTES:
        raise NotABundle(f"{file} would unpack to more than {MOST_BYTES // 2**30} GiB")
    found: dict[str, zipfile.ZipInfo] = {}
    for member in members:
        if why := _harmful(member):
            raise NotABundle(f"{file}: the member {member.filename[:100]!r} {why}")
        if member.filename in found:
            raise NotABundle(f"{file} has two members {member.filename!r}")
        found[member.filename] = member
    return found


def _harmful(member: zipfile.ZipInfo) -> str:
    name = member.filename
    parts = name.split("/")
    if len(name) > _LONGEST_NAME or not name.isprintable():
        return "has a name that no bundle has"
    if name.startswith("/") or "\\" in name or ":" in parts[0] or {"", ".", ".."} & set(parts):
        return "has a name that leads elsewhere"
    kind = stat.S_IFMT(member.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return "is no plain file"
    if member.flag_bits & 0x1:
        return "is encrypted"
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is compressed in a way that no bundle is"
    return ""


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=_EPOCH)
    info.create_system = 3
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info
