"""A host: reached through a testinfra connection string, read once by one composed probe."""

from __future__ import annotations

import secrets
import shlex
import shutil
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from golive.environment.sections import HostSection, ServicesSection
from golive.model import CouldNotLook
from golive.targets.hosts import facts as facts_module
from golive.targets.hosts import probe
from golive.targets.hosts.facts import HostFacts
from golive.targets.services import ServicesReading, kind
from golive.targets.shell import CommandResult, TookTooLong, WroteTooMuch, one_line, run_program

__all__ = ["CommandResult", "Host"]

MAX_OUTPUT_BYTES = 32_000_000
_PROGRAMS = {"ssh": "ssh", "safe-ssh": "ssh", "docker": "docker", "podman": "podman", "kubectl": "kubectl"}
_KNOWN_BY_TIMEOUT = (124, 137, 143)
_MARGIN_S = 3.0


class Host:
    """A host of the environment. Safe to use from several threads.

    `services` are the sets of services on this host; their managers are asked within the
    probe. `own_root_pid` is the process whose tree is this suite's own: on a `local://`
    host its CPU time is not counted against the host, and its ports are not the host's.
    """

    def __init__(
        self,
        name: str,
        section: HostSection,
        services: Mapping[str, ServicesSection] | None = None,
        *,
        own_root_pid: int | None = None,
    ) -> None:
        self.name = name
        self.section = section
        self.services = dict(services or {})
        self._own_root_pid = own_root_pid if self.is_local else None
        self._probe: threading.Thread | None = None
        self._facts: HostFacts | None = None
        self._problem: CouldNotLook | None = None
        self._lock = threading.Lock()
        self._backend: Any = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._exchange = threading.local()
        self._readings: dict[str, ServicesReading] = {}

    @property
    def is_local(self) -> bool:
        """Whether the host is the machine that this runs on."""
        return self.section.connect.startswith("local://")

    def begin(self) -> None:
        """Start the composed probe in the background, once; what it finds or why it failed is kept for `facts`."""
        with self._lock:
            if self._probe is None:
                self._probe = threading.Thread(target=self._look, name=f"probe-{self.name}", daemon=True)
                self._probe.start()

    @property
    def facts(self) -> HostFacts:
        """What the probe found; waits for it. CouldNotLook when the host was not reached or answered rubbish."""
        self.begin()
        if self._probe is not None:
            self._probe.join()
        if self._facts is None:
            raise self._problem or CouldNotLook(f"host {self.name}: the probe ended without an answer")
        return self._facts

    def read_again(self) -> HostFacts:
        """What a probe finds that begins now. `facts` stays what the first one found."""
        return self._probed()

    def read_services(self, name: str) -> ServicesReading:
        """The services of set `name` as their manager told the probe. CouldNotLook when it did not answer."""
        config = self.services[name]
        if name not in self._readings:
            self._readings[name] = kind(config.kind).parse(config, self.facts.said(f"services {name}"), self.facts)
        return self._readings[name]

    def run(
        self,
        command: str,
        *,
        timeout_s: float | None = None,
        env: Mapping[str, str] | None = None,
        max_bytes: int = MAX_OUTPUT_BYTES,
    ) -> CommandResult:
        """Run one `sh` command; the caller quotes its arguments. Any exit code is a result.

        The folders of `path` come before the host's own PATH. The command has its time-out
        both there (`timeout`, where the host has it) and here. Values of `env` travel on the
        standard input of the connection, never in an argument list, so that no process list
        there or here shows them. CouldNotLook when the host is not reached, the time is up,
        or it writes more than `max_bytes`.
        """
        limit_s = timeout_s if timeout_s is not None else self.section.timeout
        marker = f"golive-{secrets.token_hex(8)}"
        script = _prepared(command, self.section.path, with_env=bool(env))
        wrapped = _wrapped(script, marker, limit_s)
        started = time.monotonic()
        try:
            result = self._send(wrapped, limit_s + _MARGIN_S, max_bytes, _assignments(env or {}))
        except TookTooLong:
            raise self._could_not_look(f"no answer within {limit_s:g} s") from None
        except WroteTooMuch:
            raise self._could_not_look(f"more than {max_bytes / 1e6:g} MB of output, which is not read") from None
        return self._judged(result, marker, limit_s, time.monotonic() - started)

    def close(self) -> None:
        """End the shared connection and remove what was made for it."""
        folder, self._folder = self._folder, None
        if folder is not None:
            self._end_master(folder.name)
            folder.cleanup()

    def _judged(self, result: CommandResult, marker: str, limit_s: float, took_s: float) -> CommandResult:
        head, reached, rest = result.stdout_bytes.partition(f"{marker}\n".encode())
        if not reached:
            why = (
                one_line(result.stderr) or one_line(head.decode("utf-8", "replace")) or f"exit code {result.exit_code}"
            )
            raise self._could_not_look(f"cannot be reached by {self.section.connect}: {why}")
        if result.exit_code in _KNOWN_BY_TIMEOUT and took_s >= limit_s:
            raise self._could_not_look(f"a command did not finish within {limit_s:g} s")
        return CommandResult(exit_code=result.exit_code, stdout_bytes=rest, stderr_bytes=result.stderr_bytes)

    def _send(self, command: str, limit_s: float, max_bytes: int, stdin: bytes) -> CommandResult:
        backend = self._connected()
        self._exchange.limits = (limit_s, max_bytes, stdin)
        try:
            out = backend.run(command)
        except (TookTooLong, WroteTooMuch):
            raise
        except RuntimeError as error:
            # testinfra's ssh backend raises when ssh itself fails (exit code 255).
            said = getattr(error.args[0] if error.args else None, "stderr", "") or str(error)
            raise self._could_not_look(f"cannot be reached by {self.section.connect}: {one_line(said)}") from None
        except Exception as error:
            raise self._could_not_look(
                f"cannot be reached by {self.section.connect}: {one_line(str(error))}"
            ) from error
        return CommandResult(exit_code=out.rc, stdout_bytes=out.stdout_bytes, stderr_bytes=out.stderr_bytes)

    def _connected(self) -> Any:
        with self._lock:
            if self._backend is None:
                self._backend = self._connect()
            return self._backend

    def _connect(self) -> Any:
        import testinfra  # type: ignore[import-untyped]

        scheme = self.section.connect.partition("://")[0]
        program = _PROGRAMS.get(scheme)
        if program is not None and shutil.which(program) is None:
            raise self._could_not_look(f"`{program}` is not installed here, and {scheme}:// needs it")
        try:
            backend: Any = testinfra.get_host(self.section.connect, **self._options(scheme)).backend
        except Exception as error:
            raise self._could_not_look(f"{self.section.connect} cannot be opened: {one_line(str(error))}") from error
        # Without this testinfra asks the host for its encoding with a command of its own.
        backend._encoding = "utf-8"
        # testinfra's own way has no time-out and no limit, and logs every output under -vv.
        backend.run_local = self._run_local
        return backend

    def _options(self, scheme: str) -> dict[str, Any]:
        if scheme not in ("ssh", "safe-ssh"):
            return {}
        self._folder = tempfile.TemporaryDirectory(prefix="golive-", dir=_short_folder())
        seconds = max(1, round(self.section.timeout))
        multiplex = f"-o ControlMaster=auto -o ControlPath={self._folder.name}/%C -o ControlPersist=30"
        options = {"ssh_extra_args": f"-o BatchMode=yes -o ConnectTimeout={seconds} {multiplex}"}
        given = {"ssh_config": self.section.ssh_config, "ssh_identity_file": self.section.identity_file}
        return options | {key: value for key, value in given.items() if value}

    def _run_local(self, command: str, *arguments: str) -> Any:
        from testinfra.backend import base  # type: ignore[import-untyped]

        limit_s, max_bytes, stdin = self._exchange.limits
        if stdin:
            command = _with_stdin(command)
        line = base.BaseBackend.quote(command, *arguments)
        done = run_program(["/bin/sh", "-c", line], timeout_s=limit_s, max_bytes=max_bytes, stdin=stdin)
        return base.CommandResult(
            backend=self._backend,
            exit_status=done.exit_code,
            command=b"",
            _stdout=done.stdout_bytes,
            _stderr=done.stderr_bytes,
        )

    def _end_master(self, folder: str) -> None:
        spec = self._backend.host
        target = ["-o", f"ControlPath={folder}/%C", "-O", "exit"]
        who = [*(["-p", spec.port] if spec.port else []), *(["-l", spec.user] if spec.user else []), spec.name]
        config = ["-F", self.section.ssh_config] if self.section.ssh_config else []
        # If this fails, it ends by itself 30 s after its last use.
        with suppress(OSError, TookTooLong, WroteTooMuch):
            run_program(["ssh", *config, *target, *who], timeout_s=2.0, max_bytes=10_000)

    def _look(self) -> None:
        try:
            self._facts = self._probed()
        except CouldNotLook as problem:
            self._problem = problem
        except Exception as error:  # noqa: BLE001 - whoever asks for the facts gets it, with its reason
            self._problem = self._could_not_look(f"its answer could not be understood ({one_line(str(error))})")

    def _probed(self) -> HostFacts:
        snippets = {f"services {name}": kind(config.kind).snippet(config) for name, config in self.services.items()}
        marker = f"golive-{secrets.token_hex(8)}"
        script = probe.script(marker, window_s=self.section.cpu_window, snippets=snippets)
        sent_at = time.time()
        answer = self.run(script, timeout_s=self.section.timeout + self.section.cpu_window)
        return facts_module.parse(
            answer.stdout,
            marker=marker,
            host=self.name,
            sent_at=sent_at,
            received_at=time.time(),
            own_root_pid=self._own_root_pid,
        )

    def _could_not_look(self, what: str) -> CouldNotLook:
        return CouldNotLook(f"host {self.name}: {what}")


