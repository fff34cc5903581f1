"""From the entries of criteria files to criteria: one answer each, `for_each` expanded, parameters validated."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from golive.environment.catalogue import Catalogue, CheckUnusable
from golive.environment.params import CheckParams, Ref, Resolved, Strict
from golive.environment.problems import Problem, short, unknown_name
from golive.environment.references import resolved_texts
from golive.environment.relative import WITHIN, is_relative, percent_of_baseline
from golive.environment.sections import AttestAnswer
from golive.environment.validation import refs_of, validated
from golive.environment.yaml_source import Path_, Source
from golive.model import Answer, Criterion, Place, Severity, Status, When

ID = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+")
ANSWERS: tuple[Answer, ...] = ("check", "attest", "feature", "not_applicable")
COMMON_KEYS = ("id", "says", "severity", "when", "no_data", "retries", "for_each")
ATTESTED = "people/attested"
NOT_APPLICABLE = "people/not_applicable"
ITEM = "{item}"


class Replaced(dict[str, Any]):
    """Keys of one item of `for_each` that take the place of the criterion's answer with its parameters."""


class CriterionHead(Strict):
    """The keys that every criterion has, however it is answered."""

    id: Annotated[str, Field(pattern=rf"^{ID.pattern}$")]
    says: Annotated[str, Field(min_length=3)]
    severity: Severity
    when: Annotated[tuple[When, ...], Field(min_length=1)] = (When.CHECKPOINT, When.GOLIVE)
    no_data: Literal["fail", "unknown", "pass"] = "unknown"
    retries: Annotated[int, Field(ge=0, le=5, description="how often it is tried again when it does not hold")] = 0


