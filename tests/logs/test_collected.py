"""Loki and OpenSearch as sources, against doubles of their documented APIs: counts, pages, late entries, trouble."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from golive.environment.params import Secret
from golive.logs import Cursor, LogReading, LogSource, Reach, Sought, loki, opensearch
from golive.model import CouldNotLook
from tests.logs.loki_double import LokiDouble
from tests.logs.opensearch_double import OpenSearchDouble, basic
from tests.logs.serving import client, serving

NOW = datetime.now(UTC)
START = NOW - timedelta(hours=1)
KINDS = ("loki", "opensearch")
Either = LokiDouble | OpenSearchDouble


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def put(double: Either, second: float, level: str, message: str, **more: Any) -> None:
    if isinstance(double, LokiDouble):
        double.put(at(second), json.dumps({"level": level, "message": message, **more}))
    else:
        double.put(at(second), level, message, **more)


def source(double: Either, **more: Any) -> LogSource:
    reach = Reach(host_of=lambda name: pytest.fail(f"{name} is no host"), client_of=lambda _: client(double.url))
    if isinstance(double, LokiDouble):
        config = loki.Config.model_validate({"kind": "loki", "endpoint": "c", "query": '{job="api"}', **more})
        return loki.open_source("api", config, reach)
    known = {"kind": "opensearch", "endpoint": "c", "index": "logs-*", **more}
    return opensearch.open_source("api", opensearch.Config.model_validate(known), reach)


@contextmanager
def collector(kind: str, **more: Any) -> Iterator[Any]:
    with serving(LokiDouble(**more) if kind == "loki" else OpenSearchDouble(**more)) as double:
        put(double, -600, "INFO", "from before")
        yield double


def look(double: Either, since: Cursor | None = None, **more: Any) -> tuple[LogReading, Cursor]:
    sought = more.pop("sought", ())
    reading, cursor = source(double, **more).read(since, START, sought=sought)
    return reading, json.loads(json.dumps(cursor))


def messages(reading: LogReading) -> list[str]:
    return [event.message for event in reading.events]


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_look_begins_with_the_window(kind: str) -> None:
    with collector(kind) as double:
        put(double, 5, "ERROR", "second")
        put(double, 1, "CRITICAL", "first")
        put(double, 9, "INFO", "0 critical errors found")
        reading, _ = look(double)
    assert messages(reading) == ["first", "second"]
    assert reading.counts == {"WARNING": 0, "ERROR": 1, "CRITICAL": 1, "lines": 3}
    assert (reading.gap, reading.events[0].time) == (None, at(1).replace(microsecond=at(1).microsecond // 1000 * 1000))


@pytest.mark.parametrize("kind", KINDS)
def test_the_next_look_brings_what_is_new_and_what_came_late(kind: str) -> None:
    with collector(kind) as double:
        put(double, 100, "ERROR", "seen")
        _, cursor = look(double)
        put(double, 101, "ERROR", "new")
        put(double, 99, "ERROR", "late")
        reading, cursor = look(double, cursor)
        assert messages(reading) == ["late", "new"]
        assert reading.gap is None
        reading, cursor = look(double, cursor)
        assert (messages(reading), reading.gap) == ([], None)
        put(double, 3000, "ERROR", "much later")
        reading, cursor = look(double, cursor)
        put(double, 60, "ERROR", "too late: 40 minutes after the newest")
        assert messages(look(double, cursor)[0]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_entries_that_are_gone_are_a_gap(kind: str) -> None:
    with collector(kind) as double:
        put(double, 100, "ERROR", "seen")
        _, cursor = look(double)
        (double.labelled if kind == "loki" else double.documents).clear()
        put(double, 101, "ERROR", "new")
        reading, _ = look(double, cursor)
    assert messages(reading) == ["new"]
    assert "is no longer there; entries after it may be gone, too" in str(reading.gap)


@pytest.mark.parametrize("kind", KINDS)
def test_a_collector_that_holds_nothing_older_than_the_window_may_lack_its_beginning(kind: str) -> None:
    with serving(LokiDouble() if kind == "loki" else OpenSearchDouble()) as double:
        put(double, 5, "ERROR", "x")
        assert "the collector holds no entry from before" in str(look(double)[0].gap)
        assert look(double, sparse=True)[0].gap is None


@pytest.mark.parametrize("kind", KINDS)
def test_more_entries_than_one_answer_holds_come_page_by_page(kind: str) -> None:
    with collector(kind) as double:
        for n in range(950):
            # Ten at a time, so that a page ends within a moment.
            put(double, n // 10, "ERROR", f"n{n}")
        asked = len(double.asked)
        reading, _ = look(double, page=100)
        assert sorted(messages(reading)) == sorted(f"n{n}" for n in range(950))
        assert len(double.asked) - asked < 20
    assert reading.gap is None


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_full_of_one_moment_is_read_in_larger_pages_or_a_gap(kind: str) -> None:
    with collector(kind) as double:
        for n in range(250):
            put(double, 5, "ERROR", f"n{n}")
        reading, _ = look(double, page=100)
    if kind == "loki":
        assert "more than 100 entries have one time; not all of them were read" in str(reading.gap)
    else:
        assert (len(reading.events), reading.gap) == (250, None)


def many(double: Either, *, errors: int = 3, **more: Any) -> None:
    for n in range(600):
        put(double, n, "info", f"usual {n}", **more)
    for n in range(errors):
        put(double, n * 10 + 0.5, "error", f"boom {n}", **more)
    put(double, 77, "CRITICAL", "dead", **more)


@pytest.mark.parametrize("kind", KINDS)
def test_of_very_many_entries_only_those_that_may_be_grave_are_carried(kind: str) -> None:
    with collector(kind) as double:
        many(double)
        reading, cursor = look(double, max_entries=100)
        assert reading.counts == {"WARNING": 0, "ERROR": 3, "CRITICAL": 1, "lines": 604}
        assert messages(reading) == ["boom 0", "boom 1", "boom 2", "dead"]
        assert reading.gap is None
        put(double, 601, "error", "next")
        assert messages(look(double, cursor, max_entries=100)[0]) == ["next"]


def test_what_is_sought_among_very_many_is_looked_for_in_loki() -> None:
    wanted, others, none = Sought(pattern="usual [0-9]*5$"), Sought(pattern=r"\d"), Sought(pattern="x")
    with collector("loki") as double:
        for n in range(600):
            double.put(at(n), f"usual {n}")
        reading, _ = look(double, max_entries=100, page=50, sought=(wanted, others))
    assert 5 < len(reading.find(wanted).events) < 60
    assert "more than 100 entries; the rest was not read" in str(reading.find(wanted).incomplete)
    assert "cannot be looked for there" in str(reading.find(others).incomplete)
    assert "were not looked for there" in str(reading.find(none).incomplete)


def test_a_text_that_few_entries_hold_is_found_in_loki() -> None:
    wanted = Sought(pattern="2FA|second factor")
    with collector("loki") as double:
        many(double)
        put(double, 9, "INFO", "2FA of ann")
        found = look(double, max_entries=100, sought=(wanted,))[0].find(wanted)
    assert ([e.message for e in found.events], found.incomplete) == (["2FA of ann"], None)


def test_an_index_of_words_is_not_searched_for_parts_of_them() -> None:
    wanted = Sought(pattern="2FA")
    with collector("opensearch") as double:
        many(double)
        assert "cannot be looked for there" in str(
            look(double, max_entries=100, sought=(wanted,))[0].find(wanted).incomplete
        )
        few = look(double, sought=(wanted,))[0].find(Sought(pattern="usual 59[0-9]"))
    assert (len(few.events), few.incomplete) == (10, None)


def test_loki_counts_a_flood_by_its_label() -> None:
    with collector("loki") as double:
        for n in range(300):
            double.put(at(n), f"boom {n}", detected_level="error")
        double.put(at(5), "dead: fatal", detected_level="critical")
        double.labelled[0][2]["detected_level"] = "info"
        reading, _ = look(double, max_entries=100, page=50, level_label="detected_level")
        assert (reading.counts["ERROR"], reading.counts["CRITICAL"], reading.gap) == (300, 1, None)
        assert reading.not_at_hand("ERROR") is not None


def test_what_only_a_label_says_is_grave_counts_too() -> None:
    with collector("loki") as double:
        many(double)
        double.put(at(5), "nothing in the text", severity="CRITICAL")
        assert look(double, max_entries=100)[0].counts["CRITICAL"] == 2


def test_loki_without_a_label_tells_a_flood_as_a_gap() -> None:
    with collector("loki") as double:
        many(double, errors=300)
        reading, _ = look(double, max_entries=100, page=50)
    assert "log api: 301 entries may be grave, of which the newest 50 were read" in str(reading.gap)


@pytest.mark.parametrize("is_text", [False, True])
def test_opensearch_counts_a_flood_by_aggregation(is_text: bool) -> None:
    with collector("opensearch", level_is_text=is_text) as double:
        many(double, errors=300)
        reading, _ = look(double, max_entries=100, page=50)
    assert (reading.counts["ERROR"], reading.counts["CRITICAL"], reading.gap) == (300, 1, None)


@pytest.mark.parametrize("trouble", ["others", "no level"])
def test_counts_that_are_not_exact_are_a_gap(trouble: str) -> None:
    with collector("opensearch", others=5 if trouble == "others" else 0) as double:
        many(double, errors=300)
        if trouble == "no level":
            double.put(at(5), None, "who knows")
        assert "entries may be grave, of which the newest" in str(look(double, max_entries=100, page=50)[0].gap)


def test_entries_without_a_level_and_with_a_trace_are_judged_by_their_text() -> None:
    with collector("opensearch") as double:
        many(double)
        double.put(at(6), "INFO", "first\nFATAL second")
        double.put(at(7), None, "no level: CRITICAL")
        double.put(at(8), "INFO", "x", exception="Traceback:\n  x\nCRITICAL: ledger")
        assert look(double, max_entries=100)[0].counts["CRITICAL"] == 3


def test_other_names_of_fields() -> None:
    with collector("opensearch") as double:
        stamp = at(5).isoformat()
        double.documents.append(("x", {"@timestamp": stamp, "sev": "ERROR", "text": {"body": "hello"}, "shop": "1"}))
        double.documents.append(("y", {"@timestamp": stamp, "sev": "ERROR", "text": {"body": "other"}, "shop": "2"}))
        reading, _ = look(double, level_field="sev", message_field="text.body", match={"shop": "1"}, sparse=True)
    assert [(e.level, e.message) for e in reading.events] == [("ERROR", "hello")]


def test_a_trace_of_many_entries_is_one_event_also_where_others_write_between() -> None:
    with serving(LokiDouble()) as double:
        double.put(at(-9), "x")
        lines = ("ERROR: it broke", "Traceback (most recent call last):", "  File x", "ValueError: no", "ERROR: next")
        for n, line in enumerate(lines):
            double.put(at(n), line, pod="a")
            double.put(at(n), "INFO: fine", pod="b")
        double.put(at(20), "CRITICAL: one entry\nwith two lines", pod="c")
        reading, _ = look(double)
    assert messages(reading) == ["ERROR: it broke", "ERROR: next", "CRITICAL: one entry"]
    assert reading.events[0].raw.endswith("ValueError: no")


def test_the_level_may_stand_in_a_label() -> None:
    with serving(LokiDouble()) as double:
        double.put(at(-9), "x")
        double.put(at(1), "out of memory", level="critical")
        assert look(double)[0].counts["CRITICAL"] == 1


TROUBLE = [
    ({"query_status": 429}, {"status": 429}, "answered 429 (.*); it limits how much may be asked"),
    ({"query_status": 400}, {"status": 400}, "answered 400"),
    (
        {"query_status": 503, "rubbish": "<html>\x1b[2J"},
        {"status": 503, "rubbish": b"<html>\x1b[2J"},
        r"answered 503 \(<html>",
    ),
    ({"rubbish": '{"status":"suc'}, {"rubbish": b'{"count":'}, "answered something else than"),
    ({"rubbish": "[" * 9_999}, {"rubbish": b"[" * 9_999}, "answered something else than"),
    ({"rubbish": "5"}, {"rubbish": b"5"}, "answered something else than"),
    (
        {"rubbish": '{"status":"success","data":{"resultType":"matrix","result":[]}}'},
        {"rubbish": b'{"count":"many","_shards":{"total":1,"failed":0}}'},
        "answered something else than",
    ),
    (
        {"rubbish": '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"NaN"]}]}}'},
        {"rubbish": b'{"count":-5,"_shards":{"total":1,"failed":0}}'},
        "answered something else than",
    ),
    (
        {"warnings": ("ingester gone",)},
        {"failed": 1},
        r"in part only: \[\"ingester gone\"\]|1 of 3 shards failed \(node left",
    ),
]


@pytest.mark.parametrize(("of_loki", "of_opensearch", "told"), TROUBLE)
@pytest.mark.parametrize("kind", KINDS)
def test_trouble_is_could_not_look(kind: str, of_loki: Any, of_opensearch: Any, told: str) -> None:
    trouble = of_loki if kind == "loki" else of_opensearch
    with collector(kind, **trouble) as double, pytest.raises(CouldNotLook, match=told) as problem:
        look(double)
    assert "\x1b" not in str(problem.value)


def test_a_search_that_timed_out_or_names_no_index_is_could_not_look() -> None:
    with collector("opensearch", timed_out=True) as double, pytest.raises(CouldNotLook, match="timed out there"):
        look(double)
    with collector("opensearch") as double, pytest.raises(CouldNotLook, match="no index is there of that name"):
        look(double, index="other-*")


@pytest.mark.parametrize("kind", KINDS)
def test_a_collector_that_is_down_is_could_not_look(kind: str) -> None:
    with collector(kind) as double:
        pass
    with pytest.raises(CouldNotLook):
        look(double)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "cursor", [{}, {"kind": "file"}, {"kind": "loki", "seen": 5}, {"kind": "opensearch", "newest": "x"}]
)
def test_a_cursor_of_another_shape_counts_as_none(kind: str, cursor: Cursor) -> None:
    with collector(kind) as double:
        put(double, 5, "ERROR", "x")
        assert messages(look(double, cursor)[0]) == ["x"]


def test_who_asks_says_who_it_is() -> None:
    with collector("loki", tenant="shop") as double:
        assert look(double, tenant="shop")[0].gap is None
        with pytest.raises(CouldNotLook, match="answered 401"):
            look(double)
    secret = Secret("pass")
    with collector("opensearch", auth=basic("ann", "pass")) as double:
        assert look(double, username="ann", password=secret)[0].gap is None
        with pytest.raises(CouldNotLook, match="answered 401") as problem:
            look(double, username="ann", password=Secret("wrong-one"))
        assert "wrong-one" not in str(problem.value)
    with collector("opensearch", auth="ApiKey pass") as double:
        assert look(double, api_key=secret)[0].gap is None


def test_a_description_that_makes_no_sense_is_refused() -> None:
    base = {"kind": "opensearch", "endpoint": "c", "index": "x"}
    for wrong in ({"username": "ann"}, {"password": Secret("x")}, {"index": "a/b"}, {"password": "written"}):
        with pytest.raises(ValidationError):
            opensearch.Config.model_validate({**base, **wrong})
    with pytest.raises(ValidationError):
        loki.Config.model_validate({"kind": "loki", "endpoint": "c", "query": "rate(x)"})
