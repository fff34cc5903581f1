"""Databases and caches, known by their process, port or image. Both need an account first, so they are off."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from golive.discovery.found import Found
from golive.discovery.naming import distinct, slug
from golive.discovery.proposal import Collected, Entry, Rule
from golive.discovery.visiting.sets import in_scope


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kind:
    section: str
    noun: str
    words: tuple[str, ...]
    processes: tuple[str, ...]
    port: int
    url: str
    needs: str


_KINDS = (
    _Kind(
        section="databases",
        noun="PostgreSQL",
        words=("postgres", "postgis", "timescale"),
        processes=("postgres", "postmaster"),
        port=5432,
        url="postgresql://golive@{address}:{port}/postgres",
        needs="a role (CREATE ROLE golive LOGIN; GRANT pg_monitor TO golive), its password, and its database",
    ),
    _Kind(
        section="caches",
        noun="Redis",
        words=("redis", "valkey"),
        processes=("redis-server", "valkey-server"),
        port=6379,
        url="redis://{address}:{port}/0",
        needs="its password",
    ),
)
_OTHERS = {
    "MySQL": ("mysqld", "mariadbd"), "MongoDB": ("mongod",), "Memcached": ("memcached",), "RabbitMQ": ("beam.smp",),
    "Elasticsearch": ("elasticsearch", "opensearch"),
}  # fmt: skip
PROCESSES = frozenset(name for kind in _KINDS for name in kind.processes) | {n for ns in _OTHERS.values() for n in ns}
"""Processes that speak a protocol of their own, which nobody may knock at with HTTP."""
WORDS = frozenset(word for kind in _KINDS for word in kind.words) | {"mysql", "mariadb", "mongo", "memcached"}
"""Names of images and of compose services that such a process runs in."""
PORTS = frozenset({5432, 6379, 3306, 27017, 11211, 5672, 9300, 9042, 2379, 1433, 1521})


def propose(found: Found, collected: Collected) -> None:
    """An entry and rules for each server, behind `#`: the password, and for PostgreSQL the role, is the user's."""
    for kind in _KINDS:
        for server in _servers(kind, found):
            collected.count(**{kind.noun: 1})
            name = distinct(slug(server.where, kind.section[:-1]), collected.names(kind.section))
            collected.entries.append(_entry(kind, name, server, found))
            collected.extend(_rules(kind, name))
    processes = {port.process for port in found.facts.ports or ()}
    for noun, names in _OTHERS.items():
        if processes & set(names):
            collected.leave_out(noun, "it listens, but there is no check for it: a test of your own can ask it")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Server:
    """A server of a kind: what it is called there, and its port as the runner would reach it, if it may."""

    where: str
    port: int
    is_published: bool = True


def _servers(kind: _Kind, found: Found) -> Iterator[_Server]:
    """Containers come before processes, whose ports may be those that a container publishes."""
    seen: set[int] = set()
    for container in in_scope(found.survey):
        image = container.image.rpartition("/")[2].partition(":")[0].lower()
        is_one = any(word in image or word == container.service.lower() for word in kind.words)
        if is_one and container.is_running and "exporter" not in image:
            own = [p for p in container.published if p.inner == kind.port] or list(container.published)[:1]
            seen |= {published.port for published in own}
            port = own[0].port if own else kind.port
            yield _Server(where=container.service or container.name, port=port, is_published=bool(own))
    if found.survey.target.scope != "host":
        return
    for listening in found.facts.ports or ():
        is_one = listening.process in kind.processes or (listening.process is None and listening.port == kind.port)
        if is_one and listening.port not in seen:
            seen.add(listening.port)
            usual = kind.words[0]
            yield _Server(
                where=usual if listening.port == kind.port else f"{usual}-{listening.port}", port=listening.port
            )


def _entry(kind: _Kind, name: str, server: _Server, found: Found) -> Entry:
    variable = f"{found.system}_{name}_PASSWORD".upper().replace("-", "_")
    where = "" if server.is_published else "; its port is not published, so the runner must reach it in another way"
    return Entry(
        section=kind.section,
        name=name,
        data={
            "url": kind.url.format(address=found.address or "localhost", port=server.port),
            "password": f"${{env:{variable}}}",
        },
        told=f"{kind.noun} ({server.where})",
        off=f"it needs {kind.needs}{where}",
    )


def _rules(kind: _Kind, name: str) -> Iterator[Rule]:
    if kind.section == "databases":
        yield _rule(name, "answers", "PostgreSQL answers within its limit", "database/answers", {"database": name})
        yield _rule(name, "connections", "PostgreSQL has connections left", "database/connections", {"database": name})
    else:
        yield _rule(name, "answers", "Redis answers within its limit", "cache/answers", {"cache": name})
        yield _rule(name, "memory", "Redis has memory left", "cache/memory", {"cache": name})


def _rule(entry: str, name: str, says: str, check: str, keys: dict[str, str]) -> Rule:
    return Rule(area="data", name=f"{entry}-{name}", says=says, check=check, severity="critical", keys=keys)
