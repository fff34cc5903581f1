"""Certificates out of PEM text: until when they hold, for which names, whether each was issued by the next. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from golive.model import CouldNotLook

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----")


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """One certificate; `names` are those it holds for (its common name only if it lists none)."""

    subject: str
    names: tuple[str, ...]
    begins: datetime
    ends: datetime
    public_key: bytes
    parsed: x509.Certificate

    def is_for(self, name: str) -> bool:
        """Whether it holds for `name`; a `*` stands for exactly the first label (RFC 6125)."""
        wanted, _, parent = name.lower().partition(".")
        return any(own in (name.lower(), f"*.{parent}") for own in self.names) and bool(wanted)


def read_chain(pem: str) -> tuple[Certificate, ...]:
    """The certificates in their order. CouldNotLook names the one that cannot be understood."""
    found = []
    for number, block in enumerate(_BLOCK.findall(pem), 1):
        try:
            found.append(_read(block))
        except (ValueError, TypeError, x509.UnsupportedGeneralNameType) as error:
            raise CouldNotLook(f"certificate {number} in it cannot be read ({type(error).__name__})") from None
    return tuple(found)


def breaks_of(chain: Sequence[Certificate]) -> list[str]:
    """Where a certificate was not issued by the one that follows it."""
    broken = []
    for number, (below, above) in enumerate(pairwise(chain), 1):
        try:
            below.parsed.verify_directly_issued_by(above.parsed)
        except (ValueError, TypeError, InvalidSignature):
            broken.append(f"certificate {number} ({below.subject}) was not issued by the next one ({above.subject})")
    return broken


def key_of_pem(pem: str) -> bytes:
    """A public key in the form in which `Certificate.public_key` has it. CouldNotLook when it is none."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        return load_pem_public_key(pem.encode()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except Exception as error:  # noqa: BLE001 - the library's own kinds of errors differ by the kind of key
        raise CouldNotLook(f"its public key cannot be read ({type(error).__name__})") from None


def _read(block: str) -> Certificate:
    parsed = x509.load_pem_x509_certificate(block.encode())
    common = [str(part.value) for part in parsed.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    return Certificate(
        subject=parsed.subject.rfc4514_string(),
        names=tuple(name.lower() for name in (_alternatives(parsed) or common)),
        begins=parsed.not_valid_before_utc,
        ends=parsed.not_valid_after_utc,
        public_key=parsed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        parsed=parsed,
    )


def _alternatives(parsed: x509.Certificate) -> list[str]:
    try:
        names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    return [*names.get_values_for_type(x509.DNSName), *addresses]
