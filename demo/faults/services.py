"""Services that are not there, or were not for a moment."""

from __future__ import annotations

from functools import partial

from demo.faults._model import Demo, Fault, red, wait_for

_API_NEEDED = (
    "security.2fa-enforced",
    "security.2fa-log-evidence",
    "security.store-authorization",
    "security.store-authorization-log-evidence",
    "security.session-timeout",
    "security.session-timeout-log-evidence",
    "security.token-validation",
    "security.token-log-evidence",
    "security.four-fixes-active",
    "functionality.api-health",
    "functionality.login",
    "functionality.reports",
    "functionality.dashboard",
    "functionality.user-facing-features",
    "performance.response-time",
    "performance.api-latency",
    "database.api-connectivity",
    "incident.critical.security-feature-disabled",
)
_ALWAYS = (
    "health.services-running",
    "health.container-stats",
    "health.service-uptime",
    "incident.critical.service-stops",
)
_INCIDENTS = {
    "postgres": "the kernel's OOM killer took PostgreSQL and nobody started it again",
    "redis": "an upgrade of the package stopped Redis and failed half-way",
    "api": "the API was stopped for a migration and forgotten",
    "frontend": "nginx refused to start after a change of its certificate",
    "worker": "somebody stopped the worker to look into a job by hand",
    "scheduler": "the scheduler was stopped to silence its mails",
    "mail": "the mail relay was moved to another host, and the old one switched off",
    "collector": "the log collector was stopped because its disk was full",
}
_ALSO_RED: dict[str, tuple[str, ...]] = {
    "postgres": (
        *_API_NEEDED,
        "database.responding",
        "database.query-performance",
        "database.no-locks",
        "database.connection-pool",
        "database.stat-recorded",
        "database.users-query",
        "database.backup-running",
        "performance.db-query-time",
        "functionality.user-activity",
        "incident.critical.database-inaccessible",
        "incident.critical.data-corruption",
        "logging.no-repeated-errors",
    ),
    "redis": (*_API_NEEDED, "security.active-sessions", "logging.no-repeated-errors"),
    "api": (*_API_NEEDED, "health.network-stable", "logging.loki"),
    "frontend": ("functionality.frontend-loads", "functionality.dashboard", "performance.page-load"),
    "worker": ("functionality.reports", "functionality.user-facing-features"),
    "collector": ("logging.loki",),
}


def _stopped(service: str) -> Fault:
    return Fault(
        name=f"{service}-stopped",
        says=f"the service {service} is stopped",
        incident=_INCIDENTS[service],
        turns_red=red(*_ALWAYS, *_ALSO_RED.get(service, ())),
        break_=partial(_stop, service=service),
        heal=partial(_start, service=service),
        needs_new_deployment=True,
    )


def _stop(demo: Demo, *, service: str) -> None:
    demo.stop_service(service)


def _start(demo: Demo, *, service: str) -> None:
    demo.start_service(service)


def _restart_api(demo: Demo) -> None:
    demo.supervisor.restart("api")


def _crash_worker(demo: Demo) -> None:
    before = demo.supervisor.services()["worker"].pid
    demo.supervisor.signal("worker", "KILL")

    def is_back() -> bool:
        now = demo.supervisor.services()["worker"]
        return now.state == "RUNNING" and now.pid != before

    wait_for(is_back, "the worker to be started again")


STOPPED = tuple(_stopped(service) for service in _INCIDENTS)

RESTARTED = Fault(
    name="service-restarted",
    says="the API was restarted after the deployment, and is up",
    incident="somebody restarted the API at night because it felt slow, and told nobody",
    turns_red=red("health.no-restarts", "health.service-uptime"),
    break_=_restart_api,
    needs_new_deployment=True,
)

CRASHED = Fault(
    name="service-crashed",
    says="the worker was killed and has been started again by supervisord",
    incident="a report of a whole year took all memory, and the kernel killed the worker",
    turns_red=red("health.no-crashes", "health.no-restarts", "health.service-uptime"),
    break_=_crash_worker,
    needs_new_deployment=True,
)
