"""The log of containers under Docker or Podman: one by its name, or all of a service of a compose project.

Where the file of the json-file driver may be read, it is read like any other log file;
else the lines come from `docker logs`, from the time of the last one that was read. That
line has to be there again, or older ones were thrown away. A container that was replaced
took its log with it: what it wrote after the last look is lost, unless it had ended by then.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from golive.environment.params import HostRef, Size
from golive.environment.sections import LogSection
from golive.logs import Cursor, LogHost, LogReading, Opening, Reach, Said, merged
from golive.logs.event import Format
from golive.logs.framing import joined
from golive.logs.hosted import containers
from golive.logs.hosted.containers import Container, Left, Visit, Whose
from golive.logs.hosted.countable import Countable
from golive.logs.hosted.counting import Origin
from golive.logs.hosted.files import VISIT_BYTES, Files, Manner
from golive.logs.hosted.look import Garbled
from golive.logs.hosted.mark import Mark, marks_of
from golive.logs.hosted.reading import FileReader
from golive.logs.hosted.window import TOLERANCE
from golive.logs.sought import Sought
from golive.logs.text import LogText
from golive.logs.times import Clock, stamp
from golive.model import CouldNotLook, utc_text

_STAMP = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) ")


class Config(LogSection):
    """The log of a container, or of all containers of a service of a compose project."""

    host: HostRef = Field(description="the host that the containers run on, where `docker` may be called")
    container: str = Field("", pattern=r"^([A-Za-z0-9][\w.-]*)?$", description="name of one container")
    service: str = Field("", pattern=r"^([A-Za-z0-9][\w.-]*)?$", description="name of a service of a compose project")
    project: str = Field(
        "", pattern=r"^([A-Za-z0-9][\w.-]*)?$", description="name of the compose project; any, if it is left out"
    )
    program: Literal["docker", "podman"] = "docker"
    format: Format = Field("auto", description="auto looks at every line; text never takes a line for JSON")
    max_bytes: Size | None = Field(
        None,
        description="most that is carried in one look (2 MB, of a local host 64 MB); what is more is counted there",
    )

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if bool(self.container) == bool(self.service) or (self.project and not self.service):
            raise ValueError("either 'container', or 'service' with the 'project' that it belongs to")
        return self

    @property
    def whose(self) -> Whose:
        """Which containers are meant."""
        return Whose(program=self.program, container=self.container, service=self.service, project=self.project)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where the log of one container was left. `last` is the time of the last line, `seen` how many had it."""

    name: str
    at: str
    ended: bool
    mark: Mark | None = None
    last: str = ""
    seen: int = 0

    def as_data(self) -> dict[str, Any]:
        mark = self.mark.as_data() if self.mark else None
        return {
            "name": self.name,
            "at": self.at,
            "ended": self.ended,
            "mark": mark,
            "last": self.last,
            "seen": self.seen,
        }


def open_source(name: str, config: Config, reach: Reach) -> DockerSource:
    """The source; its host is reached at the first look."""
    return DockerSource(name, config, reach.host_of(config.host))


