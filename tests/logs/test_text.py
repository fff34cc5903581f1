"""Events in a stretch of a log: what is counted, what belongs together, what is left out."""

import json
import re
import time
from datetime import UTC, datetime, timedelta

from golive.logs import LogReading, Sought, merged
from golive.logs.text import LogText
from golive.logs.times import Clock

CLOCK = Clock(now=datetime(2026, 11, 21, tzinfo=UTC))
START = datetime(2026, 5, 1, 10, tzinfo=UTC)


def text(*lines: str | bytes, window_start: datetime | None = None) -> LogText:
    data = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    return LogText(data=data, source="api", clock=CLOCK, window_start=window_start)


def line(level: str, message: str = "m", *, second: int = 0, **fields: object) -> str:
    at = (START + timedelta(seconds=second)).isoformat()
    return json.dumps({"time": at, "level": level, "message": message, **fields})


def levels(found: LogText) -> list[str | None]:
    return [event.level for event in found.heavy]


def test_structured_and_plain_lines_in_one_log() -> None:
    found = text(
        line("INFO", "0 critical errors found"), line("CRITICAL"), "2026-05-01 10:00:00 CRITICAL [x] y", line("WARN")
    )
    assert levels(found) == ["CRITICAL", "CRITICAL", "WARNING"]
    assert found.lines == 4


def test_a_stack_trace_belongs_to_the_event_before_it() -> None:
    found = text(
        "2026-05-01 10:00:00 ERROR it broke",
        "Traceback (most recent call last):",
        '  File "x.py", line 1, in <module>',
        "ValueError: ERROR in the critical path",
        "ERROR: still the same",
        "2026-05-01 10:00:01 INFO fine",
    )
    (event,) = found.heavy
    assert event.message == "ERROR it broke"
    assert event.raw.endswith("ERROR: still the same")


def test_a_critical_line_within_a_stack_trace_counts() -> None:
    found = text(
        line("ERROR", second=5), "Traceback (most recent call last):", "  x", "CRITICAL:ledger:stock disagrees"
    )
    assert levels(found) == ["ERROR", "CRITICAL"]
    assert found.heavy[1].time == START + timedelta(seconds=5)


def test_a_trace_after_a_light_line_is_an_error() -> None:
    assert levels(text(line("INFO"), "Traceback (most recent call last):", "ValueError: x")) == ["ERROR"]


def test_lines_of_a_log_without_times_stand_alone() -> None:
    assert levels(text("ERROR: a", "ERROR: b", "fine", "CRITICAL c")) == ["ERROR", "ERROR", "CRITICAL"]


def test_numbered_lettered_and_prioritised_levels_are_found_without_a_word() -> None:
    assert levels(text('{"level":30,"msg":"a"}', '{"level":50,"msg":"b"}')) == ["ERROR"]
    assert levels(text("I1121 01:00:00.0 1 x] a", "E1121 01:00:00.0 1 x] b")) == ["ERROR"]
    assert levels(text("<14>Oct 11 22:14:15 h a: x", "<11>Oct 11 22:14:15 h a: y")) == ["ERROR"]
    assert levels(text("1:M 21 Nov 2026 01:00:00.1 * a", "1:M 21 Nov 2026 01:00:00.1 # b")) == ["WARNING"]


def test_hostile_lines_are_survived() -> None:
    deep = b'{"level":"ERROR","a":' + b"[" * 100_000 + b"}"
    found = text(b"\xff\xfe ERROR: x", "\x1b[2J\x1b[31mERROR\x1b[0m: y", deep, '{"level":"ERROR", cut', b"\x00\x00")
    assert levels(found) == ["ERROR", "ERROR", "ERROR"]
    assert found.malformed == 2
    assert "\x1b" not in found.heavy[0].shown


