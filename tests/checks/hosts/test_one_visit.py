"""What checks of a host ask is announced, so that any number of them costs one visit; and what that costs."""

import resource
from typing import Any

import pytest

from checks.hosts import (
    certificate_file,
    command,
    directory_size,
    disk,
    dns,
    file,
    group,
    inodes,
    interface,
    kernel_parameter,
    mount,
    package,
    port,
    process,
    scheduled,
    time_sync,
    user,
)
from golive.environment.params import CheckParams
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import by_kind
from tests.checks.hosts.conftest import Machine, params
from tests.judged import judged

WISHES: list[tuple[Any, dict[str, Any]]] = [
    (file, {"path": "/etc/passwd", "contains": "root", "matches": "^root", "sha256": "0" * 64}),
    (file, {"path": "/etc/mtab", "link_target": "/proc/mounts"}),
    (file, {"path": "/no such", "exists": False}),
    (disk, {"paths": ["/", "/etc"]}),
    (inodes, {"paths": ["/", "/etc"]}),
    (directory_size, {"path": "/etc/cron.d", "max_files": 100}),
    (package, {"package": "bash", "at_least": "1"}),
    (user, {"user": "root", "groups": "root", "locked": True}),
    (group, {"group": "root"}),
    (process, {"command": "no such", "running": False}),
    (process, {"name": "no such", "user": "root"}),
    (port, {"port": 1, "protocol": "udp", "listening": False}),
    (port, {"port": 1, "listening": False}),
    (command, {"command": "echo 5", "at_most": 5}),
    (mount, {"path": "/"}),
    (kernel_parameter, {"parameter": "kernel.ostype", "equals": "Linux"}),
    (scheduled, {"cron": "run-parts", "max_age": "1 d", "stamp": "/etc/passwd"}),
    (scheduled, {"timer": "backup"}),
    (certificate_file, {"path": "/etc/passwd", "key": "/etc/passwd"}),
    (interface, {"interface": "lo", "addresses": "127.0.0.1"}),
    (dns, {"name": "localhost"}),
    (time_sync, {}),
]


def look(check: Any, criterion: CheckParams, host: Host) -> None:
    function = next(value for name, value in vars(check).items() if name.startswith("test_"))
    judged(function, criterion=criterion, host=host)


@pytest.mark.parametrize(
    ("check", "wish"), WISHES, ids=[f"{number}-{check.__name__}" for number, (check, _) in enumerate(WISHES)]
)
def test_a_check_asks_only_what_it_announced(machine: Machine, check: Any, wish: dict[str, Any]) -> None:
    criterion = params(check.Params, **wish)
    host = machine.host()
    host.ask(*criterion.asks())
    host.begin(with_rates=False)
    look(check, criterion, host)
    assert host.cost.commands == 1


def hundred() -> list[tuple[Any, CheckParams]]:
    """A hundred criteria of every kind, as a user with a long list from another tool has them."""
    files = [(file, {"path": f"/etc/{name}", "mode_at_most": "0777"}) for name in ("passwd", "group", "hosts", "fstab")]
    wishes = [*WISHES, *files]
    wishes += [(file, {"path": f"/etc/{number}.conf", "exists": False}) for number in range(18)]
    wishes += [(file, {"path": "/etc/passwd", "contains": f"user{number}"}) for number in range(6)]
    wishes += [(package, {"package": f"package-{number}"}) for number in range(20)]
    wishes += [(user, {"user": f"user{number}"}) for number in range(10)]
    wishes += [(port, {"port": 9000 + number, "listening": False}) for number in range(10)]
    wishes += [(kernel_parameter, {"parameter": f"kernel.p{number}", "equals": 1}) for number in range(5)]
    wishes += [(process, {"name": f"worker-{number}", "running": False}) for number in range(5)]
    return [(check, params(check.Params, **wish)) for check, wish in wishes]


def used_s() -> float:
    """CPU time of all programs that this process started and waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_a_hundred_criteria_cost_one_visit_and_little_of_the_host(machine: Machine) -> None:
    def visit(asked: list[tuple[Any, CheckParams]]) -> tuple[float, Host]:
        host = machine.host()
        host.ask(*(question for _, criterion in asked for question in criterion.asks()))
        before = used_s()
        host.begin(with_rates=False)
        assert host.facts.memory is not None
        return used_s() - before, host

    asked = hundred()
    assert len(asked) == 100
    alone = min(visit([])[0] for _ in range(3))
    cost, host = min((visit(asked) for _ in range(3)), key=lambda found: found[0])
    for check, criterion in asked:
        look(check, criterion, host)
    assert host.cost.commands == 1
    kinds = by_kind([question for _, criterion in asked for question in criterion.asks()])
    assert len(kinds) >= 18
    # It takes well under a tenth of a second; the limit leaves room for a machine that does other things too.
    assert cost - alone < 0.4
