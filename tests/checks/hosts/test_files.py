"""Checks of files, directories and certificates on this machine."""

import hashlib
import os
import socket
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from checks.hosts import certificate_file, directory_size, file
from golive.model import Status
from tests.checks.hosts.conftest import Machine, params
from tests.judged import Judged, judged

SCRIPT = "#!/bin/sh\nset -e\nexec restore --all\n"


@pytest.fixture
def script(machine: Machine) -> Path:
    """A file as it should be."""
    path = machine.folder / "roll\tback's.sh"
    path.write_text(SCRIPT)
    path.chmod(0o750)
    return path


def look_file(machine: Machine, path: Path | str, **more: Any) -> Judged:
    return machine.look(file.test_file_is_there_and_what_it_should_be, params(file.Params, path=str(path), **more))


def test_a_file_that_is_all_it_should_be_passes(machine: Machine, script: Path) -> None:
    found = look_file(
        machine,
        script,
        type="file",
        mode="0750",
        mode_at_most="0755",
        world_writable=False,
        executable=True,
        owner=script.owner(),
        group=script.stat().st_gid,
        min_size="10 B",
        max_size="1 kB",
        max_age="1 h",
        contains=["--all", "exec"],
        contains_not="TODO",
        matches="^exec [a-z]{7}",
        matches_not=["^ *$", "password"],
        sha256=hashlib.sha256(SCRIPT.encode()).hexdigest(),
    )
    assert (found.status, found.value("size")) == (Status.PASS, len(SCRIPT))
    assert "is a file, 0750" in found.message


def test_a_file_that_is_dated_in_the_future_has_no_age(machine: Machine, script: Path) -> None:
    os.utime(script, (time.time() + 3600,) * 2)
    assert look_file(machine, script).status is Status.PASS
    for wish in ({"max_age": "1 d"}, {"min_age": "1 s"}):
        found = look_file(machine, script, **wish)
        assert (found.status, "s in the future, so its age is not known" in found.message) == (Status.UNKNOWN, True)
    os.utime(script, (time.time() + 5,) * 2)  # written while it was looked at
    assert look_file(machine, script, max_age="1 d").status is Status.PASS


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        ({"type": "directory"}, "is a file and no directory"),
        ({"mode": "0640"}, "has mode 0756, 0640 needed"),
        ({"mode_at_most": "0750"}, "has mode 0756, 0006 more than 0750"),
        ({"world_writable": False}, "everybody may write to"),
        ({"owner": "nobody-else"}, "not to nobody-else"),
        ({"group": 4711}, "not to 4711"),
        ({"min_size": "1 kB"}, f"{len(SCRIPT)} B, at least 1000 B needed"),
        ({"max_size": "5 B"}, f"{len(SCRIPT)} B, at most 5 B needed"),
        ({"min_age": "1 h"}, "at least 3600 s needed"),
        ({"contains": "rollback"}, "does not contain 'rollback'"),
        ({"contains_not": "restore"}, "contains 'restore'"),
        ({"matches": "^restore"}, "does not match '^restore'"),
        ({"matches_not": "restore|backup"}, "matches 'restore|backup'"),
        ({"sha256": "0" * 64}, f"{'0' * 64} needed"),
        ({"link_target": "/etc"}, "is a file and no symlink"),
        ({"exists": False}, "is there, a file of"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_fails(
    machine: Machine, script: Path, wish: dict[str, Any], told: str
) -> None:
    script.chmod(0o756)
    found = look_file(machine, script, **wish)
    assert found.status is Status.FAIL
    assert told in found.message


def test_everything_that_is_wrong_is_told_at_once(machine: Machine, script: Path) -> None:
    found = look_file(machine, script, mode="0600", contains="rollback", max_size="5 B", owner="nobody-else")
    assert len(found.recorder.failures) == 4


def test_a_file_that_must_not_be_there(machine: Machine) -> None:
    gone = machine.folder / "debug.log"
    found = look_file(machine, gone, exists=False)
    assert (found.status, found.message) == (Status.PASS, f"host app: {gone} is not there")
    gone.symlink_to("nowhere")
    assert look_file(machine, gone, exists=False).message.startswith(f"host app: {gone} is there, a symlink of")


def test_links_and_sockets(machine: Machine, script: Path) -> None:
    link = machine.folder / "current"
    link.symlink_to(script.name)
    assert look_file(machine, link, link_target=script.name).status is Status.PASS
    assert look_file(machine, link, type="symlink").status is Status.PASS
    assert look_file(machine, link, type="file", contains="restore").status is Status.PASS
    wrong = look_file(machine, link, link_target="releases/7")
    assert wrong.status is Status.FAIL and "not to 'releases/7'" in wrong.message
    script.unlink()
    assert look_file(machine, link).message == f"host app: {link} is not there"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(machine.folder / "socket"))
        assert look_file(machine, machine.folder / "socket", type="socket").status is Status.PASS
    assert look_file(machine, machine.folder, type="directory", mode_at_most="0777").status is Status.PASS


