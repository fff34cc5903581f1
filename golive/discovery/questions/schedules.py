"""Cron tables: which there are, and how many entries each has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from golive.discovery.questions import Survey

_TABLES = "/etc/crontab /etc/cron.d/* /var/spool/cron/crontabs/* /var/spool/cron/[!c]* /etc/crontabs/*"


@dataclass(frozen=True, kw_only=True, slots=True)
class CronTable:
    """A cron table. What it runs stays on the host: command lines hold passwords more often than one thinks."""

    path: str
    entries: int


@dataclass(frozen=True)
class CronTables(Survey[tuple[CronTable, ...]]):
    """Every cron table that may be read."""

    def text(self, frame: str) -> str:
        """A row a table; settings (`PATH=…`) and comments are no entries."""
        return rf"""
for file in {_TABLES}; do
  [ -f "$file" ] && [ -r "$file" ] || continue
  case ${{file##*/}} in .*|*.dpkg-*) continue ;; esac
  count=$(grep -cvE '^[[:space:]]*(#|$|[A-Za-z_][A-Za-z_0-9]*[[:space:]]*=)' -- "$file")
  printf '{frame}\ttable\t%s\t%s\n' "$count" "$file"
done
printf '{frame}\tend\n'
"""

    @classmethod
    def found(cls, rows: Sequence[Sequence[str]]) -> tuple[CronTable, ...]:
        """Tables with at least one entry."""
        return tuple(
            CronTable(entries=int(row[1]), path=row[2])
            for row in rows
            if row[0] == "table" and len(row) == 3 and row[1].isdigit() and int(row[1]) > 0
        )
