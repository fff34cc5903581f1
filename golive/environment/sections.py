"""The sections of an environment file: how each target is reached, and who is responsible.

What a service manager or log source needs beyond this is declared by its own file
(`golive/targets/services/KIND.py`, `golive/logs/KIND.py`) as a subclass `Config`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from golive.environment.connection import APPLIES
from golive.environment.connection import parse as parse_connection
from golive.environment.loads import LoadSection
from golive.environment.params import (
    REFERENCE,
    CheckParams,
    Duration,
    EndpointRef,
    HostRef,
    Moment,
    Percent,
    Request,
    Secret,
    StoreUrl,
    Strict,
    Url,
)
from golive.environment.schedule import PATTERN, slot_of_entry, slots_of


def _known(moment: Any) -> Any:
    """A reference that was left unresolved (listing criteria needs no target) is no time yet."""
    return None if isinstance(moment, str) and REFERENCE.fullmatch(moment) else moment


class HostSection(Strict):
    """A machine, container or pod, reached by a testinfra connection string."""

    connect: str = Field(description="testinfra connection string: local://, ssh://user@host:port, docker://name …")
    path: tuple[str, ...] = Field((), description="folders searched before the host's own PATH")
    timeout: Annotated[Duration, Field(gt=0)] = Field(15.0, description="longest that one look may take there")
    cpu_window: Duration = Field(1.5, description="time between the two readings that CPU use is computed from")
    ssh_config: str | None = Field(None, description="OpenSSH client configuration, instead of ~/.ssh/config")
    identity_file: str | None = Field(None, description="private key; without one those of the agent and the defaults")
    known_hosts: str | None = Field(None, description="file of host keys, instead of ~/.ssh/known_hosts")
    jump: str | None = Field(None, description="host to go through, as in user@bastion:22; several with commas")
    sudo: bool | str = Field(False, description="look as root (true) or as this user, by `sudo -n`, without a password")

    @model_validator(mode="after")
    def _fits_its_scheme(self) -> Self:
        if REFERENCE.search(self.connect):
            return self  # left unresolved, where criteria are only listed
        scheme = parse_connection(self.connect).scheme
        for key, schemes in APPLIES.items():
            if getattr(self, key) and scheme not in schemes:
                raise ValueError(f"'{key}' does not apply to {scheme}:// (only to {', '.join(schemes)})")
        for key in ("jump", "sudo"):
            if str(getattr(self, key)).startswith("-"):
                raise ValueError(f"'{key}' is a name, and does not begin with '-'")
        return self


class ServicesSection(Strict):
    """A set of services under one manager; each kind adds its own keys."""

    kind: str
    host: HostRef
    expected: tuple[str, ...] = Field(min_length=1, description="names of the services that must be there")


class TlsSection(Strict):
    """How a server's certificate is verified."""

    verify: bool = True
    ca_file: str | None = None


class LoginSection(Strict):
    """How an account gets a token at an endpoint. `{username}`, `{password}` and `{code}` are filled in."""

    request: Request
    body: dict[str, str] = Field(default={"username": "{username}", "password": "{password}", "code": "{code}"})
    token: str = Field("token", description="dotted path of the token in the JSON answer")
    header: str = Field("Authorization: Bearer {token}", description="header that carries the token")
    logout: Request | None = None


class EndpointSection(Strict):
    """An HTTP server by its base URL."""

    url: Url
    timeout: Duration = 10.0
    max_body: Annotated[int, Field(gt=0)] = 5_000_000
    login: LoginSection | None = None
    tls: TlsSection = TlsSection()
    headers: dict[str, str] = {}


class TotpSection(Strict):
    """A time-based one-time password (RFC 6238)."""

    secret: Secret
    digits: Annotated[int, Field(ge=6, le=10)] = 6
    period: Annotated[int, Field(ge=1, le=300, description="seconds of one step")] = 30
    algorithm: Literal["SHA1", "SHA256", "SHA512"] = "SHA1"


