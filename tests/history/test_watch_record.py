"""The record that a verdict rests on holds what the environment and the history say, and nothing of other watches."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from fixtures.options import CATALOGUE, PROJECT
from golive.environment.load import Environment, load_environment, read_files
from golive.history.criteria_sets import digest_of
from golive.history.notes import add_note
from golive.history.people import add_attestation, add_signature
from golive.history.probes import record_probe
from golive.history.runs import add_outcome, begin_run, finish_run
from golive.history.store import History
from golive.history.watch_record import watch_record
from golive.history.watches import close_watch, open_watch
from golive.judge.verdict import decide
from golive.model import Attestation, Note, ProbePolicy, ProbeState, Signature, SignOff
from golive.watch.schedule import new_watch
from tests.history.made import AT, HOUR, outcome, run, watch

WHOLE = """
system: shop
hosts: {app: {connect: "local://"}}
endpoints: {api: {url: "http://127.0.0.1:1"}, web: {url: "http://127.0.0.1:2"}}
criteria: [criteria.yaml]
watch:
  milestones: {staging clean: 4 h}
  flapping: allowed
  availability:
    every: 10 s
    at_least: 99.9
    begin_within: 1 min
    unknown_at_most: 30 s
    probes: [{endpoint: api, request: GET /health}, {endpoint: web, request: GET /}]
sign_off: {roles: [QA Lead, Tech Lead, Owner], quorum: 2, override_role: Owner, allowed_signers: signers}
waivers:
  - {criterion: shop.a.b, reason: r, approver: Ann, risk: low, expires: 2026-06-01T00:00:00Z}
attestations:
  - {criterion: shop.p.q, by: Ratna, role: QA Lead, at: 2026-05-01T09:00:00Z}
