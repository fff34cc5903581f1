"""Network interfaces of a host: state, addresses, MTU and speed."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from golive.model import CouldNotLook
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.framing import framed, pieces, words

_FOLDER = "/sys/class/net"
_IS_UP = 0x1


@dataclass(frozen=True, kw_only=True)
class InterfaceFacts:
    """`addresses` are None when the host has no `ip`; `speed_mbit` is None where there is none (virtual, or down)."""

    is_up: bool
    state: str
    mtu: int | None
    speed_mbit: int | None
    addresses: tuple[str, ...] | None


@dataclass(frozen=True, kw_only=True)
class NetworkInterface(Question[InterfaceFacts | None]):
    """An interface by name, or None when there is none."""

    name: str

    @classmethod
    def snippet(cls, asked: Sequence[Self], frame: str) -> str:
        """One `grep` over the kernel's files of all these interfaces, and one `ip` for each."""
        names = words(*(question.name for question in asked))
        files = words(*(f"{_FOLDER}/{q.name}/{file}" for q in asked for file in ("operstate", "flags", "mtu", "speed")))
        return framed(
            frame,
            f"[ -d {_FOLDER} ] || exit 0",
            f"piece files; grep -aH '' {files}",
            f"piece addresses; if has ip && ip -o addr show dev lo >/dev/null; then for name in {names}; do",
            'ip -o addr show dev "$name"; done; piece done; fi',
        )

    @classmethod
    def parse(
        cls, asked: Sequence[Self], said: bytes, frame: str
    ) -> Mapping[Self, InterfaceFacts | CouldNotLook | None]:
        """An interface without files is none."""
        told = pieces(said, frame)
        if "addresses" not in told:
            return dict.fromkeys(asked, CouldNotLook(f"{_FOLDER} cannot be read"))
        values: dict[tuple[str, str], str] = {}
        for line in told["files"].splitlines():
            path, _, value = line.rpartition(":")
            name, _, file = path.removeprefix(f"{_FOLDER}/").rpartition("/")
            values[name, file] = value.strip()
        rows = [row for row in (line.split() for line in told["addresses"].splitlines()) if len(row) >= 4]
        addresses = [(row[1], row[3].partition("/")[0]) for row in rows if row[2] in ("inet", "inet6")]
        return {q: _facts(q.name, values, addresses if "done" in told else None) for q in asked}


def _facts(
    name: str, values: Mapping[tuple[str, str], str], addresses: list[tuple[str, str]] | None
) -> InterfaceFacts | None:
    state = values.get((name, "operstate"))
    if state is None:
        return None
    own = None if addresses is None else [a for interface, a in addresses if interface.partition("@")[0] == name]
    speed = _number(values.get((name, "speed"), ""))
    return InterfaceFacts(
        # A loopback or a tunnel has no carrier to tell of, and says "unknown".
        is_up=state in ("up", "unknown") and bool((_number(values.get((name, "flags"), "")) or 0) & _IS_UP),
        state=state,
        mtu=_number(values.get((name, "mtu"), "")),
        speed_mbit=speed if speed is not None and speed > 0 else None,
        addresses=None if own is None else tuple(filter(None, map(_address, own))),
    )


def _number(text: str) -> int | None:
    try:
        return int(text, 0)
    except ValueError:
        return None


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None
