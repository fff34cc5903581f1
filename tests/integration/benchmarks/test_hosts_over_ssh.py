"""What a hundred criteria of hosts cost over SSH, beside plain pytest-testinfra and serverspec in the same run.

Run by `pytest tests/integration/benchmarks`; needs sshd and serverspec (Debian: openssh-server, ruby-serverspec).
Figures are of whole processes on this machine, the best of a few, with the processor time that they took. `GOALS` are
what is aimed at. What is asserted leaves a busy machine much slack.
"""

from __future__ import annotations

import grp
import json
import os
import pwd
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from fixtures.options import CATALOGUE
from golive.environment.sections import HostSection
from golive.targets.hosts.host import Host
from tests.sshd import Sshd, sshd

ROOT = Path(__file__).resolve().parents[3]
ROUNDS = 3
HOSTS = 50
GOALS = {
    "times faster than the faster peer": 10.0,
    "s for 100 criteria": 1.5,
    "s for 100 more": 0.3,
    "times as long for 50 hosts as for one": 3.0,
}
_PORTS_A_SERVER = 16


@dataclass(frozen=True)
class Claim:
    """One thing that holds of a host, as each of the three writes it down."""

    ours: Mapping[str, Any]
    testinfra: str
    serverspec: str


def files(folder: Path, count: int) -> Iterator[Claim]:
    """Files with a mode, and what is written in them."""
    for n in range(count):
        path = folder / f"{n}.conf"
        path.write_text(f"listen = {n}\n")
        path.chmod(0o640)
        ours, named = {"check": "hosts/file", "path": str(path)}, f"host.file({str(path)!r})"
        if n % 2:
            text = f"listen = {n}"
            yield Claim({**ours, "contains": text}, f"{named}.contains({text!r})", _file(path, f"contain({text!r})"))
        else:
            yield Claim({**ours, "mode": "0640"}, f"{named}.mode == 0o640", _file(path, "be_mode(640)"))


def _file(path: Path, matcher: str) -> str:
    return f"describe file({str(path)!r}) do it {{ should {matcher} }} end"


def ports(servers: Sequence[socket.socket]) -> Iterator[Claim]:
    """Ports that are listened on."""
    for number in (server.getsockname()[1] for server in servers):
        yield Claim(
            {"check": "hosts/port", "port": number},
            f"host.socket('tcp://127.0.0.1:{number}').is_listening",
            f"describe port({number}) do it {{ should be_listening }} end",
        )


def accounts(count: int) -> Iterator[Claim]:
    """Users with their homes, and groups with their numbers."""
    for user in pwd.getpwall()[:count]:
        yield Claim(
            {"check": "hosts/user", "user": user.pw_name, "home": user.pw_dir},
            f"host.user({user.pw_name!r}).home == {user.pw_dir!r}",
            f"describe user({user.pw_name!r}) do it {{ should have_home_directory {user.pw_dir!r} }} end",
        )
    for group in grp.getgrall()[:count]:
        yield Claim(
            {"check": "hosts/group", "group": group.gr_name, "gid": group.gr_gid},
            f"host.group({group.gr_name!r}).gid == {group.gr_gid}",
            f"describe group({group.gr_name!r}) do it {{ should have_gid {group.gr_gid} }} end",
        )


def packages(count: int) -> Iterator[Claim]:
    """Packages that are installed."""
    listed = subprocess.run(["dpkg-query", "-W", "-f", "${Package}\n"], capture_output=True, text=True, check=True)
    for name in listed.stdout.split()[:count]:
        yield Claim(
            {"check": "hosts/package", "package": name},
            f"host.package({name!r}).is_installed",
            f"describe package({name!r}) do it {{ should be_installed }} end",
        )


