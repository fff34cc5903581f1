"""What must fit together in the section `load:`, beyond the keys of each of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from golive.environment.connection import parse as parse_connection
from golive.environment.loads.feeds import read_feed
from golive.environment.loads.journeys import unknown_fields
from golive.environment.loads.section import LoadSection, Profile, Scenario
from golive.environment.loads.shape_rules import shape_faults
from golive.environment.params import REFERENCE, Resolved
from golive.environment.problems import Problem, shown_path
from golive.environment.sections import EnvironmentSection
from golive.environment.yaml_source import Path_, Source
from golive.model import Place

Fault = tuple[Path_, str]
"""Where (keys below the part that is looked at) and what, as a sentence."""


def load_problems(section: EnvironmentSection, source: Source) -> list[Problem]:
    """Everything that does not fit together; reads the feeds that profiles name.

    Names of endpoints, accounts and hosts are looked up elsewhere; what names one that there is not is left alone here.
    """
    faults: list[tuple[Path_, str]] = []
    if section.demo and section.production:
        faults.append((("production",), "environment: 'demo: true' is not production; leave one of them out"))
    if section.load is not None:
        faults += [(("load", *path), f"load: {text}") for path, text in _permit_faults(section.load, section)]
        for name, profile in section.load.profiles.items():
            found = _profile_faults(profile, section.load, section)
            faults += [(("load", "profiles", name, *path), f"load.profiles.{name}: {text}") for path, text in found]
    return [Problem(place=source.place(path), text=text) for path, text in faults]


def aimed(load: LoadSection, source: Source) -> Source:
    """The same source, in which a profile without an endpoint has it from where the section names the only one."""
    only = source.place(("load", "endpoints", 0))
    places: dict[Path_, Place] = {("load", "profiles", name, "endpoint"): only for name in load.profiles}
    return Source(source.file, source.data, {**places, **source.places})


def anchored(load: Any, folder: Path) -> Any:
    """The data of a section `load:` with the files that it names as absolute paths, relative ones being in `folder`."""
    profiles = load.get("profiles") if isinstance(load, dict) else None
    if not isinstance(profiles, dict):
        return load
    return {**load, "profiles": {name: _anchored_profile(profile, folder) for name, profile in profiles.items()}}


def _anchored_profile(profile: Any, folder: Path) -> Any:
    if not isinstance(profile, dict):
        return profile
    scenarios = profile.get("scenarios")
    if isinstance(scenarios, list):
        profile = {**profile, "scenarios": [_anchored_scenario(scenario, folder) for scenario in scenarios]}
    return _with_file(profile, "locustfile", folder)


def _anchored_scenario(scenario: Any, folder: Path) -> Any:
    feed = scenario.get("feed") if isinstance(scenario, dict) else None
    return {**scenario, "feed": _with_file(feed, "file", folder)} if isinstance(feed, dict) else scenario


def _with_file(data: dict[str, Any], key: str, folder: Path) -> dict[str, Any]:
    name = data.get(key)
    if not isinstance(name, str) or not name:
        return data
    whole = str((folder / name).absolute())
    return {**data, key: Resolved(whole, name.source) if isinstance(name, Resolved) else whole}


def _permit_faults(load: LoadSection, section: EnvironmentSection) -> Iterator[Fault]:
    if load.production is None:
        return
    if not section.is_production:
        yield ("production",), "'production' permits nothing here: this environment is none"
    if load.production.max_users > load.max_users:
        yield ("production", "max_users"), f"production is not pressed harder than the {load.max_users} of 'max_users'"
    if load.production.max_rate > load.max_rate:
        yield ("production", "max_rate"), f"production is not pressed harder than the {load.max_rate:g}/s of 'max_rate'"


def _profile_faults(profile: Profile, load: LoadSection, section: EnvironmentSection) -> Iterator[Fault]:
    if profile.endpoint in section.endpoints and profile.endpoint not in load.endpoints:
        allowed = ", ".join(load.endpoints)
        yield ("endpoint",), f"load may be aimed at {allowed} ('load.endpoints'), not at {profile.endpoint!r}"
    yield from _source_faults(profile)
    yield from _model_faults(profile)
    yield from shape_faults(profile, load)
    yield from _worker_faults(profile, section)
    names = [scenario.name for scenario in profile.scenarios]
    for index, scenario in enumerate(profile.scenarios):
        path: Path_ = ("scenarios", index)
        if scenario.name in names[:index]:
            yield (*path, "name"), f"two scenarios are called {scenario.name!r}"
        yield from (((*path, *inner), text) for inner, text in _scenario_faults(scenario))


def _source_faults(profile: Profile) -> Iterator[Fault]:
    """From where the requests come."""
    if bool(profile.scenarios) == (profile.locustfile is not None):
        path: Path_ = ("locustfile",) if profile.scenarios else ()
        yield path, "needs either 'scenarios' or a 'locustfile', and not both"
    if profile.locustfile is None:
        return
    if not REFERENCE.search(profile.locustfile) and not Path(profile.locustfile).is_file():
        yield ("locustfile",), f"there is no file {shown_path(Path(profile.locustfile))!r}"
    if profile.model == "open":
        yield ("model",), "the open model needs 'scenarios'; a locustfile's users decide themselves when they ask"


def _model_faults(profile: Profile) -> Iterator[Fault]:
    """Keys that belong to the other model."""
    if profile.model == "open":
        if profile.users is None:
            yield (), "the open model needs 'users', how many may be busy at once"
        for index, scenario in enumerate(profile.scenarios):
            if "think_time" in scenario.model_fields_set:
                yield ("scenarios", index, "think_time"), "users of the open model do not think: arrivals have a rate"
        return
    if profile.users is not None:
        yield ("users",), "in the closed model the stages say how many users there are"
    if "arrivals" in profile.model_fields_set:
        yield ("arrivals",), "'arrivals' belongs to 'model: open'"


def _worker_faults(profile: Profile, section: EnvironmentSection) -> Iterator[Fault]:
    hosts = [worker.host for worker in profile.workers]
    for index, name in enumerate(hosts):
        host = section.hosts.get(name)
        if name in hosts[:index]:
            yield ("workers", index), f"host {name!r} is there twice; give it more 'processes'"
        if host is None or REFERENCE.search(host.connect):
            continue
        if (scheme := parse_connection(host.connect).scheme) != "ssh":
            yield ("workers", index), f"a worker is reached by ssh://, and host {name!r} by {scheme}://"


def _scenario_faults(scenario: Scenario) -> Iterator[Fault]:
    columns: frozenset[str] | None = frozenset()
    if scenario.feed is not None:
        columns = None
        file = Path(scenario.feed.file)
        if not REFERENCE.search(scenario.feed.file):
            try:
                columns = frozenset(chain.from_iterable(read_feed(file)[:1]))
            except ValueError as error:
                yield ("feed", "file"), f"the feed {shown_path(file)!r} {error}"
    if columns is not None:
        yield from unknown_fields(scenario.steps, columns)
