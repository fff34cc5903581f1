"""Whether every `{name}` in the requests of a scenario is known by the time that it is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from golive.environment.loads.section import LoadStep, fields_in
from golive.environment.problems import unknown_name
from golive.environment.yaml_source import Path_


def unknown_fields(steps: Sequence[LoadStep], columns: frozenset[str]) -> Iterator[tuple[Path_, str]]:
    """(where, what) for each name that neither the feed's `columns` nor the `save` of an earlier step gives."""
    known = set(columns)
    for index, step in enumerate(steps):
        for key in ("request", "body", "headers"):
            for name in sorted(fields_in(getattr(step, key)) - known):
                yield ("steps", index, key), _text(step, name, known)
        known |= step.save.keys()
        # What undoes the step comes after its answer, and so may use what was saved from it.
        for name in sorted(fields_in(step.clean_up) - known):
            yield ("steps", index, "clean_up"), _text(step, name, known)


def _text(step: LoadStep, name: str, known: set[str]) -> str:
    told = unknown_name("field", f"{{{name}}}", (f"{{{field}}}" for field in known))
    return f"{step.request}: neither the feed nor an earlier 'save' gives it: {told}"
