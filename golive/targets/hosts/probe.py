"""The composed probe: every standard fact of a host, and what else it is asked, in one command, one round trip.

`cat`, `df` and `date` are called by name, so that folders put before PATH come first.
Each part is framed by a marker drawn at random, so that nothing a host prints can pass
for a frame. What can take long (a dead network mount, the manager of services, questions)
runs in lanes beside the rest, and a part that hangs is given up alone. A lane writes into
a file of its own in memory (`/dev/shm`, else `/tmp`) that has no name any more when the
lane begins, so that nothing can be left behind; where no file can be made, the lanes run
one after the other. What came in full is used even when the end is missing.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from golive.targets.hosts.command import seconds

LANES = 5
"""Parts that run at the same time beside the standard facts. A POSIX shell knows descriptors of one digit only."""
TIMED_OUT = 124
"""Exit code of a part that was ended at its limit."""
BROKE_OFF = "the connection broke off during the visit"
"""Why a part did not come whose time was not up."""
_FIRST_SPOOL = 3
_FACT_LIMIT_S = 5

SHELL = r"""
LC_ALL=C; export LC_ALL
part() { name=$1; shift; printf '\n%s %s\n' "$M" "$name"; "$@"; printf '\n%s = %s\n' "$M" "$?"; }
quiet() { "$@" 2>/dev/null; }
# limit SECONDS COMMAND…: its exit code, 124 when it was ended. `timeout` is not everywhere, and differs.
limit() {
  seconds=$1; shift
  "$@" </dev/null & job=$!
  born "$job"
  (
    trap 'kill $! 2>/dev/null; exit 0' TERM
    sleep "$seconds" & wait $! || { sleep $((${seconds%.*} + 1)) & wait $!; }
    trap '' TERM; reap "$job" "$birth"; exit 9
  ) </dev/null >/dev/null 2>&1 & guard=$!
  wait "$job" 2>/dev/null; code=$?
  kill "$guard" 2>/dev/null; wait "$guard" 2>/dev/null
  if [ $? = 9 ]; then return 124; else return $code; fi
}
"""
"""`part`, `quiet` and `limit` for the shell text of a visit; M is the marker. Every command has `born` and `reap`."""

_FUNCTIONS = r"""
# An old BusyBox knows no -B.
sizes() {{
  said=$(df -P -B1 2>/dev/null); [ -n "$said" ] || said=$(df -P -k 2>/dev/null)
  printf '%s\n' "$said"
}}
may_hang() {{ part sockets sockets; part df sizes; part inodes quiet df -P -i; part failed failed; }}
processes() {{ cat /proc/[0-9]*/stat 2>/dev/null; }}
listening() {{ cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep -e local_address -e ' 0A '; }}
sockets() {{ command -v ss >/dev/null 2>&1 && ss -H -ltnp 2>/dev/null; }}
failed() {{ [ -d /run/systemd/system ] && systemctl list-units --failed --plain --no-legend 2>/dev/null; }}
# BusyBox may have no getconf; there the kernel tells.
pagesize() {{
  getconf PAGESIZE 2>/dev/null && return
  while read -r key size unit; do
    [ "$key" != KernelPageSize: ] || {{ echo $((size * 1024)); return; }}
  done </proc/self/smaps
}}
pause() {{ sleep "$1" 2>/dev/null || sleep $((${{1%.*}} + 1)); }}
# Makes the files of the lanes, readable to nobody else.
spooled() {{
  for folder in /dev/shm "${{TMPDIR:-/tmp}}"; do
    spool=$folder/$M
    (umask 077; set -C; for n in {numbers}; do : >"$spool.$n" || exit 1; done) 2>/dev/null && return
    rm -f "$spool".*
  done
  return 1
}}
"""

_HEAD = """
part date quiet date +%s.%N
part zone quiet date +%z
part page pagesize
part self printf %s "$$"
"""

_READING = """
part stat.{n} quiet cat /proc/stat
part processes.{n} processes
part net.{n} quiet cat /proc/net/dev
part uptime.{n} quiet cat /proc/uptime
"""

_STILL = """
part memory quiet cat /proc/meminfo
part load quiet cat /proc/loadavg
part vmstat quiet cat /proc/vmstat
part tcp listening
part still :
"""

_MAY_HANG = f"""
limit {_FACT_LIMIT_S} may_hang
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """Shell text beside the standard facts, and how long it may take."""

    name: str
    text: str
    limit_s: float
    with_errors: bool = False
    """Whether what it prints on standard error is kept too; else it is dropped."""


