"""load/complete, load/logs and load/metric: how a load ended, and what others wrote down of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from checks.load import complete, latency, logs, metric
from fixtures.context import RunContext
from fixtures.load_runs import read_logs
from fixtures.web import client_of
from golive.environment.sections import EndpointSection, HostSection
from golive.judge.load.result import LoadResult
from golive.logs.file import Config
from golive.model import CouldNotLook, Status
from tests.checks.load.made import BEGAN, judge, loaded, profile, result, steady
from tests.judged import Judged, run_context

LOST: dict[str, Any] = {
    "workers": {"w1": "quit", "w2": "lost"},
    "problems": ("worker w2 was lost after 3 s",),
}


# Complete


def test_a_load_that_came_to_its_end_passes() -> None:
    outcome = judge(complete, steady())
    assert outcome.status is Status.PASS
    assert (outcome.value("requests"), outcome.value("highest level")) == (240, 10)
    assert "hold 1         2.0 to    12.0 s  level 10  200 requests  20.0/s  0 failed" in outcome.seen


def test_users_that_the_cap_held_up_are_told() -> None:
    capped = judge(complete, replace(loaded(steady()), max_rate=20.0))
    assert capped.status is Status.WARN
    assert "'max_rate' of 20/s was reached and held the users up" in capped.message
    assert judge(complete, replace(loaded(steady()), max_rate=30.0)).status is Status.PASS


def test_an_aborted_load_fails_with_the_reason() -> None:
    outcome = judge(complete, steady(lasted_s=5.0, stopped="52 % of the requests failed in 5 s"))
    assert outcome.status is Status.FAIL
    assert outcome.message == "stopped after 5 of 12 s: 52 % of the requests failed in 5 s"


def test_a_lost_worker_is_named_and_leaves_everything_unknown() -> None:
    run = loaded(steady(**LOST))
    outcome = judge(complete, run)
    assert (outcome.status, outcome.message) == (Status.UNKNOWN, "worker w2 was lost after 3 s")
    told = ("worker w2 was lost after 3 s", "a report of worker w2 got lost", "GET /other was refused")
    beside = judge(complete, steady(workers=LOST["workers"], problems=told))
    assert (beside.status, beside.message) == (Status.FAIL, f"GET /other was refused; {told[0]}; {told[1]}")
    silent = judge(complete, steady(workers=LOST["workers"]))
    assert (silent.status, silent.message) == (Status.UNKNOWN, "lost: w2")
    with pytest.raises(CouldNotLook, match=r"^worker w2 was lost after 3 s$"):
        _ = run.trusted


def test_what_remains_is_judged_where_that_is_asked_for() -> None:
    run = loaded(steady(**LOST), profile(lost_workers="judge"))
    outcome = judge(complete, run)
    assert (outcome.status, outcome.message) == (Status.WARN, "worker w2 was lost after 3 s")
    assert run.trusted.lost == ("w2",)
    assert judge(latency, run, critical="1 s").status is Status.PASS


def test_test_data_that_was_left_behind_fails() -> None:
    outcome = judge(complete, steady(problems=("DELETE /api/orders/17 answered 500: it is still there",)))
    assert outcome.status is Status.FAIL
    assert outcome.message == "DELETE /api/orders/17 answered 500: it is still there"


def test_a_load_without_a_request_fails() -> None:
    outcome = judge(complete, result(profile(), []))
    assert outcome.status is Status.FAIL
    assert outcome.message == "requests: 0, at least 1 needed"


def test_a_level_that_was_not_reached_fails() -> None:
    few = steady(states=steady(of=profile({"ramp": "2 s", "users": 4}, {"hold": "10 s"})).states)
    outcome = judge(complete, few)
    assert outcome.status is Status.FAIL
    assert outcome.message == "highest level: 4 users, at least 10 users needed"


def test_arrivals_that_were_not_served_fail_unless_the_generator_was_at_fault() -> None:
    """Each arrival makes two requests here."""
    of = profile({"ramp": "2 s", "rate": "20/s"}, {"hold": "10 s"}, model="open", users=8)
    outcome = judge(complete, loaded(steady(of=of), of))
    assert outcome.status is Status.FAIL
    assert outcome.message == (
        "highest level: 10 arrivals/s, at least 18 arrivals/s needed"
        " (in hold 1; up to 0 arrivals waited for one of 8 users)"
    )
    busy = judge(complete, loaded(steady(of=of, saturated="w1 was busy"), of))
    assert busy.status is Status.UNKNOWN
    assert busy.message == "only 10 of 20 arrivals/s were served in hold 1"
    assert judge(complete, loaded(steady((10.0,) * 37, of=of), of)).status is Status.PASS


def test_arrivals_that_only_ever_ramp_leave_the_level_unknown() -> None:
    of = profile({"ramp": "5 s", "rate": "40/s"}, model="open", users=10)
    outcome = judge(complete, loaded(steady(of=of), of))
    assert outcome.status is Status.UNKNOWN
    assert outcome.message.startswith("no stage stays at a rate for a second")


def test_a_busy_generator_is_a_warning() -> None:
    outcome = judge(complete, steady(saturated="w1 used 99 % of a core"))
    assert outcome.status is Status.WARN
    assert outcome.message == "the load generator was busy itself: w1 used 99 % of a core"


# Logs


@pytest.fixture
def written_to(tmp_path: Path) -> Iterator[tuple[RunContext, Path]]:
    """A run whose host `app` is this machine, and the log that lies there."""
    log = tmp_path / "api.log"
    context = run_context(
        tmp_path / "run",
        hosts={"app": HostSection.model_validate({"connect": "local://"})},
        logs={"api": Config.model_validate({"kind": "file", "host": "app", "path": str(log)})},
    )
    yield context, log
    assert context.close() == []


def line(at: int, level: str, message: str) -> str:
    moment = datetime.fromtimestamp(BEGAN_NOW + at, UTC).isoformat()
    return json.dumps({"time": moment, "level": level, "message": message}) + "\n"


BEGAN_NOW = datetime.now(UTC).timestamp() - 60


def read(context: RunContext, found: LoadResult) -> Judged:
    reading = read_logs(context, ("api",), found)
    return judge(logs, loaded(found, logs={("api",): reading}), logs=["api"])


def noon() -> LoadResult:
    """One that began a minute ago."""
    return steady(began_at=BEGAN_NOW, ended_at=BEGAN_NOW + 12)


def test_only_what_was_logged_since_the_load_began_counts(written_to: tuple[RunContext, Path]) -> None:
    context, log = written_to
    log.write_text(line(-30, "CRITICAL", "long ago") + line(2, "INFO", "pressed"))
    outcome = read(context, noon())
    assert (outcome.status, outcome.value("critical lines under load")) == (Status.PASS, 0)


def test_a_critical_line_under_load_fails(written_to: tuple[RunContext, Path]) -> None:
    context, log = written_to
    log.write_text(line(-30, "INFO", "before") + line(3, "CRITICAL", "no memory left"))
    outcome = read(context, noon())
    assert outcome.status is Status.FAIL
    assert "no memory left" in outcome.message


def test_logs_that_could_not_be_read_are_unknown(written_to: tuple[RunContext, Path]) -> None:
    context, _ = written_to
    outcome = read(context, noon())
    assert outcome.status is Status.UNKNOWN
    assert judge(logs, loaded(steady()), logs=["api"]).message == "nobody read the logs while noon ran"


# Metric


class PrometheusDouble:
    """A server that answers range queries as a test wants them answered, and remembers what it was asked."""

    def __init__(self, run: RunContext) -> None:
        self.data: Any = None
        self.status = 200
        self.asked: list[str] = []
        self.run = run

    def answers(self, labels: dict[str, str], values: list[str]) -> None:
        """One series."""
        one = {"metric": {"__name__": "waiting", **labels}, "values": [[BEGAN + i, v] for i, v in enumerate(values)]}
        self.data = {"status": "success", "data": {"resultType": "matrix", "result": [one]}}

    def judge(self, **keys: Any) -> Judged:
        """What a criterion about `max(waiting)` comes to."""
        given = {"endpoint": client_of(self.run, "metrics"), "account": None}
        asked = {"endpoint": "metrics", "query": "max(waiting)", "unit": "jobs", **keys}
        return judge(metric, steady(), given, **asked)


@contextmanager
def double_of_prometheus(folder: Path) -> Iterator[PrometheusDouble]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            body = json.dumps(found.data).encode()
            self.send_response(found.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name in the base class
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        found = PrometheusDouble(run_context(folder, endpoints={"metrics": EndpointSection(url=url)}))
        yield found
        assert found.run.close() == []
        server.shutdown()


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[PrometheusDouble]:
    with double_of_prometheus(tmp_path) as double:
        yield double


@pytest.mark.parametrize(("by", "value"), [("highest", 9.0), ("lowest", 1.0), ("average", 4.0), ("last", 2.0)])
def test_each_series_is_judged(prometheus: PrometheusDouble, by: str, value: float) -> None:
    prometheus.answers({"pool": "main"}, ["1", "9", "NaN", "2"])
    assert prometheus.judge(by=by, critical=value + 0.5).status is Status.PASS
    outcome = prometheus.judge(by=by, critical=value - 0.5)
    assert outcome.status is Status.FAIL
    assert outcome.message.startswith(f"waiting{{pool=main}}: {value:g} jobs, below ")
    asked = prometheus.asked[-1]
    assert f"start={BEGAN}.000&end={BEGAN + 12}.000&step=5" in asked
    assert "query=max%28waiting%29" in asked


@pytest.mark.parametrize(
    ("value", "keys", "status"),
    [
        ("+Inf", {}, Status.FAIL),
        ("+Inf", {"by": "average"}, Status.FAIL),
        ("+Inf", {"by": "lowest"}, Status.PASS),
        ("-Inf", {"by": "lowest"}, Status.UNKNOWN),
        ("-Inf", {"by": "lowest", "better": "higher", "critical": 0}, Status.FAIL),
        ("+Inf", {"better": "higher"}, Status.UNKNOWN),
    ],
)
def test_what_is_endless_is_beyond_each_limit(
    prometheus: PrometheusDouble, value: str, keys: dict[str, Any], status: Status
) -> None:
    prometheus.answers({}, ["1", "2", value, "1"])
    assert prometheus.judge(**{"critical": 5, **keys}).status is status


@pytest.mark.parametrize("limit", [".nan", ".inf", "-.inf"])
@pytest.mark.parametrize("key", ["critical", "warning"])
def test_a_limit_that_is_no_number_is_refused(limit: str, key: str) -> None:
    keys = {
        "profile": "noon",
        "endpoint": "metrics",
        "query": "waiting",
        "critical": 5,
        key: float(limit.replace(".", "")),
    }
    with pytest.raises(ValueError, match="finite number"):
        metric.Params.model_validate(keys)


def test_no_series_or_too_few_values_are_unknown(prometheus: PrometheusDouble) -> None:
    prometheus.data = {"status": "success", "data": {"resultType": "matrix", "result": []}}
    outcome = prometheus.judge(critical=5)
    assert outcome.status is Status.UNKNOWN
    assert outcome.message == "metrics has no series for max(waiting) in the time of the load"
    prometheus.answers({}, ["1", "2"])
    few = prometheus.judge(critical=5)
    assert (few.status, few.message) == (Status.UNKNOWN, "only 2 values of waiting, 3 are needed")


RUBBISH: list[Any] = [
    {},
    [],
    None,
    {"status": "success", "data": {"resultType": "vector", "result": []}},
    {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [["x"]]}]}},
    {"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "many"]]}]}},
    {"status": "success", "data": {"resultType": "matrix", "result": [{"values": []}]}},
]


@pytest.mark.parametrize("data", RUBBISH)
def test_what_is_no_answer_to_a_range_query_is_unknown(prometheus: PrometheusDouble, data: Any) -> None:
    prometheus.data = data
    outcome = prometheus.judge(critical=5)
    assert outcome.status is Status.UNKNOWN
    assert outcome.message == "metrics gave no answer to a range query, as Prometheus does"


def test_a_query_that_is_refused_is_unknown(prometheus: PrometheusDouble) -> None:
    prometheus.status = 400
    outcome = prometheus.judge(critical=5)
    assert outcome.status is Status.UNKNOWN
    assert outcome.message.startswith("metrics answered 400 to the query")
