"""Whether an entry or a rule is one that an environment may hold, before it is written. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from golive.discovery.proposal import Entry, Item, Rule
from golive.environment.catalogue import Catalogue
from golive.environment.kinds import PACKAGES, config_of, kinds_of
from golive.environment.sections import CacheSection, DatabaseSection, EndpointSection, HostSection

_MODELS: dict[str, type[BaseModel]] = {
    "hosts": HostSection,
    "endpoints": EndpointSection,
    "databases": DatabaseSection,
    "caches": CacheSection,
}


def why_no_entry(entry: Entry) -> str | None:
    """Why the entry's data is not of its section's form, or None."""
    kind = str(entry.data.get("kind", ""))
    if entry.section in PACKAGES and kind not in kinds_of(entry.section):
        return f"there is no kind {kind!r} of {entry.section}"
    model = config_of(entry.section, kind) if entry.section in PACKAGES else _MODELS[entry.section]
    return _why_not(model, entry.data)


def why_no_rule(rule: Rule, item: Item | None, catalogue: Catalogue) -> str | None:
    """Why the keys of a rule, together with those of one of its items, are none that its check takes, or None."""
    params = catalogue.params(rule.check)
    keys = {**rule.keys, **(item.keys if item is not None else {})}
    why = _why_not(params, keys)
    return why if why is not None else params.model_validate(keys).asserts_nothing()


def _why_not(model: type[BaseModel], data: Mapping[str, Any]) -> str | None:
    try:
        model.model_validate(dict(data))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}".removeprefix(": ")
    return None