class AccountSection(Strict):
    """A test account of the target, enrolled for this purpose."""

    endpoint: EndpointRef
    username: str
    password: Secret
    totp: TotpSection | None = None


class DatabaseSection(Strict):
    """A PostgreSQL database, read through a read-only session."""

    url: Url
    password: Secret | None = None
    statement_timeout: Duration = 5.0
    connect_timeout: Duration = 5.0


class CacheSection(Strict):
    """A Redis server, read without ever writing."""

    url: Url
    password: Secret | None = None
    timeout: Duration = 5.0


class LogSection(Strict):
    """A source of log lines; each kind adds its own keys."""

    kind: str


class BackupSection(Strict):
    """Where the backups of a database are found on a host."""

    host: HostRef
    folder: str
    pattern: str = Field("*.dump", description="shell pattern of the backup files in the folder")
    every: Duration = Field(description="how often a backup is made")
    database: str | None = Field(None, description="the database it is a backup of (a name under `databases`)")


class Contact(Strict):
    """A person to be reached in an emergency."""

    role: str
    name: str
    phone: str
    email: str


class DeploymentSection(Strict):
    """What was deployed and when it was complete."""

    version: str = ""
    deployed_at: Annotated[Moment | None, BeforeValidator(_known)] = None


class WaiverSection(Strict):
    """An accepted failure; see the guide on waivers."""

    criterion: str
    reason: Annotated[str, Field(min_length=1)]
    approver: Annotated[str, Field(min_length=1)]
    risk: Annotated[str, Field(min_length=1)]
    expires: Moment
    at_least: float | None = Field(None, description="smallest value that is accepted")
    at_most: float | None = Field(None, description="largest value that is accepted")


class AttestationSection(Strict):
    """A person's affirmation, kept in the environment."""

    criterion: str
    by: Annotated[str, Field(min_length=1)]
    role: Annotated[str, Field(min_length=1)]
    at: Moment
    note: str = ""


class ProbeSection(Strict):
    """Limits that keep the verification harmless to the target."""

    max_requests_per_second: Annotated[float, Field(gt=0)] = 100.0
    latency_samples: Annotated[int, Field(ge=20, le=10_000)] = 30


class AvailabilityProbe(Strict):
    """One endpoint that is asked again and again between the checkpoints."""

    endpoint: EndpointRef
    request: Request
    status: Annotated[int, Field(ge=100, le=599, description="the status of an answer that counts as up")] = 200


class AvailabilitySection(Strict):
    """How availability is watched between the checkpoints."""

    probes: tuple[AvailabilityProbe, ...] = Field(min_length=1)
    every: Annotated[Duration, Field(gt=0)] = Field(5.0, description="time between two probes of an endpoint")
    timeout: Annotated[Duration, Field(gt=0)] = Field(3.0, description="longest that an answer may take")
    at_least: Percent = Field(100.0, description="share of the known time that each endpoint must have been up")
    begin_within: Duration = Field(300.0, description="how late after hour 0 the first probe may be")
    unknown_at_most: Duration = Field(8.64, description="how much time may have passed unseen")

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        names = [probe.endpoint for probe in self.probes]
        doubled = next((name for name in names if names.count(name) > 1), None)
        if doubled is not None:
            raise ValueError(
                f"one probe an endpoint (declare a second endpoint for another path); got {doubled!r} twice"
            )
        if self.timeout > self.every:
            raise ValueError(
                f"a probe has ended before the next one begins: 'timeout' is at most 'every';"
                f" got {self.timeout:g} s and {self.every:g} s"
            )
        return self


def _checkpoint(entry: str) -> str:
    slot_of_entry(entry)
    return entry


def _in_order(schedule: tuple[str, ...]) -> tuple[str, ...]:
    if schedule:
        slots_of(schedule)
    return schedule


_CHECKPOINT_SCHEMA = {"type": "string", "pattern": PATTERN, "examples": ["15 min smoke", "4 h", "24 h golive"]}
_Checkpoint = Annotated[str, AfterValidator(_checkpoint), WithJsonSchema(_CHECKPOINT_SCHEMA)]


