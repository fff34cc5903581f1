"""Timers of systemd and entries of cron."""

from pathlib import Path

import pytest

from golive.model import CouldNotLook
from golive.targets.hosts.questions.cron import CronEntries, CronEntry
from golive.targets.hosts.questions.timer import Timer, TimerFacts
from tests.targets.hosts.questions.conftest import FRAME, Shell

# As `systemctl show` prints them (systemd itself does not run everywhere where these tests do).
SHOWN = """\
Unit=backup.service
LastTriggerUSec=Fri 2026-05-01 03:00:00 UTC
Result=success
Id=backup.timer
LoadState=loaded
ActiveState=active
SubState=waiting
UnitFileState=enabled

Result=exit-code
Id=backup.service
LoadState=loaded
ActiveState=failed
UnitFileState=static

Unit=other.service
LastTriggerUSec=n/a
Result=success
Id=never.timer
LoadState=loaded
ActiveState=inactive
UnitFileState=disabled

Result=success
Id=never.service
LoadState=not-found
ActiveState=inactive

Id=gone.timer
LoadState=not-found
ActiveState=inactive

Id=gone.service
LoadState=not-found
ActiveState=inactive
"""
NOW = 1777608000  # 2026-05-01 04:00 UTC


def test_timers(debian: Shell) -> None:
    debian.fake("systemctl", f"[ $TZ = UTC ] && cat <<'END'\n{SHOWN}END")
    debian.fake("date", f"echo {NOW}")
    backup, never, gone = debian.ask(Timer(name="backup"), Timer(name="never.timer"), Timer(name="gone")).values()
    assert backup == TimerFacts(
        is_active=True, is_enabled=True, last_run_age_s=3600, result="exit-code", state="active, enabled"
    )
    assert never == TimerFacts(
        is_active=False, is_enabled=False, last_run_age_s=None, result=None, state="inactive, disabled"
    )
    assert gone is None


def test_a_host_without_systemd_is_unknown(shell: Shell) -> None:
    shell.replaced["systemctl show"] = "false"
    assert shell.why(Timer(name="backup")) == "systemd does not run there, or does not answer"


@pytest.mark.parametrize("time", ["yesterday", "Fri 2026-13-01 03:00:00 UTC", "2026-05-01"])
def test_a_time_that_is_not_understood_is_unknown(debian: Shell, time: str) -> None:
    debian.fake("systemctl", f"cat <<'END'\n{SHOWN.replace('Fri 2026-05-01 03:00:00 UTC', time)}END")
    assert debian.why(Timer(name="backup")) == f"backup.timer: its last time {time!r} is not understood"


def test_fewer_blocks_than_timers_are_no_timers(debian: Shell) -> None:
    debian.fake("systemctl", "echo Id=backup.timer")
    assert debian.why(Timer(name="backup")) == "timer backup: the host told nothing of it"


CRONTAB = """\
SHELL=/bin/sh
MAILTO="backup@example.com"
# 1 1 * * * root backup --old
17 *   * * *  root    cd / && run-parts /etc/cron.hourly
0 3 * * 1-5 postgres\tpg_dump  shop > /backup/shop
@daily root backup --all
*/5 * * * * www-data
"""


@pytest.fixture
def cron(shell: Shell, open_folder: Path) -> Shell:
    """A host with these tables."""
    for name in ("cron.d", "cron.daily", "tables"):
        (open_folder / name).mkdir()
    (open_folder / "crontab").write_text(CRONTAB)
    (open_folder / "cron.d" / "renew").write_text("30 */12 * * * root certbot renew\n")
    (open_folder / "tables" / "eve").write_text("*/10 * * * * backup --mine\n@reboot worker --token hidden\n")
    for name in ("logrotate", "dotted.sh", "plain"):
        (open_folder / "cron.daily" / name).write_text("#!/bin/sh\n")
        (open_folder / "cron.daily" / name).chmod(0o644 if name == "plain" else 0o700)
    (open_folder / "cron.d" / "off.disabled").write_text("0 3 * * * root dotted\n")
    (open_folder / "cron.d" / "old~").write_text("0 3 * * * root plain\n")
    for path, name in (
        ("/etc/crontab", "crontab"),
        ("/etc/cron.d", "cron.d"),
        ("/var/spool/cron/crontabs", "tables"),
        ("/etc/cron.daily", "cron.daily"),
    ):
        shell.replaced[path] = f"{open_folder}/{name}"
    return shell


def test_entries_of_every_table(cron: Shell) -> None:
    asked = [CronEntries(text=text) for text in ("pg_dump", "backup", "certbot", "logrotate", "MAILTO", "nothing")]
    dump, backup, renewal, script, setting, nothing = cron.ask(*asked).values()
    assert [(e.schedule, e.user, e.command) for e in dump] == [
        ("0 3 * * 1-5", "postgres", "pg_dump  shop > /backup/shop")
    ]
    assert [(e.schedule, e.user) for e in backup] == [
        ("0 3 * * 1-5", "postgres"),
        ("@daily", "root"),
        ("*/10 * * * *", "eve"),
    ]
    assert [(e.schedule, e.user) for e in renewal] == [("30 */12 * * *", "root")]
    assert [(e.schedule, e.command) for e in script] == [("daily", "/etc/cron.daily/logrotate")]
    assert setting == nothing == ()


def test_what_cron_passes_over_is_no_entry(cron: Shell) -> None:
    dotted, plain = CronEntries(text="dotted"), CronEntries(text="plain")
    cron.fake("run-parts", "exit 1")
    cron.replaced["command -v run-parts"] = f"echo {cron.first}/run-parts"
    found = cron.ask(dotted, plain)
    assert [entry.file for entry in found[dotted]] == ["/etc/cron.d/off.disabled", "/etc/cron.daily/dotted.sh"]
    assert found[plain] == ()
    (cron.first / "run-parts").write_bytes(b"\x7fELF")
    assert cron.ask(dotted, plain) == {dotted: (), plain: ()}
    del cron.replaced["command -v run-parts"]
    (cron.first / "run-parts").unlink()  # that of this machine
    assert cron.ask(dotted, plain) == {dotted: (), plain: ()}


def test_only_lines_that_are_asked_for_leave_the_host(cron: Shell) -> None:
    said = cron.run(CronEntries.snippet([CronEntries(text="backup --mine")], FRAME))
    assert b"backup --mine" in said and b"--token" not in said and b"MAILTO" not in said


def test_tables_that_may_not_be_read_leave_absence_unknown(cron: Shell, open_folder: Path) -> None:
    (open_folder / "tables").chmod(0o700)
    cron.is_nobody = True
    found = cron.ask(CronEntries(text="certbot"), CronEntries(text="worker"))
    assert [len(answer) for answer in found.values() if not isinstance(answer, CouldNotLook)] == [1]
    assert str(found[CronEntries(text="worker")]) == (
        "/var/spool/cron/crontabs: permission denied: the host needs `sudo: true`"
    )


def test_an_entry_shows_itself() -> None:
    entry = CronEntry(schedule="@daily", user="root", command="backup", file="/etc/cron.d/b")
    assert str(entry) == "@daily root backup (/etc/cron.d/b)"
