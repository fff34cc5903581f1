"""Containers that are told apart by their own names or by a label, not by a file that describes them."""

from __future__ import annotations

import re
from typing import Protocol

from golive.targets.services.engine import Engine, label, listed, value


class Named(Protocol):
    """What the sections of such kinds have in common."""

    expected: tuple[str, ...]
    label: str | None
    service_label: str | None
    leave_out: tuple[str, ...]
    replicas: dict[str, int]


def named(program: str, config: Named, *, address: str | None = None, events_back: str = "") -> Engine:
    """The set of a section: all containers with its labels, else those with the expected names."""
    labels = [f"label={one}" for one in (config.label, config.service_label) if one]
    names = [f"^/?{re.escape(name)}$" for name in config.expected]
    return Engine(
        program=program,
        where=f"{program} containers" + (f" with label {config.label}" if config.label else ""),
        listing=listed(labels) if labels else listed([f"name={name}" for name in names]),
        service=label(program, config.service_label) if config.service_label else value(program, ".Name"),
        event_service=f'(index .Actor.Attributes "{config.service_label or "name"}")',
        event_filters=tuple(labels) or tuple(f"container={name}" for name in config.expected),
        # To the engine `api` is a filter for `api2` too.
        only_expected=not labels,
        events_back=events_back,
        address=address,
        expected=config.expected,
        leave_out=config.leave_out,
        replicas=config.replicas,
    )
