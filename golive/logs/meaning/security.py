"""Events of security in log lines: who failed to log in, was refused, or tried to break in. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from golive.logs.event import LogEvent
from golive.logs.meaning.access import Access, access_of

KINDS = ("failed_login", "refused_access", "invalid_token", "sudo_failure", "injection")

WORDS: Mapping[str, tuple[str, ...]] = {
    "failed_login": (
        *("failed password", "invalid user", "authentication fail", "login fail", "failed login", "invalid credential"),
        *("bad password", "wrong password", "incorrect password", "login", "sign", "/auth", "/token", "/session"),
    ),
    "refused_access": (
        *("401", "403", "unauthori", "forbidden", "permission denied", "access denied", "not permitted", "refused"),
    ),
    "invalid_token": ("token", "jwt", "signature"),
    "sudo_failure": ("sudo", "su:", "su["),
    "injection": (
        *(
            "select",
            " or ",
            "+or+",
            "%20or%20",
            "'or",
            "%27or",
            "%22or",
            "sleep(",
            "benchmark(",
            "<script",
            "%3cscript",
        ),
        *("../", "..%2f", "%2e%2e", "/etc/passwd", "/etc/shadow", "${jndi", "%24%7bjndi", "xp_cmdshell"),
        *("information_schema", "javascript:", "onerror", " table", "%20table", "+table"),
    ),
}
"""Words in lower case of which a line of each kind holds at least one; a first sieve, `kind_of` decides."""

NARROW: Mapping[str, str] = {
    "failed_login": "fail|invalid|bad|wrong|incorrect|[^0-9](401|403|429)[^0-9]",
    "refused_access": "[^0-9](401|403)[^0-9]|unauthori|forbidden|denied|not permitted|refused",
    "invalid_token": "invalid|expired|revoked|malformed|forged|fail|mismatch|reject",
    "sudo_failure": "fail|incorrect|not in|not allowed|denied",
}
"""What each such line matches as well (extended regular expression, in any case)."""

_FAILED_LOGIN = re.compile(
    r"failed password|invalid user|authentication fail\w*|log-?in (?:has )?fail\w*|failed (?:log-?in|sign-?in)"
    r"|(?:invalid|bad|wrong|incorrect) (?:credentials?|password|username)",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"permission denied|access (?:is )?denied|access refused|not authori[sz]ed|unauthori[sz]ed|forbidden"
    r"|operation not permitted",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"(?:invalid|expired|revoked|malformed|forged|rejected) (?:\w+ )?(?:token|jwt|signature)"
    r"|(?:token|jwt)[\w ]{0,20} (?:is |was |has )?(?:invalid|expired|revoked|malformed|forged|rejected)"
    r"|signature (?:verification (?:has )?failed|mismatch|is invalid)",
    re.IGNORECASE,
)
_SUDO = re.compile(
    r"\bsudo\b.*(?:authentication failure|incorrect password attempt|not in (?:the )?sudoers|command not allowed"
    r"|user not allowed)|\bsu(?:\[\d+\])?: .*(?:fail\w*|authentication failure)|FAILED SU",
    re.IGNORECASE,
)
_INJECTION = re.compile(
    r"union(?:\s|\+|%20|/\*\*/)+(?:all(?:\s|\+|%20)+)?select|(?:'|%27|\"|%22)(?:\s|\+|%20)*or(?:\s|\+|%20)+[\w'\"%]+"
    r"(?:\s|\+|%20)*=|;(?:\s|\+|%20)*(?:drop|truncate|alter)(?:\s|\+|%20)+table|\b(?:sleep|benchmark|pg_sleep)\(\d"
    r"|<script|%3cscript|javascript:|\bonerror(?:\s|%20)*=|(?:\.\./|\.\.%2f|%2e%2e(?:/|%2f)){2,}|/etc/(?:passwd|shadow)"
    r"|\$\{jndi:|%24%7bjndi|xp_cmdshell|information_schema\.",
    re.IGNORECASE,
)
_BY_TEXT: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("injection", _INJECTION),
    ("sudo_failure", _SUDO),
    ("invalid_token", _TOKEN),
    ("failed_login", _FAILED_LOGIN),
    ("refused_access", _REFUSED),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Incident:
    """A line that tells of such an event: its kind, and the request that it belongs to, if it tells that."""

    kind: str
    event: LogEvent
    request: str = ""
    who: str = ""


def incident_of(event: LogEvent, own: Mapping[str, re.Pattern[str]], kinds: Iterable[str]) -> Incident | None:
    """The event that a line tells of, if it is of one of `kinds`; `own` are further patterns by the name of theirs."""
    wanted = set(kinds)
    access = access_of(event)
    for name, pattern in own.items():
        if name in wanted and pattern.search(event.raw):
            return _incident(name, event, access)
    for kind, pattern in _BY_TEXT:
        if kind in wanted and pattern.search(event.raw):
            return _incident(kind, event, access)
    refused = "failed_login" if access is not None and access.is_login else "refused_access"
    return _incident(refused, event, access) if access is not None and access.refused and refused in wanted else None


def foreign(incidents: Iterable[Incident]) -> list[Incident]:
    """Those that our own probes did not cause, each request once though several services logged it."""
    kept: dict[str, Incident] = {}
    own = set()
    for number, incident in enumerate(incidents):
        key = incident.request or f"#{number}"
        if incident.event.own:
            own.add(key)
        kept.setdefault(key, incident)
    return [incident for key, incident in kept.items() if key not in own]


def _incident(kind: str, event: LogEvent, access: Access | None) -> Incident:
    request = access.request if access is not None else ""
    named = event.fields.get("request_id") or event.fields.get("requestId")
    who = (access.source or access.user) if access is not None else ""
    return Incident(kind=kind, event=event, request=request or (named if isinstance(named, str) else ""), who=who)
