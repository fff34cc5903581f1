"""Time-outs of the programs that managers of services are asked through: theirs is shorter than the visit's."""

from __future__ import annotations

LIMIT_S = 6
TIMED_OUT = (124, 137, 143)
NOT_THERE = 127

BOUNDED = f"""\
if timeout -k 1 5 true 2>/dev/null; then bounded() {{ timeout -k 1 {LIMIT_S} "$@"; }}; else bounded() {{ "$@"; }}; fi
"""
"""Shell text that defines `bounded COMMAND…`; where there is no `timeout`, the visit's own limit ends the command."""