@dataclass
class Bench:
    """A hundred claims about a server on loopback, and a folder to work in."""

    folder: Path
    server: Sshd
    claims: Sequence[Claim]

    def ours(self, name: str, hosts: Mapping[str, Path], criteria: Sequence[tuple[str, Mapping[str, Any]]]) -> Path:
        """An environment with these hosts (each with the configuration that reaches it) and criteria (host, keys)."""
        written = {
            "system": "shop",
            "hosts": {host: {"connect": f"ssh://{host}", "ssh_config": str(file)} for host, file in hosts.items()},
            "criteria": [f"{name}-criteria.yaml"],
        }
        listed = [
            {"id": f"shop.hosts.c{n}", "says": "as it should be", "severity": "high", "when": ["checkpoint"]}
            | {"host": host, **keys}
            for n, (host, keys) in enumerate(criteria)
        ]
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump(written))
        (self.folder / f"{name}-criteria.yaml").write_text(yaml.safe_dump(listed))
        return file

    def run_ours(self, environment: Path, count: int) -> Mapping[str, Any]:
        """A whole checkpoint of that environment, and its results."""
        output = self.folder / "out"
        wanted = [f"--env={environment}", f"--output={output}", "-m", "checkpoint", "-q"]
        self._run([sys.executable, "-m", "pytest", *wanted], cwd=ROOT)
        results = json.loads((output / environment.stem / "latest" / "results.json").read_text(encoding="utf-8"))
        assert results["counts"]["pass"] == count, results["counts"]
        assert isinstance(results, dict)
        return results

    def run_testinfra(self) -> None:
        """A hundred parametrized tests of plain pytest-testinfra, as its documentation has them."""
        file = self.folder / "test_plain.py"
        rows = ",\n".join(f"    lambda host: {claim.testinfra}" for claim in self.claims)
        file.write_text(
            f"import pytest\nCLAIMS = [\n{rows},\n]\n\n"
            "@pytest.mark.parametrize('number', range(len(CLAIMS)))\n"
            "def test_claim(host, number):\n    assert CLAIMS[number](host)\n"
        )
        hosts = [f"--hosts=ssh://{next(iter(self.server.ports))}", f"--ssh-config={self.server.config}"]
        plain = ["-p", "no:fixtures.plugin", "-p", "no:reports.plugin", "-c", os.devnull]
        said = self._run([sys.executable, "-m", "pytest", "-q", *plain, *hosts, str(file)], cwd=self.folder)
        assert f"{len(self.claims)} passed" in said

    def run_serverspec(self) -> None:
        """A hundred examples of serverspec with its backend for SSH."""
        name = next(iter(self.server.ports))
        file = self.folder / "plain_spec.rb"
        file.write_text(
            "require 'serverspec'\nrequire 'net/ssh'\nset :backend, :ssh\nset :disable_sudo, true\n"
            f"set :host, {name!r}\nset :ssh_options, Net::SSH::Config.for({name!r}, [{str(self.server.config)!r}])\n"
            + "\n".join(claim.serverspec for claim in self.claims)
        )
        said = self._run(["rspec", "--no-color", str(file)], cwd=self.folder)
        assert f"{len(self.claims)} examples, 0 failures" in said

    def _run(self, command: Sequence[str], *, cwd: Path) -> str:
        kept = {k: v for k, v in os.environ.items() if k != "CI" and not k.startswith(("GITHUB_", "PYTEST_"))}
        done = subprocess.run(command, cwd=cwd, env=kept, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@dataclass(frozen=True, order=True)
class Took:
    """A whole process: seconds on the clock, and of processor time with what it started itself."""

    seconds: float
    cpu_s: float

    def __str__(self) -> str:
        return f"{self.seconds:.2f} s (processor {self.cpu_s:.2f} s)"


def best(*actions: Callable[[], object], rounds: int = ROUNDS) -> list[Took]:
    """The quickest of some rounds for each of these, which take turns."""
    taken: list[list[Took]] = [[] for _ in actions]
    for _ in range(rounds):
        for action, took in zip(actions, taken, strict=True):
            began, cpu_s = time.perf_counter(), _children_s()
            action()
            took.append(Took(time.perf_counter() - began, _children_s() - cpu_s))
    return [min(took) for took in taken]


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.fixture
def show(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print a line that is seen."""

    def shown(line: str) -> None:
        with capsys.disabled():
            print(f"\n{line}", end="")

    return shown


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("ssh")
    with sshd(folder / "sshd") as server, ExitStack() as held:
        listening = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(10)]
        claims = [*files(folder, 50), *ports(listening), *accounts(10), *packages(20)]
        assert len(claims) == 100
        yield Bench(folder, server, claims)


def one_host(bench: Bench, claims: Sequence[Claim], name: str) -> Path:
    host = next(iter(bench.server.ports))
    return bench.ours(name, {host: bench.server.config}, [(host, claim.ours) for claim in claims])


def test_a_hundred_criteria_cost_one_connection_and_less_time_than_with_a_peer(
    bench: Bench, show: Callable[[str], None]
) -> None:
    assert shutil.which("rspec"), "install the package ruby-serverspec"
    environment = one_host(bench, bench.claims, "hundred")
    before = bench.server.accepted()
    bench.run_ours(environment, 100)
    assert bench.server.accepted() - before == 1
    ours, serverspec = best(lambda: bench.run_ours(environment, 100), bench.run_serverspec)
    (testinfra,) = best(bench.run_testinfra, rounds=1)
    ratio = min(testinfra, serverspec).seconds / ours.seconds
    show(f"100 criteria over SSH: ours {ours}, serverspec {serverspec}, testinfra {testinfra}")
    show(f"{ratio:.1f} times faster than the faster peer; goals: {told('peer')}, {told('100 criteria')}")
    assert ratio > 1.5
    assert ours.cpu_s < 2 * GOALS["s for 100 criteria"]


def test_what_the_visit_costs_the_host(bench: Bench, show: Callable[[str], None]) -> None:
    name = next(iter(bench.server.ports))
    section = HostSection.model_validate({"connect": f"ssh://{name}", "ssh_config": str(bench.server.config)})
    host = Host(name, section)
    asked = [CATALOGUE.params(c.ours["check"]).model_validate(keys_of(c, name)).asks() for c in bench.claims]
    host.ask(*(question for questions in asked for question in questions))
    try:
        for question in {question for questions in asked for question in questions}:
            host.answer(question)
    finally:
        host.close()
    show(f"the visit for 100 criteria: {host.cost}")
    assert (host.cost.connections, host.cost.commands) == (1, 1)


def test_a_hundred_more_on_the_same_host_cost_next_to_nothing(bench: Bench, show: Callable[[str], None]) -> None:
    folder = bench.folder / "more"
    folder.mkdir()
    few, many = one_host(bench, bench.claims, "few"), one_host(bench, [*bench.claims, *files(folder, 100)], "many")
    one, two = best(lambda: bench.run_ours(few, 100), lambda: bench.run_ours(many, 200))
    show(f"100 criteria {one}, 200 {two}: 100 more take {two.seconds - one.seconds:.2f} s; goal: {told('more')}")
    assert two.cpu_s - one.cpu_s < 4 * GOALS["s for 100 more"]


def test_fifty_hosts_do_not_take_fifty_times_as_long_as_one(bench: Bench, show: Callable[[str], None]) -> None:
    names = [f"h{n}" for n in range(HOSTS)]
    with ExitStack() as held:
        parts = [names[at : at + _PORTS_A_SERVER] for at in range(0, HOSTS, _PORTS_A_SERVER)]
        servers = [held.enter_context(sshd(bench.folder / f"sshd-{part[0]}", *part)) for part in parts]
        configs = {name: server.config for server in servers for name in server.ports}
        spread = [(names[n % HOSTS], claim.ours) for n, claim in enumerate(bench.claims)]
        fifty = bench.ours("fifty", configs, spread)
        single = bench.ours("single", {"h0": configs["h0"]}, [("h0", claim.ours) for claim in bench.claims])
        bench.run_ours(fifty, 100)
        assert sum(server.accepted() for server in servers) == HOSTS, "one connection to each"
        one, all_of_them = best(lambda: bench.run_ours(single, 100), lambda: bench.run_ours(fifty, 100))
    ratio = all_of_them.seconds / one.seconds
    show(f"100 criteria on one host {one}, on {HOSTS} hosts {all_of_them}: {ratio:.1f} times; goal: {told('50 hosts')}")
    assert ratio < 3 * GOALS["times as long for 50 hosts as for one"]


def keys_of(claim: Claim, host: str) -> dict[str, Any]:
    """The parameters of our check."""
    return {"host": host, **{key: value for key, value in claim.ours.items() if key != "check"}}


def told(about: str) -> str:
    """A goal in words."""
    return next(f"{value:g} {words}" for words, value in GOALS.items() if about in words)
