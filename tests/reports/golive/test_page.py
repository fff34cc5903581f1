"""The page: complete, well formed, readable without a script, and nothing in it can act."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from golive.judge.verdict import decide
from golive.model import Decision, Measurement, Note, Reason, Status, Verdict, Waiver, WatchRecord
from reports.golive import page as page_module
from reports.golive import write_golive_report
from reports.golive.page import MOST_INCIDENTS, Around, page
from tests import watchdays as days
from tests.reports.golive import warungin

INLINE = {"a", "b", "code", "span", "strong", "wbr"}
VOID = {"meta", "br", "wbr", "rect", "line", "circle", "path"}
HOSTILE = (
    "</style></svg></td><script>alert(1)</script><img src=//evil.example/x onerror=alert(1)>"
    "\x1b[2J\x1b]0;x\x07\u202egnp.exe\u2028 {{ 7*7 }} " + "A" * 5_000
)


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.said: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._space(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._space(tag)
        if tag not in VOID:
            assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.said.append(data)

    def _space(self, tag: str) -> None:
        if tag not in INLINE:
            self.said.append(" ")

    @property
    def text(self) -> str:
        return " ".join("".join(self.said).split())

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def drawn(record: WatchRecord, *, verdict: Verdict | None = None, around: Around | None = None) -> Page:
    return Page(page(record, verdict or decide(record, now=days.after(record)), around or Around()))


ABOUT = Around(says="Warungin POS, production", contacts=warungin.CONTACTS, baseline_name="2.4.0")


# The top


def test_the_verdict_and_every_reason_stand_on_top() -> None:
    record = warungin.troubled()
    verdict = decide(record, now=days.after(record))
    found = drawn(record, around=ABOUT)
    assert "Warungin POS on prod · go-live report NO-GO" in found.text
    top = found.text.partition("Timeline Measurements")[0]
    assert verdict.forecast in top
    for reason in verdict.reasons:
        assert reason.text in top, reason.text
    assert top.index("Cannot be mended 7") < top.index("Still open 1")
    assert ("title", {}) in found.tags
    assert "Warungin POS on prod: NO-GO" in found.text


def test_a_clean_day_is_go_without_any_reason() -> None:
    text = drawn(warungin.clean(), around=ABOUT).text
    assert "go-live report GO Warungin POS, production" in text
    assert "Cannot be mended" not in text
    assert "Still open" not in text
    assert "No criterion failed, none was left unseen, and nothing was down." in text


def test_a_trial_is_marked_wherever_it_could_be_taken_for_more() -> None:
    record = warungin.clean(time_scale=240.0)
    found = drawn(record)
    assert "GO trial" in found.text
    assert "This is a trial. Time ran 240 times as fast as the clock" in found.text
    assert "proves nothing about 24 hours of operation" in found.text
    assert "Trial: this form shows what would be signed. It releases nothing." in found.text
    assert "(trial)" in found.text.partition("go-live report")[0]  # the title


def test_an_override_is_told_with_the_reasons_it_accepts() -> None:
    record = days.with_override(days.with_signatures(warungin.troubled(), days.ROLES))
    verdict = decide(record, now=days.after(record))
    assert verdict.decision is Decision.GO
    text = drawn(record).text
    assert "GO by override" in text
    assert "Accepted by Dewi Lestari (Product Manager) until 2026-05-03 09:05:00 UTC: the old system is worse." in text
    assert "checkpoint 8h was missed" in text
    assert "YES NO by override of Dewi Lestari (Product Manager)" in text


def test_milestones_facts_and_contacts_are_told() -> None:
    text = drawn(warungin.clean(until="6h"), around=ABOUT).text
    for said in (
        "stable up to 4 h: reached",
        "very stable up to 12 h: open",
        "Version 2.4.1",
        "Hour 0 2026-05-01 09:00:00 UTC",
        "Last checkpoint due 2026-05-02 09:00:00 UTC",
        "Checkpoints 6 of 12 held in time and whole",
        "Time passed as the clock goes",
        "What was deployed: 4 parts",
        "all/api image sha256:1a2b1a2b1a2b",
        "QA Lead Ratna Wijaya +62 21 555 0101 qa@warungin.example",
    ):
        assert said in text, said


def test_a_watch_that_replaced_another_and_was_closed_says_so() -> None:
    record = days.with_watch(
        warungin.clean(),
        replaces="demo-1",
        reason="memory was added",
        closed_at=days.START + timedelta(hours=25),
        closed_because="a new deployment of 2.5.0",
    )
    text = drawn(record).text
    assert "Begun anew memory was added" in text
    assert "Closed 2026-05-02 10:00:00 UTC: a new deployment of 2.5.0" in text


def test_without_a_watch_there_are_the_reasons_and_nothing_more() -> None:
    record = replace(warungin.clean(), watch=None, runs=())
    found = drawn(record, verdict=decide(record, now=days.START))
    assert "PENDING" in found.text
    assert "no watch of prod has begun" in found.text
    assert found.named("main") == []


# What is in it


def test_every_section_and_every_criterion_is_there() -> None:
    record = warungin.troubled()
    found = drawn(record, around=ABOUT)
    ids = {attrs["id"] for _, attrs in found.tags if attrs.get("id")}
    assert {"timeline", "measurements", "availability", "incidents", "log", "signoff", "records", "criteria"} <= ids
    for criterion in record.criteria:
        assert criterion.id in found.text, criterion.id
    for slot in days.SCHEDULE:
        assert f"at-{slot.label}" in ids


@pytest.mark.parametrize(
    "said",
    [
        "held ✓on time",
        "Mmissed",
        "health at 16 h: 1 fail, 5 pass",
        "logging at 8 h: 4 criteria were not judged",
        "daily totals warungin.performance.db-query-time",
        "rises 1.34 % per hour",
        "below 80 %, warning at 70 %, baseline 39 %",
        "web 99.7743 % ✕ 100 % not reached (this one counts) ✕ 99.99 % not reached",
        "api 100 % ? 100 % not proven (this one counts) ? 99.99 % not proven 56 s unseen",
        "down 2026-05-01 22:25:12 UTC, for 3 min 15 s: GET /index.html answered 502",
        "Sari Hartono: Added the missing index",
        "Agus Pratama (16 h): Worker was killed for want of memory",
        "warungin.functionality.login at 3 h: first fail (POST /api/auth/login answered 502)",
        "Old test stores were purged before the release, up to 20; by Rina Wijaya",
        "The rollback was rehearsed warungin.material.rollback-rehearsed DevOps affirmed: Agus Pratama",
        "HOUR 16 00:00-01:00 CRITICAL 7/8 UP 2 critical",
        "Overall status NOT APPROVED (NO-GO: 8 reasons stand against it)",
        "All 4 leaders approved NO (2 of 4; missing: Security Lead, Product Manager)",
        "All services NOT OPERATIONAL 7/8 UP at 16 h",
        "☐ No issues ☒ Minor issues (resolved): 2 ☒ Critical issues (to be escalated): 3",
        "QA Lead Ratna Wijaya 2026-05-02 09:05:00 UTC SHA256:QALead",
        "Security Lead not signed",
        "Approved for GO-LIVE YES NO NO-GO: 8 reasons stand against it",
        "6 of 12 · 6 h on time · ✕ 1 fail",
        "Ready for the next no: 1 criterion failed",
        "DB query time 812 ms below 500 ms, 3 samples",
        "Action taken 2026-05-01 15:24:00 UTC, Sari Hartono",
        "aborted: SIGTERM was received",
    ],
)
def test_a_troubled_day_is_told_in_full(said: str) -> None:
    baseline = {("warungin.health.memory", "memory", "%"): 39.0}
    text = drawn(warungin.troubled(), around=replace(ABOUT, baseline=baseline)).text
    assert said in text


def test_the_chosen_answer_is_marked_and_the_other_is_not() -> None:
    for record, chosen in ((warungin.clean(), "YES"), (warungin.troubled(), "NO")):
        text = page(record, decide(record, now=days.after(record)), Around())
        assert re.findall(r'<b class="chosen">(\w+)</b>', text) == [chosen]


def test_no_box_is_ticked_before_the_watch_is_over() -> None:
    text = drawn(warungin.clean(until="6h")).text
    assert "☐ No issues so far ☐ Minor issues (resolved) ☐ Critical issues" in text
    assert "☒" not in text


def test_a_target_that_changed_is_a_reason() -> None:
    record = days.edited_run(warungin.clean(), "8h", target={**days.TARGET, "all/api image": "sha256:" + "ff00" * 16})
    assert "all/api image changed from sha256:1a2b1a2b1a2b to sha256:ff00ff00ff00" in drawn(record).text


# How it is made


def test_the_page_is_accessible_and_its_links_lead_somewhere() -> None:
    found = drawn(warungin.troubled(), around=ABOUT)
    assert found.named("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in found.named("meta")
    ids = [attrs["id"] for _, attrs in found.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))
    for attrs in found.named("a"):
        target = attrs["href"] or ""
        assert target.startswith(("#", "tel:", "mailto:"))
        assert not target.startswith("#") or target[1:] in ids, target
    assert all(svg["role"] == "img" and svg["aria-label"] for svg in found.named("svg"))
    assert all(th.get("scope") in ("col", "row") for th in found.named("th"))
    for attrs in found.named("section"):
        assert attrs.get("aria-label") or attrs["aria-labelledby"] in ids
    assert len(found.named("h1")) == 1
    assert len(found.named("main")) == 1


def test_nothing_is_fetched_and_nothing_runs() -> None:
    text = page(warungin.troubled(), decide(warungin.troubled(), now=days.after(warungin.troubled())), ABOUT)
    found = Page(text)
    assert found.named("script") == []
    assert not any(name.startswith("on") or name in ("src", "srcset") for _, attrs in found.tags for name in attrs)
    assert not re.search(r"url\(|@import|https?://", text)
    policy = next(m["content"] or "" for m in found.named("meta") if m.get("http-equiv"))
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy


def test_colour_is_never_the_only_sign() -> None:
    found = drawn(warungin.troubled())
    cells = [attrs for attrs in found.named("td") if (attrs.get("class") or "").startswith("c-")]
    assert all(attrs.get("title") for attrs in cells if attrs["class"] != "c-none")
    assert {"✕", "?", "!", "~", "✓", "∅"} <= set(found.text)


def test_hostile_text_is_shown_and_never_acts() -> None:
    record = warungin.clean(until="6h")
    watch = replace(days.the_watch(record), target={HOSTILE: HOSTILE}, reason=HOSTILE, replaces=HOSTILE)
    waiver = Waiver(criterion=HOSTILE, reason=HOSTILE, approver=HOSTILE, risk=HOSTILE, expires=days.START)
    record = warungin.changed(
        record, "6h", "health.cpu", status=Status.FAIL, message=HOSTILE, says=HOSTILE,
        measurements=(Measurement(name=HOSTILE, value=1.0, unit=HOSTILE, critical=0.5),),
    )  # fmt: skip
    record = replace(
        record,
        watch=watch,
        criteria=tuple(replace(c, says=HOSTILE) for c in record.criteria),
        waivers=(waiver,),
        signatures=(days.signature(record, "QA Lead", name=HOSTILE, key=HOSTILE, problem=HOSTILE),),
        attestations=tuple(replace(a, by=HOSTILE, note=HOSTILE) for a in record.attestations),
        notes=(Note(at=days.START, by=HOSTILE, text=HOSTILE, criterion="warungin.health.cpu"),),
        probes=(days.down("api", days.START, days.at_hour(record, 1), HOSTILE),),
        runs=tuple(replace(run, aborted=HOSTILE if run.checkpoint == "1h" else None) for run in record.runs),
    )
    verdict = decide(record, now=days.after(record))
    verdict = replace(
        verdict, forecast=HOSTILE, reasons=(Reason(kind="x", decision=Decision.NO_GO, text=HOSTILE), *verdict.reasons)
    )
    around = Around(
        says=HOSTILE, contacts=[(HOSTILE,) * 4], baseline_name=HOSTILE, made_with={HOSTILE: HOSTILE},
        baseline={("warungin.health.cpu", HOSTILE, HOSTILE): 1.0},
    )  # fmt: skip
    text = page(record, verdict, around)
    found = Page(text)
    assert found.named("script") == []
    assert found.named("img") == []
    assert not any("evil" in (attrs.get("src") or attrs.get("href") or "") for t, attrs in found.tags if t != "a")
    assert all((attrs["href"] or "").startswith(("#", "tel:", "mailto:")) for attrs in found.named("a"))
    for acting in ("\x1b", "\x07", "\u202e", "\u2028"):
        assert acting not in text
    assert "\\x1b[2J" in found.text
    assert "\\u202e" in found.text
    assert "{{ 7*7 }}" in found.text
    assert len(text) < 900_000


def test_a_thousand_incidents_do_not_fill_the_page() -> None:
    criteria = days.many(MOST_INCIDENTS + 50)
    record = days.day(criteria=criteria, until="2h")
    record = days.edited_run(
        record,
        "2h",
        outcomes=tuple(
            replace(o, status=Status.FAIL, message=f"broken {n}")
            for n, o in enumerate(next(r for r in record.runs if r.checkpoint == "2h").outcomes)
        ),
    )
    found = drawn(record)
    assert f"Incidents {MOST_INCIDENTS + 50}" in found.text
    assert "50 more; each is marked in the list of criteria" in found.text
    assert all(criterion.id in found.text for criterion in criteria)


# Into a file


def test_the_report_is_written_whole(tmp_path: Path) -> None:
    record, path = warungin.clean(), tmp_path / "demo" / "golive.html"
    write_golive_report(record, decide(record, now=days.after(record)), path, says="Warungin POS, production")
    found = Page(path.read_text(encoding="utf-8"))
    assert "Warungin POS on prod" in found.text
    assert "golive 0." in found.text
    assert [file.name for file in path.parent.iterdir()] == ["golive.html"]


def test_a_page_that_cannot_be_drawn_costs_neither_the_verdict_nor_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> str:
        raise ZeroDivisionError("<b>division</b> by zero")

    monkeypatch.setattr("reports.golive.write.page", broken)
    record, path = warungin.troubled(), tmp_path / "golive.html"
    verdict = decide(record, now=days.after(record))
    write_golive_report(record, verdict, path)
    found = Page(path.read_text(encoding="utf-8"))
    assert "This report could not be drawn: ZeroDivisionError: <b>division</b> by zero" in found.text
    assert "The verdict is NO-GO." in found.text
    assert verdict.reasons[0].text in found.text
    assert found.named("b") == []


def test_a_place_that_cannot_be_written_is_an_oserror(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    record = warungin.clean()
    with pytest.raises(OSError):  # noqa: PT011 - which one depends on the system
        write_golive_report(record, decide(record, now=days.after(record)), tmp_path / "file" / "golive.html")


def test_the_same_watch_gives_the_same_page() -> None:
    record = warungin.troubled()
    verdict = decide(record, now=days.after(record))
    shuffled = replace(record, runs=tuple(reversed(record.runs)), criteria=tuple(reversed(record.criteria)))
    assert page_module.page(record, verdict, ABOUT) == page_module.page(shuffled, verdict, ABOUT)
