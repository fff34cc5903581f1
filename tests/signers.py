"""Throwaway SSH keys and the `allowed_signers` that go with them, made by the real `ssh-keygen`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from golive.history.sshsig import Signers, principals

MADE_LONG_AGO = 'valid-before="20200101"'


class Ring:
    """Keys in a folder, by role or by any other name, and `allowed_signers` beside them."""

    def __init__(self, folder: Path) -> None:
        if shutil.which("ssh-keygen") is None:
            # A CI machine has it, so that these tests cannot go missing there.
            (pytest.fail if os.environ.get("CI") else pytest.skip)("ssh-keygen is not installed")
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.signers = Signers(allowed=folder / "allowed_signers")
        self.signers.allowed.touch()

    def key(self, name: str, passphrase: str = "") -> Path:
        """The private key of that name, made if it is not there."""
        file = self.folder / principals(name)[0]
        if not file.exists():
            ssh_keygen("-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", str(file))
        return file

    def public(self, name: str) -> str:
        """The public key of that name as one line, without its comment."""
        return " ".join(self.key(name).with_suffix(".pub").read_text(encoding="utf-8").split()[:2])

    def allow(self, *roles: str, options: str = "") -> None:
        """Let the key of each role sign for it."""
        for role in roles:
            self.line(f"{principals(role)[0]} {options} {self.public(role)}")

    def line(self, text: str) -> None:
        """Add a line to `allowed_signers`."""
        with self.signers.allowed.open("a", encoding="utf-8") as file:
            file.write(f"{text}\n")

    def only(self, lines: Iterable[str]) -> None:
        """Let nothing but these lines stand in `allowed_signers`."""
        self.signers.allowed.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def ssh_keygen(*arguments: str, message: bytes = b"") -> str:
    """What ssh-keygen says; it must succeed."""
    done = subprocess.run(
        ["ssh-keygen", *arguments], input=message, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return done.stdout.decode()
