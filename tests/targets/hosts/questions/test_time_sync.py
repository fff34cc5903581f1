"""What time services tell, in the forms that they document."""

import pytest

from golive.model import CouldNotLook
from golive.targets.hosts.questions.time_sync import TimeSync, TimeSyncFacts
from tests.targets.hosts.questions.conftest import Shell

TRACKING = "C0A80101,192.168.1.1,3,1777608000.123,-0.000123456,0.00001,0.00002,-12.3,0.001,0.03,0.01,0.002,64.2,Normal"
SOURCES = "^,*,192.168.1.1,2,6,377,12,0.000012,0.000013,0.001\n^,?,192.168.1.2,0,6,0,4294967295,0.0,0.0,0.0"
LOST = "7F7F0101,,0,0.000000000,0.000000000,0.0,0.0,0.0,0.0,0.0,1.0,1.0,0.0,Not synchronised"
PEERS = """\
     remote           refid      st t when poll reach   delay   offset  jitter
==============================================================================
 0.pool.ntp.org  .POOL.          16 p    -   64    0    0.000    0.000   0.000
+10.0.0.2        10.0.0.9         2 u   25   64  377    0.512    0.120   0.010
*10.0.0.1        .GPS.            1 u   33   64  377    0.412   -1.250   0.020
"""


def chrony(shell: Shell, tracking: str, sources: str = SOURCES) -> TimeSyncFacts:
    shell.fake("chronyc", f"case $3 in tracking) cat <<'A'\n{tracking}\nA\n;; *) cat <<'B'\n{sources}\nB\nesac")
    found = shell.answer(TimeSync())
    assert isinstance(found, TimeSyncFacts)
    return found


def test_chrony(debian: Shell) -> None:
    assert chrony(debian, TRACKING) == TimeSyncFacts(
        told_by="chrony", is_synchronised=True, offset_s=-0.000123456, sources=1, source="192.168.1.1"
    )
    assert chrony(debian, LOST, "^,?,192.168.1.2,0,6,0,-,0,0,0") == TimeSyncFacts(
        told_by="chrony", is_synchronised=False, offset_s=None, sources=0, source=""
    )


def test_ntpd_where_chrony_does_not_answer(debian: Shell) -> None:
    debian.fake("chronyc", "echo '506 Cannot talk to daemon'; exit 1")
    debian.fake("ntpq", f"cat <<'END'\n{PEERS}END")
    assert debian.answer(TimeSync()) == TimeSyncFacts(
        told_by="ntpd", is_synchronised=True, offset_s=-0.00125, sources=2, source="10.0.0.1"
    )
    debian.fake("ntpq", f"cat <<'END'\n{PEERS.replace('*10', ' 10').replace(' 377 ', '   0 ')}END")
    assert debian.answer(TimeSync()) == TimeSyncFacts(told_by="ntpd", is_synchronised=False, sources=0)


def test_the_clock_of_the_host_itself_is_no_source(debian: Shell) -> None:
    alone = "7F7F0101,,10,1777608000.0,0.000000000,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,Normal"
    assert chrony(debian, alone, "^,?,192.168.1.2,0,6,0,-,0,0,0") == TimeSyncFacts(
        told_by="chrony", is_synchronised=False, sources=0
    )
    debian.fake("chronyc", "exit 1")
    local = "*127.127.1.0     .LOCL.          10 l   22   64  377    0.000    0.000   0.000"
    debian.fake("ntpq", f"cat <<'END'\n{PEERS[: PEERS.index('+')]}{local}\nEND")
    assert debian.answer(TimeSync()) == TimeSyncFacts(told_by="ntpd", is_synchronised=False, sources=0)


@pytest.mark.parametrize(
    ("shown", "offset_s"),
    [("+1.234ms", 0.001234), ("-305us", -0.000305), ("-1min 2.5s", -62.5), ("n/a", None), ("+1 fortnight", None)],
)
def test_timesyncd(debian: Shell, shown: str, offset_s: float | None) -> None:
    for program in ("chronyc", "ntpq"):
        debian.fake(program, "exit 1")
    status = f"       Server: 10.0.0.1 (ntp.example)\n       Offset: {shown}\n        Delay: 1ms\n"
    debian.fake("timedatectl", f"case $1 in show) echo NTPSynchronized=yes;; *) cat <<'B'\n{status}B\nesac")
    found = debian.answer(TimeSync())
    assert isinstance(found, TimeSyncFacts)
    assert (found.told_by, found.is_synchronised, found.source) == ("systemd", True, "10.0.0.1")
    assert found.offset_s == (None if offset_s is None else pytest.approx(offset_s))


def test_systemd_without_a_service_tells_that_nothing_keeps_the_clock(debian: Shell) -> None:
    for program in ("chronyc", "ntpq"):
        debian.fake(program, "exit 1")
    debian.fake("timedatectl", "case $1 in show) echo NTPSynchronized=no;; *) exit 1;; esac")
    assert debian.answer(TimeSync()) == TimeSyncFacts(told_by="systemd", is_synchronised=False)


@pytest.mark.parametrize("said", ["", "nothing", "1,2,3", "NTPSynchronized=perhaps"])
def test_rubbish_from_all_of_them_is_unknown(debian: Shell, said: str) -> None:
    for program in ("chronyc", "ntpq", "timedatectl"):
        debian.fake(program, f"echo '{said}'")
    assert isinstance(debian.answer(TimeSync()), CouldNotLook)


def test_a_host_without_any_of_them_is_unknown(shell: Shell) -> None:
    for program in ("chronyc", "ntpq", "timedatectl"):
        shell.replaced[f"has {program}"] = "false"
    assert shell.why(TimeSync()) == "no time service answers: it needs `chronyc`, `ntpq` or `timedatectl` there"
