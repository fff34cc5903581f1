"""What load processes are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from golive.model import CouldNotLook
from load.elsewhere.shipping import cargo
from load.inside.plan import read_plan
from load.plan import origin, plan_line, plan_of
from tests.load.targets import READ, SESSIONS, TOKEN, WRITE, section

URL = "http://127.0.0.1:8000"


def planned(environment: Any, tmp_path: Path, **more: Any) -> dict[str, Any]:
    given = {"sessions": SESSIONS, "directory": tmp_path, "user_agent": "golive/1", "request_id_prefix": "r", **more}
    return plan_of("steady", environment.load.profiles["steady"], environment, **given)


def test_a_scenario_has_its_session_its_steps_and_its_share(tmp_path: Path) -> None:
    plan = planned(section(URL, READ, {**WRITE, "weight": 3}), tmp_path)
    reader, writer = plan["scenarios"]
    assert (reader["headers"], reader["think"], reader["weight"]) == ({}, [0.02, 0.02], 1)
    assert (writer["headers"], writer["as"], writer["weight"]) == ({"Authorization": TOKEN}, "ann", 3)
    (step,) = writer["steps"]
    assert (step["method"], step["path"], step["name"]) == ("POST", "/orders", "POST /orders")
    assert (step["status"], step["save"], step["clean_up"]) == ([201], {"order": "data.id"}, "DELETE /orders/{order}")
    assert plan["stream"] == str(tmp_path / "stream.jsonl")
    assert plan["levels"] == [[0.0, 0.0], [0.5, 4.0], [3.0, 4.0]]
    assert [phase["name"] for phase in plan["phases"]] == ["ramp 1", "hold 1"]


def test_the_engine_reads_it_as_it_is_told(tmp_path: Path) -> None:
    told = {**planned(section(URL, READ, WRITE), tmp_path), "role": "lone", "worker": "w1", "workers": 1}
    line = plan_line(told)
    assert line.count(b"\n") == 1
    plan = read_plan(line)
    assert (plan.host, plan.allowed_hosts, plan.max_rate, plan.max_users) == (URL, (URL,), 500, 50)
    assert plan.scenarios[1].headers == {"Authorization": TOKEN}


def test_headers_of_the_endpoint_go_with_every_request_and_a_path_below_it_too(tmp_path: Path) -> None:
    environment = section(f"{URL}/shop", WRITE)
    endpoint = environment.endpoints["api"].model_copy(update={"headers": {"X-Tenant": "t1"}})
    plan = planned(environment.model_copy(update={"endpoints": {"api": endpoint}}), tmp_path)
    assert (plan["host"], plan["allowed_hosts"]) == (URL, [URL])
    (scenario,) = plan["scenarios"]
    assert scenario["headers"] == {"X-Tenant": "t1", "Authorization": TOKEN}
    (step,) = scenario["steps"]
    # Its name is as it was written, and so is what takes it back: that goes through the endpoint.
    assert (step["path"], step["name"], step["clean_up"]) == ("/shop/orders", "POST /orders", "DELETE /orders/{order}")


def test_rows_of_a_feed_are_told_and_a_feed_that_is_gone_is_no_load(tmp_path: Path) -> None:
    feed = tmp_path / "skus.csv"
    feed.write_text("sku\na-1\nb-2\n")
    environment = section(URL, {**READ, "feed": {"file": str(feed), "order": "in turn"}})
    assert planned(environment, tmp_path)["scenarios"][0]["feed"] == {
        "rows": [{"sku": "a-1"}, {"sku": "b-2"}],
        "order": "in turn",
    }
    feed.unlink()
    with pytest.raises(CouldNotLook, match=r"^feed .*skus\.csv cannot be read: No such file or directory$"):
        planned(environment, tmp_path)


@pytest.mark.parametrize(
    ("tls", "verify"), [({}, True), ({"verify": False}, False), ({"ca_file": "/etc/shop/ca.pem"}, "/etc/shop/ca.pem")]
)
def test_certificates_are_verified_as_the_endpoint_says(
    tls: dict[str, Any], verify: bool | str, tmp_path: Path
) -> None:
    environment = section(URL, READ)
    endpoint = environment.endpoints["api"]
    endpoint = endpoint.model_copy(update={"tls": type(endpoint.tls).model_validate(tls)})
    plan = planned(environment.model_copy(update={"endpoints": {"api": endpoint}}), tmp_path)
    assert plan["verify"] == verify


def test_production_has_its_lower_caps(tmp_path: Path) -> None:
    permit = {
        "permitted_by": "Ann",
        "reason": "go-live",
        "until": "2099-01-01T00:00:00Z",
        "max_users": 5,
        "max_rate": "20/s",
    }
    environment = section(URL, READ, load={"production": permit}).model_copy(update={"production": True})
    plan = planned(environment, tmp_path)
    assert (plan["max_rate"], plan["max_users"]) == (20, 5)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000/a/b", "http://127.0.0.1:8000"),
        ("https://shop.example", "https://shop.example"),
        ("https://ann:secret@shop.example:8443/x", "https://shop.example:8443"),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, expected: str) -> None:
    assert origin(url) == expected


def test_a_further_machine_is_sent_the_engine_and_the_files_of_the_plan(tmp_path: Path) -> None:
    own, ca = tmp_path / "own.py", tmp_path / "ca.pem"
    own.write_text("# own\n")
    ca.write_text("certificate\n")
    plan = {**planned(section(URL, READ), tmp_path), "locustfile": str(own), "verify": str(ca)}
    goods, there = cargo(plan, ["-m", "locust"])
    told = json.loads(goods)
    assert told["arguments"] == ["-m", "locust"]
    assert told["files"][there["locustfile"]] == "# own\n"
    assert told["files"][there["verify"]] == "certificate\n"
    assert {"load/inside/locustfile.py", "golive/judge/load/histogram.py"} <= told["files"].keys()
    assert not any(name.startswith("/") for name in told["files"])
    assert TOKEN not in goods.decode()


def test_an_environment_without_load_is_pressed_by_nobody(tmp_path: Path) -> None:
    environment = section(URL, READ)
    profile = environment.load.profiles["steady"]
    with pytest.raises(CouldNotLook, match="has no 'load'"):
        plan_of(
            "steady",
            profile,
            environment.model_copy(update={"load": None}),
            sessions={},
            directory=tmp_path,
            user_agent="golive/1",
            request_id_prefix="r",
        )
