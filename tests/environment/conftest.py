"""A small project of its own: two checks, one environment, and a way to load what a test wrote."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from golive.environment.catalogue import Catalogue
from golive.environment.load import Environment, load_environment, read_files
from golive.environment.references import Provider, standard_providers

CPU = '''
"""CPU use stays below its limit.

Why: headroom.
When it fails: look with top.
"""
from golive.environment.params import CheckParams, HostRef, Percent

class Params(CheckParams):
    host: HostRef
    warning: Percent | None = None
    critical: Percent = 85

def test_cpu_use_stays_below_limit(criterion): ...
'''
RUNNING = '''
"""Services run.

Why: users.
When it fails: start them.
"""
from golive.environment.params import CheckParams, Duration, EndpointRef, Request

class Params(CheckParams):
    names: tuple[str, ...] = ()
    at: tuple[EndpointRef, ...] = ()
    request: Request | None = None
    within: Duration = 1.0

    def asserts_nothing(self):
        return None if self.names else "'names' is empty"

def test_services_run(criterion): ...
'''
ATTESTED = '''
"""A person affirms it.

Why: no machine can.
When it fails: ask the person.
"""
from golive.environment.sections import AttestedParams as Params

def test_a_person_affirmed_it(criterion): ...
'''
NOT_APPLICABLE = '''
"""It does not apply, and the reason is given.

Why: silence is no reason.
When it fails: review it.
"""
from golive.environment.params import CheckParams

class Params(CheckParams):
    reason: str

def test_reason_is_given(criterion): ...
'''
BASE = """
system: shop
hosts: {app: {connect: "local://"}}
endpoints: {api: {url: "http://127.0.0.1:1"}}
criteria: [criteria.yaml]
"""
CRITERION = """
- id: shop.health.cpu
  says: CPU use stays below 80 %
  check: hosts/cpu
  critical: 80
  severity: high
  when: [checkpoint]
"""
Load = Callable[..., Environment]


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Catalogue]:
    """Four checks in a package of their own."""
    root = tmp_path / "sample_checks"
    files = {"hosts/cpu": CPU, "services/running": RUNNING, "people/attested": ATTESTED}
    for name, text in {**files, "people/not_applicable": NOT_APPLICABLE}.items():
        file = root / f"{name}.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(text)
    (root / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Catalogue(root)
    for module in [m for m in sys.modules if m.partition(".")[0] == "sample_checks"]:
        del sys.modules[module]


@pytest.fixture
def load(tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Write `shop.yaml` and `criteria.yaml` (and other files by name) and load them."""
    folder = tmp_path / "environments"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)

    def load(
        environment: str = BASE,
        criteria: str | None = CRITERION,
        *,
        variables: Mapping[str, str] | None = None,
        resolved: bool = True,
        **more: str | bytes,
    ) -> Environment:
        texts: dict[str, str | bytes] = {"shop.yaml": environment}
        if criteria is not None:
            texts["criteria.yaml"] = criteria
        texts |= {name.replace("__", "."): text for name, text in more.items()}
        for name, text in texts.items():
            raw = dedent(text).encode() if isinstance(text, str) else text
            (folder / name).write_bytes(raw)
        providers: dict[str, Provider] | None = standard_providers(folder, variables or {}) if resolved else None
        sources = read_files(folder / "shop.yaml")
        return load_environment(sources, catalogue=catalogue, project=tmp_path, providers=providers)

    return load
