"""What a process adds up, and hands on once."""

from __future__ import annotations

import random

from golive.judge.load.histogram import Histogram
from golive.judge.load.stream import read_stream
from load.inside.telling.aggregate import Recorder


def test_what_is_added_up_is_what_the_judges_histogram_would_hold() -> None:
    recorder, source = Recorder("w1", is_open=True), random.Random(3)
    values = [int(source.lognormvariate(8, 2)) for _ in range(2000)]
    for value in values:
        recorder.request(100.4, "GET /x", value, None, 250)
    [second] = read_stream(recorder.take()).seconds
    assert (second.at, second.name, second.n, second.late_us) == (100, "GET /x", 2000, 2000 * 250)
    assert second.histogram == Histogram.of(values)
    assert second.intended == Histogram.of([value + 250 for value in values])


def test_only_seconds_that_are_over_are_handed_out_and_each_once() -> None:
    recorder = Recorder("w1", is_open=False)
    for at in (10.1, 10.9, 11.0, 12.5):
        recorder.request(at, "GET /x", 1000)
    assert [line["at"] for line in recorder.take(before=11.99)] == [10]
    assert recorder.take(before=11.99) == []
    assert [(line["at"], line["n"]) for line in recorder.take(before=12.0)] == [(11, 1)]
    assert [(line["at"], line["n"]) for line in recorder.take()] == [(12, 1)]
    assert recorder.take() == []


def test_what_comes_in_after_the_end_belongs_to_the_last_second() -> None:
    recorder = Recorder("w1", is_open=False)
    recorder.end_at(20)
    recorder.request(21.7, "GET /x", 1000)
    recorder.unfinished(22.7, "GET /x")
    [line] = recorder.take()
    assert (line["at"], line["n"], line["failures"]) == (20, 1, {"unfinished": 1})


def test_failures_count_in_n_and_unfinished_ones_do_not() -> None:
    recorder = Recorder("w1", is_open=False)
    for failure in (None, "500", "500", "timeout"):
        recorder.request(5, "POST /y", 700, failure)
    recorder.unfinished(5, "POST /y")
    [second] = read_stream(recorder.take()).seconds
    assert (second.n, second.histogram.count) == (4, 4)
    assert second.failures == {"500": 2, "timeout": 1, "unfinished": 1}
    assert second.intended is None


def test_a_problem_is_told_once_without_what_is_secret_and_not_for_ever() -> None:
    recorder = Recorder("w1", is_open=False, secrets=["hunter2-hunter2"])
    for _ in range(3):
        recorder.problem("no entry with hunter2-hunter2")
    assert recorder.take() == [{"kind": "problem", "text": "no entry with ***"}]
    assert recorder.take() == []
    for number in range(200):
        recorder.problem(f"number {number} " + "x" * 5000)
    told = [line["text"] for line in recorder.take()]
    assert len(told) == 49
    assert max(map(len, told)) == 500


def test_names_that_were_not_grouped_do_not_grow_for_ever() -> None:
    recorder = Recorder("w1", is_open=False)
    for number in range(800):
        recorder.request(5 + number % 2, f"GET /things/{number}", 700)
    lines = recorder.take()
    told = "requests have more than 500 names; give those that only differ in an id one name"
    assert [line["text"] for line in lines if line["kind"] == "problem"] == [told]
    assert {line["name"]: line["n"] for line in lines if line["kind"] == "second"}["further names"] == 150
    assert sum(line.get("n", 0) for line in lines) == 800


def test_what_may_have_been_made_is_told_at_the_end() -> None:
    recorder = Recorder("w1", is_open=False)
    recorder.made("DELETE /things/7", "cashier")
    recorder.unsure("POST /things")
    recorder.unsure("POST /things")
    assert recorder.take(before=1.0) == [{"kind": "made", "clean_up": "DELETE /things/7", "as": "cashier"}]
    told = "POST /things was not answered 2 times; what it may have made is not cleaned up"
    assert recorder.take() == [{"kind": "problem", "text": told}]
