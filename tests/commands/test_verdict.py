"""`golive verdict`, on a real history: what it says, and its exit codes."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from golive.history.store import History
from golive.history.watches import close_watch, open_watch
from golive.model import Status
from tests import watchdays as days
from tests.commands.held import CPU, CRITERIA, LOGIN, Held, with_cpu
from tests.sessions import BIN, LIMIT_S, ROOT, surroundings
from tests.watchdays import cpu_percent, the_watch


@pytest.fixture
def held(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Held:
    return Held(tmp_path, capsys, monkeypatch)


def test_a_clean_watch_is_go(held: Held) -> None:
    record = held.hold()
    code, out = held.ask("verdict")
    head, empty, milestone, after, forecast = out.splitlines()
    assert code == 0
    assert head.startswith(
        f"GO       warungin on shop, watch {the_watch(record).id} over version 2.4.1, all 24 hours over, "
    )
    assert milestone.startswith("reached  stable (4h): five checkpoints clean since ")
    assert (empty, after, forecast) == ("", "", "forecast GO, and nothing that it rests on expires")


def test_a_failure_is_no_go_with_its_line(held: Held) -> None:
    held.hold(lambda record: with_cpu(record, "6h", cpu_percent(91.0), Status.FAIL, "91 %, below 80 % needed"))
    code, out = held.ask("verdict")
    told = f"checkpoint 6h: {CPU} failed, though it held again later: 91 %, below 80 % needed"
    assert code == 1
    assert out.splitlines()[1] == f"NO-GO    {told}"
    assert out.splitlines()[-2:] == [
        f"forecast GO no longer reachable: {told}",
        f"next     mend the cause, then begin the watch anew: golive watch restart --env={held.shop.file} --reason=…",
    ]


def test_who_may_accept_a_no_go_is_told(held: Held) -> None:
    held.write(sign_off={"roles": ["QA Lead"], "override_role": "Product Manager"})
    held.hold(lambda record: days.without_run(record, "6h"))
    line = held.ask("verdict")[1].splitlines()[-1]
    assert line.endswith(" --reason=…; or the Product Manager accepts it: golive sign --override")


def test_a_watch_that_goes_on_is_pending_and_says_what_changed(held: Held) -> None:
    held.hold(
        lambda record: days.with_outcome(record, "4h", LOGIN, Status.UNKNOWN, "refused\x1b[2J"),
        hours_ago=4.1,
        until="4h",
    )
    code, out = held.ask("verdict")
    lines = out.splitlines()
    assert code == 3
    assert lines[0].startswith("PENDING  warungin on shop, ")
    assert f"PENDING  checkpoint 4h: {LOGIN} could not be looked at: refused\\x1b[2J" in lines
    assert any(line.startswith("open     stable (4h): checkpoint 4h: ") for line in lines)
    assert f"changed  {LOGIN} is unknown: refused\\x1b[2J" in lines


def test_as_json_it_holds_everything(held: Held) -> None:
    record = held.hold(lambda record: days.without_run(record, "6h"), time_scale=2.0, hours_ago=13)
    code, out = held.ask("verdict", "--json")
    data = json.loads(out)
    assert code == 1
    assert (data["schema"], data["environment"], data["system"]) == (1, "shop", "warungin")
    assert (data["decision"], data["trial"], data["earliest"], data["override"]) == ("NO-GO", True, None, None)
    assert data["watch"]["id"] == the_watch(record).id
    assert (data["watch"]["time_scale"], data["watch"]["version"]) == (2.0, "2.4.1")
    assert data["reasons"] == [
        {
            "kind": "checkpoint-missed",
            "decision": "NO-GO",
            "text": "checkpoint 6h was missed: no run began within 7 min 30 s after it was due",
            "criterion": None,
            "checkpoint": "6h",
        }
    ]
    assert data["forecast"] == f"GO no longer reachable: {data['reasons'][0]['text']}"
    assert [m["name"] for m in data["milestones"]] == ["stable"]
    assert data["changes"] == []


def test_a_trial_says_so(held: Held) -> None:
    held.hold(time_scale=2.0, hours_ago=12.5)
    assert "TRIAL at 2 times the speed, which proves nothing of 24 hours" in held.ask("verdict")[1].splitlines()[0]


def test_without_a_watch_it_is_pending(held: Held) -> None:
    held.hold(lambda record: replace(record, watch=None, runs=()))
    code, out = held.ask("verdict")
    assert code == 3
    assert out.splitlines()[0].startswith("PENDING  warungin on shop, no watch, ")
    assert out.splitlines()[1] == "PENDING  no watch of shop has begun: golive watch --env=shop"
    assert json.loads(held.ask("verdict", "--json")[1])["watch"] is None


def test_another_watch_is_judged_by_its_id(held: Held) -> None:
    record = held.hold()
    closed = the_watch(record)
    with History.open(held.file) as history:
        close_watch(history, closed.id, held.now, "a new deployment, 2.5.0")
        open_watch(history, replace(closed, id="next", starts_at=held.now, criteria_digest=""))
    code, out = held.ask("verdict")
    assert (code, "watch next" in out) == (3, True)
    code, out = held.ask("verdict", f"--watch={closed.id}")
    assert code == 1
    assert out.splitlines()[1].endswith("UTC: a new deployment, 2.5.0")
    code, out = held.ask("verdict", "--watch=nxt")
    assert (code, out.startswith("shop: unknown watch 'nxt'. Did you mean 'next'?")) == (4, True)


def test_changed_criteria_are_no_go(held: Held) -> None:
    held.hold()
    criteria = [{**entry, **({"critical": 95} if entry["id"] == CPU else {})} for entry in CRITERIA]
    held.write(criteria)
    code, out = held.ask("verdict")
    assert code == 1
    assert out.splitlines()[1] == "NO-GO    the criteria were changed since the watch began"


@pytest.mark.parametrize("damage", ["missing", "rubbish"])
def test_a_history_that_cannot_be_used_is_one_line(held: Held, damage: str) -> None:
    if damage == "rubbish":
        held.file.write_bytes(b"this is no database" * 100)
    code, out = held.ask("verdict")
    assert (code, out.count("\n")) == (4, 1)
    assert "history.sqlite" in out


def test_an_environment_that_cannot_be_used_is_told(held: Held) -> None:
    held.hold()
    held.shop.file.write_text("system: warungin\nhots: {}\n")
    code, out = held.ask("verdict")
    assert code == 4
    assert "unknown key 'hots'" in out


def test_a_terminal_gets_the_same_in_colour(held: Held) -> None:
    held.hold(lambda record: with_cpu(record, "6h", cpu_percent(91.0), Status.FAIL, "91 %, below 80 % needed"))
    leader, follower = pty.openpty()
    command = [str(BIN / "golive"), "verdict", f"--env={held.shop.file}", f"--history={held.file}"]
    env = {**surroundings({}), "COLUMNS": "100", "TERM": "xterm"}
    process = subprocess.Popen(command, stdout=follower, stderr=follower, env=env, cwd=ROOT)
    os.close(follower)
    seen = b""
    while part := _read(leader):
        seen += part
    os.close(leader)
    assert process.wait(LIMIT_S) == 1
    assert b"\x1b[1;31mNO-GO" in seen
    assert b"91 %, below 80 %" in seen


def _read(leader: int) -> bytes:
    try:
        return os.read(leader, 65536)
    except OSError:
        return b""
