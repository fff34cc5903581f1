"""The sign-off form: each field from the records, nothing ticked that does not hold, and who signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from golive.model import Attestation, ProbePolicy, SignOff, Status, WatchRecord
from reports.golive.views.form import Form, Mark, Result
from reports.golive.views.people import Signatory, affirmations
from tests import watchdays as days
from tests.reports.golive import warungin
from tests.reports.golive.conftest import looked_at, seen
from tests.watchdays import ROLES, at_hour


def form_of(record: WatchRecord) -> Form:
    return seen(record)[1].form


def results(record: WatchRecord) -> dict[str, Result]:
    return {result.name: result for result in form_of(record).results}


def people(record: WatchRecord) -> dict[str, Signatory]:
    return {person.role: person for person in form_of(record).people}


# Results


def test_on_a_clean_day_all_eight_hold() -> None:
    found = results(warungin.clean())
    assert [(r.name, r.says, r.mark) for r in found.values()] == [
        ("Critical errors", "0", Mark.HOLDS),
        ("System uptime", "100 %", Mark.HOLDS),
        ("All services", "Operational", Mark.HOLDS),
        ("Security features", "Verified", Mark.HOLDS),
        ("Functionality", "All tests passed", Mark.HOLDS),
        ("Performance", "Acceptable", Mark.HOLDS),
        ("Database", "Healthy", Mark.HOLDS),
        ("Logging", "All clean", Mark.HOLDS),
    ]
    assert found["Critical errors"].detail == "counted over all the time since the deployment"
    assert found["All services"].detail == "8/8 UP at 12 looks; 3 criteria at 12 checkpoints"


@pytest.mark.parametrize(
    ("name", "criterion", "says"),
    [
        ("Security features", "security.store-authorization", "NOT VERIFIED"),
        ("Functionality", "functionality.reports", "NOT ALL TESTS PASSED"),
        ("Performance", "performance.page-load", "NOT ACCEPTABLE"),
        ("Database", "database.no-locks", "NOT HEALTHY"),
        ("Logging", "logging.loki", "NOT CLEAN"),
        ("All services", "health.no-restarts", "NOT OPERATIONAL"),
    ],
)
@pytest.mark.parametrize("status", [Status.FAIL, Status.UNKNOWN])
def test_one_bad_outcome_anywhere_spoils_its_result_and_no_other(
    name: str, criterion: str, says: str, status: Status
) -> None:
    found = results(warungin.changed(warungin.clean(), "6h", criterion, status=status))
    word = "failed" if status is Status.FAIL else "unknown"
    assert (found[name].says, found[name].mark) == (says, Mark.FAILS)
    assert found[name].detail == f"warungin.{criterion} {word} at 6 h"
    assert {other for other, result in found.items() if result.mark is not Mark.HOLDS} == {name}


def test_critical_lines_are_counted() -> None:
    record = warungin.failing(warungin.clean(), "6h", "logging.no-critical", "critical lines", 2.0, "two")
    record = warungin.failing(record, "16h", "logging.no-critical", "critical lines", 1.0, "one")
    errors = results(record)["Critical errors"]
    assert (errors.says, errors.mark, errors.detail) == ("3", Mark.FAILS, "counted at 6 h and 16 h")


def test_lines_that_were_not_counted_at_every_checkpoint_are_no_zero() -> None:
    record = warungin.unseen(warungin.clean(), "6h", "logging.no-critical", "gone")
    for label in ("6h", "24h"):
        record = warungin.unseen(record, label, "logging.no-critical-24h[lines]", "gone")
    errors = results(record)["Critical errors"]
    assert (errors.says, errors.mark) == ("0 where it was counted", Mark.MISSING)
    assert errors.detail == "counted at 10 of 12 checkpoints"


def test_a_missing_service_is_told() -> None:
    record = warungin.failing(warungin.clean(), "16h", "health.services-running", "running", 7.0, "worker is exited")
    services = results(record)["All services"]
    assert (services.says, services.mark) == ("NOT OPERATIONAL", Mark.FAILS)
    assert "7/8 UP at 16 h" in services.detail


def test_a_missed_checkpoint_leaves_results_incomplete() -> None:
    found = results(days.without_run(warungin.clean(), "8h"))
    assert (found["Security features"].says, found["Security features"].mark) == ("INCOMPLETE", Mark.MISSING)
    assert found["Security features"].detail == "missing at 8 h (6 not judged)"


def test_what_holds_so_far_is_not_said_to_hold() -> None:
    found = results(warungin.clean(until="6h"))
    assert {result.mark for result in found.values()} == {Mark.OPEN}
    nothing = replace(warungin.clean(until="15min"), runs=(), probes=())
    verdict, views = seen(nothing, at_hour(nothing, 0.1))
    assert {result.mark for result in views.form.results} <= {Mark.OPEN, Mark.MISSING}
    assert not views.form.approved
    assert verdict.decision != "GO"


def test_uptime_is_told_against_both_levels() -> None:
    uptime = results(warungin.troubled())["System uptime"]
    assert uptime.says == "99.7743 %"
    assert uptime.detail == "100 % not reached; 99.99 % not reached; web was up least"
    without = results(warungin.clean(policy=None))["System uptime"]
    assert (without.says, without.mark) == ("not measured", Mark.MISSING)


def test_uptime_that_was_not_seen_is_missing_and_not_100() -> None:
    record = replace(warungin.clean(policy=ProbePolicy(endpoints=("api",))), probes=())
    begin, end = days.START, at_hour(record, 24.2)
    record = replace(
        record, probes=(days.up("api", begin, at_hour(record, 7)), days.up("api", at_hour(record, 7.2), end))
    )
    uptime = results(record)["System uptime"]
    assert uptime.mark is Mark.MISSING
    assert "100 % not proven; 99.99 % not proven; api was up least, 11 min 50 s of it unseen" in uptime.detail


def test_waived_failures_are_told() -> None:
    assert "1 waived" in results(warungin.waived(warungin.clean()))["Database"].detail


def test_a_system_with_other_areas_is_judged_by_what_its_criteria_check() -> None:
    criteria = (
        days.criterion("shop.db.answers", "database/answers"),
        days.criterion("shop.speed.pages", "http/page_load"),
        days.criterion("shop.text.clean", "logs/no_critical"),
    )
    found = results(days.day(criteria=criteria))
    assert [found[name].mark for name in ("Database", "Performance", "Logging")] == [Mark.HOLDS] * 3
    assert found["Security features"].says == "NOT JUDGED"


# Who signed


def test_every_role_has_a_line_with_name_date_and_key() -> None:
    found = people(warungin.clean())
    assert tuple(found) == ROLES
    first = found["QA Lead"]
    assert (first.standing, first.name, first.key) == ("signed", "Ratna Wijaya", "SHA256:QALead")
    assert first.at == days.after(warungin.clean(), minutes=5)
    assert form_of(warungin.clean()).approved_at == first.at


def test_a_role_that_has_not_signed_says_so() -> None:
    record = warungin.clean(signed_by=("QA Lead",))
    assert people(record)["Tech Lead"] == Signatory(role="Tech Lead", standing="not signed")
    assert form_of(record).approved_at is None


def test_a_signature_that_does_not_count_says_why() -> None:
    record = warungin.clean(signed_by=ROLES[:3])
    bad = days.signature(record, "Product Manager", problem="the key is not among the allowed signers")
    told = people(replace(record, signatures=(*record.signatures, bad)))["Product Manager"]
    assert (told.standing, told.note) == ("does not count", "the key is not among the allowed signers")
    assert not told.counts


def test_a_good_signature_stands_whatever_else_was_tried() -> None:
    record = warungin.clean()
    bad = days.signature(record, "QA Lead", problem="broken", at=days.after(record, minutes=6))
    assert people(replace(record, signatures=(*record.signatures, bad)))["QA Lead"].counts


def test_a_quorum_is_enough() -> None:
    record = warungin.clean(signed_by=ROLES[:2])
    record = replace(record, sign_off=SignOff(roles=ROLES, quorum=2))
    form = form_of(record)
    assert (form.needed, form.approved_at is not None) == (2, True)


def test_where_nobody_signs_the_evidence_attestations_are_the_sign_off() -> None:
    criteria = (*warungin.CRITERIA, days.attested("warungin.signoff.tech-lead", "Tech Lead"))
    record = replace(warungin.clean(roles=()), criteria=criteria, sign_off=SignOff())
    given = Attestation(
        criterion="warungin.signoff.tech-lead", by="Sari Hartono", role="Tech Lead", at=at_hour(record, 24.05)
    )
    found = people(replace(record, attestations=(*record.attestations, given)))
    assert (found["Tech Lead"].standing, found["Tech Lead"].name) == ("attested", "Sari Hartono")
    assert found["QA Lead"].standing == "not signed"


def test_what_people_affirm_is_listed_with_how_long_it_holds() -> None:
    record = warungin.clean()
    found = {one.criterion: one for one in affirmations(looked_at(record))}
    rollback = found["warungin.material.rollback-rehearsed"]
    assert (rollback.standing, rollback.by, rollback.note) == (
        "affirmed",
        "Agus Pratama",
        "in staging, took 11 minutes",
    )
    assert rollback.until == days.START - timedelta(hours=2) + timedelta(days=7)
    assert found["warungin.signoff.qa-lead"].standing == "by signature"
    late = {one.criterion: one for one in affirmations(looked_at(record, days.START + timedelta(days=30)))}
    assert late["warungin.material.rollback-rehearsed"].standing == "expired"
    bare = {one.criterion: one for one in affirmations(looked_at(replace(record, attestations=())))}
    assert bare["warungin.material.rollback-rehearsed"].standing == "waiting"
