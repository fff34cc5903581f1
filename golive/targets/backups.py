"""The backups of a database on a host: which files there are, what is in them, and whether they read to the end.

The files are read where they are, by `pg_restore`, `psql` and `gzip` (a file that ends in
`.gz` is unpacked on the way).
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from golive.environment.sections import BackupSection
from golive.model import CouldNotLook
from golive.targets import dumps
from golive.targets.dumps import Contents, Damaged, Format
from golive.targets.hosts.host import CommandResult, Host
from golive.targets.said import gist

__all__ = ["BackupFile", "Backups", "Contents", "Damaged", "Format"]

_HEAD = 4000
_RESTORE_ARCHIVE = (
    "pg_restore --no-owner --no-privileges --no-comments --no-publications --no-subscriptions "
    '--no-security-labels --no-tablespaces --exit-on-error --dbname="$PGDATABASE"'
)
_RESTORE_SQL = "psql --no-psqlrc --quiet --output=/dev/null 2>&1 | head -c 200000"
_MISSING = re.compile(r"(gzip|pg_restore|psql|find|stat): (?:command )?not found")
_UNREADABLE = re.compile(r"Permission denied|cannot open|No such file")


@dataclass(frozen=True, kw_only=True, slots=True)
class BackupFile:
    """One file of the backups' folder."""

    name: str
    path: str
    size_bytes: int
    modified_at: datetime


