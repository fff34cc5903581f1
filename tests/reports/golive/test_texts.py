"""Markdown for a ticket, the announcement, and what hostile text does to them: nothing."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from golive.model import Decision, Status, WatchRecord
from reports.golive.notification import NotApproved, notification, system_name
from reports.golive.texts import log_text, markdown
from tests import watchdays as days
from tests.reports.golive import warungin
from tests.reports.golive.conftest import seen

HOSTILE = "a | b\n# c `d` *e* [f](http://g) <h> @team #12 \x1b[2J\u202e" + "x" * 9_000


def told(record: WatchRecord) -> str:
    verdict, views = seen(record)
    return markdown(verdict, views.day, views.records, views.form)


def letter(record: WatchRecord) -> str:
    verdict, views = seen(record)
    return notification(views.form, verdict, name="Warungin POS", version="2.4.1")


# Markdown


def test_a_ticket_gets_the_verdict_the_reasons_the_checkpoints_and_who_signed() -> None:
    text = told(warungin.troubled())
    lines = text.splitlines()
    assert lines[0] == "## NO-GO"
    assert "- **NO-GO** checkpoint 8h was missed: no run began within 15 min after it was due" in lines
    assert "- **PENDING** not signed by the Security Lead and the Product Manager (2 of 4 signatures)" in lines
    assert "| 6 h | on time, 2026-05-01 15:01 UTC | 1 | 0 | 0 | 1 | 30 | 8/8 UP |" in lines
    assert "| 8 h | missed |  |  |  |  |  |  |" in lines
    assert "| Performance | **NO** | NOT ACCEPTABLE: warungin.performance.db-query-time failed at 6 h |" in lines
    assert "- QA Lead: signed by Ratna Wijaya, 2026-05-02 09:05 UTC, key `SHA256:QALead`" in lines
    assert "- Security Lead: not signed" in lines
    assert len(lines) < 60


def test_a_trial_and_an_override_are_told_first() -> None:
    assert told(warungin.clean(time_scale=240.0)).startswith("## GO (TRIAL: time was compressed")
    record = days.with_override(days.with_signatures(warungin.troubled(), days.ROLES))
    assert "Accepted by Dewi Lestari (Product Manager) until 2026-05-03 09:05 UTC: the old system is worse" in told(
        record
    )


def test_many_reasons_are_counted() -> None:
    record = warungin.clean()
    for n, label in enumerate(("1h", "2h", "3h", "4h", "6h", "8h", "10h", "12h", "16h", "20h", "24h")):
        for m, criterion in enumerate(("health.cpu", "health.memory")):
            record = warungin.changed(record, label, criterion, status=Status.FAIL, message=f"broken {n} {m}")
    assert re.search(r"^- and \d+ more$", told(record), re.MULTILINE) or told(record).count("- **NO-GO**") <= 12


def test_hostile_text_stays_text() -> None:
    record = warungin.changed(warungin.clean(), "6h", "health.cpu", status=Status.FAIL, message=HOSTILE)
    bad = days.signature(record, "QA Lead", name=HOSTILE, key=HOSTILE, problem=HOSTILE)
    record = replace(record, signatures=(bad, *record.signatures[1:]))
    verdict, views = seen(record)
    text = markdown(verdict, views.day, views.records, views.form)
    for acting in ("\x1b", "\u202e", "<h>", "@team", "#12", "\n# c", " | b", "[f]("):
        assert acting not in text, acting
    assert all(line.count("|") in (0, 4, 9) for line in text.splitlines() if line.startswith("|"))
    assert max(map(len, text.splitlines())) < 1_500
    log = log_text(views.day, views.log, views.form, views.incidents, verdict, name="Warungin POS")
    assert "\x1b" not in log
    assert max(map(len, log.splitlines())) < 500


# The announcement


def test_the_announcement_tells_an_override_and_what_it_accepted() -> None:
    record = days.with_override(days.with_signatures(warungin.troubled(), days.ROLES))
    text = letter(record)
    assert "Approved by override of Dewi Lestari (Product Manager) until 2026-05-03 09:05 UTC: the old system" in text
    assert "accepted: checkpoint 8h was missed" in text
    assert "Critical errors: 2 [fails]" in text


def test_the_announcement_of_a_trial_says_that_it_is_one() -> None:
    text = letter(warungin.clean(time_scale=240.0))
    assert text.startswith("Subject: WARUNGIN POS GO-LIVE APPROVED (TRIAL)\n")
    assert "it proves nothing about a whole watch" in text


def test_a_refusal_is_one_line_with_the_number_of_reasons() -> None:
    with pytest.raises(NotApproved) as refused:
        letter(warungin.troubled())
    assert str(refused.value) == "no notification: the verdict is NO-GO, 8 reasons stand against it"


@pytest.mark.parametrize(
    ("says", "name"),
    [
        ("Warungin POS, the embedded demo", "Warungin POS"),
        ("Warungin POS", "Warungin POS"),
        ("", "warungin"),
        (" , x", "warungin"),
        ("A\x1b[2J\nB, x", "A\\x1b[2J B"),
    ],
)
def test_a_system_is_called_what_its_environment_says(says: str, name: str) -> None:
    assert system_name("warungin", says) == name


def test_only_the_verdict_decides() -> None:
    verdict, views = seen(warungin.clean())
    assert views.form.approved
    with pytest.raises(NotApproved):
        notification(views.form, replace(verdict, decision=Decision.PENDING), name="x")
