"""A host: reached through a testinfra connection string, read once by one composed probe."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from golive.environment.sections import HostSection, ServicesSection
from golive.model import CouldNotLook
from golive.targets.hosts import asking, probe
from golive.targets.hosts import facts as facts_module
from golive.targets.hosts.access import MAX_OUTPUT_BYTES, Access, marker_word
from golive.targets.hosts.cost import Cost
from golive.targets.hosts.facts import HostFacts
from golive.targets.hosts.questions import Question
from golive.targets.services import ServicesReading, kind
from golive.targets.shell import CommandResult, one_line

__all__ = ["CommandResult", "Host"]

_SERVICES_LIMIT_S = 10.0
_AT_ONCE = threading.BoundedSemaphore(32)
"""Hosts that are read at the same time."""
A = TypeVar("A")


class Host:
    """A host of the environment. Safe to use from several threads.

    `services` are the sets of services on this host; their managers are asked within the
    probe. `own_root_pid` is the process whose tree is this suite's own: on a `local://`
    host its CPU time is not counted against the host, and its ports are not the host's.
    `sockets` is the folder in which the processes of one run share their connections.
    """

    def __init__(
        self,
        name: str,
        section: HostSection,
        services: Mapping[str, ServicesSection] | None = None,
        *,
        own_root_pid: int | None = None,
        sockets: Path | None = None,
    ) -> None:
        self.name = name
        self.section = section
        self.services = dict(services or {})
        self._own_root_pid = own_root_pid if self.is_local else None
        self._probe: threading.Thread | None = None
        self._facts: HostFacts | None = None
        self._problem: CouldNotLook | None = None
        self._lock = threading.Lock()
        self._access = Access(name, section, sockets)
        self._readings: dict[str, ServicesReading] = {}
        self._asked: tuple[Question[Any], ...] = ()
        self._with_rates = True
        self._marker = marker_word()
        self._answers: asking.Answers = {}
        self._answering = threading.Lock()

    @property
    def is_local(self) -> bool:
        """Whether the host is the machine that this runs on."""
        return self.section.connect.startswith("local://")

    def ask(self, *questions: Question[Any]) -> None:
        """Let the probe ask these too. Once it has begun, a question costs a command of its own when it is answered."""
        with self._lock:
            if self._probe is None:
                self._asked += questions

    def answer(self, question: Question[A]) -> A:
        """The host's answer. CouldNotLook (`host NAME: why`) when it was not reached, or did not answer this one."""
        with self._answering:
            if question not in self._answers:
                self._answers |= self._ask_now(question)
        answer: A | CouldNotLook = self._answers[question]
        if isinstance(answer, CouldNotLook):
            raise self._access.could_not_look(str(answer))
        return answer

    def begin(self, *, with_rates: bool = True) -> None:
        """Start the composed probe in the background, once; what it finds or why it failed is kept for `facts`.

        Rates (CPU use, growth) need two readings `cpu_window` apart; without them the probe is over sooner.
        """
        with self._lock:
            if self._probe is None:
                self._with_rates = with_rates
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
        return self._probed(marker_word(), with_rates=True)

    def services_again(self, name: str) -> ServicesReading:
        """The services of set `name` by a probe that begins now, without rates; CouldNotLook when nobody answered."""
        facts, config = self._probed(marker_word(), with_rates=False), self.services[name]
        return kind(config.kind).parse(config, facts.said(f"services {name}"), facts)

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
        both there and here, and ends there when the connection does. It travels on the
        standard input of the connection with the values of `env`, so that no process list
        there or here shows them. CouldNotLook when the host is not reached, the time is up,
        or it writes more than `max_bytes`.
        """
        limit_s = timeout_s if timeout_s is not None else self.section.timeout
        return self._access.run(command, limit_s=limit_s, env=env or {}, max_bytes=max_bytes)

    @property
    def cost(self) -> Cost:
        """What looking at the host cost it so far, in this process."""
        return self._access.cost

    @cached_property
    def testinfra(self) -> Any:
        """A `testinfra.host.Host` over the same connection, with the same time-outs; see its documentation."""
        from golive.targets.hosts.infra import infra_host

        return infra_host(self)

    def close(self) -> None:
        """Let go of the connection, unless it is shared with other processes."""
        self._access.close()

    def _look(self) -> None:
        try:
            with _AT_ONCE:
                self._facts = self._probed(self._marker, with_rates=self._with_rates, asked=self._asked)
        except CouldNotLook as problem:
            self._problem = problem
        except Exception as error:  # noqa: BLE001 - whoever asks for the facts gets it, with its reason
            self._problem = self._access.could_not_look(f"its answer could not be understood ({one_line(str(error))})")

    def _ask_now(self, question: Question[Any]) -> asking.Answers:
        """Of all that the probe asked, when this is among it; else by a command for this one question."""
        if question in self._asked:
            return asking.answers(self._asked, self._marker, self.facts.outputs, broke_off=self.facts.broke_off)
        marker, limit_s = marker_word(), self.section.timeout
        script = probe.questions_script(marker, asking.parts_of([question], marker, limit_s=limit_s))
        looked = self._access.look(script, limit_s=limit_s)
        said, _ = probe.framed(looked.stdout, marker)
        return asking.answers([question], marker, said, broke_off=looked.broke_off)

    def _probed(self, marker: str, *, with_rates: bool, asked: Sequence[Question[Any]] = ()) -> HostFacts:
        parts = [
            probe.Part(
                name=f"services {name}",
                text=kind(config.kind).snippet(config),
                limit_s=_SERVICES_LIMIT_S,
                with_errors=True,
            )
            for name, config in self.services.items()
        ]
        parts += asking.parts_of(asked, marker, limit_s=self.section.timeout)
        window_s = self.section.cpu_window if with_rates else None
        script = probe.script(marker, window_s=window_s, parts=parts)
        looked = self._access.look(script, limit_s=self.section.timeout + (window_s or 0.0))
        return facts_module.parse(
            looked.stdout,
            marker=marker,
            host=self.name,
            sent_at=looked.sent_at,
            received_at=looked.received_at,
            own_root_pid=self._own_root_pid,
            with_rates=with_rates,
            broke_off=looked.broke_off,
        )
