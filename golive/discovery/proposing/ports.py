"""Ports: those that are listened on go on being listened on, and no other is open to the network."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from golive.discovery.found import HOST, Found
from golive.discovery.proposal import Collected, Item, Rule
from golive.discovery.visiting.sets import in_scope
from golive.targets.hosts.machine import Port

_EPHEMERAL = 32_768
_PROXY = "docker-proxy"


def propose(found: Found, collected: Collected) -> None:
    """A rule of one item a port, and for a whole host one that knows of no further ports."""
    own = found.facts.own_pids
    published = {p.port for c in in_scope(found.survey) for p in c.published}
    ports = [p for p in found.facts.ports or () if p.pid not in own]
    is_host = found.survey.target.scope == "host"
    if not is_host:
        ports = [port for port in ports if port.port in published]
    by_number: dict[int, list[Port]] = {}
    for port in ports:
        by_number.setdefault(port.port, []).append(port)
    collected.count(ports=len(by_number))
    chosen = {n: found for n, found in by_number.items() if n < _EPHEMERAL or n in published}
    for number in sorted(by_number.keys() - chosen.keys()):
        collected.leave_out(f"port {number}", "it is of the range that is given out by chance, and may change")
    collected.extend(_listening(chosen))
    if is_host and found.facts.ports is not None:
        collected.extend([_nothing_new(ports)])


def _listening(ports: Mapping[int, Sequence[Port]]) -> Iterator[Rule]:
    if ports:
        yield Rule(
            area="ports",
            name="listening",
            says="Port {item} is listened on as it was found",
            check="hosts/port",
            severity="high",
            keys={"host": HOST},
            items=tuple(_item(number, ports[number]) for number in sorted(ports)),
            smoke=True,
        )


def _item(number: int, found: Sequence[Port]) -> Item:
    keys: dict[str, Any] = {"port": number, "addresses": sorted({port.address for port in found})}
    names = {port.process for port in found}
    name = next(iter(names)) if len(names) == 1 else None
    # Who passes a published port on is the engine's own business, and changes with its settings.
    if name is not None and name != _PROXY:
        keys["process"] = name
    told = name or "its process is not told"
    if any(_is_everywhere(port) for port in found):
        told += ", ON ALL INTERFACES"
    return Item(name=str(number), keys=keys, told=told)


def _is_everywhere(port: Port) -> bool:
    try:
        return ipaddress.ip_address(port.address.partition("%")[0]).is_unspecified
    except ValueError:
        return False


def _nothing_new(ports: Sequence[Port]) -> Rule:
    """Ports on all interfaces are the ones that matter: they are open to whoever the network lets in."""
    outside = sorted({port.port for port in ports if not port.is_loopback})
    told = ", ".join(str(port) for port in ports if not port.is_loopback)
    return Rule(
        area="ports",
        name="nothing-new",
        says="Nothing is open to the network but what is known",
        check="hosts/ports",
        severity="high",
        keys={"host": HOST, "allowed": outside, "only_allowed": True, "loopback": False},
        told=f"open beyond the host itself: {told or 'nothing'}",
        smoke=True,
    )