def _prepared(command: str, path: tuple[str, ...], *, with_env: bool) -> str:
    parts = []
    if path:
        parts.append(f"PATH={':'.join(map(shlex.quote, path))}:$PATH; export PATH")
    if with_env:
        parts.append('eval "$(cat)"')
    return "\n".join([*parts, command])


def _wrapped(script: str, marker: str, limit_s: float) -> str:
    """The marker tells a command's own failure from never having got as far as a shell on the host."""
    inner = f"sh -c {shlex.quote(script)}"
    return (
        f"echo {marker}; if command -v timeout >/dev/null 2>&1; "
        f"then exec timeout -k 1 {limit_s:.3f} {inner}; else exec {inner}; fi"
    )


def _assignments(env: Mapping[str, str]) -> bytes:
    for name in env:
        if not name.isidentifier():
            raise ValueError(f"{name!r} is no name of an environment variable")
    return "".join(f"{name}={shlex.quote(value)}; export {name}\n" for name, value in env.items()).encode()


def _with_stdin(command: str) -> str:
    """`docker exec` and its like hand standard input over only when told to."""
    for program in ("docker exec ", "podman exec ", " exec %s -- /bin/sh"):
        command = command.replace(program, program.replace("exec ", "exec -i ", 1), 1)
    return command


def _short_folder() -> str | None:
    """A socket's path may have about a hundred characters, which some temporary folders exceed alone."""
    return "/tmp" if len(tempfile.gettempdir()) > 30 else None  # noqa: S108 - the folder made in it is private
