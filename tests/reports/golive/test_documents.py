"""What the documents of a go-live must hold, each proven on a clean day and on one that something spoilt.

Criteria that the suite itself answers (`feature:`) name these tests.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from golive.judge.verdict import decide
from golive.model import Decision, Note, Status, Verdict, WatchRecord
from reports.golive import texts, write_golive_report
from reports.golive.notification import NotApproved, notification
from reports.golive.page import Views, views
from reports.golive.views.form import Mark
from reports.golive.weekly import week_of, weekly_page
from tests.watchdays import (
    CPU,
    CRITERIA,
    LOGIN,
    PEOPLE,
    ROLES,
    START,
    aborted,
    after,
    day,
    down,
    edited_run,
    the_watch,
    up,
    with_outcome,
)

HOUR, INTERVAL = timedelta(hours=1), timedelta(seconds=5)


def told(record: WatchRecord) -> tuple[Verdict, Views]:
    verdict = decide(record, now=after(record))
    seen = views(record, verdict)
    assert seen is not None
    return verdict, seen


def log_of(record: WatchRecord) -> str:
    verdict, seen = told(record)
    return texts.log_text(seen.day, seen.log, seen.form, seen.incidents, verdict, name="Warungin POS")


def letter(record: WatchRecord) -> str:
    verdict, seen = told(record)
    return notification(seen.form, verdict, name="Warungin POS", version="2.4.1")


def with_failure(record: WatchRecord | None = None) -> WatchRecord:
    """A critical criterion failed at hour 6."""
    return with_outcome(record or day(), "6h", LOGIN, Status.FAIL, "POST /api/auth/login: 500, 200 needed")


def with_outage() -> WatchRecord:
    """The API was down for a minute in hour 10."""
    record, begin = day(), START + 9 * HOUR
    end, last = begin + timedelta(minutes=1), day().probes[0].last_at
    spans = (
        up("api", START, begin - INTERVAL),
        down("api", begin, end - INTERVAL, "connection refused"),
        up("api", end, last),
        up("web", START, last),
    )
    return replace(record, probes=spans)


# The monitoring log


def test_the_log_names_the_deployment_and_the_period() -> None:
    head = log_of(day()).partition("HOUR 1")[0]
    assert "WARUNGIN POS: 24-HOUR MONITORING LOG" in head
    assert "Deployment completed: 2026-05-01 09:00 UTC" in head
    assert "Monitoring period: 2026-05-01 09:00 UTC - 2026-05-02 09:00 UTC" in head


def test_the_log_has_an_entry_for_each_hour() -> None:
    text = log_of(day())
    assert re.findall(r"^HOUR (\d+) \(", text, re.MULTILINE) == [str(hour) for hour in range(1, 25)]
    assert "HOUR 5 (13:00-14:00):" in text
    _, seen = told(day())
    assert [hour.source for hour in seen.log[3:6]] == ["checkpoint 4 h", "availability probe", "checkpoint 6 h"]


def test_an_hour_of_which_nothing_is_known_says_so() -> None:
    _, seen = told(day(until="4h", policy=None))
    assert [hour.status.value for hour in seen.log[:5]][-1] == "NO DATA"


def test_each_entry_gives_status_services_errors_and_notes() -> None:
    entries = log_of(with_failure()).partition("FINAL ASSESSMENT")[0].split("\nHOUR ")[1:]
    assert len(entries) == 24
    for entry in entries:
        assert re.search(r"^  Status: (NORMAL|EXCELLENT|WARNING|CRITICAL|NO DATA)\b", entry, re.MULTILINE), entry
        for field in ("Services", "Errors", "Notes"):
            assert re.search(rf"^  {field}: \S", entry, re.MULTILINE), entry
    assert re.search(r"Status: CRITICAL(.|\n)*login failed: POST /api/auth/login: 500", entries[5])


def test_what_people_wrote_down_stands_in_the_log() -> None:
    about = Note(at=START + 7 * HOUR, by="Ann", text="restarted the login service", checkpoint="6h")
    between = Note(at=START + 8.5 * HOUR, by="Bob", text="the night shift is quiet")
    entries = log_of(replace(with_failure(), notes=(between, about))).split("\nHOUR ")[1:]
    assert "Ann: restarted the login service" in entries[5]
    assert "Bob: the night shift is quiet" in entries[8]
    assert sum("Ann: " in entry for entry in entries) == sum("Bob: " in entry for entry in entries) == 1


def test_the_log_ends_with_an_assessment() -> None:
    def assessment(record: WatchRecord) -> str:
        return log_of(record).partition("FINAL ASSESSMENT:")[2].partition("SIGN-OFF:")[0]

    good, bad = assessment(day()), assessment(with_failure())
    for field in ("Overall status", "Uptime", "Critical issues", "Security", "Performance"):
        assert f"{field}: " in good
        assert f"{field}: " in bad
    assert "Overall status: APPROVED FOR GO-LIVE" in good
    assert "Critical issues: NONE" in good
    assert "Overall status: NOT APPROVED" in bad
    assert f"Critical issues: 1: {LOGIN}" in bad


def test_the_log_records_who_approved_and_when() -> None:
    def block(record: WatchRecord) -> str:
        return log_of(record).partition("SIGN-OFF:")[2]

    whole = block(day())
    assert "All 4 leaders approved: YES" in whole
    assert "Date approved: 2026-05-02" in whole
    assert re.search(r"Time approved: 09:\d\d UTC", whole)
    assert "GO-LIVE READY: YES" in whole
    without = block(day(signed_by=ROLES[:3]))
    assert "All 4 leaders approved: NO (3 of 4; missing: Product Manager)" in without
    assert "GO-LIVE READY: NO" in without


# The sign-off form


def test_the_form_carries_the_times_of_deployment_and_monitoring() -> None:
    _, seen = told(day())
    assert (seen.form.deployed_at, seen.form.begin) == (START, START)
    assert seen.form.ended
    assert seen.form.end - seen.form.begin >= 24 * HOUR
    _, early = told(day(until="20h"))
    assert not early.form.ended


RESULTS = (
    "Critical errors",
    "System uptime",
    "All services",
    "Security features",
    "Functionality",
    "Performance",
    "Database",
    "Logging",
)


def test_the_form_shows_the_eight_results() -> None:
    _, seen = told(day())
    assert tuple(result.name for result in seen.form.results) == RESULTS
    uptime = {r.name: r for r in seen.form.results}["System uptime"]
    assert (uptime.says, uptime.mark) == ("100 %", Mark.HOLDS)


def test_a_failure_is_never_ticked_on_the_form() -> None:
    _, seen = told(with_failure())
    functions = {r.name: r for r in seen.form.results}["Functionality"]
    assert (functions.says, functions.mark) == ("NOT ALL TESTS PASSED", Mark.FAILS)
    assert LOGIN in functions.detail
    assert not seen.form.approved
    _, seen = told(with_outage())
    uptime = {r.name: r for r in seen.form.results}["System uptime"]
    assert uptime.mark is Mark.FAILS
    assert uptime.says == "99.9305 %"
    assert "100 % not reached; 99.99 % not reached" in uptime.detail


def test_what_nobody_judged_is_never_ticked_on_the_form() -> None:
    _, seen = told(day())
    security = {r.name: r for r in seen.form.results}["Security features"]
    assert (security.says, security.mark) == ("NOT JUDGED", Mark.MISSING)


def test_the_form_says_what_issues_there_were() -> None:
    def issues(record: WatchRecord) -> tuple[int, int, int]:
        found = told(record)[1].form.issues
        return found.critical, found.open, found.resolved

    assert told(day())[1].form.issues.none
    assert issues(with_failure()) == (1, 0, 0)
    assert issues(with_outcome(day(), "6h", CPU, Status.FAIL, "91 %, below 80 % needed")) == (0, 0, 1)
    last = with_outcome(day(), "24h", CPU, Status.FAIL, "91 %, below 80 % needed")
    assert issues(last) == (0, 1, 0)


# The announcement


def test_the_announcement_has_its_subject_and_exists_only_after_approval() -> None:
    assert letter(day()).splitlines()[0] == "Subject: WARUNGIN POS GO-LIVE APPROVED"
    for record in (with_failure(), day(until="20h"), day(signed_by=ROLES[:3])):
        with pytest.raises(NotApproved, match=r"no notification: the verdict is (NO-GO|PENDING)"):
            letter(record)


def test_the_announcement_sums_up_the_day_with_computed_values() -> None:
    text = letter(day())
    summary = text.partition("Summary:")[2].partition("Next steps:")[0]
    for field in ("Critical errors", "System uptime", "Functionality", "Security features", "Approval"):
        assert f"- {field}: " in summary
    assert "System uptime: 100 %" in summary
    assert "Approval: 4 of 4 have approved" in summary
    assert all(name in summary for name in PEOPLE.values())
    # Nobody judged security in this day, and the letter may not say otherwise.
    assert "Security features: NOT JUDGED [missing]" in summary


def test_the_announcement_lists_the_next_steps() -> None:
    steps = letter(day()).partition("Next steps:")[2].strip().splitlines()
    assert [step.strip() for step in steps] == [
        "1. Tell all users that the system is live",
        "2. Begin user acceptance testing",
        "3. Monitor what users report",
        "4. Prepare the full rollout",
    ]


# The report


def test_a_go_live_report_is_made_that_holds_every_criterion(tmp_path: Path) -> None:
    record = aborted(with_failure(), "3h")
    verdict, _ = told(record)
    assert verdict.decision is Decision.NO_GO
    file = tmp_path / "golive.html"
    write_golive_report(record, verdict, file)
    page = file.read_text(encoding="utf-8")
    assert "could not be drawn" not in page
    plain = page.replace("<wbr>", "")
    for criterion in CRITERIA:
        assert criterion.id in plain, criterion.id
    for slot in the_watch(record).schedule:
        assert slot.label in plain or slot.label.replace("h", " h").replace("min", " min") in plain
    assert "NO-GO" in plain


def test_another_deployment_in_the_middle_shows_on_the_report(tmp_path: Path) -> None:
    record = edited_run(day(), "8h", target={"all/api image": "sha256:" + "9f" * 32})
    verdict, _ = told(record)
    write_golive_report(record, verdict, tmp_path / "golive.html")
    assert "the target changed" in (tmp_path / "golive.html").read_text(encoding="utf-8")


# The weekly report


def test_the_weekly_report_covers_seven_days_and_says_what_failed() -> None:
    record = with_failure()
    now = START + timedelta(days=4)
    page = weekly_page(
        week_of(record.runs, now), record.criteria, system="warungin", environment="demo", says="Warungin POS, live"
    ).replace("<wbr>", "")
    for days_ago in range(7):
        assert f"{now - timedelta(days=7 - days_ago):%a %m-%d}" in page
    assert "1 criterion failed or could not be looked at" in page
    assert "POST /api/auth/login: 500, 200 needed" in page
    assert LOGIN in page
    assert "missed" in page


def test_a_run_of_the_week_before_is_no_part_of_it() -> None:
    week = week_of(day().runs, START + timedelta(days=9))
    assert week.runs == ()
    page = weekly_page(week, CRITERIA, system="warungin", environment="demo", says="")
    assert "Nothing was looked at" in page
