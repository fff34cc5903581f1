"""Sessions that last too long, or end in silence."""

from __future__ import annotations

from demo.faults._model import Demo, Fault


def _take_ttl_away(demo: Demo) -> None:
    for key in demo.session_keys():
        demo.redis("PERSIST", key)


WITHOUT_TTL = Fault(
    name="sessions-without-ttl",
    says="session keys in Redis have no TTL",
    incident="a change from SETEX to SET lost the limit",
    break_=_take_ttl_away,
    heal=Demo.end_sessions,
)

IDLE_IGNORED = Fault(
    name="idle-limit-ignored",
    says="a session stays open however long nobody uses it",
    incident="cashiers complained of logins after each break, and the limit was lifted",
    heal=Demo.end_sessions,
)

ABSOLUTE_IGNORED = Fault(
    name="absolute-limit-ignored",
    says="a session in use never ends",
    incident="the renewal of a session also moved its start",
    heal=Demo.end_sessions,
)

END_NOT_LOGGED = Fault(
    name="session-end-not-logged",
    says="the log says nothing of sessions that ran out",
    incident="the event was renamed, and the log's filter was not",
)
