"""The composed probe: every standard fact of a host in one command, one round trip.

`cat`, `df` and `date` are called by name, so that folders put before PATH come first.
Each part is framed by a marker drawn at random, so that nothing a host prints can pass
for a frame; a part that hangs (a dead network mount) is given up alone.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping

_PART_LIMIT_S = 5
_SNIPPET_LIMIT_S = 10

_HEAD = r"""
LC_ALL=C; export LC_ALL
if command -v timeout >/dev/null 2>&1; then limit() { timeout -k 1 "$@"; }; else limit() { shift; "$@"; }; fi
part() { name=$1; shift; printf '\n%s %s\n' "$M" "$name"; "$@"; printf '\n%s = %s\n' "$M" "$?"; }
quiet() { "$@" 2>/dev/null; }
processes() { cat /proc/[0-9]*/stat 2>/dev/null; }
sockets() { command -v ss >/dev/null 2>&1 && limit 5 ss -H -ltnp 2>/dev/null; }
failed() { [ -d /run/systemd/system ] && limit 5 systemctl list-units --failed --plain --no-legend 2>/dev/null; }
part date quiet date +%s.%N
part zone quiet date +%z
part uptime quiet cat /proc/uptime
part ticks quiet getconf CLK_TCK
part page quiet getconf PAGESIZE
"""

_READING = """
part stat.{n} quiet cat /proc/stat
part processes.{n} processes
part net.{n} quiet cat /proc/net/dev
part uptime.{n} quiet cat /proc/uptime
"""

_STILL = f"""
part memory quiet cat /proc/meminfo
part load quiet cat /proc/loadavg
part vmstat quiet cat /proc/vmstat
part df limit {_PART_LIMIT_S} df -P -B1 2>/dev/null
part inodes limit {_PART_LIMIT_S} df -P -i 2>/dev/null
part tcp quiet cat /proc/net/tcp
part tcp6 quiet cat /proc/net/tcp6
part sockets sockets
part failed failed
"""


def script(marker: str, *, window_s: float, snippets: Mapping[str, str]) -> str:
    """The probe as POSIX shell text. It takes `window_s` and a little; `snippets` run within that time.

    What a snippet prints on standard error is kept too, since it tells why it failed.
    """
    parts = [
        f"part {shlex.quote(name)} limit {_SNIPPET_LIMIT_S} sh -c {shlex.quote(text)} 2>&1"
        for name, text in snippets.items()
    ]
    return "\n".join(
        [
            f"M={shlex.quote(marker)}",
            _HEAD,
            _READING.format(n=1),
            f"sleep {window_s:.3f} & pause=$!",
            _STILL,
            *parts,
            'wait "$pause"',
            _READING.format(n=2),
            "part date.2 quiet date +%s.%N",
            'printf "\\n%s end\\n" "$M"',
        ]
    )
