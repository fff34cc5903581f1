"""What people affirm, sign and name comes back; and what runs leave for later ones."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from golive.history.baselines import Baseline, BaselineValue, baseline, baselines, invalidate, set_baseline
from golive.history.kept import StateStore
from golive.history.people import add_attestation, add_signature, attestations, signatures
from golive.history.runs import begin_run
from golive.history.store import History, HistoryUnusable
from golive.model import Attestation, Signature
from tests.history.made import AT, HOUR, run

ATTESTED = Attestation(criterion="shop.p.q", by="Ratna", role="QA Lead", at=AT, note="seen \ud800")
SIGNED = Signature(
    role="QA Lead", name="Ratna", at=AT, digest="d" * 64, covers=("r1", "r2"), key="ssh-ed25519 AAAA",
    manifest="{}\n", signature="-----BEGIN SSH SIGNATURE-----",
)  # fmt: skip


def test_attestations_hold_until_they_expire(history: History) -> None:
    add_attestation(history, "prod", ATTESTED, AT + HOUR)
    add_attestation(history, "prod", replace(ATTESTED, at=AT - HOUR), None)
    add_attestation(history, "staging", ATTESTED, None)
    assert attestations(history, "prod") == [replace(ATTESTED, at=AT - HOUR), ATTESTED]
    assert attestations(history, "prod", valid_at=AT) == [replace(ATTESTED, at=AT - HOUR), ATTESTED]
    assert attestations(history, "prod", valid_at=AT + HOUR) == [replace(ATTESTED, at=AT - HOUR)]


def test_signatures_come_back_without_a_judgement(history: History) -> None:
    override = replace(SIGNED, override=True, reason="known", expires=AT + HOUR, at=AT + HOUR)
    add_signature(history, "w1", override)
    add_signature(history, "w1", replace(SIGNED, problem="is not remembered"))
    assert signatures(history, "w1") == [SIGNED, override]
    assert signatures(history, "w2") == []


GOOD = Baseline(
    name="v1", environment="prod", version="1.0", made_at=AT, runs=("r1", "r2"),
    values={
        ("shop.a.b", "cpu", "%"): BaselineValue(4.5, 30), ("shop.a.b", "memory", "MB"): BaselineValue(math.inf, None),
    },
)  # fmt: skip


def test_the_newest_valid_baseline_is_in_force(history: History) -> None:
    assert baseline(history, "prod") is None
    newer = replace(GOOD, name="v2", made_at=AT + HOUR)
    set_baseline(history, newer)
    set_baseline(history, GOOD)
    assert baseline(history, "prod") == newer
    assert baseline(history, "prod", "v1") == GOOD
    assert baselines(history, "prod") == [GOOD, newer]
    invalidate(history, "prod", "v2", AT, "measured under load")
    invalidate(history, "prod", "v2", AT + HOUR, "again")
    assert baseline(history, "prod") == GOOD
    assert baseline(history, "prod", "v2") == replace(newer, invalid_at=AT, invalid_because="measured under load")
    assert baseline(history, "staging") is None


def test_the_name_of_a_baseline_is_given_once(history: History) -> None:
    set_baseline(history, GOOD)
    with pytest.raises(HistoryUnusable, match="prod already has a baseline 'v1'; give another name"):
        set_baseline(history, GOOD)
    set_baseline(history, replace(GOOD, environment="staging"))
    with pytest.raises(HistoryUnusable, match="prod has no baseline 'v9'"):
        invalidate(history, "prod", "v9", AT, "x")


def test_state_is_kept_only_after_commit(history: History) -> None:
    store = StateStore(history, "prod")
    store.put("log:a", {"offset": 5, "text": "nul \0 \ud800"})
    store.put("none", None)
    assert store.get("log:a") == {"offset": 5, "text": "nul \0 \ud800"}
    assert store.committed("log:a") is None
    assert StateStore(history, "prod").get("log:a") is None
    assert store.pending.keys() == {"log:a", "none"}
    store.commit()
    store.commit()
    assert store.pending == {}
    again = StateStore(history, "prod")
    assert (again.get("log:a"), again.get("none")) == ({"offset": 5, "text": "nul \0 \ud800"}, None)
    assert StateStore(history, "staging").get("log:a") is None


def test_states_of_runs_that_overlap_are_joined(history: History) -> None:
    first, second = StateStore(history, "prod"), StateStore(history, "prod")
    for store, key in ((first, "a"), (second, "b")):
        store.put(key, 1)
        store.put("both", key)
        store.commit()
    last = StateStore(history, "prod")
    assert (last.get("a"), last.get("b"), last.get("both")) == (1, 1, "b")


def test_runs_of_the_environment_are_known_even_if_they_died(history: History) -> None:
    begin_run(history, run("r1"))
    begin_run(history, run("r2", environment="staging"))
    assert StateStore(history, "prod").runs == {"r1"}