@dataclass
class CriteriaReader:
    """Reads entries against a catalogue and the names that the environment defines; collects problems."""

    catalogue: Catalogue
    names: Mapping[str, tuple[str, ...]]
    project: Path
    problems: list[Problem] = field(default_factory=list)
    met: set[str] = field(default_factory=set)
    """Every expanded id that was come across, also of criteria that cannot be used."""

    def read(self, entry: Any, source: Source, path: Path_) -> list[Criterion]:
        """The criteria of one entry (several with `for_each`); none if anything is wrong with it."""
        place = source.place(path)
        if not isinstance(entry, dict):
            return self._wrong(place, f"a criterion is a mapping with 'id', 'says', 'severity' …; got {short(entry)}")
        return [c for c in self._expanded(entry, source, path) if c is not None]

    def _answer(self, entry: dict[str, Any], source: Source, path: Path_, label: str) -> Answer | None:
        given = [a for a in ANSWERS if a in entry]
        if len(given) > 1:
            self._wrong(
                source.place((*path, given[1])), f"{label}: is answered twice, by {' and '.join(map(repr, given))}"
            )
            return None
        if not given:
            strange = sorted(entry.keys() - set(COMMON_KEYS))
            misspelt = [key for key in strange if difflib.get_close_matches(key, ANSWERS, n=1)]
            for key in misspelt or strange:
                self._unknown_key(key, (*COMMON_KEYS, *ANSWERS), source, path, label)
            return None if strange else "unanswered"
        return given[0]

    def _expanded(self, entry: dict[str, Any], source: Source, path: Path_) -> Iterator[Criterion | None]:
        if "for_each" not in entry:
            yield self._one(entry, source, path, None)
            return
        label, place = f"criterion {entry.get('id', '?')}", source.place((*path, "for_each"))
        items = _items(entry["for_each"])
        body = {k: v for k, v in entry.items() if k != "for_each"}
        if isinstance(items, str):
            self._wrong(place, f"{label}: {items}")
            return
        varies = any(changes for _, changes in items) or _mentions_item({k: v for k, v in body.items() if k != "id"})
        if not varies and len(items) > 1:
            self._wrong(place, f"{label}: no value of it mentions {ITEM}, so all would be the same")
            return
        before, told = len(self.problems), []
        for item, changes in items:
            kept = common(body) if isinstance(changes, Replaced) else body
            filled = {**_filled(kept, item), **_filled(changes, item), "id": entry.get("id", "?")}
            start = len(self.problems)
            yield self._one(filled, _moved(source, path, item), path, item)
            told.append([_without_item(problem, label, item) for problem in self.problems[start:]])
        if len(told) > 1 and told[0] and all(one == told[0] for one in told):
            self.problems[before:] = told[0]  # one fault, one line

    def _one(self, entry: dict[str, Any], source: Source, path: Path_, item: str | None) -> Criterion | None:
        label = f"criterion {entry.get('id', '?')}" + (f"[{item}]" if item is not None else "")
        self.met.add(label.removeprefix("criterion "))
        before = len(self.problems)
        percent = self._percent(entry, source.place((*path, WITHIN)), label)
        entry = {k: v for k, v in entry.items() if not is_relative(k, v)}
        head, found = validated(CriterionHead, {k: entry[k] for k in COMMON_KEYS if k in entry}, source, path, label)
        self.problems += found
        answer = self._answer(entry, source, path, label)
        if answer is None:
            return None
        check, params = self._check_and_params(entry, answer, source, path, label)
        if head is None or len(self.problems) > before:
            return None
        return Criterion(
            id=head.id if item is None else f"{head.id}[{item}]",
            says=head.says,
            severity=head.severity,
            when=tuple(dict.fromkeys(head.when)),
            answer=answer,
            place=source.place(path),
            check=check,
            params=params,
            feature=str(entry["feature"]) if answer == "feature" else None,
            no_data=Status(head.no_data),
            item=item,
            retries=head.retries,
            baseline_percent=percent,
            references=tuple(sorted(set(resolved_texts(entry)))),
        )

    def _percent(self, entry: dict[str, Any], place: Place, label: str) -> float | None:
        """How much worse than the baseline it may be, where it says so."""
        try:
            percent = percent_of_baseline(entry.get(WITHIN))
        except ValueError as error:
            self._wrong(place, f"{label}: {error}")
            return None
        if percent is not None and "check" not in entry:
            self._wrong(place, f"{label}: only what a check measures can be compared with a baseline")
        return percent

    def _check_and_params(
        self, entry: dict[str, Any], answer: Answer, source: Source, path: Path_, label: str
    ) -> tuple[str | None, CheckParams | None]:
        extra = {k: v for k, v in entry.items() if k not in (*COMMON_KEYS, answer)}
        if answer == "check":
            return self._checked(entry["check"], extra, source, path, label)
        for key in extra:
            self._unknown_key(key, (*COMMON_KEYS, answer), source, path, label)
        if answer == "attest":
            attest, found = validated(AttestAnswer, entry["attest"], source, (*path, "attest"), f"{label}: attest")
            self.problems += found
            return (None, None) if attest is None else self._built_in(ATTESTED, attest.model_dump())
        if answer == "not_applicable":
            reason = entry["not_applicable"]
            if not isinstance(reason, str) or len(reason.strip()) < 3:
                self._wrong(source.place((*path, answer)), f"{label}: 'not_applicable' needs the reason as a sentence")
                return None, None
            return self._built_in(NOT_APPLICABLE, {"reason": reason})
        if answer == "feature":
            self._feature(entry["feature"], source.place((*path, answer)), label)
        return None, None

    def _checked(
        self, check: Any, data: dict[str, Any], source: Source, path: Path_, label: str
    ) -> tuple[str | None, CheckParams | None]:
        place = source.place((*path, "check"))
        if check not in self.catalogue.ids:
            self._wrong(place, f"{label}: {unknown_name('check', check, self.catalogue.ids)}")
            return None, None
        try:
            model = self.catalogue.params(check)
        except CheckUnusable as error:
            self._wrong(place, f"{label}: {error}")
            return None, None
        params, found = validated(
            model, self._with_only_names(model, data), source, path, label, extra_allowed=(*COMMON_KEYS, WITHIN)
        )
        self.problems += found
        if params is None:
            return None, None
        self.problems += unknown_refs(params, self.names, source, path, label)
        if reason := params.asserts_nothing():
            self._wrong(place, f"{label}: would assert nothing: {reason}")
        return check, params

    def _built_in(self, check: str, data: dict[str, Any]) -> tuple[str, CheckParams]:
        model = self.catalogue.params(check)
        return check, model.model_construct(**data)

    def _with_only_names(self, model: type[CheckParams], data: dict[str, Any]) -> dict[str, Any]:
        """A reference that is left out means the only entry there is."""
        filled = dict(data)
        for name, info in model.model_fields.items():
            section = next((m.section for m in info.metadata if isinstance(m, Ref)), None)
            key = info.alias or name
            if (
                section
                and info.is_required()
                and key not in filled
                and name not in filled
                and len(self.names.get(section, ())) == 1
            ):
                filled[key] = self.names[section][0]
        return filled

    def _feature(self, value: Any, place: Place, label: str) -> None:
        file, _, name = str(value).partition("::")
        proof = self.project / file
        text = proof.read_text(encoding="utf-8") if file.startswith("tests/") and proof.is_file() else ""
        if not re.search(rf"^def {re.escape(name)}\(", text, re.MULTILINE):
            self._wrong(
                place,
                f"{label}: 'feature' names the test that proves it (tests/…/x.py::test_y); there is no {short(value)}",
            )

    def _unknown_key(self, key: str, allowed: tuple[str, ...], source: Source, path: Path_, label: str) -> None:
        self._wrong(source.place((*path, key)), f"{label}: {unknown_name('key', key, allowed)}")

    def _wrong(self, place: Place, text: str) -> list[Criterion]:
        self.problems.append(Problem(place=place, text=text))
        return []


