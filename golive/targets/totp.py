"""One-time codes that nobody of this run has used before.

A server accepts each time step of an account once. Processes of one run share the last
step they used through a small locked file (the step, never a secret), so that two of them
do not present the same code.
"""

from __future__ import annotations

import fcntl
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from golive.environment.sections import TotpSection
from golive.model import CouldNotLook

_NEIGHBOURS = 12


class OneTimeCodes:
    """The codes of one account. `file` lies in the run's folder and is made when it is missing."""

    def __init__(
        self,
        section: TotpSection,
        file: Path,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._section = section
        self._file = file
        self._clock = clock
        self._sleep = sleep

    @contextmanager
    def unused(self) -> Iterator[str]:
        """A code of a step that no process of this run has used; the account is locked for them meanwhile.

        Waits for the next step where needed, at most one period. The step counts as used however the block ends,
        because the server may have seen the code.
        """
        with locked(self._file) as memory:
            step = self._await_step_after(memory.get("step"))
            memory["step"] = step
            yield self.at(step)

    def wrong(self) -> str:
        """A code of the right length that no nearby step has."""
        now = self._step()
        near = {self.at(now + offset) for offset in range(-_NEIGHBOURS, _NEIGHBOURS + 1)}
        while (code := str(secrets.randbelow(10**self._section.digits)).zfill(self._section.digits)) in near:
            pass
        return code

    def at(self, step: int) -> str:
        """The code of one time step. CouldNotLook when the enrolled secret is no base32."""
        import hashlib

        import pyotp

        digest = getattr(hashlib, self._section.algorithm.lower())
        try:
            return pyotp.HOTP(self._section.secret.reveal(), digits=self._section.digits, digest=digest).at(step)
        except ValueError:
            raise CouldNotLook("a TOTP secret is no base32 text: take it from the enrolment, without its URL") from None

    def _step(self) -> int:
        return int(self._clock() // self._section.period)

    def _await_step_after(self, used: Any) -> int:
        # A used step in the future means that a clock was set back; waiting for it could take for ever.
        while isinstance(used, int) and 0 <= used - self._step() <= 1:
            self._sleep((used + 1) * self._section.period - self._clock() + 0.002)
        return self._step()


@contextmanager
def locked(file: Path) -> Iterator[dict[str, Any]]:
    """What `file` remembers, while no other process has it; changes are written back. A damaged file is empty."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = file.open("a+", encoding="utf-8")
    except OSError as error:
        raise CouldNotLook(f"{file}: no lock can be kept there: {error.strerror}") from None
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        memory = _remembered(handle)
        try:
            yield memory
        finally:
            handle.seek(0)
            handle.truncate()
            json.dump(memory, handle)
            handle.flush()


def _remembered(handle: Any) -> dict[str, Any]:
    handle.seek(0)
    try:
        memory = json.load(handle)
    except ValueError:
        return {}
    return memory if isinstance(memory, dict) else {}
