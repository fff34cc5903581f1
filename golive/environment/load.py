"""An environment file and its criteria, read, resolved and validated: everything that is wrong at once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from golive.environment.catalogue import Catalogue
from golive.environment.criteria import ANSWERS, CriteriaReader, Replaced, common, unknown_refs
from golive.environment.kinds import section_with_kinds
from golive.environment.loads.rules import aimed, anchored, load_problems
from golive.environment.params import REFERENCE, Resolved, Secret, Strict
from golive.environment.places import places_of, told_as_written
from golive.environment.problems import EnvironmentInvalid, Problem, shown_path, unknown_name
from golive.environment.references import Provider, resolve
from golive.environment.sections import EnvironmentSection
from golive.environment.validation import keys_of
from golive.environment.yaml_source import Path_, Source, read_source
from golive.model import Attestation, Criterion, Deployment, Place, Waiver

_SECRET_NAME = re.compile(r"pass|secret|token|key|credential|totp", re.IGNORECASE)
_OWN = re.compile(r"""\.criterion\(\s*(?:id\s*=\s*)?["']([^"'\s]+)["']""")
_REFERABLE = ("hosts", "services", "endpoints", "accounts", "databases", "caches", "logs", "backups", "documents")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One target and the criteria that it must meet. `places` is where its parts are."""

    name: str
    file: Path
    files: tuple[Path, ...]
    section: EnvironmentSection
    criteria: tuple[Criterion, ...]
    waivers: tuple[Waiver, ...]
    attestations: tuple[Attestation, ...]
    secrets: tuple[str, ...]
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def system(self) -> str:
        """The system that is verified, the first part of its criteria's ids."""
        return self.section.system

    @property
    def deployment(self) -> Deployment:
        """What was deployed and when."""
        return Deployment(version=self.section.deployment.version, deployed_at=self.section.deployment.deployed_at)

    def by_check(self) -> dict[str, list[Criterion]]:
        """The criteria that a check runs for, by check id."""
        found: dict[str, list[Criterion]] = {}
        for criterion in self.criteria:
            if criterion.check:
                found.setdefault(criterion.check, []).append(criterion)
        return found

    @property
    def unanswered(self) -> tuple[str, ...]:
        """Ids of the criteria that nothing answers; with any of them there is no GO."""
        return tuple(c.id for c in self.criteria if c.answer == "unanswered")


def environment_names(folder: Path) -> list[str]:
    """The names that `--env` accepts: the YAML files directly in `folder`."""
    return sorted(f.stem for f in folder.glob("*.yaml"))


def find_environment(wanted: str, folder: Path) -> Path:
    """The file of `--env=NAME` or `--env=PATH`; EnvironmentInvalid if there is none."""
    if "/" in wanted or wanted.endswith((".yaml", ".yml")):
        return Path(wanted)
    names = environment_names(folder)
    if wanted not in names:
        text = unknown_name("environment", wanted, names)
        raise EnvironmentInvalid([Problem(place=Place(file=shown_path(folder)), text=text)])
    return folder / f"{wanted}.yaml"


def read_files(file: Path) -> list[Source]:
    """The environment's own file last, after everything it includes; EnvironmentInvalid if one cannot be read."""
    return list(_with_includes(file, ()))


def is_demo(sources: Iterable[Source]) -> bool:
    """Whether the environment is the embedded target, known before anything is resolved."""
    return any(s.data.get("demo") is True for s in sources if isinstance(s.data, dict))


def load_environment(
    sources: list[Source], *, catalogue: Catalogue, project: Path, providers: Mapping[str, Provider] | None
) -> Environment:
    """The environment of `read_files`. Without `providers` references stay as they are written.

    EnvironmentInvalid holds every problem of every file.
    """
    problems: list[Problem] = []
    merged = _merged(sources, providers, problems)
    section = section_with_kinds(merged, problems)
    # Criteria are read even where the sections are wrong, so that everything is told at once.
    names = {name: _names(merged.data.get(name)) for name in _REFERABLE} | {"load profiles": _profiles(merged.data)}
    reader = CriteriaReader(catalogue, names, project)
    criteria_sources = _criteria_sources(merged, problems)
    criteria = _criteria(criteria_sources, merged, reader)
    problems += reader.problems
    if section is None:
        raise EnvironmentInvalid(problems)
    for part in _REFERABLE:
        for name, record in getattr(section, part).items():
            if isinstance(record, Strict):
                problems += unknown_refs(record, names, merged, (part, name), f"{part}.{name}")
    if section.watch is not None:
        problems += unknown_refs(section.watch, names, merged, ("watch",), "watch")
    if section.load is not None:
        problems += unknown_refs(section.load, names, aimed(section.load, merged), ("load",), "load")
    problems += load_problems(section, merged)
    # Only where every name that is referred to is there.
    problems += [] if problems else _unfit(section, criteria)
    problems += _unknown_criteria(merged, section, criteria, _written(criteria_sources) | reader.met)
    if not criteria and not problems:
        problems.append(Problem(place=merged.place(), text="no criterion: 'criteria' names the files that hold them"))
    if problems:
        raise EnvironmentInvalid(problems)
    own = sources[-1].file
    sensitive = [*_sensitive(merged.data)]
    return Environment(
        name=own.stem,
        file=own,
        files=(*(s.file for s in sources), *(s.file for s in criteria_sources)),
        section=section,
        criteria=tuple(criteria),
        waivers=tuple(Waiver(**w.model_dump()) for w in section.waivers),
        attestations=tuple(Attestation(**a.model_dump()) for a in section.attestations),
        secrets=tuple(dict.fromkeys([*_secrets(section), *sensitive])),
        places=places_of(section, told_as_written(merged.data, set(sensitive))),
    )


def _unfit(section: EnvironmentSection, criteria: Iterable[Criterion]) -> list[Problem]:
    """Criteria that cannot be asked of what the environment describes, such as containers of systemd units."""
    judged = [(c, c.params.unfit(section)) for c in criteria if c.params is not None]
    return [Problem(place=c.place, text=f"criterion {c.id}: {reason}") for c, reason in judged if reason]


def _with_includes(file: Path, above: tuple[Path, ...]) -> Iterator[Source]:
    real = file.resolve()
    if real in above:
        chain = " -> ".join(shown_path(f) for f in (*above[above.index(real) :], real))
        raise EnvironmentInvalid([Problem(place=Place(file=shown_path(file)), text=f"includes itself: {chain}")])
    source = read_source(file)
    if not isinstance(source.data, dict):
        text = f"an environment is a mapping ({', '.join(keys_of(EnvironmentSection))})"
        raise EnvironmentInvalid([Problem(place=source.place(), text=text)])
    included = source.data.get("include", [])
    for index, name in enumerate(included if isinstance(included, list) else []):
        if not (file.parent / str(name)).is_file():
            place = source.place(("include", index))
            raise EnvironmentInvalid([Problem(place=place, text=f"include: there is no file {str(name)!r}")])
        yield from _with_includes(file.parent / str(name), (*above, real))
    yield source


def _merged(sources: list[Source], providers: Mapping[str, Provider] | None, problems: list[Problem]) -> Source:
    """One source out of several: lists are joined, entries of sections are replaced by the later file's."""
    whole = Source(sources[-1].file, {})
    for source in sources:
        data = source.data
        if providers is not None:
            data, found = resolve(source, providers)
            problems += found
        for key, value in data.items():
            if key == "criteria" and isinstance(value, list):
                value = [str(source.file.parent / v) if isinstance(v, str) else v for v in value]
            if key == "load":
                value = anchored(value, source.file.parent)
            _merge_key(whole, key, value, source)
    return whole


def _merge_key(whole: Source, key: str, value: Any, source: Source) -> None:
    shift = 0
    if isinstance(value, list) and isinstance(whole.data.get(key), list):
        shift = len(whole.data[key])
        value = [*whole.data[key], *value]
    elif isinstance(value, dict) and isinstance(whole.data.get(key), dict):
        value = {**whole.data[key], **value}
    whole.data[key] = value
    for path, place in source.places.items():
        if path[:1] == (key,):
            moved = (key, path[1] + shift, *path[2:]) if len(path) > 1 and isinstance(path[1], int) else path
            whole.places[moved] = place
    whole.places.setdefault((), source.place())


def _criteria_sources(merged: Source, problems: list[Problem]) -> list[Source]:
    sources, seen = [], set()
    patterns = merged.data.get("criteria") or []
    for index, pattern in enumerate(patterns if isinstance(patterns, list) else []):
        path = Path(str(pattern))
        anchor = Path(path.anchor) if path.is_absolute() else Path()
        files = sorted(anchor.glob(str(path.relative_to(path.anchor) if path.is_absolute() else path)))
        if not files:
            place = merged.place(("criteria", index))
            problems.append(Problem(place=place, text=f"criteria: no file matches {shown_path(path)!r}"))
        for file in files:
            if file.resolve() in seen:
                continue
            seen.add(file.resolve())
            try:
                sources.append(read_source(file))
            except EnvironmentInvalid as error:
                problems += error.problems
    return sources


def _criteria(sources: list[Source], merged: Source, reader: CriteriaReader) -> list[Criterion]:
    adjust = merged.data.get("adjust")
    adjust = adjust if isinstance(adjust, dict) else {}
    first: dict[str, Place] = {}
    criteria: list[Criterion] = []
    for source in sources:
        if not isinstance(source.data, list):
            reader.problems.append(Problem(place=source.place(), text="a criteria file is a list of criteria"))
            continue
        for index, entry in enumerate(source.data):
            place, name = source.place((index,)), entry.get("id") if isinstance(entry, dict) else None
            if isinstance(name, str) and name in first:
                reader.problems.append(
                    Problem(place=place, text=f"criterion {name} is already defined at {first[name]}")
                )
                continue
            if isinstance(name, str):
                first[name] = place
            criteria += reader.read(*_adjusted(entry, index, source, adjust, merged))
    return criteria


def _adjusted(
    entry: Any, index: int, source: Source, adjust: Mapping[str, Any], merged: Source
) -> tuple[Any, Source, Path_]:
    """The entry with what the environment changes in it, and places that point at where each key was written.

    `adjust` names a criterion, or one item of it (`shop.health.disk[inodes]`).
    """
    name = entry.get("id") if isinstance(entry, dict) else None
    if not isinstance(name, str) or not any(key == name or key.startswith(f"{name}[") for key in adjust):
        return entry, source, (index,)
    whole, places = entry, {path: place for path, place in source.places.items() if path[:1] == (index,)}
    for key, changes in adjust.items():
        item = key[len(name) + 1 : -1] if key.startswith(f"{name}[") else None
        if not isinstance(changes, dict) or (item is None and key != name):
            continue
        below: Path_ = () if item is None else ("for_each", item)
        whole = _changed(whole, changes) if item is None else _item_changed(whole, item, changes)
        for path, place in merged.places.items():
            if path[:2] == ("adjust", key) and len(path) > 2:
                places[(index, *below, *path[2:])] = place
    return whole, Source(source.file, [None] * index + [whole], places), (index,)


def _changed(entry: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """An answer among the changes replaces the one that there was, with its parameters."""
    base = common(entry) if set(ANSWERS) & changes.keys() else entry
    return {**base, **{k: v for k, v in changes.items() if k != "id"}}


def _item_changed(entry: dict[str, Any], item: str, changes: dict[str, Any]) -> dict[str, Any]:
    """An answer among the changes replaces the one that this item had, with its parameters."""
    items = entry.get("for_each")
    if isinstance(items, list):
        items = {str(name): {} for name in items}
    if not isinstance(items, dict) or not isinstance(items.get(item), dict):
        return entry
    whole = {**items[item], **changes}
    if set(ANSWERS) & changes.keys():
        whole = Replaced({**common(items[item]), **changes})
    return {**entry, "for_each": {**items, item: whole}}


def _names(section: Any) -> tuple[str, ...]:
    return tuple(section) if isinstance(section, dict) else ()


def _profiles(data: Mapping[str, Any]) -> tuple[str, ...]:
    load = data.get("load")
    return _names(load.get("profiles")) if isinstance(load, dict) else ()


def _written(sources: list[Source]) -> frozenset[str]:
    """Ids as they stand in the files, also of criteria that cannot be used: what names one of these is not to blame."""
    entries = [entry for source in sources if isinstance(source.data, list) for entry in source.data]
    return frozenset(str(entry.get("id")) for entry in entries if isinstance(entry, dict))


def _own_criteria(section: EnvironmentSection, folder: Path) -> frozenset[str]:
    """Ids that the team's own tests give themselves, as they are written; nothing is imported."""
    places = [folder / path for path in section.checks_path]
    files = [file for place in places for file in ([place] if place.is_file() else place.rglob("*.py"))]
    return frozenset(i for file in files for i in _OWN.findall(file.read_text(encoding="utf-8", errors="replace")))


def _unknown_criteria(
    merged: Source, section: EnvironmentSection, criteria: list[Criterion], written: frozenset[str]
) -> list[Problem]:
    ids = {c.id for c in criteria} | {c.base_id for c in criteria}
    attested = {c.id for c in criteria if c.answer == "attest"}
    own = _own_criteria(section, merged.file.parent) if section.waivers else frozenset()
    broken = written - ids
    named: list[tuple[tuple[str | int, ...], str, Iterable[str]]] = [
        *((("adjust", name), name, ids) for name in section.adjust),
        *((("waivers", i, "criterion"), w.criterion, ids | own) for i, w in enumerate(section.waivers)),
        *((("attestations", i, "criterion"), a.criterion, attested) for i, a in enumerate(section.attestations)),
    ]
    return [
        Problem(place=merged.place(path), text=f"{path[0]}: {unknown_name('criterion', name, allowed)}")
        for path, name, allowed in named
        if name not in set(allowed) and (path[0] == "attestations" or not {name, name.partition("[")[0]} & broken)
    ]


def _secrets(value: Any) -> Iterator[str]:
    """Every secret that a section holds."""
    if isinstance(value, Secret):
        if not REFERENCE.fullmatch(value.reveal()):
            yield value.reveal()
    elif isinstance(value, Strict):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _secrets(item)
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _secrets(item)


def _sensitive(value: Any) -> Iterator[str]:
    """Resolved texts whose reference looks like a secret's, wherever they stand."""
    if isinstance(value, Resolved):
        if any(m["kind"] == "cmd" or _SECRET_NAME.search(m["name"]) for m in REFERENCE.finditer(value.source)):
            yield str(value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _sensitive(item)
    elif isinstance(value, list):
        for item in value:
            yield from _sensitive(item)
