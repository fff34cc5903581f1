"""Services under supervisord, asked through `supervisorctl status`; crashes come from its own log."""

from __future__ import annotations

import configparser
import posixpath
import re
import shlex
from collections.abc import Iterator
from configparser import RawConfigParser
from datetime import UTC, datetime, timedelta

from pydantic import Field

from golive.environment.sections import ServicesSection
from golive.model import CouldNotLook
from golive.targets.hosts.digests import HASHED, digest_of, digests
from golive.targets.hosts.facts import HostFacts
from golive.targets.services import Crash, Part, Service, ServicesReading, usage
from golive.targets.shell import one_line, plain

_STATES = "STOPPED|STARTING|RUNNING|BACKOFF|STOPPING|EXITED|FATAL|UNKNOWN"
_STATUS = re.compile(rf"^(?P<name>\S+)\s+(?P<state>{_STATES})\b[ ]*(?P<rest>.*)$", re.MULTILINE)
_PID = re.compile(r"\bpid (\d+)\b")
_LINE = re.compile(r"^(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),(?P<ms>\d{3}) \w+ (?P<says>.*)$")
_LOG = "-- log"
_FILE, _WORDS, _DIGESTS, _NEXT, _UNKNOWN = "-- file ", "-- words", "-- digests", "-- program ", "?"
_PROGRAMS = ("program", "fcgi-program", "eventlistener")
# Takes files apart as Python's configparser does, and prints what a shell needs of them.
_INI = rf"""
function trim(text) {{ gsub(/^[ \t]+|[ \t]+$/, "", text); return text }}
function put(text, name, value,   at, done) {{
  while ((at = index(text, "%(" name ")s")) > 0) {{
    done = done substr(text, 1, at - 1) value; text = substr(text, at + length(name) + 4)
  }}
  return done text
}}
function filled(name) {{ return put(put(option[name], "here", here), "program_name", program) }}
function tell() {{
  program = section; sub(/^[^:]*:/, "", program)
  if (section == "include") print "include " filled("files")
  if (section == "supervisord") print "pidfile " filled("pidfile")
  if (section ~ /^({"|".join(_PROGRAMS)}):/)
    print "words \"{_NEXT}\" \"" section "\" \"" filled("directory") "\" " filled("command")
  split("", option); key = ""
}}
FNR == 1 {{ tell(); section = ""; here = FILENAME; sub(/\/[^\/]*$/, "", here) }}
/^[ \t]*([#;]|\r?$)/ {{ next }}
{{ sub(/\r$/, ""); sub(/[ \t][#;].*$/, ""); match($0, /^[ \t]*/); indent = RLENGTH; line = trim($0) }}
key != "" && indent > level {{ option[key] = option[key] " " line; next }}
line ~ /^\[/ {{ tell(); section = line; sub(/^\[/, "", section); sub(/\].*$/, "", section); next }}
match(line, /[=:]/) {{
  level = indent; key = tolower(trim(substr(line, 1, RSTART - 1))); option[key] = trim(substr(line, RSTART + 1))
}}
END {{ tell() }}
"""
# Finds the file that a word of a command names (`--config=/etc/x` too); `folder` is the directory of its program.
# What seems to be a file and is not seen has a path all the same: whether nothing is there, or the folder is closed,
# is told when it is read.
_LOOK_UP = """\
look_up() {
  path=
  case $1 in -*=[/%]*) set -- "${1#*=}" ;; -*) return ;; esac
  case $1 in
  *'%('*) path='?'; return ;;
  /*) [ -e "$1" ] && [ ! -f "$1" ] || path=$1; return ;;
  esac
  for base in "$folder" "/proc/$pid/cwd" "$here"; do
    [ -n "$base" ] && [ -f "$base/$1" ] && path=$base/$1 && return
  done
  case $1 in
  */*) ;;
  *.*) case ${1##*.} in [0-9]*|*[!A-Za-z0-9]*) return ;; esac ;;
  *) return ;;
  esac
  [ -z "$folder" ] || [ -e "$folder/$1" ] || path=$folder/$1
}
"""
_CRASH = "exited: .*not expected|terminated by SIGKILL|gave up: .* FATAL"


class Config(ServicesSection):
    """A supervisord: its configuration file, and its log where that is not told there."""

    config: str = Field(description="path of supervisord's configuration file")
    log: str | None = Field(None, description="path of supervisord's log; by default `logfile` of the configuration")


