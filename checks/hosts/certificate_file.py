"""A certificate on the host outlives its margin, holds for its names, and fits its key and its chain.

Why: a server reads its files only when it starts: what was renewed wrongly today stops it at the next restart.
When it fails: read the renewal job's log; put the right chain and key in place before anything is restarted.
"""

from datetime import datetime

from pydantic import Field

from fixtures.measure import EvidenceSink, Measure
from golive.environment.params import CheckParams, Duration, HostRef
from golive.model import CouldNotLook, utc_text
from golive.targets.hosts.host import Host
from golive.targets.hosts.questions import Question
from golive.targets.hosts.questions.certificate import CertificateFile
from golive.targets.hosts.questions.file import FileState
from golive.targets.hosts.questions.public_key import PublicKey
from golive.targets.hosts.questions.written import AbsolutePath, Mode, Texts, octal
from golive.targets.shell import plain

_DAY_S = 86_400.0


class Params(CheckParams):
    host: HostRef
    path: AbsolutePath = Field(description="file with the certificate, and its chain behind it, as PEM")
    at_least: Duration = Field(14 * _DAY_S, description="shortest time for which all of them must still hold")
    warning: Duration | None = Field(None, description="time that warns")
    names: Texts = Field((), description="names that the first certificate must hold for")
    key: AbsolutePath | None = Field(
        None, description="file with its private key, of which only the public part travels"
    )
    key_mode_at_most: Mode = Field(0o640, description="no other permission bits of the key than these")
    chain: bool = Field(True, description="false: the order of the certificates is not judged, as in a store of roots")

    def asks(self) -> tuple[Question[object], ...]:
        """The certificates; the public part and the mode of the key."""
        key = (PublicKey(path=self.key), FileState(path=self.key)) if self.key else ()
        return (CertificateFile(path=self.path), *key)


def test_certificate_outlives_its_margin_and_fits_its_key(
    criterion: Params, host: Host, now: datetime, measure: Measure, evidence: EvidenceSink
) -> None:
    # Only a criterion that reads certificates pays for the library.
    from golive.targets import chains

    pem = host.answer(CertificateFile(path=criterion.path))
    subject = f"{criterion.path} on host {host.name}"
    assert pem is not None, f"host {host.name}: {criterion.path} is not there"
    try:
        chain = chains.read_chain(pem)
    except CouldNotLook as problem:
        raise AssertionError(f"{subject}: {problem}") from None
    assert chain, f"{subject} holds no certificate (PEM)"
    evidence("certificates", "\n".join(f"{c.subject}, until {utc_text(c.ends)}: {', '.join(c.names)}" for c in chain))
    soonest = min(chain, key=lambda certificate: certificate.ends)
    measure(
        (soonest.ends - now).total_seconds() / _DAY_S,
        unit="d",
        subject=subject,
        name="validity left",
        warning=None if criterion.warning is None else criterion.warning / _DAY_S,
        critical=criterion.at_least / _DAY_S,
        better="higher",
        detail=f"{plain(soonest.subject)} ends {utc_text(soonest.ends)}",
    )
    for certificate in chain:
        if certificate.begins > now:
            measure.fail(f"{subject}: {plain(certificate.subject)} holds only from {utc_text(certificate.begins)}")
    for name in criterion.names:
        if not chain[0].is_for(name):
            measure.fail(f"{subject} does not hold for {name} (it does for {plain(', '.join(chain[0].names))})")
    for broken in chains.breaks_of(chain) if criterion.chain else ():
        measure.fail(f"{subject}: {plain(broken)}")
    if criterion.key is not None:
        _judge_key(criterion, criterion.key, chain[0].public_key, host, measure)


def _judge_key(criterion: Params, path: str, wanted: bytes, host: Host, measure: Measure) -> None:
    from golive.targets import chains

    subject = f"key {path} on host {host.name}"
    try:
        pem, file = host.answer(PublicKey(path=path)), host.answer(FileState(path=path))
    except CouldNotLook as problem:
        measure.unknown(str(problem))
        return
    if pem is None:
        measure.fail(f"{subject} is not there")
    elif not pem:
        measure.fail(f"{subject} holds no private key that openssl can read")
    elif chains.key_of_pem(pem) != wanted:
        measure.fail(f"{subject} does not belong to the certificate in {criterion.path}")
    else:
        measure.note(f"{subject} belongs to the certificate")
    if file is not None and (more := file.mode & ~criterion.key_mode_at_most):
        most = octal(criterion.key_mode_at_most)
        measure.fail(f"{subject} has mode {octal(file.mode)}, {octal(more)} more than {most}")