class DockerSource:
    """The log of one container or of those of one service."""

    def __init__(self, name: str, config: Config, host: LogHost) -> None:
        self.name = name
        self._config = config
        self._host = host
        self._whose = config.whose
        self._manner = Manner(form=config.format, carry=config.max_bytes)
        self._limit = self._manner.carried_from(host)

    def opening(self, since: Cursor | None, window_start: datetime | None) -> Opening:
        """See `LogSource.opening`."""
        script = self._script(Opening.MARK, _places(since), window_start, min(VISIT_BYTES, self._limit))
        return Opening(host=self._config.host, script=script)

    def read(
        self,
        since: Cursor | None,
        window_start: datetime | None,
        *,
        sought: Collection[Sought] = (),
        said: Said | None = None,
    ) -> tuple[LogReading, Cursor]:
        """See `LogSource.read`."""
        places = _places(since)
        visit = self._visit(places, window_start, said)
        if not visit.said:
            raise self._could_not_look(visit.problem or f"there is no {self._whose.told}")
        readings, left = [], {}
        for one in visit.said:
            place = places.get(one.container.id)
            start = None if places else window_start
            reading, left[one.container.id] = self._one(one, place, start, visit, sought)
            readings.append(reading)
        gone = [self._gone(one, place) for one, place in places.items() if one not in left and not place.ended]
        whole = merged(readings)
        gaps = [*gone, *([f"log {self.name}: {visit.problem}"] if visit.problem else []), whole.gap]
        cursor = {"kind": "docker", "containers": {one: place.as_data() for one, place in left.items()}}
        return replace(whole, gap="; ".join(filter(None, gaps)) or None), cursor

    def _script(self, mark: str, places: dict[str, _Place], window_start: datetime | None, carry: int) -> str:
        left = {
            one: Left(offset=place.mark.offset if place.mark else 0, since=place.last or place.at)
            for one, place in places.items()
        }
        # A container that is not known replaces one that was read: all of its log is new.
        since = utc_text(window_start) if window_start is not None and not places else "1970-01-01T00:00:00Z"
        return containers.containers_script(mark, self._whose, left, since, carry)

    def _visit(self, places: dict[str, _Place], window_start: datetime | None, said: Said | None) -> Visit:
        if said is not None:
            try:
                return containers.parse_containers(said.output, said.mark)
            except (Garbled, ValueError):
                pass  # It is looked at again, by a command of its own.
        mark = f"golive-{secrets.token_hex(8)}"
        answer = self._host.run(
            self._script(mark, places, window_start, self._limit), max_bytes=8 * self._limit + 2_000_000
        )
        try:
            return containers.parse_containers(answer.stdout_bytes, mark)
        except (Garbled, ValueError) as error:
            raise self._could_not_look(str(error)) from None

    def _one(
        self,
        one: containers.Said,
        place: _Place | None,
        window_start: datetime | None,
        visit: Visit,
        sought: Collection[Sought],
    ) -> tuple[LogReading, _Place]:
        container = one.container
        now = utc_text(visit.host_now)
        ended = container.finished_at is not None and container.finished_at <= visit.host_now
        left = _Place(name=container.name, at=now, ended=ended)
        if one.look is not None:
            # A log that is never cut reaches back to the container's creation, however young its first line is. So does
            # one that is put aside when it is full, as long as there is no file that was put aside.
            manner = replace(self._manner, sparse=not container.is_cut_in_place)
            files = Files(name=self.name, host=self._host, manner=manner, noun=f"container {container.name}")
            mark = place.mark if place else None
            start = window_start if place is None or mark else _after(place)
            reading, mark = FileReader(files=files, sought=tuple(sought)).read(container.path, mark, start, one.look)
            left = replace(left, mark=mark)
        else:
            reading, left = self._of_logs(one, place, left, window_start, sought)
        if window_start is not None and place is None:
            reading = self._since_created(reading, container, window_start)
        return reading, left

    def _since_created(self, reading: LogReading, container: Container, window_start: datetime) -> LogReading:
        """A container that is younger than the window may have replaced one whose log is gone."""
        created = container.created_at
        if created is None or created <= window_start + TOLERANCE:
            return reading
        told = f"was created {utc_text(created)}, the window begins {utc_text(window_start)}"
        gap = f"log {self.name}: container {container.name} {told}"
        return replace(reading, gap=gap)

    def _of_logs(
        self,
        one: containers.Said,
        place: _Place | None,
        left: _Place,
        window_start: datetime | None,
        sought: Collection[Sought],
    ) -> tuple[LogReading, _Place]:
        """What `docker logs` printed from the last line on, or from the window's begin."""
        if one.exit_code != 0:
            told = one.printed[-2_000:].decode("utf-8", "replace").strip().splitlines()
            raise self._could_not_look(f"container {one.container.name}: {self._shown(told)}")
        data = joined(one.printed).lstrip(b"\n")
        last = place.last if place else ""
        data, again = _without_seen(data, last, place.seen if place else 0)
        gap = None
        if last and not again:
            what = f"what was read last, of {last}, is no longer in the log of container {one.container.name}"
            gap = f"log {self.name}: {what}; lines after it may be gone, too"
        elif window_start is not None and one.container.limited:
            gap = self._missing_before(one.container, window_start)
        if not one.whole:
            reading, newest = self._counted(
                one.container,
                last or utc_text(window_start or datetime.fromtimestamp(0, UTC)),
                data,
                window_start,
                sought,
            )
        else:
            text = self._text(data, None if last else window_start)
            reading = LogReading(sources=(self.name,), pieces=(text,) if data else (), oldest=text.oldest)
            newest = data
        time, seen = _last_of(newest)
        left = replace(
            left, last=time or last, seen=seen if time and time != last else seen + (place.seen if place else 0)
        )
        gaps = "; ".join(filter(None, [gap, reading.gap])) or None
        return replace(reading, gap=gaps), left

    def _counted(
        self, container: Container, since: str, data: bytes, window_start: datetime | None, sought: Collection[Sought]
    ) -> tuple[LogReading, bytes]:
        """More is new than is carried: it is counted, up to a last line that is fetched first."""
        command = containers.logs_command(self._config.program, shlex.quote(container.id), shlex.quote(since))
        tail = self._host.run(f"{command} | tail -n 1000 | head -c 1000000").stdout_bytes
        time, _ = _last_of(tail)
        # Later lines are for the next look.
        until = f" --until {shlex.quote(time)}" if time else ""
        bounded = command.replace(" --timestamps", f" --timestamps{until}", 1)
        countable = Countable(
            host=self._host,
            origin=Origin(command=bounded, framed=True),
            like=self._text(b"", window_start),
            size=self._limit,
            told=f"container {container.name}",
            samples=[data[:200_000], tail],
            error=self._could_not_look,
        )
        piece, told, _ = countable.counted(sought)
        first = self._text(data, None).oldest
        gap = f"{countable.why}, and the level of {told.uncounted} lines could not be told there"
        whole = replace(piece, first=first, last=self._text(tail, None).newest)
        return LogReading(
            sources=(self.name,), pieces=(whole,), oldest=first, gap=gap if told.uncounted else None
        ), tail

    def _missing_before(self, container: Container, window_start: datetime) -> str | None:
        """Old lines of this container are thrown away: whether lines of the window may be among them."""
        said = self._host.run(containers.first_line_command(self._config.program, container.id)).stdout_bytes
        oldest = self._text(said, None).oldest
        if oldest is not None and oldest <= window_start + TOLERANCE:
            return None
        if not said.strip() and not container.is_cut_in_place:
            return None  # What was put aside is printed, too: nothing was ever written.
        told = f"the oldest retained line is from {utc_text(oldest)}" if oldest else "it has no line"
        return f"log {self.name}: container {container.name}: {told}, the window begins {utc_text(window_start)}"

    def _text(self, data: bytes, window_start: datetime | None) -> LogText:
        return LogText(
            data=data, source=self.name, clock=Clock(), form=self._config.format, window_start=window_start, framed=True
        )

    def _gone(self, one: str, place: _Place) -> str:
        gone = f"container {place.name} ({one[:12]}) is gone, and what it logged after {place.at} with it"
        return f"log {self.name}: {gone}"

    @staticmethod
    def _shown(lines: list[str]) -> str:
        last = lines[-1] if lines else "it printed nothing"
        return "".join(mark if mark.isprintable() else " " for mark in last)[:200]

    def _could_not_look(self, what: str) -> CouldNotLook:
        return CouldNotLook(f"log {self.name}: {what} (on host {self._host.name})")


