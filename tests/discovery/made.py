"""Things that could have been found, put together by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fixtures.options import CATALOGUE, PROJECT
from golive.discovery.discovering import tools
from golive.discovery.found import Answered, Certificate, Found, Heard, Survey
from golive.discovery.proposal import Proposal
from golive.discovery.proposed import proposed
from golive.discovery.questions.certificates import CertificateFile
from golive.discovery.questions.containers import Container as Seen
from golive.discovery.questions.containers import Published as SeenPort
from golive.discovery.questions.log_files import LogFile
from golive.discovery.questions.logins import Group, Login
from golive.discovery.questions.packages import Package
from golive.discovery.questions.schedules import CronTable
from golive.discovery.questions.supervisors import Supervisor
from golive.discovery.questions.units import Unit
from golive.discovery.target import parse
from golive.discovery.visiting.sets import sets_of
from golive.discovery.visiting.sources import sources_of
from golive.discovery.writing.emitting import criteria_text, environment_text
from golive.discovery.writing.keeping import Place, loaded
from golive.discovery.writing.sifting import sifted
from golive.environment.load import Environment
from golive.logs import LogReading
from golive.targets.hosts.facts import Clock, FileSystem, HostFacts, Memory, Port
from golive.targets.hosts.questions.time_sync import TimeSyncFacts
from golive.targets.hosts.questions.timer import TimerFacts
from golive.targets.services import Service, ServicesReading
from golive.targets.services.containers import Container, Health, Image, Limits, Published, Rights

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
GB = 1_000_000_000


def disk(mount: str = "/", used: float = 40.0, **values: Any) -> FileSystem:
    return FileSystem(
        **{
            "source": f"/dev/{mount.strip('/') or 'root'}",
            "mount": mount,
            "size_bytes": 100 * GB,
            "used_bytes": round(used * GB),
            "available_bytes": round((100 - used) * GB),
            "inodes": 1000,
            "inodes_used": 100,
            **values,
        }
    )


def facts(**values: Any) -> HostFacts:
    known: dict[str, Any] = {
        "host": "app",
        "cpu_percent": 12.0,
        "cpu_count": 2,
        "memory": Memory(total_bytes=8 * GB, available_bytes=6 * GB, swap_total_bytes=0, swap_free_bytes=0),
        "file_systems": (disk(),),
        "uptime_s": 86_400.0,
        "booted_at": NOW - timedelta(days=1),
        "clock": Clock(offset_s=0.01, uncertainty_s=0.02, host_time=NOW),
        "ports": (Port(address="0.0.0.0", port=22, process="sshd", pid=7),),
        "oom_kills": 0,
    }
    return HostFacts(**{**known, **values})


def survey(*target: str, **values: Any) -> Survey:
    given = {"looked_at": NOW, "facts": facts(), "target": parse(*(target or ("local",)))}
    return Survey(**{**given, **values})


def seen(name: str = "shop_api_1", **values: Any) -> Seen:
    known = {"engine": "docker", "id": name, "name": name, "image": "shop:1.0", "status": "running"}
    return Seen(**{**known, **values})


def seen_port(inner: int, port: int, address: str = "0.0.0.0") -> SeenPort:
    return SeenPort(inner=inner, address=address, port=port)


def container(name: str = "api", **values: Any) -> Container:
    """One that meets every claim about hardening."""
    known: dict[str, Any] = {
        "name": f"shop_{name}_1",
        "service": name,
        "id": name,
        "state": "running",
        "running": True,
        "health": Health(checked=True, status="healthy"),
        "restarts": 0,
        "restart_policy": "always",
        "oom_kills": 0,
        "image": Image(reference="shop:1.0", digest="sha256:1", registry_digests=(), reference_digest="sha256:1"),
        "limits": Limits(memory_bytes=64_000_000, cpus=0.5, pids=50),
        "rights": Rights(
            user="1000", uids=frozenset({1000}), no_new_privileges=True, read_only_root=True, capabilities=frozenset()
        ),
        "published": (Published(address="127.0.0.1", port=8080, inner=80),),
    }
    return Container(**{**known, **values})


def service(name: str = "api", **values: Any) -> Service:
    known = {"name": name, "state": "running", "running": True, "cpu_percent": 1.0, "memory_bytes": 40_000_000}
    return Service(**{**known, **values})


def services(*them: Service, **values: Any) -> ServicesReading:
    names = tuple(one.name for one in them)
    return ServicesReading(**{"expected": names, "services": {one.name: one for one in them}, **values})


def found(**values: Any) -> Found:
    return Found(**{"survey": survey(), "system": "shop", "address": "127.0.0.1", **values})


def proposal(of: Found) -> Proposal:
    return sifted(
        proposed(of),
        system="shop",
        target=of.survey.target.told,
        looked_at=NOW,
        deployed_at=of.deployed_at,
        catalogue=CATALOGUE,
    )


def texts(of: Found) -> tuple[str, str]:
    """The environment and the criteria as they would be written."""
    whole = proposal(of)
    return environment_text(whole, criteria="criteria/shop/*.yaml", schema=None), criteria_text(whole)


def environment(of: Found, folder: Path) -> Environment:
    """The same, loaded; EnvironmentInvalid when a run could not load it."""
    place = Place(environment=folder / "shop.yaml")
    return loaded(place, *texts(of), catalogue=CATALOGUE, project=PROJECT, providers=None)


def everything(name: str = "api") -> Found:
    """A bit of everything, called `name` wherever the host is free to call it so."""
    whole = survey(
        facts=facts(
            file_systems=(disk(), disk(f"/{name}", used=80)),
            ports=(
                Port(address="0.0.0.0", port=22, process=name, pid=7),
                Port(address="127.0.0.1", port=5432, process="postgres", pid=8),
            ),
            problems={"interfaces": f"{name} could not be read"},
        ),
        units=(
            Unit(name=f"{name}.service", active="active", sub="running", file_state="enabled"),
            Unit(name=f"{name}.timer", active="active", sub="waiting", file_state="enabled"),
        ),
        supervisors=(Supervisor(config=f"/etc/{name}.conf", programs=((name, "RUNNING"),), tools=f"/opt/{name}"),),
        containers=(
            seen(name, image=f"{name}:1"),
            seen(f"{name}-2", project=name, service=name, published=(seen_port(80, 8080),)),
            seen(f"{name}-3", image="redis:7", published=(seen_port(6379, 6379),)),
            seen(f"{name}-4", status="exited"),
        ),
        log_files=(
            LogFile(path=f"/var/log/{name}.log", size_bytes=5, changed_at=0, readable=True, starts="{{", process=name),
            LogFile(path=f"/var/log/{name}-2.log", size_bytes=5, changed_at=0, readable=False),
        ),
        certificates=(CertificateFile(path=f"/etc/{name}.pem", readable=True),),
        logins=(Login(name=name, uid=1000, shell=f"/bin/{name}"),),
        groups=(Group(name="sudo", members=(name,)),),
        cron=(CronTable(path=f"/etc/cron.d/{name}", entries=2),),
        packages=(Package(name=name, version=f"1.0-{name}"),),
        problems={"units": f"{name} is gone"},
    )
    whole = replace(whole, options=tools(whole))
    sets = sets_of(whole)
    sources, not_sources = sources_of(whole, NOW.timestamp())
    of_set = services(service(name, containers=(container(name),)), service(f"{name}-2", state=name, running=False))
    answered = Answered(
        status=200, content_type="text/html", took_ms=12.0, json={"status": name, name: {"state": name}}, title=name
    )
    certificate = Certificate(subject=f"CN={name}", not_after=NOW + timedelta(days=60))
    return found(
        survey=whole,
        deployed_at=NOW - timedelta(hours=2),
        sets=sets,
        services={one.name: of_set if name in one.expected else f"{name} does not answer" for one in sets},
        sources=sources,
        not_sources=not_sources,
        logs={s.name: LogReading(sources=(s.name,)) if n else name for n, s in enumerate(sources)},
        heard=(Heard(url="http://127.0.0.1:8080", port=8080, answers={"/": answered, "/health": answered}),),
        silent={81: name},
        certificates={f"/etc/{name}.pem": certificate},
        timers={
            f"{name}.timer": TimerFacts(
                is_active=True, is_enabled=True, last_run_age_s=60.0, result="success", state=name
            )
        },
        time_sync=TimeSyncFacts(told_by=name, is_synchronised=True, source=name),
    )