def script(marker: str, *, window_s: float | None, parts: Sequence[Part]) -> str:
    """The probe as POSIX shell text. It takes `window_s`, the slowest lane, and a little.

    Without a window there is one reading of what grows, and no rate can be told.
    """
    # What counts use itself, as containers do, has as long between its own readings.
    known = f"window={seconds(window_s)}\n" if window_s else ""
    lanes = [*(known + lane for lane in _lanes([_framed(part) for part in parts], LANES - 1)), _MAY_HANG]
    window = f"pause {seconds(window_s)}\n{_READING.format(n=2)}" if window_s else ""
    main = "\n".join([_HEAD, _READING.format(n=1), _STILL, window])
    return _composed(marker, lanes, main, "part uptime.3 quiet cat /proc/uptime\npart date.2 quiet date +%s.%N")


def questions_script(marker: str, parts: Sequence[Part]) -> str:
    """Shell text of these parts alone, without the standard facts."""
    return _composed(marker, _lanes([_framed(part) for part in parts], LANES), "", "")


def framed(output: bytes, marker: str) -> tuple[dict[str, tuple[bytes, int]], bool]:
    """Bytes and exit code of each part that came in full, and whether the end came too."""
    parts: dict[str, tuple[bytes, int]] = {}
    mark = f"\n{marker} ".encode()
    open_part: tuple[str, bytes] | None = None
    for piece in (b"\n" + output).split(mark)[1:]:
        line, _, body = piece.partition(b"\n")
        head = line.decode("utf-8", "replace")
        if head == "end":
            return parts, True
        if not head.startswith("= "):
            open_part = (head, body)
        elif open_part is not None:
            # Digits of other alphabets are digits too, and int() of them may fail.
            code = int(head[2:]) if head[2:].isascii() and head[2:].isdigit() else -1
            parts.setdefault(open_part[0], (open_part[1], code))
            open_part = None
    return parts, False


def _framed(part: Part) -> str:
    errors = "2>&1" if part.with_errors else "2>/dev/null"
    return f"part {shlex.quote(part.name)} limit {seconds(part.limit_s)} eval {shlex.quote(part.text)} {errors}"


def _lanes(parts: Sequence[str], most: int) -> list[str]:
    """The parts dealt out in turn: those that are named first (services) each begin a lane."""
    return ["\n".join(parts[i::most]) for i in range(min(most, len(parts)))]


def _composed(marker: str, lanes: Sequence[str], main: str, last: str) -> str:
    """The lanes beside `main`, what they wrote, and the end."""
    numbers = range(_FIRST_SPOOL, _FIRST_SPOOL + len(lanes))
    words = " ".join(map(str, numbers))
    spools = " ".join(f'"$spool.{n}"' for n in numbers)
    opened = "; ".join(f'exec {n}<>"$spool.{n}"' for n in numbers)
    return "\n".join(
        [
            f"M={shlex.quote(marker)}",
            SHELL,
            _FUNCTIONS.format(numbers=words),
            *(f"lane{n}() {{\n{lane}\n}}" for n, lane in zip(numbers, lanes, strict=True)),
            f"if spooled; then\n{opened}; rm -f {spools}",
            *(f"lane{n} >&{n} </dev/null & job{n}=$!" for n in numbers),
            main,
            *(f'wait "$job{n}"; cat /proc/self/fd/{n}' for n in numbers),
            "else",
            main,
            *(f"lane{n} </dev/null" for n in numbers),
            f'fi\n{last}\nprintf "\\n%s end\\n" "$M"',
        ]
    )