def unknown_refs(
    record: Strict, names: Mapping[str, tuple[str, ...]], source: Source, path: Path_, label: str
) -> list[Problem]:
    """A problem for each name in `record` that its section of the environment does not define."""
    problems = []
    for key, section, name in refs_of(record):
        if name not in names.get(section, ()):
            noun = section[:-1] if section != "services" else "services entry"
            text = f"{label}: {unknown_name(noun, name, names.get(section, ()))}"
            problems.append(Problem(place=source.place((*path, *key)), text=text))
    return problems


def common(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of an entry that stay what they are when another check answers it."""
    return {k: v for k, v in entry.items() if k in COMMON_KEYS or is_relative(k, v)}


def _items(value: Any) -> list[tuple[str, dict[str, Any]]] | str:
    """The items of `for_each` with what each overrides, or what is wrong with it."""
    wish = "'for_each' is a list of names, or a mapping from a name to the keys that differ"
    if isinstance(value, dict) and all(isinstance(v, dict) for v in value.values()):
        items = [(k, v) for k, v in value.items()]
    elif isinstance(value, list) and all(isinstance(v, str | int) for v in value):
        items = [(str(v), {}) for v in value]
    else:
        return f"{wish}; got {short(value)}"
    if not items:
        return f"{wish}; it is empty, so nothing would be checked"
    if len({name for name, _ in items}) < len(items):
        return "'for_each' names an item twice"
    if any(re.search(r"[\[\]\s]|::", name) for name, _ in items):
        return "an item of 'for_each' must not hold spaces, brackets or '::'"
    return items


def _without_item(problem: Problem, label: str, item: str) -> Problem:
    """The same problem, told of the criterion as a whole."""
    return Problem(place=problem.place, text=problem.text.replace(f"{label}[{item}]", label, 1))


def _moved(source: Source, path: Path_, item: str) -> Source:
    """Places under which what `for_each` changes for `item` is found as if it stood in the criterion itself."""
    below = (*path, "for_each", item)
    moved = {(*path, *p[len(below) :]): place for p, place in source.places.items() if p[: len(below)] == below}
    return Source(source.file, source.data, {**source.places, **moved})


def _mentions_item(value: Any) -> bool:
    if isinstance(value, str):
        return ITEM in value
    if isinstance(value, dict):
        return any(map(_mentions_item, value.values()))
    return isinstance(value, list) and any(map(_mentions_item, value))


def _filled(value: Any, item: str) -> Any:
    if isinstance(value, Resolved):
        return Resolved(value.replace(ITEM, item), value.source.replace(ITEM, item))
    if isinstance(value, str):
        return value.replace(ITEM, item)
    if isinstance(value, dict):
        return {k: _filled(v, item) for k, v in value.items()}
    return [_filled(v, item) for v in value] if isinstance(value, list) else value
