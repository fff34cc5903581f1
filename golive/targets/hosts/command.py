"""One command on its way: the text that a host's shell is given, and what it printed taken apart.

The text bounds itself there: it ends with all that it started when its time is up, and when its
standard input ends, which happens when the link is cut or whoever asked is gone. A marker drawn
at random stands before and after what the command prints, so that greetings of a login shell are
not taken for it, and a command's own failure not for a host that was never reached.
"""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Printed:
    """What came between the marks. `exit_code` is None when the end is missing; `late` when it was ended there."""

    stdout: bytes
    exit_code: int | None = None
    late: bool = False


def line(text: bytes, *, sudo: bool | str = False) -> str:
    """The command line that reads `text` from its input, which stays open, and runs it."""
    run = f"/bin/sh -c 'eval \"$(head -c {len(text)})\"'"
    user = f" -u {shlex.quote(sudo)}" if isinstance(sudo, str) else ""
    return f"exec sudo -n{user} -- {run}" if sudo else f"exec {run}"


def text(
    command: str, *, marker: str, limit_s: float, path: Sequence[str] = (), env: Mapping[str, str] | None = None
) -> bytes:
    """The shell text that runs `command` for at most `limit_s`. ValueError when a name in `env` is none."""
    for name in env or {}:
        if not name.isidentifier():
            raise ValueError(f"{name!r} is no name of an environment variable")
    set_ = [f"{name}={shlex.quote(value)}; export {name}" for name, value in (env or {}).items()]
    if path:
        set_.append(f"PATH={':'.join(map(shlex.quote, path))}:$PATH; export PATH")
    # Outside the marks of the command, so that a name or value is never part of what it prints.
    lines = [f"M={marker}", _REAP, *set_, _run(command, limit_s)]
    return "\n".join(lines).encode("utf-8", "surrogateescape")


def printed(stdout: bytes, marker: str) -> Printed | None:
    """None when the command was never begun."""
    _, begun, rest = stdout.partition(f"{marker} begin\n".encode())
    if not begun:
        return None
    body, ended, tail = rest.rpartition(end_of(marker))
    if not ended:
        return Printed(stdout=rest)
    words = tail.split(b"\n", 1)[0].strip()
    code = int(words) if words.isdigit() else None
    return Printed(stdout=body, exit_code=code, late=words == b"late")


def end_of(marker: str) -> bytes:
    """What begins the last line."""
    return f"\n{marker} end ".encode()


def seconds(value: float) -> str:
    """Whole seconds where they are, since not every `sleep` knows fractions."""
    return str(int(value)) if value == int(value) else f"{value:.3f}"


def _run(command: str, limit_s: float) -> str:
    return _RUN.format(command=shlex.quote(command), limit=seconds(limit_s), whole=math.ceil(limit_s))


_REAP = r"""
# When a process was started, as the kernel counts. Its number may be another one's by now, its start never is.
born() {
  birth=; [ -r /proc/self/stat ] || birth=untold
  [ -n "$birth" ] || { read -r birth <"/proc/$1/stat" && set -- ${birth##*) } && birth=${20}; }
} 2>/dev/null
# reap PROCESS BIRTH: ends it and all below it, which are found through /proc, since they may be in groups of their own.
# Each is stopped as it is found: so it has no further children, and its number stays its own until it is ended. (In
# `status` a process cannot pass for another one: line ends in its name are shown otherwise.)
reap() {
  case $1 in '' | 0 | 1 | *[!0-9]*) return ;; esac
  born "$1"; [ -n "$birth" ] && [ "$birth" = "$2" ] || return
  kill -STOP "$1" 2>/dev/null || return
  caught=" $1 "; before= above=
  while [ "$caught" != "$before" ]; do
    before=$caught
    for found in $(grep '^PPid:' /proc/[0-9]*/status 2>/dev/null | tr -d '\t'); do
      pid=${found#/proc/}; pid=${pid%%/*}
      case $caught in
        *" $pid "*) ;;
        # Who waits for the job is above it. If it seems below, the list is not to be trusted: only the job is ended.
        *" ${found##*:} "*) case $pid in 1 | "$$" | "$PPID") above=$pid; break 2 ;; esac
          kill -STOP "$pid" && caught="$caught$pid " ;;
      esac
    done 2>/dev/null
  done
  [ -z "$above" ] || { kill -CONT $caught; caught=$1; } 2>/dev/null
  kill -9 $caught 2>/dev/null
}
"""
_RUN = r"""
printf '%s begin\n' "$M"
exec 3<&0 </dev/null
# It outlives a reader who is gone: else nobody would be there through whom the rest of it is found.
(trap : PIPE; eval {command}) 3<&- </dev/null & job=$!
born "$job"
exec 2>/dev/null
(while read -r _; do :; done; trap '' TERM; reap $job $birth) <&3 3<&- >/dev/null & line=$!
(
  trap 'kill $! 2>/dev/null; exit 0' TERM
  sleep {limit} & wait $! || {{ sleep {whole} & wait $!; }}
  trap '' TERM; reap $job $birth; exit 9
) 3<&- >/dev/null & clock=$!
exec 3<&-
wait $job; code=$?
kill $line $clock; wait $clock
[ $? = 9 ] && code=late
printf '\n%s end %s\n' "$M" "$code"
exit 0
"""
