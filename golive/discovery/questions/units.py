"""Services and timers of systemd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from golive.discovery.questions import Survey

_PROPERTIES = "Id,ActiveState,SubState,UnitFileState,Type,Result"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unit:
    """A unit as systemd tells of it, in its own words."""

    name: str
    active: str
    sub: str
    file_state: str
    type: str = ""

    @property
    def is_enabled(self) -> bool:
        """Whether it is started with the machine."""
        return self.file_state in ("enabled", "enabled-runtime")

    @property
    def is_running(self) -> bool:
        """Whether a process of it is there."""
        return self.active == "active" and self.sub == "running"

    @property
    def is_done(self) -> bool:
        """Whether it neither runs nor failed: it ended well, was stopped, or was not needed, which look the same."""
        return self.active == "inactive" or (self.active == "active" and not self.is_running)


@dataclass(frozen=True)
class Units(Survey[tuple[Unit, ...]]):
    """Every loaded service and timer."""

    def text(self, frame: str) -> str:
        """One row a unit."""
        return rf"""
said=$(systemctl show --no-pager -p {_PROPERTIES} '*.service' '*.timer' 2>/dev/null)
case $said in
*ActiveState=*)
  printf '%s\n' "$said" | awk -v frame={frame} '
    function tell() {{
      if (value["Id"] != "")
        printf "%s\tunit\t%s\t%s\t%s\t%s\t%s\n", frame, value["ActiveState"], value["SubState"],
          value["UnitFileState"], value["Type"], value["Id"]
      split("", value)
    }}
    /^$/ {{ tell(); next }}
    {{ at = index($0, "="); value[substr($0, 1, at - 1)] = substr($0, at + 1) }}
    END {{ tell() }}'
  printf '{frame}\tend\n' ;;
*) printf '{frame}\tnone\tsystemd does not run there, or does not answer\n' ;;
esac
"""

    @classmethod
    def found(cls, rows: Sequence[Sequence[str]]) -> tuple[Unit, ...]:
        """Units in the order of their names."""
        units = [
            Unit(active=row[1], sub=row[2], file_state=row[3], type=row[4], name=row[5])
            for row in rows
            if row[0] == "unit" and len(row) == 6
        ]
        return tuple(sorted(units, key=lambda unit: unit.name))
