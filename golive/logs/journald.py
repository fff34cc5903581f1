"""The journal of systemd on a host, of some units or identifiers: `journalctl`, on from the cursor of the last look.

That entry has to be there again, or older ones were thrown away. A level is the graver one
of an entry's PRIORITY and of what its text says, since a program's standard output has the
priority `info` whatever it says. What journald dropped, because there was too much of it,
is a gap.
"""

from __future__ import annotations

import json
import re
import secrets
import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

from pydantic import Field, model_validator

from golive.environment.params import HostRef, Size
from golive.environment.sections import LogSection
from golive.logs import Cursor, LogHost, LogReading, Opening, Reach, Said, levels
from golive.logs.event import Format
from golive.logs.framing import framed
from golive.logs.hosted.counted import Counted
from golive.logs.hosted.files import VISIT_BYTES, Manner
from golive.logs.hosted.plan import Plan
from golive.logs.hosted.window import TOLERANCE
from golive.logs.sought import Found, Sought
from golive.logs.text import LogText
from golive.model import CouldNotLook, utc_text

_DROPPED = "a596d6fe7bfa4994828e72309e95d61e"
"""MESSAGE_ID of journald's own word that it dropped entries of a service (SD_MESSAGE_JOURNAL_DROPPED)."""
_FIELDS = "MESSAGE,PRIORITY,_SYSTEMD_UNIT,SYSLOG_IDENTIFIER,_PID,UNIT"
_CURSOR = re.compile(r"[A-Za-z0-9=;]{10,300}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_HIDDEN = b"not seeing messages from other users"
_SECTIONS = ("newest", "oldest", "own", "there", "dropped", "entries", "exit")


class Config(LogSection):
    """The journal of a host, of these units or identifiers."""

    host: HostRef
    unit: str | tuple[str, ...] = Field((), description="unit whose entries are read (`nginx.service`), or several")
    identifier: str | tuple[str, ...] = Field((), description="syslog identifier whose entries are read, or several")
    format: Format = Field("auto", description="auto looks at every line; text never takes a line for JSON")
    max_bytes: Size | None = Field(
        None,
        description="most that is carried in one look (2 MB, of a local host 64 MB); beyond it only grave entries are",
    )

    sparse: bool = Field(False, description="entries are rare: that the journal holds none of them at all is no gap")

    @model_validator(mode="after")
    def _names_some(self) -> Self:
        if not self.unit and not self.identifier:
            raise ValueError("a 'unit' or an 'identifier' says whose entries are read")
        return self

    @property
    def filters(self) -> str:
        """The options that pick the entries."""
        units, names = ((one,) if isinstance(one, str) else one for one in (self.unit, self.identifier))
        return " ".join(
            [*(f"-u {shlex.quote(unit)}" for unit in units), *(f"-t {shlex.quote(name)}" for name in names)]
        )


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What the host told: sections by name, and its time."""

    sections: Mapping[str, bytes]
    now: datetime


def open_source(name: str, config: Config, reach: Reach) -> JournalSource:
    """The source; its host is reached at the first look."""
    return JournalSource(name, config, reach.host_of(config.host))


class JournalSource:
    """Entries of the journal of one host."""

    def __init__(self, name: str, config: Config, host: LogHost) -> None:
        self.name = name
        self._config = config
        self._host = host
        self._limit = Manner(carry=config.max_bytes).carried_from(host)

    def opening(self, since: Cursor | None, window_start: datetime | None) -> Opening:
        """See `LogSource.opening`."""
        carry = min(VISIT_BYTES, self._limit)
        return Opening(host=self._config.host, script=self._script(Opening.MARK, since, window_start, carry))

    def read(
        self,
        since: Cursor | None,
        window_start: datetime | None,
        *,
        sought: Collection[Sought] = (),
        said: Said | None = None,
    ) -> tuple[LogReading, Cursor]:
        """See `LogSource.read`."""
        told = _parsed(said.output, said.mark) if said is not None else None
        if told is None or (len(told.sections["entries"]) > VISIT_BYTES and self._limit > VISIT_BYTES):
            told = self._told(since, window_start)
        entries = told.sections["entries"]
        self._require_readable(told)
        cursor = _cursor(since)
        piece: Counted | LogText
        if len(entries) > self._limit:
            piece, last, cut = self._grave(since, window_start, sought, entries)
            gap = cut
        else:
            text = self._text(entries, None if cursor else window_start, but=cursor)
            piece, last, gap = text, _last_cursor(entries), None
        oldest = _time_of(told.sections["oldest"])
        gaps = [self._missing(told, cursor, window_start, oldest), self._unheard_of(told), self._dropped(told), gap]
        reading = LogReading(
            sources=(self.name,),
            pieces=(piece,) if piece.size else (),
            window_start=window_start,
            oldest=min(filter(None, [oldest, piece.oldest]), default=None) if not cursor else piece.oldest,
            gap="; ".join(filter(None, gaps)) or None,
        )
        left = last or cursor or _last_cursor(told.sections["newest"])
        return reading, {"kind": "journald", "cursor": left, "at": utc_text(told.now)}

    def _script(self, mark: str, since: Cursor | None, window_start: datetime | None, carry: int) -> str:
        # The newest entry need not be of these units: it says how far the journal had come.
        journal = "journalctl --no-pager -o json --output-fields=PRIORITY"
        cursor = _cursor(since)
        there = f"{journal} --cursor={shlex.quote(cursor)} 2>/dev/null | head -n 1" if cursor else ":"
        at = _moment((since or {}).get("at")) if cursor else window_start
        from_then = f"--since=@{int(at.timestamp())}" if at else ""
        dropped = f"journalctl --no-pager -o json --output-fields=MESSAGE {from_then} MESSAGE_ID={_DROPPED}"
        return f"""
date +%s
printf '%s-newest\\n' {mark}; {journal} -n 1 2>&1
printf '%s-oldest\\n' {mark}; {journal} 2>/dev/null | head -n 1
printf '%s-own\\n' {mark}; {journal} {self._config.filters} -n 1 2>/dev/null
printf '%s-there\\n' {mark}; {there}
printf '%s-dropped\\n' {mark}; {dropped} 2>/dev/null | tail -n 50
printf '%s-entries\\n' {mark}; {self._entries(since, window_start)} 2>&1 | head -c {carry + 1}
printf '\\n%s-exit\\n' {mark}"""

    def _entries(self, since: Cursor | None, window_start: datetime | None) -> str:
        """The command that prints what is new, and before it the entry of the cursor, if it is one of these.

        `--after-cursor` would leave out the first entry that matches, whichever it is.
        """
        cursor = _cursor(since)
        start = f" --cursor={shlex.quote(cursor)}" if cursor else ""
        if not cursor and window_start is not None:
            start = f" --since=@{int(window_start.timestamp())}"
        return f"journalctl --no-pager -o json --output-fields={_FIELDS} {self._config.filters}{start}"

    def _told(self, since: Cursor | None, window_start: datetime | None) -> _Told:
        mark = f"golive-{secrets.token_hex(8)}"
        said = self._host.run(
            self._script(mark, since, window_start, self._limit), max_bytes=self._limit + 2_000_000, timeout_s=60.0
        )
        told = _parsed(said.stdout_bytes, mark)
        if told is None:
            raise self._could_not_look("what the host printed of the journal is cut")
        return told

    def _require_readable(self, told: _Told) -> None:
        for name in ("newest", "entries"):
            said = told.sections[name]
            if _HIDDEN in said:
                raise self._could_not_look("the user that the suite comes as sees no messages of others in the journal")
            words = [line for line in said.splitlines() if line.strip() and not line.startswith((b"{", b"-- "))]
            # `head` may have cut the last line.
            if words and len(said) <= self._limit and not said.startswith(b"{"):
                shown = _CONTROLS.sub(" ", words[0].decode("utf-8", "replace"))[:200]
                raise self._could_not_look(f"journalctl said: {shown}")
        if not told.sections["newest"].strip():
            raise self._could_not_look("the journal holds no entry at all")

    def _missing(self, told: _Told, cursor: str, window_start: datetime | None, oldest: datetime | None) -> str | None:
        """Why entries may be gone: the last one that was read is, or the journal does not reach back to the window."""
        where = f"log {self.name}: the journal of host {self._host.name}"
        if cursor:
            is_there = _last_cursor(told.sections["there"]) == cursor
            return None if is_there else f"{where} does not hold what was read last; entries after it may be gone, too"
        if window_start is None or (oldest is not None and oldest <= window_start + TOLERANCE):
            return None
        reach = f"reaches back to {utc_text(oldest)}" if oldest else "tells no time"
        return f"{where} {reach}, the window begins {utc_text(window_start)}"

    def _unheard_of(self, told: _Told) -> str | None:
        """Whether the journal knows nobody of that name; silence of one that is spelled wrongly proves nothing."""
        if self._config.sparse or _last_cursor(told.sections["own"]):
            return None
        return f"log {self.name}: the journal of host {self._host.name} holds no entry at all of {self._config.filters}"

    def _dropped(self, told: _Told) -> str | None:
        """What journald says that it dropped of these units since then."""
        units = (self._config.unit,) if isinstance(self._config.unit, str) else self._config.unit
        for entry in _entries_of(told.sections["dropped"]):
            message = _message(entry)
            if not units or any(unit in message for unit in units):
                return f"log {self.name}: journald has dropped entries: {_CONTROLS.sub(' ', message)[:160]}"
        return None

    def _grave(
        self, since: Cursor | None, window_start: datetime | None, sought: Collection[Sought], first: bytes
    ) -> tuple[Counted, str, str | None]:
        """Too much is new: entries that may be grave are carried, and those that are sought."""
        command = self._entries(since, window_start)
        pattern = f'"PRIORITY":"[0-4]"|"MESSAGE":\\[|{Plan().grave}'
        said = self._host.run(
            f"LC_ALL=C; export LC_ALL; {command} --show-cursor 2>/dev/null"
            f" | grep -iE -e {shlex.quote(pattern)} -e '^-- cursor: ' | head -c {self._limit + 1}",
            max_bytes=self._limit + 100_000,
            timeout_s=300.0,
        ).stdout_bytes
        limit = f"{self._limit / 1e6:g} MB"
        why = f"log {self.name}: more than {limit} are new in the journal, of which only grave entries were carried"
        gap = None
        if len(said) > self._limit:
            gap = f"log {self.name}: more than {limit} of grave entries are new in the journal; the rest was not read"
        shown = re.search(rb"^-- cursor: (\S+)$", said, re.MULTILINE)
        start = None if _cursor(since) else window_start
        text = self._text(said, start, but=_cursor(since))
        newest = text.newest
        piece = Counted(
            kept=text,
            size=len(said),
            why=why,
            found={one: self._searched(one, command, why, start, _cursor(since)) for one in sought},
            first=self._text(first, None).oldest,
            last=newest,
        )
        return piece, shown[1].decode() if shown else _last_cursor(said), gap

    def _searched(self, sought: Sought, command: str, why: str, window_start: datetime | None, but: str) -> Found:
        texts = sought.texts
        if texts is None:
            return Found(incomplete=f"{why}, and {sought.told} has no fixed text that it could be looked for by there")
        given = " ".join(f"-e {shlex.quote(json.dumps(text, ensure_ascii=False)[1:-1])}" for text in texts.parts)
        any_case = "i" if texts.any_case else ""
        said = self._host.run(
            f"LC_ALL=C; export LC_ALL; {command} 2>/dev/null"
            f" | grep -{any_case}F {given} -e '\"MESSAGE\":[' | head -c {self._limit + 1}",
            max_bytes=self._limit + 100_000,
            timeout_s=300.0,
        ).stdout_bytes
        found = self._text(said, window_start, but=but).find(sought, limit=100_000)
        most = f"{self._limit / 1e6:g} MB of entries may be {sought.told}"
        return replace(found, incomplete=f"{why}, where more than {most}") if len(said) > self._limit else found

    def _text(self, said: bytes, window_start: datetime | None, *, but: str = "") -> LogText:
        """The entries as text, without the one of the cursor `but`, which was read before."""
        data = b"".join(_as_lines(entry) for entry in _entries_of(said) if not but or entry.get("__CURSOR") != but)
        return LogText(data=data, source=self.name, form=self._config.format, window_start=window_start, framed=True)

    def _could_not_look(self, what: str) -> CouldNotLook:
        return CouldNotLook(f"log {self.name}: {what} (on host {self._host.name})")


def _parsed(said: bytes, mark: str) -> _Told | None:
    """The sections that the script printed; None when they are cut."""
    head, *rest = re.split(rf"\n?{re.escape(mark)}-(\w+)\n".encode(), said)
    if not head.strip().isdigit() or len(head) > 20:
        return None
    sections = {name.decode(): text for name, text in zip(rest[::2], rest[1::2], strict=True)}
    if tuple(sections) != _SECTIONS:
        return None
    return _Told(sections=sections, now=datetime.fromtimestamp(int(head), UTC))


def _entries_of(said: bytes) -> Iterator[Mapping[str, Any]]:
    """The entries among the lines; what is none, or cut, is left out."""
    for line in said.split(b"\n"):
        if not line.startswith(b"{"):
            continue
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            yield entry


def _as_lines(entry: Mapping[str, Any]) -> bytes:
    at = _realtime(entry)
    priority = entry.get("PRIORITY")
    level = levels.named(int(priority)) if isinstance(priority, str) and priority in "01234567" and priority else None
    return framed(at, level, _message(entry)) if at is not None else b""


def _message(entry: Mapping[str, Any]) -> str:
    """The text; bytes that are no UTF-8 come as numbers, a text that was too large as null."""
    message = entry.get("MESSAGE")
    if isinstance(message, list):
        message = message[-1] if message and isinstance(message[-1], str) else _of_bytes(message)
    return message if isinstance(message, str) else ""


def _of_bytes(numbers: list[Any]) -> str:
    if not all(isinstance(number, int) and 0 <= number < 256 for number in numbers):
        return ""
    return bytes(numbers).decode("utf-8", "replace")


def _realtime(entry: Mapping[str, Any]) -> datetime | None:
    micros = entry.get("__REALTIME_TIMESTAMP")
    if not (isinstance(micros, str) and micros.isascii() and micros.isdigit() and len(micros) < 17):
        return None
    return datetime.fromtimestamp(int(micros) / 1e6, UTC)


def _time_of(said: bytes) -> datetime | None:
    return next((at for entry in _entries_of(said) if (at := _realtime(entry)) is not None), None)


def _last_cursor(said: bytes) -> str:
    """The cursor of the last entry; "" without one."""
    found = [entry.get("__CURSOR") for entry in _entries_of(said)]
    last = found[-1] if found else ""
    return last if isinstance(last, str) and _CURSOR.fullmatch(last) else ""


def _cursor(since: Cursor | None) -> str:
    """The journal's own cursor out of ours; "" where it is of another shape."""
    cursor = (since or {}).get("cursor")
    return cursor if isinstance(cursor, str) and _CURSOR.fullmatch(cursor) else ""


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
