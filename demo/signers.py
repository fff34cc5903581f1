"""Throwaway SSH keys of those who sign off the demo, and the list of them: a real sign-off can be tried at once.

They are made anew by every start and are gone when the demo is down. Who may use them is who may read the folder.
"""

from __future__ import annotations

from pathlib import Path

ROLES = {
    "qa-lead": "Ratna Wijaya",
    "security-lead": "Budi Santoso",
    "tech-lead": "Sari Hartono",
    "product-manager": "Dewi Lestari",
}
"""The name of each key, which is its role, and whose it is."""
ALLOWED = "allowed_signers"


def make_keys(folder: Path) -> None:
    """A key pair for each role in `folder`, and `allowed_signers` (ssh-keygen(1)) with the public ones."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    lines = []
    for role, person in ROLES.items():
        key = Ed25519PrivateKey.generate()
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        (folder / role).touch(mode=0o600)
        (folder / role).write_bytes(private)
        (folder / f"{role}.pub").write_text(f"{public.decode()} {person}\n", encoding="utf-8")
        lines.append(f'{role} namespaces="golive" {public.decode()}\n')
    (folder / ALLOWED).write_text("".join(lines), encoding="utf-8")