def test_a_line_of_a_hundred_megabytes_is_survived() -> None:
    long = b'{"time":"2026-05-01T10:00:00Z","level":"ERROR","message":"' + b"x" * 100_000_000 + b'"}'
    began = time.process_time()
    found = text(line("CRITICAL"), long, line("CRITICAL"))
    assert levels(found) == ["CRITICAL", "ERROR", "CRITICAL"]
    assert len(found.heavy[1].raw) < 1000
    assert time.process_time() - began < 5


def test_events_before_the_window_are_left_out() -> None:
    lines = [line("ERROR", f"n{i}", second=i) for i in range(5_000)]
    found = text(*lines, window_start=START + timedelta(seconds=4_990))
    assert [event.message for event in found.heavy] == [f"n{i}" for i in range(4_990, 5_000)]
    assert len(found.search(re.compile("n49"), limit=100)) == 10
    assert (found.oldest, found.newest) == (START, START + timedelta(seconds=4_999))


def test_lines_are_found_whatever_their_level_and_the_expression() -> None:
    found = text(line("INFO", "login of a"), line("INFO", "café"), line("DEBUG", "LOGIN of b"), "x login of c")
    assert len(found.search(re.compile("login of"), limit=9)) == 2
    assert len(found.search(re.compile("(?i)login of"), limit=9)) == 3
    assert len(found.search(re.compile("login of"), limit=1)) == 1
    assert len(found.search(re.compile(r"\Ax"), limit=9)) == 1
    assert len(found.search(re.compile("^x .*c$"), limit=9)) == 1
    assert len(found.search(re.compile("é|caf.u00e9"), limit=9)) == 1
    assert len(found.search(re.compile(r"[^q]*"), limit=9)) == 4
    assert len(found.with_words(["login"], limit=9)) == 3


def test_docker_and_kubernetes_prefixes_are_looked_through() -> None:
    inner = json.dumps({"log": "2026-05-01 10:00:00 ERROR x\n", "stream": "stderr", "time": "2026-05-01T10:00:00Z"})
    cri = f"2026-05-01T10:00:00Z stdout F {line('CRITICAL')}"
    compose = f"api-1  | {line('WARNING')}"
    assert levels(text(inner, cri, compose)) == ["ERROR", "CRITICAL", "WARNING"]


def test_counting_in_a_hundred_megabytes_takes_no_more_than_a_few_seconds() -> None:
    usual = [
        line("INFO", "GET /api/me 200", request_id=f"r{i}", path="/api/stores/1/orders", pad="y" * 160)
        for i in range(500)
    ]
    data = ("\n".join([*usual, line("ERROR"), ""])).encode()
    big = LogText(data=data * (100_000_000 // len(data)), source="api", clock=CLOCK)
    began = time.process_time()
    assert len(big.heavy) == 100_000_000 // len(data)
    assert time.process_time() - began < 5


def test_own_lines_are_marked_and_readings_merged() -> None:
    one = LogReading(sources=("a",), pieces=(text(line("WARNING", "probe run-7", second=9)),), gap="gone")
    other = LogReading(sources=("b",), pieces=(text(line("WARNING", "other", second=3)),), window_start=START)
    whole = merged([one, other]).marked(["run-7", "run-8"])
    assert [(event.message, event.own) for event in whole.events] == [("other", False), ("probe run-7", True)]
    assert (whole.sources, whole.gap, whole.window_start) == (("a", "b"), "gone", START)
    assert whole.counts == {"WARNING": 2, "ERROR": 0, "CRITICAL": 0, "lines": 2}
    assert [event.own for event in whole.find(Sought(pattern="probe|other")).events] == [False, True]


def test_a_trace_that_begins_with_its_level_is_one_event() -> None:
    found = text(line("INFO"), "CRITICAL:payments:batch lost", "Traceback (most recent call last):", "ValueError: x")
    (event,) = found.heavy
    assert event.level == "CRITICAL" and event.raw.endswith("ValueError: x")


def test_plain_lines_of_one_level_after_a_timed_line_all_count() -> None:
    assert levels(text(line("INFO"), "ERROR: a", "ERROR: b", line("INFO"))) == ["ERROR", "ERROR"]