def snippet(config: Config) -> str:
    """Status first, then the first line of the oldest log that is left and the last crashes."""
    here = posixpath.dirname(config.config)
    found = f"$(sed -n 's/^ *logfile *= *//p' {shlex.quote(config.config)} | head -n 1 | sed \"s|%(here)s|$here|\")"
    log = shlex.quote(config.log) if config.log else found
    return f"""
supervisorctl -c {shlex.quote(config.config)} status 2>&1
echo '{_LOG}'
here={shlex.quote(here)}
log={log}
old=
for n in 10 9 8 7 6 5 4 3 2 1; do [ -z "$old" ] && [ -r "$log.$n" ] && old="$log.$n"; done
head -n 1 "${{old:-$log}}" 2>&1 | cut -c 1-300
for n in 10 9 8 7 6 5 4 3 2 1; do [ -r "$log.$n" ] && cat "$log.$n"; done 2>/dev/null | cat - "$log" 2>/dev/null |
  grep -aE {shlex.quote(_CRASH)} | tail -n 200 | cut -c 1-300
"""


def parse(config: Config, said: str, facts: HostFacts) -> ServicesReading:
    """CouldNotLook when no line of a status is there: supervisord does not answer."""
    status, _, log = said.partition(f"{_LOG}\n")
    services = {m["name"]: _service(m, facts) for m in _STATUS.finditer(status)}
    if not services:
        why = one_line(status) or "it printed nothing"
        raise CouldNotLook(f"host {facts.host}: supervisord ({config.config}) does not answer: {why}")
    lines = log.splitlines()
    first = _at(lines[0], facts.zone) if lines else None
    crashes = (_crash(line, facts.zone) for line in lines[1:])
    unread = plain(lines[0]) if lines else "it is empty"
    return ServicesReading(
        expected=config.expected,
        services=services,
        undeclared=tuple(sorted(services.keys() - set(config.expected))),
        crashes=tuple(crash for crash in crashes if crash is not None),
        crashes_since=first,
        crashes_gap=None if first else f"supervisord's log could not be read ({unread})",
        pids=frozenset().union(*(usage(facts, s.pid).pids for s in services.values())),
    )


def identity_snippet(config: Config) -> str:
    """The configuration with what it includes; where the files named in its commands are; and their digests.

    A relative path is looked up in the program's `directory`, supervisord's own folder, and the configuration's.
    """
    return f"""
ini() {{ awk {shlex.quote(_INI)} "$@"; }}
config={shlex.quote(config.config)}
cat "$config" 2>&1 >/dev/null && here=$(cd "$(dirname "$config")" && pwd) && cd "$here" || exit
set -- "$here/$(basename "$config")"
pid=$(cat "$(ini "$1" | sed -n 's/^pidfile //p')" 2>/dev/null)
for file in $(ini "$1" | sed -n 's/^include //p'); do
  case $file in /*) ;; *) file=$here/$file ;; esac
  [ ! -d "${{file%/*}}" ] || ls "${{file%/*}}" 2>&1 >/dev/null || exit
  [ -f "$file" ] || continue
  cat "$file" 2>&1 >/dev/null || exit
  set -- "$@" "$file"
done
for file; do printf '%s\\n' "{_FILE}$file"; cat "$file"; echo; done
{_LOOK_UP}words=$(ini "$@" | sed -n 's/^words //p' | xargs printf '%s\\n' | while IFS= read -r word; do
  if [ "$word" = '{_NEXT}' ]; then
    IFS= read -r section; IFS= read -r folder; IFS= read -r word
    printf '%s\\n' "{_NEXT}$section"
    case $word in */*|*%*) look_up "$word" ;; *) path=$(command -v "$word") ;; esac
  else
    look_up "$word"
  fi
  printf '%s\\t%s\\n' "$word" "$path"
done)
printf '%s\\n' '{_WORDS}' "$words" '{_DIGESTS}'
printf '%s\\n' "$words" | cut -f 2 | grep '^/' | {HASHED}
"""


