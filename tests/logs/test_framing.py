"""What container runtimes put around lines, taken off: docker's json-file, CRI, `docker logs --timestamps`."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from golive.logs.event import parse_line
from golive.logs.framing import framed, is_wrapped, joined, unwrapped
from golive.logs.text import LogText
from golive.logs.times import Clock

AT = "2026-05-01T10:00:00.123456789Z"
CLOCK = Clock(now=datetime(2026, 5, 1, tzinfo=UTC))


def docker(log: str, *, stream: str = "stdout", at: str = AT) -> bytes:
    return json.dumps({"log": log, "stream": stream, "time": at}, separators=(",", ":")).encode() + b"\n"


def lines(data: bytes, *, to_the_end: bool = True) -> list[str]:
    return unwrapped(data, to_the_end=to_the_end).data.decode().splitlines()


def test_docker_and_cri_lines_are_known_by_their_first_line() -> None:
    assert is_wrapped(docker("x\n"))
    assert is_wrapped(f"{AT} stdout F x\n".encode())
    assert not is_wrapped(b'{"level":"INFO"}\n')
    assert not is_wrapped(b"2026-05-01 10:00:00 INFO stdout F\n")
    assert not is_wrapped(b"")


def test_a_line_of_more_than_16_kib_is_put_together_again_though_others_come_between() -> None:
    first, second = "a" * 16_384, "b" * 16_384
    data = docker(first) + docker("ERROR: other\n", stream="stderr") + docker(second) + docker("c\n")
    assert lines(data) == [f"{AT} ERROR: other", f"{AT} {first}{second}c"]


def test_what_a_program_wrote_last_without_a_line_end_is_a_line() -> None:
    assert lines(docker("CRITICAL: died") + docker("started\n")) == [f"{AT} CRITICAL: died", f"{AT} started"]


def test_an_unfinished_line_waits_for_its_end() -> None:
    data = docker("x\n") + docker("a" * 16_384)
    found = unwrapped(data, to_the_end=False)
    assert found.data.decode() == f"{AT} x\n"
    assert data[found.consumed :] == docker("a" * 16_384)
    assert len(lines(data)) == 2


def test_parts_of_a_line_under_kubernetes_are_put_together() -> None:
    data = f"{AT} stderr P ERR\n{AT} stdout F other\n{AT} stderr F OR: x\n{AT} stdout F\n".encode()
    assert lines(data) == [f"{AT} other", f"{AT} ERROR: x", f"{AT} "]


def test_what_is_in_neither_wrapping_is_kept() -> None:
    assert lines(docker("x\n") + b'{"log":5}\nrubbish\n') == [f"{AT} x", '- {"log":5}', "- rubbish"]


def test_times_between_the_parts_of_a_printed_line_are_taken_out() -> None:
    long = "y" * 16_384
    printed = f"{AT} {long}{AT} {long}{AT} end\n{AT} 2026-05-01T10:00:00Z is a time\n".encode()
    assert joined(printed).decode() == f"{AT} {long}{long}end\n{AT} 2026-05-01T10:00:00Z is a time\n"


@given(st.binary(max_size=300))
def test_any_bytes_are_unwrapped(data: bytes) -> None:
    assert unwrapped(data, to_the_end=True).consumed == len(data)
    assert unwrapped(data, to_the_end=False).consumed <= len(data)
    assert joined(data) is not None


def test_a_frame_gives_time_and_level() -> None:
    at = datetime(2026, 5, 1, 10, tzinfo=UTC)
    first, second = framed(at, "ERROR", "INFO fine\nsecond").splitlines()
    one, other = (parse_line(line, "api", CLOCK, framed=True).event for line in (first, second))
    assert (one.time, one.level, one.raw) == (at, "ERROR", "INFO fine")
    assert (other.time, other.level, other.raw) == (at, None, "second")
    graver = parse_line(framed(at, "INFO", "CRITICAL: x").strip(), "api", CLOCK, framed=True).event
    assert graver.level == "CRITICAL"


def text(*payloads: str) -> LogText:
    data = b"".join(f"{AT} {payload}\n".encode() for payload in payloads)
    return LogText(data=data, source="api", clock=CLOCK, framed=True)


TRACE = ("Traceback (most recent call last):", '  File "x.py", line 1', "ValueError: no")


def test_a_stack_trace_in_frames_is_one_event() -> None:
    found = text("started", "ERROR: it broke", *TRACE, "ERROR: next", "fine")
    assert [(event.level, event.message) for event in found.heavy] == [
        ("ERROR", "ERROR: it broke"),
        ("ERROR", "ERROR: next"),
    ]
    assert found.heavy[0].raw.splitlines() == ["ERROR: it broke", *TRACE]


def test_a_trace_by_itself_is_one_event_and_so_is_the_next() -> None:
    assert len(text("started", *TRACE, *TRACE).heavy) == 2
    assert len(text(*TRACE, "During handling of the above exception, another occurred:", *TRACE).heavy) == 1


def test_a_trace_of_java_is_one_event() -> None:
    found = text("ERROR com.x: boom", "java.lang.IllegalStateException: no", "\tat com.x.Y(Y.java:1)", "Caused by: z")
    assert len(found.heavy) == 1
    assert found.heavy[0].raw.endswith("Caused by: z")


def test_a_critical_line_within_a_trace_counts_too() -> None:
    assert [e.level for e in text("ERROR: x", *TRACE, "CRITICAL: ledger").heavy] == ["ERROR", "CRITICAL"]


def test_the_line_of_a_pod_is_read_through_its_prefix() -> None:
    event = parse_line(f"{AT} stderr F 2026-05-01 09:00:00 ERROR x".encode(), "api", CLOCK).event
    assert (event.level, event.time) == ("ERROR", datetime(2026, 5, 1, 10, 0, 0, 123456, tzinfo=UTC))


def test_a_level_in_the_frame_does_not_tear_a_trace_apart() -> None:
    at = datetime(2026, 5, 1, 10, tzinfo=UTC)
    for level in ("INFO", "ERROR"):
        data = b"".join(framed(at, level, line) for line in ("ERROR: it broke", *TRACE, "ERROR: next"))
        found = LogText(data=data, source="api", clock=CLOCK, framed=True)
        assert [event.message for event in found.heavy] == ["ERROR: it broke", "ERROR: next"]
    alone = b"".join(framed(at, level, text) for level, text in (("INFO", "fine"), ("ERROR", "  indented")))
    assert len(LogText(data=alone, source="api", clock=CLOCK, framed=True).heavy) == 1
