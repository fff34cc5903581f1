"""Which ports are asked whether they speak HTTP. Pure.

Without being told to, only what is meant to be asked: ports that containers publish, and those of web servers.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from golive.discovery.found import Survey
from golive.discovery.proposing import data
from golive.discovery.questions.containers import Container
from golive.discovery.visiting.knocking import Door
from golive.discovery.visiting.sets import in_scope

_WEB_SERVERS = frozenset({"nginx", "apache2", "httpd", "caddy", "traefik", "haproxy", "envoy", "lighttpd", "openresty"})
_NO_HTTP = frozenset(
    {"sshd", "systemd", "systemd-resolve", "named", "dnsmasq", "master", "exim4", "dovecot", "rpcbind", "rpc.statd",
     "smbd", "chronyd", "xinetd", "vsftpd", "slapd"}
) | data.PROCESSES  # fmt: skip
_NO_HTTP_PORTS = frozenset(
    {7, 9, 13, 19, 20, 21, 22, 23, 25, 37, 43, 49, 53, 69, 79, 88, 102, 110, 111, 113, 119, 123, 135, 139, 143, 161,
     179, 389, 445, 465, 502, 512, 513, 514, 515, 543, 544, 548, 554, 587, 636, 873, 990, 993, 995, 1080, 1883, 2049,
     3260, 3389, 4369, 5060, 5222, 5900, 6000, 8883, 9100}
) | data.PORTS  # fmt: skip
MOST = 40


def doors(survey: Survey, address: str, *, probe_http: bool | None) -> tuple[Door, ...]:
    """Each port once. `probe_http`: all that may speak HTTP (True), none (False), or what is meant to be asked."""
    if probe_http is False or not address:
        return ()
    wanted = dict.fromkeys(_published(survey, address))
    if survey.target.scope == "host":
        wanted |= dict.fromkeys(_listening(survey, address, everything=probe_http is True))
    return tuple(wanted)[:MOST]


def _published(survey: Survey, address: str) -> Iterator[Door]:
    for container in in_scope(survey):
        if not container.is_running or _speaks_otherwise(container):
            continue
        for published in container.published:
            if published.inner in _NO_HTTP_PORTS or published.port in _NO_HTTP_PORTS:
                continue
            if _is_any(published.address):
                yield Door(address=address, port=published.port)
            elif is_near(survey, address) or not _is_loopback(published.address):
                yield Door(address=published.address, port=published.port)


def _speaks_otherwise(container: Container) -> bool:
    words = {*container.image.rpartition("/")[2].partition(":")[0].lower().split("-"), container.service.lower()}
    return bool(words & data.WORDS)


def _listening(survey: Survey, address: str, *, everything: bool) -> Iterator[Door]:
    own = survey.facts.own_pids
    for port in survey.facts.ports or ():
        if port.pid in own or port.process in _NO_HTTP or port.port in _NO_HTTP_PORTS:
            continue
        if port.is_loopback and not is_near(survey, address):
            continue
        if everything or port.process in _WEB_SERVERS:
            yield Door(address=address, port=port.port)


def is_near(survey: Survey, address: str) -> bool:
    """Whether the loopback addresses of the host are those of the runner too."""
    return survey.target.is_local or _is_loopback(address)


def _is_any(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