def identity(config: Config, said: str, host: str) -> dict[Part, str]:
    """For each program the digests of its section, its program and the files named in its command, and its number.

    Sections that are no program's make the configuration of the set. What a program reads by itself is not seen.
    """
    where = f"host {host}: supervisord ({config.config})"
    written, _, rest = said.partition(f"{_WORDS}\n")
    words, _, hashed = rest.partition(f"{_DIGESTS}\n")
    sections, found = _sections(written, where), digests(hashed, host)
    programs = {name: options for name, options in sections.items() if name.partition(":")[0] in _PROGRAMS}
    if not programs:
        raise CouldNotLook(f"{where}: no program stands in its configuration")
    others = (f"[{name}]\n{_text(options)}" for name, options in sorted(sections.items()) if name not in programs)
    parts: dict[Part, str] = {("", "configuration"): digest_of("\n".join(others))}
    paths = _paths(words)
    for section, options in programs.items():
        name = section.removeprefix("program:")
        parts[name, "replicas"] = options.pop("numprocs", "1")
        parts[name, "configuration"] = digest_of(_text(options))
        files = _files(section, options.get("command", ""), paths.get(section, {}), found, f"{where}: {name}")
        parts |= {(name, what): digest for what, digest in files}
    return parts


def _files(
    section: str, command: str, paths: dict[str, str], found: dict[str, str], where: str
) -> Iterator[tuple[str, str]]:
    """The digest of the program and of each file that its command names.

    CouldNotLook when the host took the command apart differently, when there is no such program, and when a path
    depends on what only supervisord knows.
    """
    try:
        words = shlex.split(_expanded(command, program_name=section.partition(":")[2]))
    except ValueError:
        words = []
    if not words or any(word not in paths for word in words):
        raise CouldNotLook(f"{where}: its command could not be taken apart")
    for number, word in enumerate(words):
        path = paths[word]
        if path == _UNKNOWN and (number == 0 or "/" in word):
            raise CouldNotLook(f"{where}: which file {word} is, is not known here; write its path out")
        if number == 0 and path not in found:
            raise CouldNotLook(f"{where}: its program {word} is not there")
        if path in found:
            yield "binary" if number == 0 else f"file {word}", found[path]


def _sections(written: str, where: str) -> dict[str, dict[str, str]]:
    """All sections of the configuration and what it includes; a later file overrules an earlier one.

    CouldNotLook without a word of the content, which may hold passwords.
    """
    before, *files = f"\n{written}".split(f"\n{_FILE}")
    if not files:
        raise CouldNotLook(f"{where}: {one_line(before) or 'its configuration cannot be read'}")
    sections: dict[str, dict[str, str]] = {}
    for file in files:
        path, _, text = file.partition("\n")
        parser = RawConfigParser(strict=False, inline_comment_prefixes=(";", "#"))
        try:
            parser.read_string(text)
        except configparser.Error as error:
            raise CouldNotLook(f"{where}: {path} is no configuration ({type(error).__name__})") from None
        for name in parser.sections():
            options = {key: _expanded(value, here=posixpath.dirname(path)) for key, value in parser.items(name)}
            sections.setdefault(name, {}).update(options)
    if "%(" in (included := sections.get("include", {}).get("files", "")):
        raise CouldNotLook(f"{where}: which files {included} are, is not known here; write their paths out")
    return sections


def _paths(text: str) -> dict[str, dict[str, str]]:
    """By section, the path of each word of its command: "" where there is no such file."""
    paths: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        word, tab, path = line.partition("\t")
        if not tab and line.startswith(_NEXT):
            of_one = paths.setdefault(line.removeprefix(_NEXT), {})
        elif tab and paths:
            of_one[word] = path
    return paths


def _expanded(value: str, **known: str) -> str:
    for name, text in known.items():
        value = value.replace(f"%({name})s", text)
    return value


def _text(options: dict[str, str]) -> str:
    """A section without its comments and its order."""
    return "\n".join(f"{key}={value}" for key, value in sorted(options.items()))


def _service(found: re.Match[str], facts: HostFacts) -> Service:
    pid = _PID.search(found["rest"])
    number = int(pid[1]) if pid else None
    used = usage(facts, number)
    return Service(
        name=found["name"],
        state=found["state"],
        running=found["state"] == "RUNNING",
        pid=number,
        started_at=used.started_at,
        cpu_percent=used.cpu_percent,
        memory_bytes=used.memory_bytes,
    )


def _crash(line: str, zone: timedelta) -> Crash | None:
    found = _LINE.match(line)
    return Crash(at=_at(line, zone), says=plain(found["says"])) if found else None


def _at(line: str, zone: timedelta) -> datetime | None:
    """supervisord writes its host's local time without a zone."""
    found = _LINE.match(line)
    if not found:
        return None
    try:
        local = datetime.strptime(found["at"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return local + timedelta(milliseconds=int(found["ms"])) - zone
