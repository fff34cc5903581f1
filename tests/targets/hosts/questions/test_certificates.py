"""Certificates and the public parts of keys; private ones never leave a host."""

import subprocess
from pathlib import Path

import pytest

from golive.targets.chains import key_of_pem, read_chain
from golive.targets.hosts.questions.certificate import CertificateFile
from golive.targets.hosts.questions.public_key import PublicKey
from tests.targets.hosts.questions.conftest import FRAME, Shell


@pytest.fixture
def folder(open_folder: Path) -> Path:
    """`key.pem` with `cert.pem`, both in `both.pem`, and an encrypted key."""
    made = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key.pem -out cert.pem"
    script = f"""
    {made} -days 30 -subj /CN=a.example -addext subjectAltName=DNS:a.example
    cat key.pem cert.pem cert.pem > both.pem
    openssl ec -in key.pem -aes128 -passout pass:x -out locked.pem
    head -n 3 key.pem > half.pem
    mkfifo fifo"""
    subprocess.run(["sh", "-ec", script], cwd=open_folder, check=True, capture_output=True)
    return open_folder


def test_certificates_come_without_the_key_beside_them(shell: Shell, folder: Path) -> None:
    names = ("both.pem", "cert.pem", "key.pem", "gone.pem")
    asked = [CertificateFile(path=str(folder / name)) for name in names]
    said = shell.run(CertificateFile.snippet(asked, FRAME))
    both, cert, key, gone = CertificateFile.parse(asked, said, FRAME).values()
    assert b"PRIVATE" not in said
    assert both == (folder / "cert.pem").read_text() * 2 and cert == (folder / "cert.pem").read_text()
    assert key == "" and gone is None
    assert [certificate.subject for certificate in read_chain(str(both))] == ["CN=a.example"] * 2


def test_a_certificate_that_is_cut_off_brings_no_key_along(shell: Shell, folder: Path) -> None:
    cert, key = (folder / "cert.pem").read_text(), (folder / "key.pem").read_text()
    (folder / "cut.pem").write_text(cert.partition("-----END")[0] + key + cert)
    said = shell.run(CertificateFile.snippet([CertificateFile(path=str(folder / "cut.pem"))], FRAME))
    assert b"PRIVATE" not in said and key.splitlines()[1].encode() not in said
    assert said.count(b"-----BEGIN CERTIFICATE-----") == 2


def test_what_may_not_be_read_and_what_is_no_file_are_unknown(shell: Shell, folder: Path) -> None:
    (folder / "cert.pem").chmod(0)
    (folder / "key.pem").chmod(0)
    shell.is_nobody = True
    assert shell.why(CertificateFile(path=str(folder / "cert.pem"))).endswith("the host needs `sudo: true`")
    assert shell.why(PublicKey(path=str(folder / "key.pem"))).endswith("the host needs `sudo: true`")
    assert shell.why(CertificateFile(path=str(folder / "fifo"))).endswith("is no regular file")
    assert shell.why(CertificateFile(path="/dev/zero")).endswith("is no regular file")


def test_the_public_part_of_a_key_is_computed_there(debian: Shell, folder: Path) -> None:
    names = ("key.pem", "both.pem", "cert.pem", "half.pem", "gone.pem")
    asked = [PublicKey(path=str(folder / name)) for name in names]
    said = debian.run(PublicKey.snippet(asked, FRAME))
    key, both, cert, half, gone = PublicKey.parse(asked, said, FRAME).values()
    assert b"PRIVATE" not in said and b"CERTIFICATE" not in said
    (certificate,) = read_chain((folder / "cert.pem").read_text())
    assert key == both and key_of_pem(str(key)) == certificate.public_key
    assert (cert, half, gone) == ("", "", None)


def test_a_key_that_cannot_be_opened_is_unknown(debian: Shell, folder: Path) -> None:
    assert debian.why(PublicKey(path=str(folder / "locked.pem"))).endswith(
        "it is encrypted, and its passphrase is not ours"
    )
    assert debian.why(PublicKey(path="/dev")) == "/dev: is no regular file"
    debian.replaced["has openssl"] = "false"
    assert debian.why(PublicKey(path=str(folder / "key.pem"))).endswith("computed without `openssl` there")


def test_an_openssl_that_prints_the_private_key_is_not_believed(debian: Shell, folder: Path) -> None:
    debian.fake("openssl", 'cat "$3"')
    assert debian.answer(PublicKey(path=str(folder / "key.pem"))) == ""
