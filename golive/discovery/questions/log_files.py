"""Log files: those that processes hold open, and those in the usual places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from golive.discovery.questions import Survey

_MOST = 80
_LINES = 20
_USUAL = "/var/log/*.log /var/log/*/*.log /var/log/syslog /var/log/messages /var/log/secure"


@dataclass(frozen=True, kw_only=True, slots=True)
class LogFile:
    """A log file. `starts` are the first characters of its last lines; `process` holds it open."""

    path: str
    size_bytes: int
    changed_at: int
    readable: bool
    starts: str = ""
    process: str = ""

    @property
    def is_json(self) -> bool | None:
        """Whether its lines are JSON objects; None when nothing was seen of it."""
        return self.starts.count("{") > len(self.starts) / 2 if self.starts else None


@dataclass(frozen=True)
class LogFiles(Survey[tuple[LogFile, ...]]):
    """Of the contents nothing but the first character of some lines is told."""

    def text(self, frame: str) -> str:
        """A row for each file; one that several processes hold open comes several times."""
        return rf"""
count=0
tell() {{
  count=$((count + 1)); [ "$count" -le {_MOST} ] || return
  may=no; starts=
  if [ -r "$2" ]; then
    may=yes; starts=$(tail -n {_LINES} -- "$2" 2>/dev/null | cut -c1 | tr -cd '[:graph:]')
  fi
  printf '{frame}\tfile\t%s\t%s\t%s\t%s\t%s\n' "$may" "$(stat -L -c '%s %Y' -- "$2")" "$starts" "$1" "$2"
}}
ls -l /proc/[0-9]*/fd 2>/dev/null | awk '
  /^\/proc\/[0-9]+\/fd:$/ {{ folder = substr($0, 1, length($0) - 1); next }}
  (at = index($0, " -> /")) > 0 {{
    path = substr($0, at + 4); number = substr($0, 1, at - 1); sub(/.* /, "", number)
    if (path ~ /\/journal\// || path ~ /^\/var\/lib\/(docker|containers)\//) next
    if (path ~ /\.(log|jsonl|ndjson|out|err)$/ || path ~ /^\/var\/log\/[^ ]+$/)
      print folder "/" number " " path
  }}' | sort -u -k2 | while read -r held path; do
    [ -f "$path" ] && [ "$path" -ef "$held" ] || continue
    folder=${{held%/fd/*}}
    tell "$(cat "$folder/comm" 2>/dev/null)" "$path"
done
for path in {_USUAL}; do
  if [ -f "$path" ] && [ ! -L "$path" ]; then tell "" "$path"; fi
done
printf '{frame}\tend\n'
"""

    @classmethod
    def found(cls, rows: Sequence[Sequence[str]]) -> tuple[LogFile, ...]:
        """Each path once, with a process that holds it open if there is one."""
        found: dict[str, LogFile] = {}
        for row in rows:
            file = _file(row)
            if file is None:
                continue
            known = found.get(file.path)
            found[file.path] = file if known is None else replace(known, process=known.process or file.process)
        return tuple(found[path] for path in sorted(found))


def _file(row: Sequence[str]) -> LogFile | None:
    if row[0] != "file" or len(row) < 6:
        return None
    size, _, changed = row[2].partition(" ")
    if not (size.isdigit() and changed.isdigit()):
        return None
    return LogFile(
        path="\t".join(row[5:]),
        size_bytes=int(size),
        changed_at=int(changed),
        readable=row[1] == "yes",
        starts=row[3],
        process=row[4],
    )