"""
CRITERIA = """
- {id: shop.a.b, says: The file is there, check: hosts/file, path: /etc/passwd, severity: high}
- {id: shop.p.q, says: Somebody looked, attest: {role: QA Lead}, severity: high}
"""
BARE = 'system: shop\nhosts: {app: {connect: "local://"}}\ncriteria: [criteria.yaml]\n'


def environment(folder: Path, text: str = WHOLE) -> Environment:
    (folder / "prod.yaml").write_text(text, encoding="utf-8")
    (folder / "criteria.yaml").write_text(CRITERIA, encoding="utf-8")
    return load_environment(read_files(folder / "prod.yaml"), catalogue=CATALOGUE, project=PROJECT, providers=None)


def test_a_watch_keeps_what_was_asked_at_its_start(place: str, tmp_path: Path) -> None:
    shop = environment(tmp_path)
    with History.open(place) as history:
        begun = open_watch(history, new_watch(shop, deployed_at=AT, now=AT))
    eased = environment(tmp_path, WHOLE.replace("at_least: 99.9", "at_least: 90").replace("quorum: 2", "quorum: 1"))
    with History.open(place) as history:
        record = watch_record(history, eased, now=AT + HOUR)
    assert record.watch == begun
    (loosened,) = [r for r in decide(record, now=AT + HOUR).reasons if r.kind == "policy-loosened"]
    assert loosened.text.endswith(": 1 instead of two signatures; an availability of 90 % instead of 99.9 %")


def test_a_watch_says_nothing_of_a_deployment_that_the_environment_names_since(place: str, tmp_path: Path) -> None:
    text = WHOLE + "deployment: {version: '1.0'}\n"
    with History.open(place) as history:
        open_watch(history, new_watch(environment(tmp_path, text), deployed_at=AT, now=AT))
        for version, replaced in (("1.0", False), ("${env:NOT_SET_HERE}", False), ("1.1", True)):
            shop = environment(tmp_path, text.replace("1.0", version))
            kinds = {r.kind for r in decide(watch_record(history, shop, now=AT + HOUR), now=AT + HOUR).reasons}
            assert ("deployment-replaced" in kinds) is replaced


def test_everything_of_the_watch_is_in_its_record(local: History, tmp_path: Path) -> None:
    shop = environment(tmp_path)
    open_watch(local, watch("w0", AT - HOUR, closed_at=AT, closed_because="a new deployment"))
    begun = open_watch(local, watch())
    begin_run(local, run("before", AT - HOUR, watch="w0"))
    begin_run(local, run("aside"))
    begin_run(local, run("mine", watch="w1", checkpoint="15min"))
    begin_run(local, run("strange", AT + HOUR, watch="w1", environment="staging", system="other"))
    add_outcome(local, "mine", outcome("shop.a.b", 1.0), environment="prod")
    finish_run(local, "mine", finished_at=AT + HOUR, aborted=None)
    said = Attestation(criterion="shop.p.q", by="Budi", role="QA Lead", at=AT)
    add_attestation(local, "prod", said, AT + 2 * HOUR)
    add_attestation(local, "prod", Attestation(criterion="shop.p.q", by="Old", role="QA Lead", at=AT), AT + HOUR / 2)
    add_signature(local, "w1", Signature(role="QA Lead", name="Ratna", at=AT, digest="d" * 64, manifest="no manifest"))
    record_probe(local, "w1", "api", ProbeState.UP, AT, longest_gap_s=20)
    record_probe(local, "w0", "api", ProbeState.DOWN, AT - HOUR, longest_gap_s=20)
    note = Note(at=AT, by="Ratna", text="restarted the worker")
    add_note(local, "w1", note)

    record = watch_record(local, shop, now=AT + HOUR)

    assert (record.environment, record.system, record.watch) == ("prod", "shop", begun)
    assert record.criteria == shop.criteria
    assert record.criteria_digest == digest_of(shop.criteria)
    assert [r.run for r in record.runs] == ["mine", "strange"], "also a run that has no business there"
    assert record.runs[0].outcomes == (outcome("shop.a.b", 1.0),)
    assert record.waivers == shop.waivers
    assert [a.by for a in record.attestations] == ["Ratna", "Budi"]
    assert record.sign_off == SignOff(roles=("QA Lead", "Tech Lead", "Owner"), quorum=2, override_role="Owner")
    assert [(s.endpoint, s.state) for s in record.probes] == [("api", ProbeState.UP)]
    assert record.probe_policy == ProbePolicy(
        endpoints=("api", "web"), every_s=10, begin_within_s=60, unknown_at_most_s=30, at_least_percent=99.9
    )
    assert record.milestones == {"staging clean": 14400}
    assert record.notes == (note,)
    assert not record.flapping_blocks
    (signed,) = record.signatures
    assert signed.problem, "a signature that nothing proves does not count"


def test_an_older_watch_may_be_asked_for(local: History, tmp_path: Path) -> None:
    first = open_watch(local, watch())
    close_watch(local, "w1", AT + HOUR, "a new deployment")
    begin_run(local, run("mine", watch="w1"))
    record = watch_record(local, environment(tmp_path), watch=first, now=AT + HOUR)
    assert [r.run for r in record.runs] == ["mine"]


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "never begun"])
def test_without_an_open_watch_there_is_none(local: History, tmp_path: Path, closed: bool) -> None:
    if closed:
        open_watch(local, watch())
        close_watch(local, "w1", AT + HOUR, "a new deployment")
    record = watch_record(local, environment(tmp_path), now=AT + 2 * HOUR)
    assert (record.watch, record.runs) == (None, ())


def test_an_environment_without_a_watch_demands_little(local: History, tmp_path: Path) -> None:
    open_watch(local, watch())
    record = watch_record(local, environment(tmp_path, BARE), now=AT)
    assert (record.sign_off, record.probe_policy, record.milestones) == (SignOff(), None, {})
    assert record.flapping_blocks, "strict where nothing is said"


def test_the_quorum_is_all_roles_unless_it_is_said(local: History, tmp_path: Path) -> None:
    open_watch(local, watch())
    everybody = environment(tmp_path, BARE + "sign_off: {roles: [QA Lead, Owner]}\n")
    assert watch_record(local, everybody, now=AT).sign_off.quorum == 2


def test_a_run_that_died_since_the_store_was_opened_is_marked(local: History, tmp_path: Path) -> None:
    """A verdict that is asked for while the store stays open, as `golive watch` does."""
    open_watch(local, watch())
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    begin_run(local, run("mine", watch="w1"), pid_owner=child.pid)
    shop = environment(tmp_path)
    assert watch_record(local, shop, now=AT + timedelta(seconds=1)).runs[0].aborted is None
    child.kill()
    child.communicate()
    assert watch_record(local, shop, now=AT + timedelta(seconds=1)).runs[0].aborted == "its process died"
