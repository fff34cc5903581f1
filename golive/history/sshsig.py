"""Signatures by SSH keys, made and checked by OpenSSH's own `ssh-keygen -Y` (8.9 or later).

The format is OpenSSH's `PROTOCOL.sshsig`, in the namespace `golive`. Who may sign stands in an `allowed_signers` file
(ssh-keygen(1), ALLOWED SIGNERS), whose principals are roles: `qa-lead` or `"QA Lead"` for the role QA Lead. Times in it
without a `Z` are taken as UTC, so that a file means the same on every machine.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

NAMESPACE = "golive"
SIGN_TIMEOUT_S = 180.0
"""A person may have to type a passphrase or to touch a key."""
_TIMEOUT_S = 15.0
_KEY = re.compile(r"with (\S+ key SHA256:\S+)")


class SigningTrouble(Exception):
    """Nothing could be signed or checked; the message is one line: what is wrong, what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signers:
    """The keys that count: an `allowed_signers` file, and keys that were revoked."""

    allowed: Path
    revoked: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """A checked signature: the key (type and fingerprint), and why it does not count, or ""."""

    key: str
    problem: str


def principals(role: str) -> tuple[str, ...]:
    """How a role may be called in `allowed_signers`: `qa-lead`, or as it is, in quotes."""
    slug = re.sub(r"[^a-z0-9]+", "-", role.casefold()).strip("-")
    return tuple(dict.fromkeys(filter(None, (slug, role.strip()))))


def sign(text: str, key: Path, *, timeout_s: float = SIGN_TIMEOUT_S) -> str:
    """The armoured signature of `text` by a private key, or by the one in ssh-agent whose public half is given.

    A passphrase is asked for on the terminal, and so is the touch of a hardware key. Raises SigningTrouble.
    """
    key = key.expanduser()
    if not key.is_file():
        raise SigningTrouble(f"there is no key {key}; make one with: ssh-keygen -t ed25519 -f {key}")
    with tempfile.TemporaryDirectory(prefix="golive-sign-") as folder:
        message = Path(folder) / "manifest"
        message.write_text(text, encoding="utf-8")
        code, said = _asking(["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(message)], timeout_s)
        made = message.with_name("manifest.sig")
        if code or not made.exists():
            raise SigningTrouble(f"{key} did not sign: {_hint(said, key)}")
        return made.read_text(encoding="ascii")


def check(text: str, signature: str, *, role: str, at: datetime, signers: Signers) -> Checked:
    """Whether `signature` is one of `text` by a key that was allowed at `at` to sign as `role`.

    SigningTrouble if it could not be looked into.
    """
    if not signers.allowed.is_file():
        raise SigningTrouble(f"allowed_signers: there is no file {signers.allowed}")
    if signers.revoked is not None and not signers.revoked.is_file():
        raise SigningTrouble(f"revoked_keys: there is no file {signers.revoked}")
    with tempfile.TemporaryDirectory(prefix="golive-verify-") as folder:
        file = Path(folder) / "signature"
        file.write_text(signature, encoding="utf-8")
        return _Check(text, file, role, at, signers).outcome()


@dataclass(frozen=True)
class _Check:
    text: str
    signature: Path
    role: str
    at: datetime
    signers: Signers

    def outcome(self) -> Checked:
        refused = ""
        for principal in principals(self.role):
            code, said = self._verify(principal, revoked=self.signers.revoked)
            if code == 0:
                return Checked(key=_key(said), problem="")
            refused += f"{said}\n"
        code, novalidate = self._run("-Y", "check-novalidate", "-n", NAMESPACE)
        if code:
            return Checked(key="", problem=f"is no signature of this text: {_last(novalidate)}")
        key = _key(novalidate)
        return Checked(key=key, problem=f"its key ({key}) {self._why(refused)}")

    def _why(self, said: str) -> str:
        allowed = self.signers.allowed
        if any(self._verify(principal, revoked=None)[0] == 0 for principal in principals(self.role)):
            return f"was revoked in {self.signers.revoked}"
        if found := re.search(r"key (has expired|is not yet valid)[^\n]*", said):
            return f"was not valid at {self.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {found[0]}"
        if found := re.search(r"key is not permitted for use in signature namespace[^\n]*", said):
            return f"may not sign this: {found[0]} in {allowed}"
        _, listed = self._run("-Y", "find-principals", "-f", str(allowed), *self._when())
        if listed and "No principal matched" not in listed:
            return f"is that of {listed.splitlines()[0]!r} in {allowed}, not of the {self.role}"
        return f"does not stand in {allowed} for the {self.role}"

    def _verify(self, principal: str, *, revoked: Path | None) -> tuple[int, str]:
        more = () if revoked is None else ("-r", str(revoked))
        given = ("-f", str(self.signers.allowed), "-I", principal, "-n", NAMESPACE, *self._when(), *more)
        return self._run("-Y", "verify", *given)

    def _when(self) -> tuple[str, str]:
        return "-O", f"verify-time={self.at.astimezone(UTC):%Y%m%d%H%M%S}"

    def _run(self, *arguments: str) -> tuple[int, str]:
        command = ["ssh-keygen", *arguments, "-s", str(self.signature)]
        try:
            done = subprocess.run(
                command, input=self.text.encode(), env=_surroundings(), check=False, timeout=_TIMEOUT_S,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except FileNotFoundError:
            raise SigningTrouble(_ABSENT) from None
        except subprocess.TimeoutExpired:
            raise SigningTrouble(f"ssh-keygen did not check a signature within {_TIMEOUT_S:g} s") from None
        return done.returncode, done.stdout.decode("utf-8", "replace").strip()


_ABSENT = "ssh-keygen is not installed here; it comes with OpenSSH (on Debian and Ubuntu: openssh-client)"


def _asking(command: Sequence[str], timeout_s: float) -> tuple[int, str]:
    """Run a command that may talk with the person at the terminal: what it says is shown there, and returned."""
    said: list[bytes] = []
    try:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=_surroundings())
    except FileNotFoundError:
        raise SigningTrouble(_ABSENT) from None
    with process:
        assert process.stderr is not None  # noqa: S101 - asked for above
        reader = threading.Thread(target=_listen, args=(process.stderr, said), daemon=True)
        reader.start()
        try:
            code = process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            raise SigningTrouble(f"ssh-keygen did not sign within {timeout_s:g} s") from None
        finally:
            process.kill()
            reader.join()
    return code, b"".join(said).decode("utf-8", "replace")


def _listen(stream: IO[bytes], said: list[bytes]) -> None:
    """A request to touch the key must be seen while it waits; what failed is told afterwards, once."""
    for line in stream:
        said.append(line)
        if b"presence" in line and sys.stderr.isatty():
            sys.stderr.write(line.decode("utf-8", "replace"))


def _surroundings() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C", "TZ": "UTC"}


def _hint(said: str, key: Path) -> str:
    if "incorrect passphrase" in said:
        return f"the passphrase is wrong, or nobody could be asked for it; load the key first: ssh-add {key}"
    if "UNPROTECTED PRIVATE KEY" in said:
        return f"others may read it; protect it first: chmod 600 {key}"
    if "No private key found" in said:
        return f"its private half is neither beside it nor in ssh-agent; load it first: ssh-add {key.with_suffix('')}"
    if "Couldn't load public key" in said:
        return "it is no SSH key"
    return _last(said)


def _key(said: str) -> str:
    found = _KEY.search(said)
    return found[1] if found else ""


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip() and "verify signature." not in line]
    return lines[-1] if lines else "ssh-keygen did not say why"
