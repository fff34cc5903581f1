"""Warungin as eight containers under compose, over SSH: green while all is well, and each fault seen by its criterion.

One production for all of them. Each fault mends itself; that it did is seen by the next one, and at the end by a whole
checkpoint.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager

import pytest

from tests.integration.world import faults
from tests.integration.world.production import TIMEOUT_OF_HOST_S, Production, running_production
from tests.verification import Verified

SLACK_S = 8
"""By how much one run may be slower than another on a machine that does other things as well."""
LOOKED_AT = "health or containers or machine or logging or service-stops or incident.high"
WITH_OTHERS = f"{LOOKED_AT} or database.responding or api-health"
NOT_THERE = {
    "health.services-running": "mail is exited",
    "health.container-stats": "mail is exited",
    "incident.critical.service-stops": "mail is exited",
    "containers.probed": "mail: is exited",
}
LINES_MAY_BE_LOST = {"logging.no-critical": "may be missing", "logging.*": "log worker: ", "incident.high.*": ""}
A_CRITICAL_LINE = ("logging.no-critical", "logging.no-critical-24h[lines]")
IN_A_FILE = dict.fromkeys((*A_CRITICAL_LINE, "logging.error-logs-reviewed"), "spooler lost 12 receipts")

Fault = Callable[[Production], AbstractContextManager[None]]
Red = Mapping[str, str]
"""By criterion without its first part, or a pattern of several, what its message says."""


@pytest.fixture(scope="module")
def production() -> Iterator[Production]:
    with running_production() as made:
        yield made


@pytest.fixture(scope="module", autouse=True)
def seen_healthy(production: Production) -> Verified:
    """Faults are judged against a system that was seen healthy, as after a first checkpoint."""
    return production.verify("-m", "checkpoint")


def test_the_criteria_of_the_demo_are_judged_and_green(seen_healthy: Verified) -> None:
    assert seen_healthy.exit_code == 0, f"{seen_healthy.red}\n{seen_healthy.printed}"
    judged = {name for name, outcome in seen_healthy.outcomes.items() if outcome["outcome"] in ("pass", "waived")}
    assert len(judged) >= 95
    # What is left waits for its hour, or for people that nobody named.
    left = {str(o["message"]) for name, o in seen_healthy.outcomes.items() if name not in judged}
    reasons = r"not yet: |judged from hour \d+ |nobody is on call|no (checkpoint|run) of this watch "
    assert [message for message in left if not re.match(reasons, message)] == []


@pytest.mark.parametrize(
    ("fault", "red"),
    [
        (faults.stopped, NOT_THERE),
        (faults.restarted, {"health.no-restarts": "mail was started "}),
        (
            faults.crashed,
            {
                "health.no-restarts": "mail was ",
                "health.no-crashes[services]": "mail: (ended with exit code 137|started again once)",
                "containers.restarts": "mail: was restarted 1 times",
            },
        ),
        (
            faults.exited,
            NOT_THERE
            | {"health.no-crashes[services]": r"mail: ended with exit code 137"}
            | {"containers.restarts": "mail: has no restart policy"},
        ),
        (
            faults.one_of_two_exited,
            {
                "health.services-running": r"worker is exited .*_worker_2; 1 of 2 run",
                "health.container-stats": "worker is exited",
                "health.no-crashes[services]": "worker: ended with exit code 137",
                "incident.critical.service-stops": "worker is exited",
                "containers.probed": "worker_2: is exited",
                "containers.restarts": "worker_2: has no restart policy",
            },
        ),
        (
            faults.unhealthy,
            {
                "health.services-running": r"mail is running \(unhealthy",
                "health.no-crashes[services]": "mail: unhealthy",
                "incident.critical.service-stops": r"mail is running \(unhealthy",
                "containers.probed": "mail: is unhealthy",
            },
        ),
        (
            faults.out_of_memory,
            {
                "health.no-restarts": "worker was ",
                "health.no-crashes[services]": "worker: killed for lack of memory",
                "health.no-crashes[memory]": r"killed by the kernel on host app: \d+ processes",
                "containers.memory-kills": r"worker: \d+ killed for lack of memory",
                "containers.restarts": r"worker: was restarted \d+ times",
            },
        ),
        (faults.as_root, {"containers.not-root": "mail: runs as root"}),
        (faults.without_limits, {"containers.limits": "mail: no limit of memory, no limit of cpu, no limit of pids"}),
        (
            faults.open_to_the_world,
            {"containers.published-ports": r"mail: publishes 0\.0\.0\.0:19\d\d\d to the world"},
        ),
        (
            faults.other_image,
            {
                "containers.image-digest": "stands for ",
                "containers.unchanged": "mail",
                "health.no-restarts": "mail was ",
            },
        ),
        (faults.critical_in_file, IN_A_FILE),
        (faults.log_rotated, IN_A_FILE),
        (faults.log_truncated, LINES_MAY_BE_LOST),
        (faults.log_recreated, LINES_MAY_BE_LOST | {"logging.no-critical-24h[coverage]": "log worker: "}),
        (faults.critical_in_container, dict.fromkeys(A_CRITICAL_LINE, "Too many open files")),
        (faults.home_full, {"health.disk[space]": "/home on host app: 9[5-9]"}),
        (faults.home_without_inodes, {"health.disk[inodes]": "inodes of /home on host app: 9[5-9]"}),
        (faults.clock_off, {"health.network-stable[clock]": "clock of host app: (29|30)"}),
    ],
    ids=lambda value: getattr(value, "__name__", None) or "",
)
def test_a_fault_turns_exactly_its_criteria_red(fault: Fault, red: Red, production: Production) -> None:
    with fault(production):
        found = production.verify("-m", "checkpoint", "-k", LOOKED_AT)
    assert len(found.outcomes) >= 40, found.printed
    expect(found, red)


@pytest.fixture(scope="module")
def usual_s(production: Production) -> float:
    """How long a look at all that this takes without a fault."""
    began = time.monotonic()
    found = production.verify("-m", "checkpoint", "-k", WITH_OTHERS)
    assert found.exit_code == 0, found.red
    return time.monotonic() - began


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (lambda production: production.host.refusing(), "refused"),
        (lambda production: production.host.hanging(), "no answer within|timed out"),
        (faults.without_sudo, "sudo wants a password there"),
    ],
    ids=["refusing", "hanging", "without sudo"],
)
def test_a_host_that_cannot_be_looked_at_is_unknown_and_delays_nothing(
    fault: Fault, told: str, production: Production, usual_s: float
) -> None:
    with fault(production):
        began = time.monotonic()
        found = production.verify("-m", "checkpoint", "-k", WITH_OTHERS)
        took_s = time.monotonic() - began
    of_host = {name for name, o in found.outcomes.items() if str(o["check"]).startswith(("hosts/", "containers/"))}
    of_logs = {name for name, o in found.outcomes.items() if str(o["check"]).startswith("logs/")}
    assert of_host <= found.red.keys()
    assert of_logs - {"warungin.logging.loki"} <= found.red.keys()
    assert {name: message for name, message in found.red.items() if not message.startswith("unknown: ")} == {}
    assert all(re.search(told, found.red[name]) for name in of_host), found.red
    others = [name for name in found.outcomes if "database.responding" in name or "api-health" in name]
    assert len(others) == 4
    assert found.red.keys().isdisjoint(others)
    assert took_s < usual_s + TIMEOUT_OF_HOST_S + SLACK_S, found.printed


def test_a_host_that_is_entered_as_root_by_sudo_is_looked_at(production: Production) -> None:
    with faults.with_sudo(production):
        found = production.verify("-m", "checkpoint", "-k", LOOKED_AT)
    expect(found, {})


def test_everything_is_green_again_and_two_workers_share_one_connection(production: Production) -> None:
    let_in = production.host.accepted()
    found = production.verify("-m", "checkpoint", "-n", "2")
    assert found.exit_code == 0, f"{found.red}\n{found.printed}"
    assert production.host.accepted() == let_in + 1


def expect(found: Verified, red: Red) -> None:
    """Every red criterion is one that was named, and every name stands for one that says what it should.

    Of a name without words it is not expected, but put up with.
    """
    short = {name.removeprefix("warungin."): message for name, message in found.red.items()}
    told = "\n".join(f"{name}: {message}" for name, message in found.red.items())
    unexpected = [name for name in short if not any(stands_for(pattern, name) for pattern in red)]
    assert not unexpected, f"unexpected {unexpected}:\n{told}"
    for pattern, says in red.items():
        if not says:
            continue
        messages = [message for name, message in short.items() if stands_for(pattern, name)]
        assert any(re.search(says, message) for message in messages), f"no {pattern} says /{says}/:\n{told}"
    assert found.exit_code == (1 if red else 0), found.printed


def stands_for(pattern: str, name: str) -> bool:
    """Only `*` means more than itself: names hold brackets."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) is not None
