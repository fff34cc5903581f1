"""report.html: what it tells, in which order, and that nothing in it can act."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from golive.model import Evidence, Measurement, RunRecord, Status
from golive.targets.hosts.cost import Cost
from reports import html
from reports.collector import Collector
from tests.reports.conftest import Tell
from tests.reports.emulation import STARTED, info
from tests.reports.samples import cpu, many, one_of_each, outcome

pytest_plugins = ["pytester"]

VOID = {"meta", "link", "input", "img", "br", "source", "rect"}
HOSTILE = (
    "</pre></td><script>alert(1)</script><img src=//evil.example/x onerror=alert(1)>\x1b[2J\x1b]0;x\x07\u202egnp.exe"
)


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script", "template"):
            self.text += f"{data} "

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def body(tmp_path: Path, *outcomes: object, aborted: str | None = None, selected: int = 0, ended: int = 0) -> str:
    collector = Collector(info(tmp_path))
    collector.aborted = aborted
    record = collector.record()
    said = {name: getattr(record, name) for name in ("run", "environment", "system", "started_at", "deployment")}
    record = RunRecord(**said, aborted=aborted, outcomes=outcomes)  # type: ignore[arg-type]
    return html.body(record, collector.info, html.Told(selected=selected, ended=ended))


def test_what_watching_costs_is_told_for_each_host_and_together(tmp_path: Path) -> None:
    collector = Collector(info(tmp_path))
    cost = Cost(connections=1, commands=3, bytes_sent=1200, bytes_received=9_800_000, seconds=75.0)
    told = html.Told(costs={"app<script>": cost, "web": cost})
    text = Page(html.body(collector.record(), collector.info, told).partition("<script>")[0]).text
    words = " ".join(text.split())
    assert "What watching costs the watched Host Connections Commands Sent Received Time" in words
    assert "app<script> 1 3 1.2 kB 9.8 MB 1 min 15 s" in words
    assert "together 2 6 2.4 kB 19.6 MB 2 min 30 s" in words
    none = html.body(collector.record(), collector.info, html.Told())
    assert "What watching costs" not in none


def test_the_worst_comes_first_and_within_it_the_heaviest(tell: Tell) -> None:
    page = tell([*one_of_each(), outcome("warungin.z.low", "fail", severity="low")]).page
    order = [
        "warungin.security.store-authorization",
        "warungin.z.low",
        "warungin.database.blocked",
        "warungin.health.memory",
        "warungin.backup.size",
        "warungin.people.trained",
        "warungin.infra.kubernetes",
        "warungin.health.cpu",
    ]
    places = [page.index(f'<code class="id">{name}</code>') for name in order]
    assert places == sorted(places)


def test_the_top_tells_what_was_found_where_and_of_what(tell: Tell) -> None:
    text = " ".join(Page(tell(one_of_each(), "--unanswered=58").page).text.split())
    for said in (
        "warungin on staging",
        "1 criterion failed, 1 unknown",
        "The staging system, two stores with test data",
        "1 Failed 1 Unknown 1 Warnings 1 Waived 1 Attested 1 Not applicable 1 Passed",
        "Version 2.4.1",
        "2026-11-20 17:52:05 UTC, 3 h 12 min before this run",
        "Started 2026-11-20 21:04:05 UTC",
        "Selection checkpoint",
        "58 criteria of this environment",
        "QA Lead Ayu Lestari +62 812 3456 789 ayu@example.com",
    ):
        assert said in text, said
    assert " GO" not in text


@pytest.mark.parametrize("status", list(Status))
def test_each_outcome_is_told_with_its_word_sentence_severity_and_message(tell: Tell, status: Status) -> None:
    found = next(o for o in one_of_each() if o.status is status)
    text = Page(tell([found]).page).text
    word = {"not_applicable": "N/A"}.get(status.value, status.value.upper())
    for said in (word, found.criterion, found.says, found.severity.value, found.message):
        assert said in text, said


def test_a_page_title_says_what_was_found(tell: Tell) -> None:
    assert (
        '<title id="head-title">warungin on staging: 1 criterion failed, 1 unknown</title>' in tell(one_of_each()).page
    )


def test_the_page_is_well_formed_and_accessible(tell: Tell) -> None:
    page = Page(tell(many(12), "--unanswered=3").page)
    assert page.open == []
    assert page.named("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.named("meta")
    ids = [attrs["id"] for _, attrs in page.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))
    for attrs in page.named("section"):
        assert attrs["aria-labelledby"] in ids
    ours = [
        th for th in page.named("th") if th and "data-column-type" not in th
    ]  # the others are pytest-html's, hidden
    assert ours
    assert all(th.get("scope") in ("col", "row") for th in ours)
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in page.named("svg"))
    assert all(b.get("type") == "button" for b in page.named("button") if b.get("id") == "fold")
    assert len(page.named("main")) == 1
    for attrs in page.named("a"):
        target = attrs["href"] or ""
        assert not target.startswith("#") or target[1:] in ids


def test_nothing_is_fetched(tell: Tell) -> None:
    told = tell(many(12))
    page = Page(told.page)
    for tag, attrs in page.tags:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            value = attrs.get(name) or ""
            assert not re.match(r"(https?:|//|file:)", value) or (tag == "a"), (tag, value)
    assert not re.search(r"url\(\s*['\"]?(https?:|//)|@import", told.page)
    assert "default-src 'none'" in told.page
    assert {path.name for path in told.directory.iterdir()} == {"report.html", "results.json", "junit.xml"}


def test_hostile_text_is_shown_and_never_acts(tell: Tell) -> None:
    nasty = outcome(
        "warungin.a.a",
        "fail",
        message=HOSTILE,
        says=HOSTILE,
        check=HOSTILE,
        evidence=(Evidence(title=HOSTILE, text=HOSTILE + "\n" + "A" * 1_000_000),),
        measurements=(cpu(91.0, name=HOSTILE, unit=HOSTILE),),
        runbook={"when_it_fails": HOSTILE},
    )
    told = tell([nasty])
    page = Page(told.page)
    assert page.open == []
    assert all("onerror" not in attrs for _, attrs in page.tags)
    assert not any("evil" in (attrs.get("src") or "") for _, attrs in page.tags)
    assert len(page.named("script")) == 1
    for acting in ("\x1b", "\x07", "\u202e"):
        assert acting not in told.page
    assert "\\x1b[2J" in page.text
    assert "\\u202e" in page.text
    assert len(told.page) < 200_000


def test_the_script_and_rows_of_pytest_html_are_left_out_when_they_tell_nothing(tell: Tell) -> None:
    page = tell(one_of_each()).page
    assert "data-jsonblob" not in page
    assert "CUSTOM CSS" not in page


def test_what_is_no_criterion_keeps_its_row_in_the_table_of_pytest_html(tell: Tell, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        test_plain="def test_breaks(): assert 1 == 2",
        test_broken="import no_such_module",
    )
    told = tell(one_of_each(), "--continue-on-collection-errors")
    text = Page(told.page).text
    assert "Also in this session 2" in " ".join(text.split())
    assert "Besides the criteria, 2 tests failed or could not be collected" in " ".join(text.split())
    assert "data-jsonblob" in told.page
    assert "test_breaks" in told.page
    assert "no_such_module" in told.page
    assert told.page.count("warungin.health.cpu</code>") == 1


def test_an_aborted_run_says_so_on_top(tmp_path: Path) -> None:
    text = " ".join(
        Page(body(tmp_path, *one_of_each(), aborted="SIGTERM was received", selected=133, ended=7)).text.split()
    )
    assert "Aborted: 1 criterion failed, 1 unknown" in text
    assert "The run was aborted: SIGTERM was received. 7 of 133 selected tests had ended." in text


def test_details_are_open_only_while_few_criteria_block(tmp_path: Path) -> None:
    few = body(tmp_path, *(outcome(f"warungin.a.a{i}", "fail") for i in range(10)))
    lots = body(tmp_path, *(outcome(f"warungin.a.a{i}", "fail") for i in range(11)))
    assert few.count("<details open>") == 10
    assert lots.count("<details open>") == 0
    assert lots.count("<details>") == 11


def test_measurements_beyond_three_are_in_the_details_with_the_broken_one_first(tmp_path: Path) -> None:
    values = [cpu(value, name=f"core {i}") for i, value in enumerate((10.0, 20.0, 30.0, 40.0, 95.0))]
    page = body(tmp_path, outcome("warungin.a.a", "fail", measurements=tuple(values)))
    places = [page.index(f">core {i}<") for i in (4, 0, 1, 2, 3)]
    assert places == sorted(places)
    assert page.index("Further measurements") < page.index(">core 2<")


def test_a_measurement_without_limits_has_no_bar_but_its_value(tmp_path: Path) -> None:
    page = body(tmp_path, outcome("warungin.a.a", measurements=(Measurement(name="keys", value=17, unit="keys"),)))
    assert "17 keys" in page
    assert "<svg" not in page


def test_runbooks_show_commands_as_code(tmp_path: Path) -> None:
    page = body(tmp_path, outcome("warungin.a.a", "fail", runbook={"when_it_fails": "Run `ls <x>` there."}))
    assert "Run <code>ls &lt;x&gt;</code> there." in page


def test_a_page_that_cannot_be_drawn_does_not_cost_the_results(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object) -> str:
        raise ZeroDivisionError("drawn beyond the edge")

    monkeypatch.setattr(html, "body", broken)
    told = tell(one_of_each())
    assert told.result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert "results.json" in told.page
    assert len(told.results["outcomes"]) == 7
    told.result.stdout.fnmatch_lines(["report.html could not be drawn: ZeroDivisionError: drawn beyond the edge"])


def test_credentials_of_ci_variables_are_not_told(
    tell: Tell, monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester
) -> None:
    monkeypatch.setenv("GITLAB_CI", "true")
    monkeypatch.setenv("GIT_URL", "https://user:glpat-token@git.example.com/x")
    monkeypatch.setenv("BUILD_URL", "https://ci.example.com/secret-build")
    pytester.makepyfile(test_plain="def test_breaks(): assert 1 == 2")
    told = tell(one_of_each(), "-v")
    for text in (told.page, told.junit, told.result.stdout.str()):
        assert "glpat-token" not in text
        assert "secret-build" not in text


def test_times_in_the_page_say_their_zone(tmp_path: Path) -> None:
    assert f"{STARTED:%Y-%m-%d %H:%M:%S} UTC" in body(tmp_path, outcome("warungin.a.a"))


def test_contacts_stand_at_the_head_of_the_report(tell: Tell) -> None:
    text = Page(tell(one_of_each()).page).text
    first = min(text.index(outcome.criterion) for outcome in one_of_each())
    for said in ("QA Lead", "Ayu Lestari", "+62 812 3456 789", "ayu@example.com"):
        assert said in text[:first]