class WatchSection(Strict):
    """The watch over a deployment: when it is looked at, and what spoils it."""

    schedule: Annotated[tuple[_Checkpoint, ...], AfterValidator(_in_order)] = Field(
        ("15 min smoke", *(f"{hour} h" for hour in (1, 2, 3, 4, 6, 8, 10, 12, 16, 20)), "24 h golive"),
        min_length=1,
        description="times after hour 0, each with what is judged: smoke, checkpoint (default) or golive",
    )
    tolerance: Annotated[Duration, Field(gt=0)] = Field(900.0, description="how late a checkpoint may begin")
    milestones: dict[str, Duration] = Field({}, description="name of a milestone to the hour up to which all is clean")
    availability: AvailabilitySection | None = None
    flapping: Literal["blocks", "allowed"] = Field("blocks", description="what a pass on retry does to the watch")
    trial: bool = Field(False, description="time may be compressed here (`--time-scale`); never for production")


class SignOffSection(Strict):
    """Who signs the evidence before the system goes live."""

    roles: tuple[str, ...] = Field(min_length=1)
    quorum: Annotated[int | None, Field(ge=1)] = Field(None, description="how many of the roles; all by default")
    allowed_signers: str | None = Field(
        None, description="OpenSSH allowed_signers file, relative to this file; a principal is a role, as in qa-lead"
    )
    revoked_keys: str | None = Field(
        None, description="keys that count no more, relative to this file: public keys, one a line, or an OpenSSH KRL"
    )
    override_role: str | None = Field(None, description="the role that may accept a NO-GO")


class HistorySection(Strict):
    """Where runs are kept, if not in SQLite beside the reports."""

    url: StoreUrl
    password: Secret | None = None


class EnvironmentSection(Strict):
    """An environment file: everything below `environments/NAME.yaml`."""

    system: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
    says: str = ""
    demo: bool = Field(False, description="the embedded target: started when it is not up")
    production: bool | None = Field(
        None, description="whether real users depend on it; taken for so unless this or `demo` says otherwise"
    )
    include: tuple[str, ...] = Field((), description="further environment files, read first")
    deployment: DeploymentSection = DeploymentSection()
    hosts: dict[str, HostSection] = {}
    services: dict[str, ServicesSection] = {}
    endpoints: dict[str, EndpointSection] = {}
    accounts: dict[str, AccountSection] = {}
    databases: dict[str, DatabaseSection] = {}
    caches: dict[str, CacheSection] = {}
    logs: dict[str, LogSection] = {}
    backups: dict[str, BackupSection] = {}
    documents: dict[str, str] = Field({}, description="reference documents by name: a path or URL")
    contacts: tuple[Contact, ...] = ()
    probe: ProbeSection = ProbeSection()
    load: LoadSection | None = None
    watch: WatchSection | None = None
    sign_off: SignOffSection | None = None
    history: HistorySection | None = None
    criteria: tuple[str, ...] = Field((), description="patterns of criteria files, relative to this file")
    adjust: dict[str, dict[str, Any]] = Field({}, description="keys of single criteria that differ here")
    waivers: tuple[WaiverSection, ...] = ()
    attestations: tuple[AttestationSection, ...] = ()
    checks_path: tuple[str, ...] = Field((), description="folders with the team's own pytest tests")

    @property
    def is_production(self) -> bool:
        """Whether it is to be spared: what says nothing of itself counts as production, the demo never does."""
        return not self.demo if self.production is None else self.production


class AttestAnswer(Strict):
    """A person answers: who, and for how long the affirmation holds."""

    role: str
    valid_for: Duration = 7 * 86400.0
    signed: bool = Field(False, description="only a signature under the evidence counts (`golive sign`)")


class AttestedParams(CheckParams):
    """What `people/attested` is given for a criterion that a person answers."""

    role: str
    valid_for: Duration
    signed: bool = False
