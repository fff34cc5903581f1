"""Test data is taken back, and what stays is told."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from load.ledger import Ledger, Made, Sender
from tests.load.targets import SESSIONS, TOKEN, Target, section, target


@pytest.fixture
def shop() -> Iterator[Target]:
    with target() as running:
        running.orders = set(range(1, 21))
        yield running


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.jsonl")


def made(number: int) -> dict[str, Any]:
    return {"kind": "made", "clean_up": f"DELETE /orders/{number}", "as": "ann"}


def sender(url: str) -> Sender:
    endpoint = section(url).endpoints["api"]
    return Sender("api", endpoint, SESSIONS, user_agent="golive", request_id=lambda: "run-clean-up", max_rate=500)


def entries(ledger: Ledger) -> list[dict[str, Any]]:
    return [json.loads(line) for line in ledger.file.read_text().splitlines()]


def test_everything_made_is_taken_back_as_the_account_that_made_it(shop: Target, ledger: Ledger) -> None:
    for number in range(1, 21):
        ledger.see(made(number))
    ledger.see(made(1))
    ledger.see({"kind": "state", "at": 1})
    send = sender(shop.url)
    assert ledger.clean_up(send, time_limit_s=10) == ()
    send.close()
    assert shop.orders == set()
    assert len(ledger) == shop.count("DELETE ") == 20
    assert {headers["Authorization"] for _, headers in shop.asked} == {TOKEN}
    assert sum(entry.get("done", False) for entry in entries(ledger)) == 20


def test_what_is_gone_already_need_not_be_taken_back(shop: Target, ledger: Ledger) -> None:
    ledger.see(made(99))
    send = sender(shop.url)
    assert ledger.clean_up(send, time_limit_s=10) == ()
    send.close()
    assert shop.count("DELETE /orders/99") == 1


def test_what_stays_is_named_and_the_rest_is_in_the_ledger(shop: Target, ledger: Ledger) -> None:
    shop.keeps = True
    for number in range(1, 8):
        ledger.see(made(number))
    send = sender(shop.url)
    (told,) = ledger.clean_up(send, time_limit_s=10)
    send.close()
    assert told.startswith("test data was left behind: DELETE /orders/7 (HTTP 500), DELETE /orders/6 (HTTP 500), ")
    assert told.endswith(", and 2 more, see ledger.jsonl")
    assert [entry["left"] for entry in entries(ledger) if "left" in entry] == ["HTTP 500"] * 7


def test_a_target_that_is_gone_is_told(shop: Target, ledger: Ledger) -> None:
    ledger.see(made(1))
    send = sender("http://127.0.0.1:1")
    (told,) = ledger.clean_up(send, time_limit_s=10)
    send.close()
    assert "DELETE /orders/1 (api refused the connection" in told
    assert TOKEN not in told


def test_cleaning_up_ends_with_its_time(ledger: Ledger) -> None:
    for number in range(200):
        ledger.see(made(number))

    def slow(_: Made) -> str:
        time.sleep(0.05)
        return ""

    (told,) = ledger.clean_up(slow, time_limit_s=0.2)
    assert "(not tried: the time for cleaning up was over)" in told
    assert any(entry.get("done") for entry in entries(ledger))


def test_an_interrupt_breaks_cleaning_up_off_and_the_ledger_tells_what_was_done(ledger: Ledger) -> None:
    for number in range(50):
        ledger.see(made(number))
    tried: list[Made] = []

    def interrupted(one: Made) -> str:
        tried.append(one)
        if one.clean_up.endswith("/40"):
            raise KeyboardInterrupt
        time.sleep(0.02)
        return ""

    with pytest.raises(KeyboardInterrupt):
        ledger.clean_up(interrupted, time_limit_s=30)
    assert 9 <= len(tried) < 50
    assert sum(entry.get("done", False) for entry in entries(ledger)) == 9


def test_an_entry_that_does_not_say_how_is_refused(ledger: Ledger) -> None:
    with pytest.raises(KeyError, match="clean_up"):
        ledger.see({"kind": "made", "as": "ann"})


def test_a_full_disk_keeps_nothing_from_being_taken_back(shop: Target) -> None:
    ledger = Ledger(Path("/dev/full"))
    for number in range(1, 21):
        ledger.see(made(number))
    send = sender(shop.url)
    assert ledger.clean_up(send, time_limit_s=10) == ("full is not complete: No space left on device",)
    send.close()
    assert shop.orders == set()
