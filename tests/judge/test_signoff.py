"""Who has signed and affirmed; a NO-GO is accepted by one role only, with a reason and an end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from golive.judge.verdict import decide
from golive.model import Attestation, Decision, Deployment, SignOff, Status, Verdict, WatchRecord
from tests import watchdays as days
from tests.watchdays import AFFIRMED, CPU, MEMORY, QA_SIGNS, START, after, at_hour, day

GO, NO_GO, PENDING = Decision.GO, Decision.NO_GO, Decision.PENDING


def judged(record: WatchRecord) -> Verdict:
    return decide(record, now=after(record))


def texts(record: WatchRecord) -> list[str]:
    return [reason.text for reason in judged(record).reasons]


def without(record: WatchRecord, role: str) -> WatchRecord:
    return replace(record, signatures=tuple(s for s in record.signatures if s.role != role))


def resigned(record: WatchRecord, role: str, **changes: Any) -> WatchRecord:
    """Whatever is different about the signature of one role."""
    signatures = tuple(replace(s, **changes) if s.role == role else s for s in record.signatures)
    return replace(record, signatures=signatures)


def failing() -> WatchRecord:
    return days.with_outcome(day(), "6h", CPU, Status.FAIL, "91 %, below 80 % needed")


# Signatures


def test_one_unsigned_role_stays_pending_and_is_named() -> None:
    verdict = judged(without(day(), "Tech Lead"))
    assert verdict.decision is PENDING
    assert [r.text for r in verdict.reasons] == ["not signed by the Tech Lead (3 of 4 signatures)"]
    assert verdict.forecast == "GO possible at the soonest 2026-05-02 09:07 UTC, after one signature"


def test_an_attestation_that_takes_a_signature_is_not_told_twice() -> None:
    assert texts(without(day(), "QA Lead")) == ["not signed by the QA Lead (3 of 4 signatures)"]


def test_an_attestation_may_take_a_signature_that_the_sign_off_does_not() -> None:
    record = replace(without(day(), "QA Lead"), sign_off=SignOff(roles=days.ROLES[1:], quorum=3))
    assert texts(record) == [f"{QA_SIGNS} waits for the signature of the QA Lead"]
    assert judged(record).reasons[0].criterion == QA_SIGNS


def test_a_quorum_is_enough() -> None:
    record = replace(day(signed_by=days.ROLES[:2]), sign_off=SignOff(roles=days.ROLES, quorum=2))
    assert judged(record).decision is GO
    record = replace(day(signed_by=days.ROLES[:2]), sign_off=SignOff(roles=days.ROLES, quorum=3))
    assert texts(record) == ["2 of 3 signatures; one of the Tech Lead and the Product Manager still to sign"]


def test_a_quorum_that_cannot_be_met_is_never_met() -> None:
    record = replace(day(), sign_off=SignOff(roles=days.ROLES, quorum=5))
    assert texts(record) == ["5 signatures are needed and there are only four roles"]


def test_without_a_number_every_role_must_sign() -> None:
    record = replace(without(day(), "Tech Lead"), sign_off=SignOff(roles=days.ROLES))
    assert judged(record).decision is PENDING


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"problem": "the key may not sign for this role"}, "the key may not sign for this role"),
        ({"name": "  "}, "carries no name"),
        ({"at": START + timedelta(days=3)}, "dated in the future"),
        ({"expires": START + timedelta(hours=24)}, "expired at 2026-05-02 09:00 UTC"),
        (
            {"covers": ()},
            "does not cover runs 20260502T090100Z-24h (24h), 20260502T050100Z-20h (20h) and 10 more",
        ),
    ],
)
def test_a_signature_that_does_not_count_says_why(change: dict[str, Any], why: str) -> None:
    record = resigned(day(), "Tech Lead", **change)
    name = change.get("name", "Sari Hartono")
    assert judged(record).decision is PENDING
    assert texts(record) == [
        "not signed by the Tech Lead (3 of 4 signatures)",
        f"the signature of {name} (Tech Lead) does not count: {why}",
    ]


def test_a_signature_must_cover_every_run_of_the_last_checkpoint() -> None:
    record = days.repeated(day(), "24h", minutes=4)
    assert texts(record)[1].endswith("do not count: does not cover run 20260502T090400Z-24h (24h)")
    assert judged(days.with_signatures(record, days.ROLES)).decision is GO


def test_a_signature_from_before_the_last_checkpoint_does_not_count() -> None:
    record = days.with_signatures(day(until="20h"), ["QA Lead"])
    told = "the signature of Ratna Wijaya (QA Lead) does not count: made before checkpoint 24h was over"
    assert told in texts(record)


def test_a_role_may_sign_again() -> None:
    record = resigned(day(), "Tech Lead", problem="made with a revoked key")
    assert judged(days.with_signatures(record, ["tech lead "])).decision is GO


def test_a_role_that_need_not_sign_changes_nothing() -> None:
    record = replace(day(), signatures=(*day().signatures, days.signature(day(), "Intern", problem="no such key")))
    assert judged(record).decision is GO


# Attestations


def attested(**changes: Any) -> WatchRecord:
    made = {"criterion": AFFIRMED, "by": "Agus Pratama", "role": "DevOps", "at": START, **changes}
    return replace(day(), attestations=(Attestation(**made),))


@pytest.mark.parametrize("change", [{}, {"role": " devops"}, {"at": START - timedelta(days=5)}])
def test_an_attestation_that_holds_counts(change: dict[str, Any]) -> None:
    assert judged(attested(**change)).decision is GO


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"criterion": "warungin.x.y"}, "is not attested by the DevOps"),
        ({"role": "Intern"}, "is not attested by the DevOps (Agus Pratama did, as Intern)"),
        ({"by": " "}, "is not attested by the DevOps"),
        ({"at": START + timedelta(days=2)}, "is not attested by the DevOps"),
        ({"at": START - timedelta(days=6)}, "was affirmed by the DevOps only until 2026-05-02 09:00 UTC"),
    ],
)
def test_an_attestation_that_does_not_hold_is_pending(change: dict[str, Any], why: str) -> None:
    verdict = judged(attested(**change))
    assert (verdict.decision, [r.text for r in verdict.reasons]) == (PENDING, [f"{AFFIRMED} {why}"])
    assert verdict.forecast.endswith(", after what people have to attest")


def test_many_that_wait_for_a_person_are_one_line() -> None:
    more = tuple(days.attested(f"warungin.people.part-{n}", "Owner") for n in range(5))
    record = replace(day(), criteria=(*day().criteria, *more))
    (text,) = texts(record)
    assert text.startswith("5 criteria wait for a person: warungin.people.part-0, warungin.people.part-1, ")
    assert text.endswith(" and 2 more (warungin.people.part-0 is not attested by the Owner)")


def test_an_item_is_attested_under_its_criterion() -> None:
    criteria = tuple(replace(c, id=f"{c.id}[{i}]") if c.id == AFFIRMED else c for c in day().criteria for i in "ab")
    assert judged(replace(day(), criteria=tuple({c.id: c for c in criteria}.values()))).decision is GO


# Override


def test_an_override_makes_no_go_go_and_keeps_the_reasons() -> None:
    verdict = judged(days.with_override(failing()))
    assert verdict.decision is GO
    assert [r.decision for r in verdict.reasons] == [NO_GO]
    assert verdict.override is not None
    assert (verdict.override.name, verdict.override.reason) == ("Dewi Lestari", "the old system is worse")
    assert verdict.forecast == "GO holds until 2026-05-03 09:05 UTC, when the override by Dewi Lestari expires"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"role": "QA Lead", "name": "Ratna"}, "only the Product Manager may accept a NO-GO"),
        ({"reason": "  "}, "gives no reason"),
        ({"expires": None}, "does not say when it expires"),
        ({"expires": START + timedelta(hours=24.1)}, "expired at 2026-05-02 09:06 UTC"),
        ({"problem": "the signature is not genuine"}, "the signature is not genuine"),
        ({"at": START + timedelta(hours=25)}, "dated in the future"),
        ({"covers": ()}, "does not cover runs 20260502T090100Z-24h (24h), 20260502T050100Z-20h (20h) and 10 more"),
    ],
)
def test_an_override_that_does_not_count_is_named(change: dict[str, Any], why: str) -> None:
    verdict = judged(days.with_override(failing(), **change))
    assert (verdict.decision, verdict.override) == (NO_GO, None)
    role, name = change.get("role", "Product Manager"), change.get("name", "Dewi Lestari")
    assert verdict.reasons[1].text == f"the override by {name} as {role} does not count: {why}"


def test_without_an_override_role_nobody_may_accept_a_no_go() -> None:
    record = replace(days.with_override(failing()), sign_off=SignOff(roles=days.ROLES, quorum=4))
    assert texts(record)[1].endswith("does not count: the environment names no override_role")


def test_an_override_does_not_cover_what_failed_after_it() -> None:
    record = days.with_override(failing())
    failed = days.outcome(days.CRITERIA[0], at_hour(record, 24.1), Status.FAIL, "99 %")
    record = days.with_run(record, replace(days.extra_run(record, 24.1, failed), run="later"))
    verdict = judged(record)
    assert verdict.decision is NO_GO
    assert verdict.reasons[-1].text.endswith("does not count: does not cover run later (extra)")


def test_an_override_stands_through_later_runs_that_find_nothing() -> None:
    record = days.with_override(failing())
    assert judged(days.with_run(record, days.extra_run(record, 24.1))).decision is GO


@pytest.mark.parametrize(
    ("change", "came_up"),
    [
        ({"target": {**days.TARGET, "all/api image": "sha256:" + "9" * 64}}, "the target changed between checkpoint"),
        ({"deployment": Deployment(version="9")}, "the extra run of 2026-05-02 09:06 UTC was held on another"),
        ({"system": "other"}, "run later belongs to other on demo"),
    ],
)
def test_an_override_accepts_nothing_that_came_up_after_it(change: dict[str, Any], came_up: str) -> None:
    record = days.with_override(failing())
    later = replace(days.extra_run(record, 24.1), run="later", **change)
    verdict = judged(days.with_run(record, later))
    assert (verdict.decision, verdict.override) == (NO_GO, None)
    assert f"does not count: made before this came up: {came_up}" in verdict.reasons[-1].text


def test_an_override_that_accepted_a_changed_target_does_not_accept_the_next_change() -> None:
    other = {**days.TARGET, "all/api replicas": "3"}
    record = day()
    for label in ("20h", "24h"):
        record = days.edited_run(record, label, target=other)
    record = days.with_override(record)
    same = replace(days.extra_run(record, 24.1), run="later", target=other)
    assert judged(days.with_run(record, same)).decision is GO
    next_one = replace(same, target={**other, "all/api replicas": "4"})
    verdict = judged(days.with_run(record, next_one))
    assert verdict.decision is NO_GO
    assert "; it changed again between checkpoint 24h and the extra run of" in verdict.reasons[0].text


def test_an_override_does_not_replace_a_waiver_that_ends_after_it() -> None:
    ends = at_hour(failing(), 25)
    record = days.with_override(days.accepted(failing(), "24h", MEMORY, expires=ends))
    assert decide(record, now=at_hour(record, 24.9)).decision is GO
    assert decide(record, now=at_hour(record, 25.1)).decision is NO_GO


def test_an_override_does_not_replace_an_attestation_that_ends_after_it() -> None:
    at = at_hour(failing(), 25) - timedelta(days=7)
    given = (Attestation(criterion=AFFIRMED, by="Agus Pratama", role="DevOps", at=at),)
    record = days.with_override(replace(failing(), attestations=given))
    assert decide(record, now=at_hour(record, 24.9)).decision is GO
    assert decide(record, now=at_hour(record, 25.1)).decision is NO_GO


def test_an_override_from_before_the_end_does_not_count() -> None:
    early = days.with_override(days.with_outcome(day(until="6h"), "6h", CPU, Status.FAIL, "91 %"))
    refused = "the override by Dewi Lestari as Product Manager does not count: made before checkpoint 24h was over"
    assert refused in texts(early)
    late = at_hour(early, 24.5)
    verdict = decide(days.probed(early, late), now=late)
    assert verdict.decision is NO_GO
    assert refused in [reason.text for reason in verdict.reasons]


def test_an_override_accepts_that_the_last_checkpoint_was_missed() -> None:
    record = days.with_override(day(until="20h"))
    (override,) = record.signatures
    late = at_hour(record, 24.5)
    record = days.probed(replace(record, signatures=(replace(override, at=at_hour(record, 24.4)),)), late)
    expires = at_hour(record, 40)
    record = replace(record, signatures=(replace(record.signatures[0], expires=expires),))
    assert decide(record, now=late).decision is GO


def test_an_override_accepts_no_altered_evidence() -> None:
    record = replace(days.with_override(failing()), tampered=("run a was changed",))
    verdict = judged(record)
    assert (verdict.decision, verdict.override) == (NO_GO, None)
    assert verdict.forecast == "GO no longer reachable: evidence was altered: run a was changed"


def test_an_override_waits_for_a_run_that_is_going_on() -> None:
    record = days.repeated(days.with_override(failing()), "24h", minutes=4, finished_at=None)
    assert judged(record).decision is NO_GO


def test_an_override_is_no_signature_of_its_role() -> None:
    record = without(day(), "Product Manager")
    assert judged(record).decision is PENDING
    overridden = judged(days.with_override(record))
    assert (overridden.decision, overridden.override is not None) == (GO, True)
    assert [r.kind for r in overridden.reasons] == ["role-unsigned"]


def test_an_override_of_a_clean_day_is_not_needed() -> None:
    verdict = judged(days.with_override(day()))
    assert (verdict.decision, verdict.override, verdict.reasons) == (GO, None, ())


def test_a_refused_override_of_a_clean_day_takes_nothing_away() -> None:
    assert judged(days.with_override(day(), reason="")).decision is GO
