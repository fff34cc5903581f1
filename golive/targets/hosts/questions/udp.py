"""Bound UDP ports of a host; those of TCP are among its standard facts."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from golive.model import CouldNotLook
from golive.targets.hosts.machine import Port
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import framed, number, pieces

_UNCONNECTED = "07"
_LINE = re.compile(r"\s*\d+: (?P<address>[0-9A-F]{8}|[0-9A-F]{32}):(?P<port>[0-9A-F]{4}) \S+ (?P<state>[0-9A-F]{2}) ")
_OWNER = re.compile(r'users:\(\("(?P<name>[^"]*)",pid=(?P<pid>\d+)')


@dataclass(frozen=True, kw_only=True)
class UdpPorts(Question[tuple[Port, ...]]):
    """UDP ports that anybody may send to; `with_processes` also who holds each, where the host tells it."""

    with_processes: bool = False

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """The kernel's tables; `ss` for the processes, which looks through all of them."""
        lines = ["piece udp; cat /proc/net/udp /proc/net/udp6"]
        if any(question.with_processes for question in asked):
            lines += ["piece owners; has ss && ss -H -lunp"]
        return framed(frame, *lines)

    @classmethod
    def parse(cls, asked: Sequence[Self], said: bytes, frame: str) -> Mapping[Self, tuple[Port, ...] | CouldNotLook]:
        """Sorted by number and address."""
        told = pieces(said, frame)
        if "local_address" not in told["udp"]:
            return dict.fromkeys(asked, CouldNotLook("/proc/net/udp cannot be read"))
        owners = _owners(told["owners"])
        ports = {}
        for address, port in _bound(told["udp"]):
            name, pid = owners.get((address, port), (None, None))
            ports[port, address] = Port(address=address, port=port, process=name, pid=pid)
        return dict.fromkeys(asked, tuple(ports[key] for key in sorted(ports)))


def _bound(text: str) -> Iterator[tuple[str, int]]:
    for line in text.splitlines():
        found = _LINE.match(line)
        if found and found["state"] == _UNCONNECTED:
            yield _address(found["address"]), int(found["port"], 16)


def _address(text: str) -> str:
    """32-bit words in the machine's byte order (little-endian where we go)."""
    raw = bytes.fromhex(text)
    address = ipaddress.ip_address(b"".join(raw[i : i + 4][::-1] for i in range(0, len(raw), 4)))
    return str(getattr(address, "ipv4_mapped", None) or address)


def _owners(text: str) -> dict[tuple[str, int], tuple[str, int]]:
    owners = {}
    for line in text.splitlines():
        columns, owner = line.split(), _OWNER.search(line)
        if owner is None or len(columns) < 4:
            continue
        address, _, port = columns[3].rpartition(":")
        address = address.strip("[]").partition("%")[0].removeprefix("::ffff:")
        if (held := number(port)) is not None:
            for spelled in ("0.0.0.0", "::") if address == "*" else (address,):  # noqa: S104 - read, not bound
                owners[spelled, held] = (owner["name"], int(owner["pid"]))
    return owners
