"""Units as `systemctl show` prints them (systemd itself is not to be had in every place where these tests run)."""

from datetime import UTC, datetime, timedelta

import pytest

from golive.model import CouldNotLook
from golive.targets.facts import HostFacts
from golive.targets.services.systemd import Config, parse, snippet

BOOTED = datetime(2026, 5, 1, tzinfo=UTC)
FACTS = HostFacts(host="app", booted_at=BOOTED)
CONFIG = Config(kind="systemd", host="app", expected=("api", "worker.service", "mail"))
SHOWN = """\
Id=api.service
LoadState=loaded
ActiveState=active
SubState=running
Result=success
NRestarts=2
ExecMainStartTimestampMonotonic=60000000
ExecMainStatus=0
MainPID=42
MemoryCurrent=1048576
IPIngressBytes=18446744073709551615

Id=worker.service
LoadState=loaded
ActiveState=failed
SubState=failed
Result=oom-kill
NRestarts=x
MainPID=0
ExecMainStartTimestampMonotonic=0

Id=mail.service
LoadState=not-found
ActiveState=inactive
"""


def test_units_running_failed_and_missing() -> None:
    found = parse(CONFIG, SHOWN, FACTS)
    api, worker = found.services["api"], found.services["worker.service"]
    assert (api.running, api.state, api.pid, api.restarts, api.memory_bytes) == (
        True,
        "active (running)",
        42,
        2,
        1048576,
    )
    assert api.started_at == BOOTED + timedelta(seconds=60)
    assert api.net_rx_bytes is None
    assert (worker.running, worker.restarts, worker.started_at) == (False, None, None)
    assert found.missing == ("mail",)
    assert [crash.says for crash in found.crashes] == ["worker.service: result oom-kill"]


@pytest.mark.parametrize("said", ["", "sh: systemctl: not found\n", "System has not been booted with systemd\n", "a=b"])
def test_no_systemd_is_could_not_look(said: str) -> None:
    with pytest.raises(CouldNotLook, match="host app: systemd does not answer: "):
        parse(CONFIG, said, FACTS)


def test_names_are_quoted() -> None:
    assert "'a b.service'" in snippet(Config(kind="systemd", host="app", expected=("a b",)))