class Backups:
    """The backup files of one `backups` entry. What keeps from looking at them is a CouldNotLook."""

    def __init__(self, name: str, section: BackupSection, host: Host) -> None:
        self.name = name
        self.section = section
        self.host = host
        self._contents: dict[str, Contents] = {}

    @property
    def where(self) -> str:
        """Host and pattern, for messages."""
        return f"{self.host.name}:{self.section.folder.rstrip('/')}/{self.section.pattern}"

    @cached_property
    def files(self) -> list[BackupFile]:
        """The files that match, newest first; read once."""
        folder, pattern = shlex.quote(self.section.folder.rstrip("/") + "/"), shlex.quote(self.section.pattern)
        # `stat` of GNU and busybox is told by -c what to print, that of BSD and macOS by -f.
        stat = 'stat -c "%Y %s %n" "$@" 2>/dev/null || stat -f "%m %z %N" "$@"'
        listing = f"find . -maxdepth 1 -type f -name {pattern} -exec sh -c {shlex.quote(stat)} sh {{}} +"
        done = self.host.run(f"export LC_ALL=C; cd {folder} && {listing}")
        if done.exit_code != 0:
            raise CouldNotLook(f"backups {self.name}: {self.where} cannot be listed ({gist(done.stderr)})")
        found = [self._file(line) for line in done.stdout.splitlines() if line]
        return sorted(found, key=lambda f: (f.modified_at, f.name), reverse=True)

    @property
    def newest(self) -> BackupFile | None:
        """The newest file, or None without any."""
        return self.files[0] if self.files else None

    def contents(self, file: BackupFile, *, timeout_s: float | None = None) -> Contents:
        """What is in the file, by its table of contents or, of SQL, its text. Damaged if it is neither."""
        if file.path not in self._contents:
            self._contents[file.path] = self._read_contents(file, timeout_s)
        return self._contents[file.path]

    def read_to_the_end(self, file: BackupFile, *, timeout_s: float | None = None) -> None:
        """Read every byte through the checks of its format. Damaged if anything is missing or wrong."""
        if file.name.endswith(".gz"):
            self._expect(self._run(f"gzip -t {shlex.quote(file.path)}", timeout_s), file)
        if self.contents(file, timeout_s=timeout_s).format is Format.ARCHIVE:
            self._expect(self._run(f"{_input(file)} pg_restore --file=/dev/null", timeout_s), file)
        elif dumps.END_OF_SQL not in self._run(f"{_input(file)} tail -n 20", timeout_s).stdout:
            raise Damaged(f"is cut off: its last lines do not say '{dumps.END_OF_SQL[3:]}'")

    def restore(self, file: BackupFile, target: Mapping[str, str], *, timeout_s: float | None = None) -> None:
        """Restore into the empty database that `target` names by PG… variables. Damaged if that fails.

        Publications and subscriptions are left out: a subscription would begin to replicate.
        """
        form = self.contents(file, timeout_s=timeout_s).format
        if form is Format.SQL:
            self._refuse_to_leave_the_scratch(file, timeout_s)
        command = _RESTORE_ARCHIVE if form is Format.ARCHIVE else _RESTORE_SQL
        done = self._run(f"{_input(file)} {command}", timeout_s, env=target)
        wrong = dumps.errors_in(done.stderr + done.stdout, form)
        if done.exit_code == 0 and not wrong:
            return
        said = dumps.said(wrong or done.stderr, done.exit_code)
        if dumps.NOT_ITS_FAULT.search(said):
            raise CouldNotLook(f"host {self.host.name}: {file.name} could not be restored from there ({said})")
        raise Damaged(f"cannot be restored ({said})")

    def _read_contents(self, file: BackupFile, timeout_s: float | None) -> Contents:
        if file.size_bytes == 0:
            raise Damaged("is empty")
        done = self._run(f"{_input(file)} pg_restore --list", timeout_s)
        if done.exit_code != 0 and dumps.NO_ARCHIVE.search(done.stderr):
            return self._contents_of_sql(file, timeout_s)
        self._expect(done, file)
        return dumps.contents_of_archive(done.stdout)

    def _contents_of_sql(self, file: BackupFile, timeout_s: float | None) -> Contents:
        head = self._run(f"{_input(file)} head -c {_HEAD}", timeout_s).stdout
        if not dumps.START_OF_SQL.search(head):
            raise Damaged("is neither an archive of pg_dump nor its SQL")
        copies = self._run(f"{_input(file)} grep -aE '^COPY .* FROM stdin;' | cut -c1-300", timeout_s)
        return dumps.contents_of_sql(head, copies.stdout)

    def _refuse_to_leave_the_scratch(self, file: BackupFile, timeout_s: float | None) -> None:
        found = self._run(f"{_input(file)} grep -aqE {shlex.quote(dumps.SWITCHES_OR_RUNS)}", timeout_s)
        if found.exit_code == 0:
            words = "is SQL that switches to another database or runs commands, so it is not restored"
            raise CouldNotLook(f"host {self.host.name}: {file.name} {words}")

    def _run(self, command: str, timeout_s: float | None, *, env: Mapping[str, str] | None = None) -> CommandResult:
        done = self.host.run(f"export LC_ALL=C; {command}", timeout_s=timeout_s, env=env)
        if missing := _MISSING.search(done.stderr):
            raise CouldNotLook(f"host {self.host.name}: {missing[1]} is not installed there, and backups need it")
        if done.exit_code != 0 and _UNREADABLE.search(done.stderr):
            raise CouldNotLook(f"host {self.host.name}: a backup cannot be opened there ({gist(done.stderr)})")
        return done

    def _expect(self, done: CommandResult, file: BackupFile) -> None:
        """Damaged unless the program succeeded; CouldNotLook if it is only too old."""
        if done.exit_code == 0:
            return
        said = dumps.said(done.stderr, done.exit_code)
        if dumps.TOO_NEW.search(done.stderr):
            words = f"its pg_restore is too old for {file.name} ({said}); install a newer one"
            raise CouldNotLook(f"host {self.host.name}: {words}")
        raise Damaged(f"is not readable to its end ({said})")

    def _file(self, line: str) -> BackupFile:
        try:
            moment, size, name = line.split(" ", 2)
            name = name.removeprefix("./")
            modified = datetime.fromtimestamp(int(moment), UTC)
            path = f"{self.section.folder.rstrip('/')}/{name}"
            return BackupFile(name=name, path=path, size_bytes=int(size), modified_at=modified)
        except (ValueError, OverflowError, OSError):
            raise CouldNotLook(f"backups {self.name}: the host listed its files oddly: {gist(line, 80)!r}") from None


def _input(file: BackupFile) -> str:
    """The start of a command that gives the file, unpacked, to the program that follows."""
    path = shlex.quote(file.path)
    return f"gzip -dc {path} |" if file.name.endswith(".gz") else f"<{path}"
