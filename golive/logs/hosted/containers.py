"""The shell text that the logs of containers are looked at with, and the parsing of what it prints."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from golive.logs.hosted.look import Garbled, Look, look_text, parse_look
from golive.logs.times import Clock, stamp

_FORMAT = "|".join(
    (
        *("{{.Id}}", "{{.Name}}", "{{.State.Running}}", "{{.State.FinishedAt}}", "{{.Created}}"),
        "{{.HostConfig.LogConfig.Type}}",
        *('{{index .HostConfig.LogConfig.Config "max-size"}}', '{{index .HostConfig.LogConfig.Config "max-file"}}|'),
    )
)
_PATH = {"docker": "{{.LogPath}}"}
"""What tells the file of the log, where a program tells it."""
_ID = re.compile(r"[0-9a-f]{12,64}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_NEVER = "0001-01-01"


@dataclass(frozen=True, kw_only=True, slots=True)
class Whose:
    """Which containers are meant: one by its name, or those of a service of a compose project."""

    program: str
    container: str = ""
    service: str = ""
    project: str = ""

    @property
    def listing(self) -> str:
        """The command that prints their ids or names, one a line; those that have ended, too."""
        if self.container:
            return f"printf '%s\\n' {shlex.quote(self.container)}"
        labels = {"service": self.service, **({"project": self.project} if self.project else {})}
        filters = " ".join(
            f"--filter {shlex.quote(f'label=com.docker.compose.{key}={value}')}" for key, value in labels.items()
        )
        oneoff = "--filter label=com.docker.compose.oneoff=False"
        return f"{shlex.quote(self.program)} ps -aq --no-trunc {filters} {oneoff}"

    @property
    def told(self) -> str:
        """How they are called in messages."""
        if self.container:
            return f"container {self.container}"
        return f"service {self.service}" + (f" of {self.project}" if self.project else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """A container and its log. `finished_at` is None while it runs; `limited` says that old lines are thrown away.

    `files` is how many files the log may have: while it has one of several, nothing was thrown away yet.
    """

    id: str
    name: str
    finished_at: datetime | None
    created_at: datetime | None
    driver: str
    limited: bool
    path: str
    files: int = 1

    @property
    def is_cut_in_place(self) -> bool:
        """Whether old lines are thrown away without a trace: the only file is begun anew."""
        return self.limited and self.files < 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What was told of one container: a look at its file, or what `logs` printed (`whole`: in full)."""

    container: Container
    look: Look | None = None
    printed: bytes = b""
    whole: bool = True
    exit_code: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """All containers that were found, what went wrong with finding them, and the host's time."""

    said: tuple[Said, ...]
    problem: str
    host_now: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """Where a container's log was left: the offset in its file, and the time of the last line."""

    offset: int
    since: str


def containers_script(mark: str, whose: Whose, left: Mapping[str, Left], since: str, carry: int) -> str:
    """Print each container and what is new in its log."""
    known = "\n".join(f"{one}) O={at.offset}; A={shlex.quote(at.since)} ;;" for one, at in left.items())
    program = shlex.quote(whose.program)
    return f"""
date +%s
names=$({whose.listing} 2>&1) || {{ printf '%s\\n' "$names"; names=; }}
for c in $names; do
  info=$({program} inspect --type container --format {shlex.quote(_FORMAT + _PATH.get(whose.program, ""))} "$c" 2>&1)
  printf '\\n%s-container\\n%s\\n' {mark} "$info"
  IFS='|' read -r id name running finished created driver most files P <<EOF
$info
EOF
  O=0; A={shlex.quote(since)}
  case $id in
  {known}
  *) ;;
  esac
  [ -n "$driver" ] || continue
  if [ "$driver" = json-file ] && [ -n "$P" ] && [ -r "$P" ]; then
    printf '%s-file\\n' {mark}
    {look_text(mark, carry)}
  else
    printf '%s-logs\\n' {mark}
    {{ {logs_command(whose.program, '"$id"', '"$A"')}; printf '\\n%s-exit %s\\n' {mark} $?; }} | head -c {carry + 100}
  fi
done
printf '\\n%s-containers\\n' {mark}"""


def logs_command(program: str, container: str, since: str) -> str:
    """The command that prints a container's log with the time of each line."""
    return f"{shlex.quote(program)} logs --timestamps --since {since} {container} 2>&1"


def first_line_command(program: str, container: str) -> str:
    """The command that prints the oldest line that is kept."""
    return f"{shlex.quote(program)} logs --timestamps {shlex.quote(container)} 2>&1 | head -n 1 | cut -b-2000"


def parse_containers(said: bytes, mark: str) -> Visit:
    """Garbled when the host printed something else."""
    body, end, _ = said.rpartition(f"\n{mark}-containers\n".encode())
    if not end:
        raise Garbled("what the host printed about the containers is cut")
    head, *pieces = body.split(f"\n{mark}-container\n".encode())
    now, _, problem = head.strip().partition(b"\n")
    if not now.isdigit() or len(now) > 12:
        raise Garbled("what the host printed about the containers is cut")
    found = [_said(piece, mark) for piece in pieces]
    problems = [problem.decode("utf-8", "replace"), *(one for one in found if isinstance(one, str))]
    return Visit(
        said=tuple(one for one in found if isinstance(one, Said)),
        problem="; ".join(_CONTROLS.sub(" ", one).strip()[:200] for one in problems if one.strip()),
        host_now=datetime.fromtimestamp(int(now), UTC),
    )


def _said(piece: bytes, mark: str) -> Said | str:
    """What came of one container, or what was wrong with it in words."""
    for kind in ("file", "logs"):
        info, found, rest = piece.partition(f"\n{mark}-{kind}\n".encode())
        container = _container(info.decode("utf-8", "replace"))
        if found and container is not None:
            return _of_file(container, rest, mark) if kind == "file" else _of_logs(container, rest, mark)
    return piece.decode("utf-8", "replace").partition(f"\n{mark}")[0]


def _of_file(container: Container, rest: bytes, mark: str) -> Said:
    return Said(container=container, look=parse_look(rest, mark, container.path))


def _of_logs(container: Container, rest: bytes, mark: str) -> Said:
    printed, end, code = rest.rpartition(f"\n{mark}-exit ".encode())
    if not end:
        return Said(container=container, printed=rest, whole=False)
    exit_code = int(code) if code.strip().isdigit() and len(code) < 8 else -1
    return Said(container=container, printed=printed, exit_code=exit_code)


def _container(info: str) -> Container | None:
    lines = [line for line in info.splitlines() if line.count("|") >= 8]
    if not lines:
        return None
    one, name, running, finished, created, driver, most, files, path = lines[-1].split("|", 8)
    if not _ID.fullmatch(one):
        return None
    is_running = running == "true"
    return Container(
        id=one,
        name=_CONTROLS.sub(" ", name.lstrip("/"))[:100],
        finished_at=None if is_running or finished.startswith(_NEVER) else _moment(finished),
        created_at=_moment(created),
        driver=driver,
        limited=most not in ("", "<no value>", "-1"),
        path=path,
        files=int(files) if files.isascii() and files.isdigit() and len(files) < 6 else 1,
    )


def _moment(text: str) -> datetime | None:
    found = stamp(text.replace(" ", "T", 1), Clock(zone=timedelta(0)))
    return found.at if found else None
