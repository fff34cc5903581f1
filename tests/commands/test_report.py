"""`golive report`, on a real history: what it writes, where, what it refuses, and its exit codes."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commands import main as front_desk
from golive.history.baselines import Baseline, BaselineValue, set_baseline
from golive.history.runs import begin_run
from golive.history.store import History
from golive.history.watches import close_watch
from golive.model import Status
from tests import watchdays as days
from tests.commands.held import CPU, Held, with_cpu
from tests.reports.golive.test_page import Page
from tests.sessions import BIN, run

SAYS = "Warungin POS, production"
CONTACT = {"role": "QA Lead", "name": "${env:NO_SUCH_QA_LEAD}", "phone": "+62215550101", "email": "qa@example.com"}


@pytest.fixture
def held(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Held:
    made = Held(tmp_path, capsys, monkeypatch)
    monkeypatch.setattr(front_desk, "COMMANDS", ("watching.report",))
    monkeypatch.chdir(tmp_path)
    made.write(says=SAYS, contacts=[CONTACT])
    return made


def report(held: Held, *words: str) -> tuple[int, str]:
    return held.ask("report", f"--output={held.shop.folder / 'output'}", *words)


def page(held: Held, name: str = "golive.html") -> Page:
    return Page((held.shop.folder / "output" / "shop" / name).read_text(encoding="utf-8"))


def test_it_is_written_beside_the_runs_and_says_where(held: Held) -> None:
    held.hold()
    assert report(held) == (0, "output/shop/golive.html: GO\n")
    text = page(held).text
    assert "Warungin POS on shop · go-live report GO Warungin POS, production" in text
    assert "${env:NO_SUCH_QA_LEAD} +62215550101 qa@example.com" in text
    assert "cpu warungin.health.cpu" in text


def test_the_verdict_is_told_with_the_number_of_its_reasons_and_is_not_the_exit_code(held: Held) -> None:
    held.hold(lambda record: with_cpu(record, "6h", days.cpu_percent(91.0), Status.FAIL))
    assert report(held) == (0, "output/shop/golive.html: NO-GO, 1 reason\n")
    held.file.unlink()
    held.hold(time_scale=2.0, hours_ago=12.5)
    assert report(held) == (0, "output/shop/golive.html: GO (trial)\n")


def test_it_goes_where_it_is_told(held: Held, tmp_path: Path) -> None:
    held.hold()
    assert report(held, "-o", str(tmp_path / "deep" / "x.html")) == (0, "deep/x.html: GO\n")
    assert Page((tmp_path / "deep" / "x.html").read_text(encoding="utf-8")).named("main")
    assert report(held, "-o", "-") == (4, "a page needs a file: -o FILE\n")
    code, out = report(held, "-o", "/proc/none/x.html")
    assert code == 4
    assert out.startswith("/proc/none/x.html could not be written: ")


def test_the_baseline_in_force_is_drawn(held: Held) -> None:
    record = held.hold(lambda record: with_cpu(record, "6h", days.cpu_percent(66.0), Status.PASS))
    values = {(CPU, "cpu", "%"): BaselineValue(61.5, 12)}
    with History.open(held.file) as history:
        set_baseline(
            history,
            Baseline(name="spring", environment="shop", version="2.4.0", made_at=held.now, runs=(record.runs[0].run,),
                     values=values),
        )  # fmt: skip
    report(held)
    assert "dotted the baseline spring" in page(held).text
    assert "baseline 61.5 %" in page(held).text


def test_without_a_watch_it_says_how_to_begin_one(held: Held) -> None:
    held.hold(lambda record: replace(record, watch=None, runs=()))
    assert report(held) == (1, "no watch of shop is open; golive watch --env=shop begins one\n")
    assert not (held.shop.folder / "output" / "shop" / "golive.html").exists()


def test_a_watch_that_was_closed_is_named_and_can_be_asked_for(held: Held) -> None:
    record = held.hold()
    name = days.the_watch(record).id
    with History.open(held.file) as history:
        close_watch(history, name, held.now, "a new deployment of 2.5.0")
    assert report(held) == (1, f"no watch of shop is open; the last one: --watch={name}\n")
    code, out = report(held, f"--watch={name}")
    assert code == 0
    assert out.startswith("output/shop/golive.html: NO-GO")
    assert "a new deployment of 2.5.0" in page(held).text
    code, out = report(held, "--watch=shop-2")
    assert code == 4
    assert "unknown watch 'shop-2'" in out


def test_a_ticket_gets_markdown_on_stdout_or_in_a_file(held: Held, tmp_path: Path) -> None:
    held.hold(lambda record: days.without_run(record, "6h"))
    code, out = report(held, "--markdown")
    assert code == 0
    assert out.startswith("## NO-GO\n")
    assert "| 6 h | missed |" in out
    assert report(held, "--markdown", "-o", str(tmp_path / "ticket.md")) == (0, "ticket.md\n")
    assert (tmp_path / "ticket.md").read_text(encoding="utf-8").startswith("## NO-GO\n")


def test_the_log_is_text(held: Held) -> None:
    held.hold()
    code, out = report(held, "--log")
    assert code == 0
    assert out.startswith("WARUNGIN POS: 24-HOUR MONITORING LOG\n")
    assert out.count("\nHOUR ") == 24
    assert "GO-LIVE READY: YES" in out


def test_the_announcement_is_written_only_with_go(held: Held) -> None:
    held.hold()
    code, out = report(held, "--notification")
    assert code == 0
    assert out.startswith("Subject: WARUNGIN POS GO-LIVE APPROVED\n")
    held.file.unlink()
    held.hold(until="4h", hours_ago=4.1)
    told = "no notification: the verdict is PENDING, 1 reason stands against it\n"
    assert report(held, "--notification") == (1, told)


def test_the_week_is_a_page_of_its_own(held: Held) -> None:
    record = held.hold()
    old = replace(record.runs[3], run="old", started_at=held.now - timedelta(days=8), watch=None, checkpoint=None)
    with History.open(held.file) as history:
        begin_run(history, old)
    code, out = report(held, "--weekly")
    name = f"weekly-{datetime.now(UTC):%Y-%m-%d}.html"
    assert (code, out) == (0, f"output/shop/{name}\n")
    text = page(held, name).text
    assert "weekly report Nothing failed" in text
    assert "Runs 12, 0 of them broken off" in text


def test_a_week_without_runs_is_written_and_is_a_negative_answer(held: Held) -> None:
    held.hold(lambda record: replace(record, watch=None, runs=()))
    code, _ = report(held, "--weekly")
    assert code == 1
    assert "Nothing was looked at" in page(held, f"weekly-{datetime.now(UTC):%Y-%m-%d}.html").text


def test_without_a_browser_the_page_is_there_and_the_pdf_is_not(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    held.hold()
    monkeypatch.setenv("GOLIVE_CHROMIUM", "/no/such/browser")
    code, out = report(held, "--pdf")
    assert code == 1
    assert out.splitlines()[0] == "output/shop/golive.html: GO"
    assert out.splitlines()[1].startswith("no PDF: no Chromium or Chrome was found")
    assert page(held).named("main")


def test_with_a_browser_there_is_a_pdf(held: Held, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = tmp_path / "chromium"
    stand_in.write_text(
        '#!/bin/sh\nfor a in "$@"; do case "$a" in --print-to-pdf=*) printf "%%PDF-1.4" > "${a#--print-to-pdf=}";; '
        "esac; done\n",
        encoding="utf-8",
    )
    stand_in.chmod(0o755)
    monkeypatch.setenv("GOLIVE_CHROMIUM", str(stand_in))
    held.hold()
    assert report(held, "--pdf") == (0, "output/shop/golive.html: GO\noutput/shop/golive.pdf\n")
    assert (tmp_path / "output" / "shop" / "golive.pdf").read_bytes() == b"%PDF-1.4"


def test_two_kinds_at_once_are_wrong_words(held: Held) -> None:
    code, out = report(held, "--log", "--markdown")
    assert code == 2
    assert "not allowed with argument" in out


def test_as_a_user_types_it(held: Held) -> None:
    held.hold()
    done = run(
        [str(BIN / "golive"), "report", f"--env={held.shop.file}", f"--history={held.file}", "--markdown"],
        {"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("## GO\n")
