"""Lines in the log that somebody should see, and logs that have lost lines."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from functools import partial

from demo.faults._model import Demo, Fault, wait_for
from demo.services.journal import utc_now

_CATCHES_UP_WITHIN_S = 3.0
_TRACE = """\
CRITICAL:warungin.payments:settlement of batch 17 lost
Traceback (most recent call last):
  File "/srv/warungin/payments.py", line 88, in settle
    terminal.confirm(batch)
  File "/srv/warungin/terminal.py", line 41, in confirm
    raise ConnectionResetError(104, "Connection reset by peer")
ConnectionResetError: [Errno 104] Connection reset by peer
"""


def _line(level: str, message: str, event: str, service: str = "api") -> str:
    content = {"time": utc_now(), "level": level, "service": service, "message": message, "event": event}
    return json.dumps(content) + "\n"


def _append(demo: Demo, *, service: str, lines: Iterable[tuple[str, str, str]]) -> None:
    demo.append_log(service, "".join(_line(*line, service) for line in lines))


def _append_plain_text(demo: Demo) -> None:
    stamp = utc_now().replace("T", " ").replace(".", ",").rstrip("Z")
    demo.append_log("worker", f"{stamp} CRITICAL [printer] spooler lost 12 receipts\n")


def _append_trace(demo: Demo) -> None:
    _write_a_line(demo)  # a trace has no time of its own; the line before it tells
    demo.append_log("api", _TRACE)


def _truncate(demo: Demo) -> None:
    os.truncate(demo.settings.logs / "api.log", 0)
    _write_a_line(demo)


def _rotate_away(demo: Demo) -> None:
    """The current file and all older ones go; the API begins a new one."""
    for file in demo.settings.logs.glob("api.log*"):
        file.unlink()
    _write_a_line(demo)


def _write_a_line(demo: Demo) -> None:
    demo.request("GET", "/health/live")


def _wait_until_collected(demo: Demo) -> None:
    """Return when a line written now has reached the collector."""
    mark = f"caught-up-{time.time_ns()}"
    demo.request("GET", f"/health/live?{mark}", headers={"X-Request-Id": mark})
    query = f"/loki/api/v1/query_range?query=%7Bjob=%22api%22%7D%20%7C=%20%22{mark}%22"

    def is_there() -> bool:
        return mark.encode() in demo.request("GET", query, url=demo.settings.collector_url)[1]

    wait_for(is_there, "the collector to catch up", timeout_s=_CATCHES_UP_WITHIN_S, every_s=0.05)


CRITICAL_JSON = Fault(
    name="critical-in-json",
    says="the API logged a CRITICAL line",
    incident="a payment terminal lost its keys",
    break_=partial(
        _append, service="api", lines=[("CRITICAL", "payment terminal 3 lost its keys", "payments.keys-lost")]
    ),
    needs_new_deployment=True,
)

CRITICAL_TEXT = Fault(
    name="critical-in-plain-text",
    says="a CRITICAL line in plain text stands among the worker's JSON lines",
    incident="a library writes past the logging of the program",
    break_=_append_plain_text,
    needs_new_deployment=True,
)

CRITICAL_TRACE = Fault(
    name="critical-in-stack-trace",
    says="a stack trace of several lines, whose first says CRITICAL, stands in the API's log",
    incident="an exception ended a thread and was printed as it was",
    break_=_append_trace,
    needs_new_deployment=True,
)

REPEATED_ERROR = Fault(
    name="repeated-error-with-changing-numbers",
    says="the same error came eight times, each time with other numbers in it",
    incident="the payment provider is down",
    break_=partial(
        _append,
        service="api",
        lines=[
            ("ERROR", f"payment of order {4711 + 13 * n} timed out after {3000 + 37 * n} ms", "payments.timed-out")
            for n in range(8)
        ],
    ),
    needs_new_deployment=True,
)

WARNING_FLOOD = Fault(
    name="warning-flood",
    says="the API logged four hundred warnings",
    incident="a disk that is slow, and a library that says so at each write",
    break_=partial(
        _append,
        service="api",
        lines=[("WARNING", f"write to receipts took {250 + n} ms", "receipts.slow-write") for n in range(400)],
    ),
    needs_new_deployment=True,
)

UNEXPECTED_WARNING = Fault(
    name="unexpected-warning",
    says="the worker logged a warning of a kind that was never seen",
    incident="a certificate of the payment provider will run out",
    break_=partial(
        _append,
        service="worker",
        lines=[("WARNING", "certificate of pay.example runs out in 6 days", "certificates.run-out")],
    ),
    needs_new_deployment=True,
)

TRUNCATED = Fault(
    name="log-truncated",
    says="the API's log was cut to nothing while it was being written",
    incident="somebody made room on a full disk with `> api.log`",
    break_=_truncate,
    heal=_wait_until_collected,
    needs_new_deployment=True,
    needs_earlier_look=True,
)

ROTATED_AWAY = Fault(
    name="log-rotated-away",
    says="the API's log was rotated, and the old file was not kept",
    incident="logrotate with `rotate 0`",
    break_=_rotate_away,
    heal=_wait_until_collected,
    needs_new_deployment=True,
    needs_earlier_look=True,
)

STOPPED = Fault(
    name="log-stopped",
    says="the API writes no more lines into its log",
    incident="the log's file system is read-only since an error, and the program goes on without",
    heal=_wait_until_collected,
    needs_new_deployment=True,
)

COLLECTOR_STALLED = Fault(
    name="collector-stalled",
    says="the collector answers, but takes in nothing new",
    incident="the collector ran out of file handles",
    heal=_wait_until_collected,
)
