"""Where an environment looks: the places by which its target is told from another one. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from golive.environment.params import Resolved
from golive.environment.sections import EnvironmentSection

_KEYS = {
    "hosts": ("connect",),
    "endpoints": ("url",),
    "databases": ("url",),
    "caches": ("url",),
    "logs": ("host", "path", "container", "endpoint"),
}
_EMBEDDED = "${demo:"


def places_of(section: EnvironmentSection, written: Mapping[str, str]) -> dict[str, str]:
    """By part ("hosts.app connect"), where it is. `written` has the texts that are told as they are written."""
    found = {}
    for part, keys in _KEYS.items():
        for name, record in getattr(section, part).items():
            for key in keys:
                if value := getattr(record, key, None):
                    texts = [value] if isinstance(value, str) else value
                    found[f"{part}.{name} {key}"] = ", ".join(written.get(str(text), str(text)) for text in texts)
    return found


def told_as_written(data: Any, sensitive: set[str]) -> dict[str, str]:
    """Texts of resolved data that are told by their reference: the embedded target moves, and `sensitive` ones."""
    if isinstance(data, Resolved):
        is_kept_back = _EMBEDDED in data.source or str(data) in sensitive
        return dict.fromkeys((str(data), str(data).rstrip("/")), data.source) if is_kept_back else {}
    items = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
    return {text: source for item in items for text, source in told_as_written(item, sensitive).items()}
