"""Requests as they go over the wire, and plans that cannot be."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from load.inside.plan import Plan, read_plan
from load.inside.users.journeys import Step, fill, saved_from, steps_of
from tests.load.inside.pressing import plan, scenario, step

HOST = "http://shop.example:8080/base/"
WHOLE: dict[str, Any] = {"stream": "/tmp/s", "role": "lone", "worker": "w1", "workers": 1}


def read(told: dict[str, Any]) -> Plan:
    return read_plan(json.dumps({**WHOLE, **told}).encode() + b"\n")


def steps(*each: dict[str, Any], **more: Any) -> tuple[Step, ...]:
    told = read(plan(HOST, scenario(*each, **more), allowed_hosts=["http://shop.example:8080"]))
    return steps_of(told.scenarios[0], told)


def test_a_request_is_whole_and_names_who_asks() -> None:
    [only] = steps(step("GET /api/stores/1?full=1"), headers={"Authorization": "Bearer abc"})
    head, _, body = only.request({}, b"run-7-w1-1").partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    assert line == "GET /base/api/stores/1?full=1 HTTP/1.1"
    assert set(headers) == {
        "Host: shop.example:8080",
        "User-Agent: golive-load-test",
        "Accept: */*",
        "Accept-Encoding: gzip, deflate",
        "Authorization: Bearer abc",
        "X-Request-Id: run-7-w1-1",
    }
    assert body == b""


def test_values_go_into_path_body_and_headers() -> None:
    feed = {"rows": [{"sku": "A/1?x=ü", "n": 3}], "order": "in turn"}
    body = {"sku": "{sku}", "n": "{n}", "text": "{n} of {sku}, {not_ours}", "list": ["{n}", 5, None]}
    first, second = steps(
        step("POST /things/{sku}", body=body, save={"id": "data.id"}),
        step("DELETE /things/{id}", headers={"X-Sku": "no {n}"}),
        feed=feed,
    )
    head, _, sent = first.request({"sku": "A/1?x=ü", "n": 3}, b"r").partition(b"\r\n\r\n")
    assert head.startswith(b"POST /base/things/A%2F1%3Fx%3D%C3%BC HTTP/1.1\r\n")
    assert f"Content-Length: {len(sent)}".encode() in head.split(b"\r\n")
    assert b"Content-Type: application/json" in head
    assert json.loads(sent) == {
        "sku": "A/1?x=ü", "n": 3, "text": "3 of A/1?x=ü, {not_ours}", "list": [3, 5, None]
    }  # fmt: skip
    assert second.request({"id": "../x", "n": 3, "sku": "s"}, b"r").startswith(b"DELETE /base/things/..%2Fx HTTP/1.1")
    assert second.needs == {"id", "n"}


def test_a_header_of_more_than_one_line_is_refused() -> None:
    [only] = steps(step("GET /", headers={"X-Name": "{name}"}), feed={"rows": [{"name": "a"}], "order": "random"})
    with pytest.raises(ValueError, match="more than one line"):
        only.request({"name": "a\r\nHost: elsewhere"}, b"r")


def test_a_session_overrides_and_lengths_are_ours() -> None:
    own = {"user-agent": "another", "Content-Length": "999", "x-request-id": "fixed"}
    [only] = steps(step("POST /x", body="plain"), headers=own)
    sent = only.request({}, b"r").decode()
    assert "user-agent: another\r\n" in sent
    assert "golive-load-test" not in sent
    assert "Content-Length: 5\r\n" in sent
    assert "999" not in sent
    assert "fixed" not in sent
    assert sent.endswith("\r\n\r\nplain")


@pytest.mark.parametrize(("status", "wanted"), [([], [200, 204, 302, 399]), ([201], [201])])
def test_wanted_is_what_is_named_or_all_below_400(status: list[int], wanted: list[int]) -> None:
    [only] = steps(step("GET /x", status=status))
    assert [code for code in (200, 201, 204, 302, 399, 400, 404, 500) if only.is_wanted(code)] == [
        code for code in (200, 201, 204, 302, 399) if code in wanted or not status
    ]


def test_a_step_that_needs_a_value_from_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^DELETE /things/\{id\} needs a value that is not there yet: id$"):
        steps(step("DELETE /things/{id}"), step("POST /things", save={"id": "id"}))


def test_what_undoes_is_filled_in() -> None:
    [only] = steps(step("POST /things", save={"id": "data.id"}, clean_up="DELETE /things/{id}"))
    assert only.undo({"id": "7/8"}) == "DELETE /things/7%2F8"


def test_values_are_found_in_answers() -> None:
    body = json.dumps({"data": {"items": [{"id": 5}, {"id": 6}]}}).encode()
    save = (("last", ("data", "items", "1", "id")), ("all", ("data", "items")))
    assert saved_from(body, save) == {"last": 6, "all": [{"id": 5}, {"id": 6}]}
    assert saved_from(gzip.compress(body), save)["last"] == 6


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<html>", "the answer is no JSON"),
        (b"\x1f\x8brubbish", "the answer is no JSON"),
        (b"\xff\xfe", "the answer is no JSON"),
        (b'{"data": []}', "the answer has no data.0"),
        (b'{"data": {"1": 2}}', "the answer has no data.0"),
        (b"7", "the answer has no data.0"),
    ],
)
def test_an_answer_without_the_value_is_told(body: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=f"^{told}$"):
        saved_from(body, (("x", ("data", "0")),))


def test_a_text_that_is_a_place_and_no_more_keeps_the_kind_of_its_value() -> None:
    known = frozenset({"n"})
    assert fill({"{n}": "{n}", "a": "{n}{n}"}, {"n": 4}, known) == {4: 4, "a": "44"}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"host": "http://other:1"}, "http://other:1 is not among the allowed hosts"),
        ({"scenarios": []}, "it takes either scenarios or a locustfile"),
        ({"locustfile": "own.py"}, "it takes either scenarios or a locustfile"),
        ({"locustfile": "own.py", "scenarios": [], "model": "open"}, "a locustfile of one's own runs in the closed"),
        ({"levels": [[0, 5]]}, "it has no duration"),
        ({"levels": []}, "it has no duration"),
        ({"max_rate": 0}, "a limit is not above 0"),
        ({"timeout": 0}, "a limit is not above 0"),
    ],
)
def test_a_plan_that_cannot_be_run_is_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=f"^the plan on standard input cannot be run: {told}"):
        read({**plan("http://shop:1", scenario(step("GET /x"))), **change})


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b"", "is no line of JSON"),
        (b"{'a'}\n", "is no line of JSON"),
        (b"[1]\n", "is no JSON object"),
        (b"{}\n", "has no 'profile'"),
    ],
)
def test_a_plan_that_is_none_is_refused(line: bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        read_plan(line)


def test_a_part_of_the_wrong_type_is_refused_without_telling_it() -> None:
    told = plan("http://shop:1", scenario(step("GET /x"), headers="Bearer secret-secret"))
    with pytest.raises(ValueError, match=r"^the plan on standard input has a part of the wrong type$"):
        read(told)


def test_secrets_are_the_sessions_headers_and_the_words_in_them() -> None:
    told = plan("http://s:1", scenario(step("GET /x"), headers={"Authorization": "Bearer tok-12345678", "X-A": "b"}))
    assert read(told).secrets == ("Bearer tok-12345678", "tok-12345678")
