"""Supervisord: which configurations run, and their programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from golive.discovery.questions import Survey


@dataclass(frozen=True, kw_only=True, slots=True)
class Supervisor:
    """One supervisord. `tools` is the folder of its `supervisorctl` where that is not in PATH.

    One that another user runs is not asked for its programs.
    """

    config: str
    programs: tuple[tuple[str, str], ...]
    tools: str = ""


@dataclass(frozen=True)
class Supervisors(Survey[tuple[Supervisor, ...]]):
    """Every supervisord that runs with a configuration file."""

    def text(self, frame: str) -> str:
        """A row for each supervisord, and behind it one for each of its programs.

        Of a command line only the name of the program and the path behind `-c` are printed. Anybody may call a process
        supervisord: what another user than root and this one runs is not asked, and no `supervisorctl` is run that
        another one could have put there.
        """
        return rf"""
me=$(id -u)
ours() {{ awk -v me="$me" '/^Uid:/ {{ n = NF; for (i = 2; i <= NF; i++) if ($i != 0 && $i != me) bad = 1 }}
  END {{ exit bad || n < 5 }}' "$1/status" 2>/dev/null; }}
kept() {{ [ -z "$(find -L "$1" "$1/supervisorctl" -prune \( -perm -002 -o ! -user 0 ! -user "$me" \) 2>&1)" ]; }}
for file in $(grep -las supervisord /proc/[0-9]*/cmdline); do
  folder=${{file%/cmdline}}
  tr '\0' '\n' <"$file" 2>/dev/null | {{
    config= ; tools= ; python= ; program= ; next= ; count=0
    while IFS= read -r word; do
      count=$((count + 1))
      [ "$count" -gt 1 ] || python=$word
      case $word in
      */supervisord|supervisord|supervisor.supervisord) [ "$count" -gt 5 ] || {{ program=$word; continue; }} ;;
      -c|--configuration) next=1; continue ;;
      --configuration=*) config=${{word#*=}} ;;
      -c*) config=${{word#-c}} ;;
      esac
      [ -z "$next" ] || {{ config=$word; next=; }}
    done
    [ -n "$program" ] || exit 0
    if [ -z "$config" ]; then
      for known in /etc/supervisord.conf /etc/supervisor/supervisord.conf; do
        [ -n "$config" ] || [ ! -f "$known" ] || config=$known
      done
    fi
    case $config in '') exit 0 ;; /*) ;; *) config=$(readlink "$folder/cwd")/$config ;; esac
    [ "$config" -ef "$folder/root$config" ] || exit 0
    ours "$folder" || {{ printf '{frame}\tsupervisor\t\t%s\n' "$config"; exit 0; }}
    for beside in "$program" "$python"; do
      [ -n "$tools" ] || case $beside in /*)
        [ ! -x "${{beside%/*}}/supervisorctl" ] || ! kept "${{beside%/*}}" || tools=${{beside%/*}} ;; esac
    done
    PATH=${{tools:+$tools:}}$PATH
    said=$(supervisorctl -c "$config" status 2>&1)
    printf '%s\n' "$said" | grep -qE ' (STOPPED|STARTING|RUNNING|BACKOFF|STOPPING|EXITED|FATAL)' || exit 0
    printf '{frame}\tsupervisor\t%s\t%s\n' "$tools" "$config"
    printf '%s\n' "$said" | awk -v frame={frame} 'NF > 1 {{ printf "%s\tprogram\t%s\t%s\n", frame, $2, $1 }}'
  }}
done
printf '{frame}\tend\n'
"""

    @classmethod
    def found(cls, rows: Sequence[Sequence[str]]) -> tuple[Supervisor, ...]:
        """Each configuration once."""
        found: dict[str, Supervisor] = {}
        config = ""
        for row in rows:
            if row[0] == "supervisor" and len(row) == 3:
                config = row[2]
                found[config] = Supervisor(config=config, programs=(), tools=row[1])
            elif row[0] == "program" and len(row) == 3 and config in found:
                one = found[config]
                programs = (*one.programs, (row[2], row[1]))
                found[config] = Supervisor(config=config, programs=programs, tools=one.tools)
        return tuple(found.values())
