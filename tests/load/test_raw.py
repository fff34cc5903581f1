"""Raw data: a table of the seconds, and the whole result."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from golive.judge.load.result import LoadResult, result_of
from load.raw import write_raw
from tests.load.lines import BEGAN, began, second, state
from tests.load.targets import READ, section


def result(tmp_path: Path) -> LoadResult:
    profile = section("http://127.0.0.1:1", READ).load.profiles["steady"]
    lines = [
        began(),
        second(1, [10, 20], http_500=1, unfinished=3),
        second(1, [30], worker="w2"),
        second(2, [], unfinished=1),
        state(1, 3),
        state(1, 2, worker="w2"),
        {"kind": "ended", "at": BEGAN + 3, "reason": "done"},
    ]
    made = result_of(profile="steady", model="closed", planned=profile.phases(), lines=lines)
    write_raw(made, tmp_path)
    return made


def test_a_row_is_a_second_of_a_request_with_all_workers_together(tmp_path: Path) -> None:
    result(tmp_path)
    first, second_row = csv.DictReader((tmp_path / "seconds.csv").read_text().splitlines())
    assert (first["second"], first["name"], first["n"], first["failed"], first["users"]) == (
        str(BEGAN + 1),
        "GET /x",
        "3",
        "1",
        "5",
    )
    assert (float(first["p50"]), float(first["max"])) == (20.095, 30.0)
    assert (second_row["n"], second_row["failed"], second_row["p95"], second_row["users"]) == ("0", "0", "", "")


def test_the_whole_result_can_be_read_again(tmp_path: Path) -> None:
    made = result(tmp_path)
    assert LoadResult.from_data(json.loads((tmp_path / "result.json").read_text())) == made