def _without_seen(data: bytes, last: str, seen: int) -> tuple[bytes, bool]:
    """The lines without those that were read already, and whether all of these were there again."""
    if not last:
        return data, True
    position = again = 0
    while again < seen and data.startswith(last.encode() + b" ", position):
        again += 1
        position = data.find(b"\n", position) + 1
        if position == 0:
            return b"", again == seen
    return data[position:], again == seen


def _after(place: _Place) -> datetime | None:
    """Where a file is begun whose lines were told by `logs` until now."""
    found = stamp(place.last or place.at, Clock())
    return found.at + timedelta(microseconds=1) if found else None


def _last_of(data: bytes) -> tuple[str, int]:
    """The time of the last line, and how many lines at the end have it; ("", 0) without one."""
    lines = data.rstrip(b"\n")[-2_000_000:].split(b"\n")
    times = [found[1] for line in lines if (found := _STAMP.match(line + b" "))]
    if not times:
        return "", 0
    same = 0
    for time in reversed(times):
        if time != times[-1]:
            break
        same += 1
    return times[-1].decode(), same


def _places(cursor: Cursor | None) -> dict[str, _Place]:
    """Where each container was left; a cursor of another shape counts as none."""
    found = {}
    try:
        for one, data in (cursor or {})["containers"].items():
            mark = marks_of({"": data["mark"]})[""] if data["mark"] else None
            _ = stamp(data["at"], Clock()) or int("none")
            found[str(one)] = _Place(**{**data, "mark": mark})
    except (KeyError, TypeError, AttributeError, ValueError):
        return {}
    return found
