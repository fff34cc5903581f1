"""The manifest of a watch, and how every later change of the evidence shows."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from golive.history import manifest as manifests
from golive.history.canonical import canonical, digest
from golive.history.evidence import NotAManifest, Signed, file_mismatches, mismatches, outdated, read_manifest
from golive.history.manifest import Manifest, Signer, manifest, run_digest
from golive.history.plain import plain, record_of, run_data
from golive.history.records import ResultsFolder, record_from
from golive.model import (
    Attempt,
    Attestation,
    Decision,
    Evidence,
    Measurement,
    Note,
    ProbeSpan,
    RunRecord,
    SignOff,
    Status,
    Verdict,
    Waiver,
    Watch,
    WatchRecord,
)
from reports.results import as_text, results
from tests import watchdays
from tests.watchdays import CPU, LOGIN, after, day, edited_run, extra_run, the_watch, with_outcome, without_run

AT = datetime(2026, 5, 2, 9, 10, tzinfo=UTC)
SIGNER = Signer(role="QA Lead", name="Ratna Wijaya", at=AT)
PENDING = Verdict(decision=Decision.PENDING, reasons=(), at=AT)


def signed(record: WatchRecord, folder: Path | None = None) -> Manifest:
    return manifest(record, PENDING, SIGNER, results=None if folder is None else ResultsFolder(folder))


def content(record: WatchRecord, folder: Path | None = None) -> Signed:
    return read_manifest(signed(record, folder).text)


def rich_run(record: WatchRecord) -> WatchRecord:
    """A day whose hour 6 has an outcome with everything that an outcome can hold."""
    waiver = Waiver(criterion=CPU, reason="r", approver="a", risk="low", expires=AT, at_most=95)
    return with_outcome(
        record, "6h", CPU, Status.WAIVED, "91 %\nbelow 80 % needed",
        measurements=(Measurement(name="cpu", value=91, unit="%", critical=80, samples=3),
                      Measurement(name="gaps", value=float("nan"), unit="s", better="higher", inclusive=True)),
        evidence=(Evidence(title="top", text="PID ü \u202e 1\n"),),
        runbook={"when it fails": "look"},
        waiver=waiver,
        earlier=(Attempt(status=Status.FAIL, message="first", at=AT),),
    )  # fmt: skip


# What it says


def test_it_lists_every_run_oldest_first_each_bound_to_the_one_before() -> None:
    record = day()
    made = signed(replace(record, runs=tuple(reversed(record.runs))))
    data = json.loads(made.text)
    assert [run["checkpoint"] for run in data["runs"]][:3] == ["15min", "1h", "2h"]
    assert made.covers == tuple(run["run"] for run in data["runs"]) == tuple(run.run for run in record.runs)
    assert made.digest == digest(made.text)
    link = digest(canonical(data["watch"]))
    for entry in data["runs"]:
        link = digest(link + canonical({k: v for k, v in entry.items() if k != "chain"}))
        assert entry["chain"] == link
    assert made.text == canonical(data)


def test_it_says_what_the_signer_affirms() -> None:
    record = day(waivers=[Waiver(criterion=CPU, reason="r", approver="a", risk="low", expires=AT)])
    data = json.loads(signed(record).text)
    assert (data["golive"], data["environment"], data["system"]) == ("manifest/1", "demo", "warungin")
    assert data["watch"]["deployment"]["version"] == "2.4.1"
    assert [slot["label"] for slot in data["watch"]["schedule"]][-1] == "24h"
    assert data["rules"]["sign_off"] == {
        "roles": list(watchdays.ROLES),
        "quorum": 4,
        "override_role": "Product Manager",
    }
    assert data["rules"]["availability"]["at_least_percent"] == 100
    assert [w["criterion"] for w in data["waivers"]] == [CPU]
    assert [a["by"] for a in data["attestations"]] == ["Agus Pratama"]
    assert data["verdict"]["decision"] == "PENDING"
    assert data["signer"] == {
        "role": "QA Lead", "name": "Ratna Wijaya", "at": "2026-05-02T09:10:00Z",
        "override": False, "reason": "", "expires": None,
    }  # fmt: skip
    assert data["runs"][0]["counts"] == {"pass": 2}
    assert [spans["endpoint"] for spans in data["availability"]] == ["api", "web"]


def test_a_run_that_goes_on_is_not_listed_and_a_broken_one_is() -> None:
    record = edited_run(day(), "20h", finished_at=None)
    assert "20h" not in {run.checkpoint for run in content(record).runs}
    record = watchdays.aborted(day(), "20h")
    entry = next(run for run in content(record).runs if run.checkpoint == "20h")
    assert (entry.aborted, entry.finished_at) == ("interrupted by Ctrl-C", None)


def test_without_a_watch_there_is_nothing_to_sign() -> None:
    with pytest.raises(ValueError, match="there is no watch"):
        signed(replace(day(), watch=None))


def test_the_same_evidence_gives_the_same_text() -> None:
    assert signed(day()) == signed(day())
    closed = replace(the_watch(day()), closed_at=AT, closed_because="a new deployment")
    assert signed(replace(day(), watch=closed)) == signed(day())


# The digest of a run


def test_the_digest_of_a_run_is_the_same_from_memory_and_from_results_json() -> None:
    run = next(r for r in rich_run(day()).runs if r.checkpoint == "6h")
    read = record_from(json.loads(as_text(results(run, says="Warungin", selected=9))))
    assert run_digest(read) == run_digest(run)
    assert manifests.outcome_digests(read.outcomes) == manifests.outcome_digests(run.outcomes)
    assert run_digest(record_from(run_data(run))) == run_digest(run)


def test_the_order_of_outcomes_means_nothing() -> None:
    run = day().runs[3]
    shuffled = replace(run, outcomes=tuple(reversed(run.outcomes)), selected=tuple(reversed(run.selected)))
    assert run_digest(shuffled) == run_digest(run)


@pytest.mark.parametrize(
    "change",
    [
        lambda run: replace(run, selected=run.selected[1:]),
        lambda run: replace(run, unanswered=("shop.a.b",)),
        lambda run: replace(run, target={**run.target, "all/api replicas": "1"}),
        lambda run: replace(run, selection="smoke"),
        lambda run: replace(run, system="other"),
        lambda run: replace(run, deployment=replace(run.deployment, version="2.4.2")),
    ],
    ids=["selected", "unanswered", "target", "selection", "system", "deployment"],
)
def test_everything_about_a_run_is_in_its_digest(change: Callable[[RunRecord], RunRecord]) -> None:
    run = day().runs[3]
    assert run_digest(change(run)) != run_digest(run)


# What was changed afterwards


def test_untouched_evidence_matches() -> None:
    record = rich_run(day())
    assert mismatches(content(record), record) == []
    assert outdated(content(record), record) == []


def test_a_changed_outcome_is_named_with_run_checkpoint_and_criterion() -> None:
    before = with_outcome(day(), "6h", CPU, Status.FAIL, "91 %")
    (said,) = mismatches(content(before), day())
    assert said == (
        f"run {day().runs[5].run} (checkpoint 6h) was changed in the records after the signing: "
        f"the outcome of {CPU} differs"
    )


def test_many_changed_outcomes_are_counted() -> None:
    record = day()
    changed = tuple(replace(o, duration_s=9.0) for o in record.runs[5].outcomes)
    said = mismatches(content(record), edited_run(record, "6h", outcomes=changed))
    names = sorted(o.criterion for o in changed)
    assert len(said) == 1
    assert said[0].endswith(f"the outcome of {', '.join(names[:3])} and of {len(names) - 3} more differs")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: watchdays.without_outcome(r, "6h", LOGIN), f"the outcome of {LOGIN} is gone"),
        (lambda r: edited_run(r, "6h", aborted="Ctrl-C"), "aborted was nothing, is Ctrl-C"),
        (lambda r: edited_run(r, "6h", checkpoint="extra"), "checkpoint was 6h, is extra"),
        (lambda r: edited_run(r, "6h", criteria_digest="d" * 64), f"criteria_digest was {watchdays.DIGEST[:59]}…"),
        (lambda r: edited_run(r, "6h", target={}), "what it selected, found deployed or left unanswered differs"),
    ],
    ids=["outcome", "aborted", "checkpoint", "criteria", "target"],
)
def test_what_changed_in_a_run_is_named(change: Callable[[WatchRecord], WatchRecord], words: str) -> None:
    said = mismatches(content(day()), change(day()))
    assert len(said) == 1
    assert words in said[0]


def test_an_added_outcome_is_named() -> None:
    before = watchdays.without_outcome(day(), "6h", LOGIN)
    assert mismatches(content(before), day())[0].endswith(f"the outcome of {LOGIN} was not there")


def test_a_deleted_run_is_named() -> None:
    record = day()
    assert mismatches(content(record), without_run(record, "6h")) == [
        f"run {record.runs[5].run} (checkpoint 6h) is gone from the records"
    ]


def test_a_run_that_is_slipped_in_with_an_earlier_end_is_named() -> None:
    record = day()
    slipped = extra_run(record, 7.0)
    assert mismatches(content(record), watchdays.with_run(record, slipped)) == [
        f"run {slipped.run} (an extra run) is said to have ended before the signing, and was not there then"
    ]


def test_a_run_after_the_signing_is_no_mismatch() -> None:
    record = day()
    later = watchdays.with_run(record, extra_run(record, 26.0))
    assert mismatches(content(record), later) == []
    assert outdated(content(record), later) == []


def test_a_repeated_checkpoint_is_not_covered() -> None:
    record = day()
    later = watchdays.repeated(record, "24h", minutes=14)
    assert mismatches(content(record), later) == []
    assert outdated(content(record), later) == [f"does not cover run {later.runs[-1].run} (checkpoint 24h)"]


def test_a_changed_watch_is_named() -> None:
    record = day()
    other = watchdays.with_watch(record, tolerance_s=9000.0)
    assert mismatches(content(record), other) == [
        "the watch was changed after the signing: tolerance_s was 900, is 9000"
    ]
    gone = mismatches(content(record), replace(record, watch=None))
    assert "the watch was changed after the signing: environment was demo, is nothing" in gone


def test_a_manifest_whose_chain_is_broken_says_where() -> None:
    data = json.loads(signed(day()).text)
    data["runs"][4]["counts"]["fail"] = 0
    assert mismatches(read_manifest(canonical(data)), day()) == [
        f"the chain of the manifest breaks at run {day().runs[4].run} (checkpoint 4h)"
    ]
    moved = json.loads(signed(day()).text)
    moved["runs"][1], moved["runs"][2] = moved["runs"][2], moved["runs"][1]
    assert "breaks at" in mismatches(read_manifest(canonical(moved)), day())[0]


# Availability


def test_what_is_probed_after_the_last_checkpoint_changes_nothing() -> None:
    record = day()
    longer = tuple(replace(s, last_at=s.last_at + timedelta(hours=3), samples=s.samples + 2160) for s in record.probes)
    extra = watchdays.down("api", watchdays.at_hour(record, 27), watchdays.at_hour(record, 28))
    assert mismatches(content(record), replace(record, probes=(*reversed(longer), extra))) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda spans: spans[1:],
        lambda spans: (replace(spans[0], first_at=spans[0].first_at + timedelta(hours=1)), *spans[1:]),
        lambda spans: (replace(spans[0], last_at=spans[0].last_at - timedelta(hours=1)), *spans[1:]),
    ],
    ids=["gone", "later", "shorter"],
)
def test_changed_availability_is_named(
    change: Callable[[tuple[ProbeSpan, ...]], tuple[ProbeSpan, ...]],
) -> None:
    record = day()
    assert mismatches(content(record), replace(record, probes=change(tuple(record.probes)))) == [
        "the availability of api was changed in the records after the signing"
    ]


def test_an_outage_that_is_taken_out_is_named() -> None:
    record = day()
    outage = watchdays.down("web", watchdays.at_hour(record, 3), watchdays.at_hour(record, 3.1))
    spoilt = replace(record, probes=(*record.probes, outage))
    assert mismatches(content(spoilt), record) == [
        "the availability of web was changed in the records after the signing"
    ]


def test_a_note_that_is_taken_out_is_named() -> None:
    note = Note(at=AT, by="Ann", text="restarted the worker", checkpoint="6h")
    record = replace(day(), notes=(note,))
    assert mismatches(content(record), record) == []
    later = Note(at=AT + timedelta(hours=1), by="Ann", text="done")
    assert mismatches(content(record), replace(record, notes=(later, note))) == []
    for changed in ((), (replace(note, text="did nothing"),)):
        assert mismatches(content(record), replace(record, notes=changed)) == [
            "the note by Ann of 2026-05-02T09:10:00Z was changed or taken out after the signing"
        ]


# What takes a new signature


def test_waivers_attestations_rules_and_criteria_take_a_new_signature() -> None:
    record = day()
    waiver = Waiver(criterion=CPU, reason="r", approver="a", risk="low", expires=AT)
    assert outdated(content(record), replace(record, waivers=(waiver,))) == [f"the waiver of {CPU} was changed since"]
    longer = replace(waiver, expires=AT + timedelta(days=1))
    assert outdated(content(replace(record, waivers=(waiver,))), replace(record, waivers=(longer,))) == [
        f"the waiver of {CPU} was changed since"
    ]
    assert outdated(content(record), replace(record, sign_off=SignOff(roles=("QA Lead",), quorum=1))) == [
        "the environment asks for something else since (sign_off)"
    ]
    assert outdated(content(record), replace(record, criteria_digest="d" * 64)) == ["the criteria were changed since"]


def test_only_an_attestation_dated_before_the_signing_takes_a_new_signature() -> None:
    record = day()
    late = Attestation(criterion=CPU, by="Ann", role="DevOps", at=AT + timedelta(minutes=1))
    assert outdated(content(record), replace(record, attestations=(*record.attestations, late))) == []
    early = replace(late, at=AT - timedelta(minutes=1))
    assert outdated(content(record), replace(record, attestations=(*record.attestations, early))) == [
        f"the attestation of {CPU} was not there, though it is dated before"
    ]
    assert outdated(content(record), replace(record, attestations=())) == []


# The runs' own files


def written(record: WatchRecord, folder: Path) -> Path:
    """The files as the runs leave them."""
    for run in record.runs:
        (folder / run.run).mkdir(parents=True)
        (folder / run.run / "results.json").write_text(as_text(results(run, says="W", selected=9)), encoding="utf-8")
    return folder


def test_untouched_files_match(tmp_path: Path) -> None:
    record = rich_run(day())
    made = content(record, written(record, tmp_path))
    assert file_mismatches(made, ResultsFolder(tmp_path)) == []
    assert all(run.results for run in made.runs)


def test_an_edited_results_file_is_named_with_its_criterion(tmp_path: Path) -> None:
    record = with_outcome(day(), "6h", CPU, Status.FAIL, "91 %, below 80 % needed")
    made = content(record, written(record, tmp_path))
    file = tmp_path / record.runs[5].run / "results.json"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"outcome": "fail"', '"outcome": "pass"'), encoding="utf-8")
    assert file_mismatches(made, ResultsFolder(tmp_path)) == [
        f"{file} (checkpoint 6h) was changed after the signing: the outcome of {CPU} differs"
    ]
    assert mismatches(made, record) == []
    file.write_text(text.replace('"fail": 1', '"fail": 0'), encoding="utf-8")
    assert file_mismatches(made, ResultsFolder(tmp_path)) == [
        f"{file} (checkpoint 6h) was changed after the signing: not its outcomes, but the text around them"
    ]


def test_a_results_file_is_compared_though_it_was_elsewhere_at_the_signing(tmp_path: Path) -> None:
    record = day()
    made = content(record)
    written(record, tmp_path)
    assert file_mismatches(made, ResultsFolder(tmp_path)) == []
    file = tmp_path / record.runs[5].run / "results.json"
    file.write_text(file.read_text(encoding="utf-8").replace("all as it should be", "fine"), encoding="utf-8")
    assert f"{file} (checkpoint 6h) was changed" in file_mismatches(made, ResultsFolder(tmp_path))[0]


def test_a_file_that_is_gone_is_not_missed_and_one_that_cannot_be_read_is(tmp_path: Path) -> None:
    record = day()
    made = content(record, written(record, tmp_path))
    file = tmp_path / record.runs[5].run / "results.json"
    file.unlink()
    assert file_mismatches(made, ResultsFolder(tmp_path)) == []
    file.write_bytes(b"\xff{")
    assert "cannot be compared with what was signed" in file_mismatches(made, ResultsFolder(tmp_path))[0]
    file.unlink()
    file.mkdir()
    assert "cannot be compared with what was signed" in file_mismatches(made, ResultsFolder(tmp_path))[0]


# What is no manifest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no manifest of golive"),
        ('{"golive": "manifest/2"}', "is no manifest of golive (golive"),
        ("{}", "(golive: Field required)"),
    ],
)
def test_what_is_no_manifest_is_refused(text: str, words: str) -> None:
    with pytest.raises(NotAManifest) as caught:
        read_manifest(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_manifest_with_unknown_keys_or_a_run_outside_its_folder_is_refused() -> None:
    data = json.loads(signed(day()).text)
    with pytest.raises(NotAManifest, match="more"):
        read_manifest(canonical({**data, "more": 1}))
    data["runs"][0]["run"] = "../../etc"
    with pytest.raises(NotAManifest, match=r"runs\.0\.run"):
        read_manifest(canonical(data))


# Records as data


def test_the_nouns_survive_being_plain_data() -> None:
    record = rich_run(day(waivers=[Waiver(criterion=CPU, reason="r", approver="a", risk="l", expires=AT)]))
    for kind, value in [
        (Watch, record.watch), (ProbeSpan, record.probes[0]), (Waiver, record.waivers[0]),
        (Attestation, record.attestations[0]), (SignOff, record.sign_off),
    ]:  # fmt: skip
        assert record_of(kind, json.loads(canonical(plain(value)))) == value


def test_the_verdict_is_signed_with_its_reasons() -> None:
    from golive.judge.verdict import decide

    record = with_outcome(day(signed_by=()), "6h", CPU, Status.FAIL, "91 %")
    verdict = decide(record, now=after(record))
    data = json.loads(manifest(record, verdict, SIGNER).text)
    assert data["verdict"]["decision"] == "NO-GO"
    assert any(CPU in reason["text"] for reason in data["verdict"]["reasons"])
