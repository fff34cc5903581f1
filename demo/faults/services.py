"""Services that are not there, or were not for a moment."""

from __future__ import annotations

from functools import partial

from demo.faults._model import Demo, Fault, wait_for

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


def _stopped(service: str) -> Fault:
    return Fault(
        name=f"{service}-stopped",
        says=f"the service {service} is stopped",
        incident=_INCIDENTS[service],
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
    break_=_restart_api,
    needs_new_deployment=True,
    needs_earlier_look=True,
)

CRASHED = Fault(
    name="service-crashed",
    says="the worker was killed and has been started again by supervisord",
    incident="a report of a whole year took all memory, and the kernel killed the worker",
    break_=_crash_worker,
    needs_new_deployment=True,
    needs_earlier_look=True,
)