def test_content_that_cannot_be_searched_is_unknown_and_does_not_hide_a_failure(machine: Machine) -> None:
    found = look_file(machine, machine.folder, contains="x")
    assert (found.status, "is no regular file" in found.message) == (Status.UNKNOWN, True)
    assert look_file(machine, machine.folder, contains="x", mode="0000").status is Status.FAIL
    assert look_file(machine, machine.folder, sha256="0" * 64).status is Status.UNKNOWN


@pytest.mark.parametrize("exists", [True, False])
def test_a_file_that_may_not_be_seen_is_unknown(machine: Machine, exists: bool) -> None:
    machine.fake("stat", "echo \"stat: cannot statx '/x': Permission denied\" >&2; exit 1")
    found = look_file(machine, "/x", exists=exists)
    assert found.status is Status.UNKNOWN
    assert found.message == "host app: /x: permission denied: the host needs `sudo: true`"


@pytest.mark.parametrize(
    ("wish", "why"),
    [
        ({"mode": 420}, "a mode is three or four octal digits in quotes"),
        ({"mode": "0888"}, "a mode is three or four octal digits in quotes"),
        ({"contains": "a\nb"}, "lies on one line"),
        ({"contains": ""}, "is not empty"),
        ({"sha256": "abc"}, "pattern"),
    ],
)
def test_wishes_that_mean_nothing_are_refused(wish: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        params(file.Params, path="/x", **wish)


def test_what_is_not_there_has_nothing_else_to_judge() -> None:
    refused = params(file.Params, path="/x", exists=False, mode="0600", contains="a").asserts_nothing()
    assert refused == "what is not there has no contains, no mode to judge"
    assert params(file.Params, path="/x", exists=False).asserts_nothing() is None


def look_directory(machine: Machine, path: Path | str, **more: Any) -> Judged:
    check = directory_size.test_directory_holds_what_it_should
    return machine.look(check, params(directory_size.Params, path=str(path), **more))


def test_a_directory_that_grew_or_is_empty_fails(machine: Machine) -> None:
    spool = machine.folder / "spool"
    spool.mkdir()
    empty = look_directory(machine, spool, min_files=1, max_size="1 kB")
    assert empty.status is Status.FAIL
    assert empty.message == f"{spool} on host app: 0 files, at least 1 files needed"
    for number in range(3):
        (spool / f"{number}\n").write_bytes(b"x" * 500)
    full = look_directory(machine, spool, min_files=1, max_size="1 kB", max_files=2)
    assert full.status is Status.FAIL
    assert "1500 B, at most 1000 B needed" in full.message and "3 files, at most 2 files needed" in full.message
    warned = look_directory(machine, spool, warning_files=2, max_files=10)
    assert (warned.status, "at most 2 files wanted" in warned.message) == (Status.WARN, True)
    fine = look_directory(machine, spool, min_size="1 kB", max_size="1500 B", min_files=3, max_files=3)
    assert (fine.status, fine.value("size"), fine.value("files")) == (Status.PASS, 1500, 3)


def test_a_directory_that_is_gone_fails_and_one_that_takes_too_long_is_unknown(machine: Machine) -> None:
    assert look_directory(machine, "/no/such", max_files=1).status is Status.FAIL
    machine.fake("find", 'case "$*" in "/ -prune"*) exit 0;; esac; sleep 20')
    slow = look_directory(machine, "/etc", max_files=1, within="200 ms")
    assert (slow.status, slow.message) == (Status.UNKNOWN, "host app: /etc was not counted within 0.2 s")
    assert params(directory_size.Params, path="/x").asserts_nothing() == "it has no limit of size or number"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root, an intermediate and a server's certificate for `a.example` and `*.b.example`, with their keys."""
    folder = tmp_path_factory.mktemp("certificates")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    script = f"""
    openssl req -x509 {key} -keyout root.key -out root.pem -days 900 -subj /CN=Root
    openssl req {key} -keyout middle.key -out middle.csr -subj /CN=Middle
    printf 'basicConstraints=critical,CA:true\\n' > ca.ext
    by="-CA root.pem -CAkey root.key -CAcreateserial"
    openssl x509 -req -in middle.csr $by -days 400 -extfile ca.ext -out middle.pem
    openssl req {key} -keyout server.key -out server.csr -subj /CN=a.example
    printf 'subjectAltName=DNS:a.example,DNS:*.b.example,IP:10.0.0.1\\n' > server.ext
    by="-CA middle.pem -CAkey middle.key -CAcreateserial"
    openssl x509 -req -in server.csr $by -days 30 -extfile server.ext -out server.pem
    cat server.pem middle.pem root.pem > chain.pem
    cat server.pem root.pem middle.pem > mixed.pem
    head -c 300 server.pem > cut.pem
    printf -- '-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n' > rubbish.pem
    chmod 640 server.key; : > empty.pem"""
    subprocess.run(["sh", "-ec", script], cwd=folder, check=True, capture_output=True)
    return folder


def look_certificate(machine: Machine, path: Path, in_days: float = 0, **more: Any) -> Judged:
    check = certificate_file.test_certificate_outlives_its_margin_and_fits_its_key
    wanted = params(certificate_file.Params, path=str(path), **more)
    return judged(check, criterion=wanted, host=machine.host(), now=datetime.now(UTC) + timedelta(days=in_days))


def test_a_good_certificate_passes(machine: Machine, certificates: Path) -> None:
    names = ["a.example", "x.b.example", "10.0.0.1", "A.Example"]
    key = str(certificates / "server.key")
    found = look_certificate(machine, certificates / "chain.pem", names=names, key=key, warning="20 d")
    assert found.status is Status.PASS
    assert 29 < found.value("validity left") <= 30
    assert "CN=a.example ends 20" in found.message and "belongs to the certificate" in found.message
    assert "CN=Middle" in found.seen and "PRIVATE" not in found.seen
    assert look_certificate(machine, certificates / "mixed.pem", chain=False).status is Status.PASS


def test_a_certificate_near_its_end_warns_and_then_fails(machine: Machine, certificates: Path) -> None:
    chain = certificates / "chain.pem"
    assert look_certificate(machine, chain, 15, warning="20 d").status is Status.WARN
    late = look_certificate(machine, chain, 20)
    assert late.status is Status.FAIL
    assert "d, at least 14 d needed (CN=a.example ends" in late.message
    assert look_certificate(machine, chain, 40, at_least="1 h").status is Status.FAIL
    early = look_certificate(machine, chain, -1)
    assert early.status is Status.FAIL and "CN=a.example holds only from" in early.message


HELD = "does not hold for c.example (it does for a.example, *.b.example, 10.0.0.1)"


@pytest.mark.parametrize(
    ("name", "wish", "told"),
    [
        ("chain.pem", {"names": "c.example"}, HELD),
        ("chain.pem", {"names": "b.example"}, "does not hold for b.example"),
        ("chain.pem", {"names": "x.y.b.example"}, "does not hold for x.y.b.example"),
        ("mixed.pem", {}, "certificate 1 (CN=a.example) was not issued by the next one (CN=Root)"),
        ("chain.pem", {"key": "root.key"}, "does not belong to the certificate in"),
        ("chain.pem", {"key": "gone.key"}, "gone.key on host app is not there"),
        ("chain.pem", {"key": "server.pem"}, "holds no private key that openssl can read"),
        ("chain.pem", {"key": "server.key", "key_mode_at_most": "0600"}, "has mode 0640, 0040 more than 0600"),
        ("gone.pem", {}, "gone.pem is not there"),
        ("empty.pem", {}, "holds no certificate (PEM)"),
        ("cut.pem", {}, "holds no certificate (PEM)"),
        ("rubbish.pem", {}, "certificate 1 in it cannot be read"),
    ],
)
def test_a_bad_certificate_fails(
    machine: Machine, certificates: Path, name: str, wish: dict[str, str], told: str
) -> None:
    more: dict[str, Any] = {key: str(certificates / value) if key == "key" else value for key, value in wish.items()}
    found = look_certificate(machine, certificates / name, **more)
    assert found.status is Status.FAIL
    assert told in found.message


def test_a_key_that_cannot_be_opened_is_unknown(machine: Machine, certificates: Path) -> None:
    key = machine.folder / "locked.key"
    key.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nx\n-----END ENCRYPTED PRIVATE KEY-----\n")
    key.chmod(0o600)
    found = look_certificate(machine, certificates / "chain.pem", key=str(key))
    assert (found.status, "encrypted" in found.message) == (Status.UNKNOWN, True)
