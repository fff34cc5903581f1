"""The load in what a session leaves behind: report.html, results.json and the last lines of the terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from golive.judge.load.result import LoadResult
from tests.reports.conftest import Tell
from tests.reports.emulation import SECRET
from tests.reports.load.samples import ORDERS, day, nothing, queued
from tests.reports.samples import one_of_each, outcome
from tests.reports.test_html import Page

pytest_plugins = ["pytester"]

HOSTILE = "</text></svg></td><script>alert(1)</script><img src=//evil.example/x onerror=alert(1)>\x1b[2J\u202egnp.exe"
LOADS: dict[str, LoadResult] = {
    "normal": day(),
    "tail": day(slow=0.02),
    "stopped": replace(day(12, stopped="60 % failed"), workers={"w1": "quit", "w2": "lost"}),
    "seconds": day(2),
    "nothing": nothing(),
    "open": queued(),
    "hostile": replace(
        day(4, names=[HOSTILE, ORDERS]), problems=(HOSTILE,), stopped=HOSTILE, samples={f"cpu {HOSTILE}": [[1e9, 1]]}
    ),
}


@pytest.mark.parametrize("name", LOADS)
def test_the_section_is_well_formed_accessible_and_inert(tell: Tell, name: str) -> None:
    told = tell([outcome("shop.load.p95")], loads={name: LOADS[name]})
    page = Page(told.page)
    assert page.open == []
    assert {"aria-labelledby": f"load-{name}", "class": "group load"} in page.named("section")
    ids = [attrs["id"] for _, attrs in page.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in page.named("svg"))
    bare = Page(tell([outcome("shop.load.p95")]).page)
    assert [page.named(tag) for tag in ("script", "img")] == [bare.named(tag) for tag in ("script", "img")]
    assert all("onerror" not in attrs for _, attrs in page.tags)
    assert "\x1b" not in told.page
    assert "\u202e" not in told.page


def test_a_hostile_name_is_shown_as_text(tell: Tell) -> None:
    told = tell([outcome("shop.load.p95")], loads={"hostile": LOADS["hostile"]})
    assert "<script>alert(1)</script>" in Page(told.page).text
    assert r"\x1b[2J\u202egnp.exe" in Page(told.page).text
    assert "\x1b[2J" not in told.result.stdout.str()


def test_each_profile_has_a_section_that_the_top_leads_to(tell: Tell) -> None:
    page = Page(tell(one_of_each(), loads={"steady": day(), "open": queued()}).page)
    links = [attrs["href"] for attrs in page.named("a")]
    assert "#load-open" in links
    assert "#load-steady" in links
    text = " ".join(page.text.split())
    assert "Load steady 4515 requests in 45.0 s" in text
    assert "By phase" in text
    assert text.index("Passed") < text.index("Load open"), "first the criteria, then what the load was like"


def test_results_hold_the_numbers(tell: Tell) -> None:
    told = tell([outcome("shop.load.p95")], loads={"steady": day()})
    assert told.results["load"]["steady"]["total"]["requests"] == 4515
    assert told.results["schema"] == 1


def test_the_terminal_has_a_line_for_each_load(tell: Tell) -> None:
    result = tell([outcome("shop.load.p95")], loads={"steady": day(), "open": queued()}).result
    result.stdout.fnmatch_lines(["load open: 1200 requests in 30.0 s, 40/s, p95 *", "load steady: 4515 requests in *"])


def test_without_a_load_nothing_is_told_of_it(tell: Tell) -> None:
    told = tell(one_of_each())
    assert told.results["load"] == {}
    assert "By phase" not in told.page
    assert ".load" not in told.page, "nor its style"
    told.result.stdout.no_fnmatch_line("load *:*")


def test_a_secret_in_a_load_is_masked_everywhere(tell: Tell) -> None:
    leaking = replace(day(5, names=[f"GET /?key={SECRET}"]), problems=(f"it said {SECRET}",), stopped=SECRET)
    told = tell([outcome("shop.load.p95")], loads={"steady": leaking})
    for file in told.directory.iterdir():
        assert SECRET not in file.read_text(encoding="utf-8"), file.name
    assert SECRET not in told.result.stdout.str()
    assert "GET /?key=••••" in told.results["load"]["steady"]["requests"]


def test_loads_that_cannot_be_told_cost_no_outcome_and_are_no_success(tell: Tell) -> None:
    told = tell([outcome("shop.load.p95")], "--loads=nowhere.json")
    assert told.result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert [one["outcome"] for one in told.results["outcomes"]] == ["pass"]
    told.result.stdout.fnmatch_lines(["the loads could not be told: FileNotFoundError: *"])
    assert "shop.load.p95" in told.page


def test_the_page_of_a_load_is_small(tell: Tell) -> None:
    names = [f"GET /api/{n}" for n in range(40)]
    bare, full = tell([outcome("shop.a.b")]), tell([outcome("shop.a.b")], loads={"steady": day(names=names)})
    assert len(full.page) - len(bare.page) < 200_000
