"""How a host is reached: what connection strings and keys are taken for, and what is refused with which words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from golive.environment.connection import Connection, parse
from golive.environment.sections import HostSection


@pytest.mark.parametrize(
    ("text", "scheme", "host", "user", "port"),
    [
        ("local://", "local", "", None, None),
        ("ssh://app", "ssh", "app", None, None),
        ("ssh://deploy@app.example:2222", "ssh", "app.example", "deploy", 2222),
        ("ssh://a%40b@[fe80::1]:22/", "ssh", "fe80::1", "a@b", 22),
        ("safe-ssh://app", "ssh", "app", None, None),
        ("paramiko://x@10.0.0.1", "paramiko", "10.0.0.1", "x", None),
        ("docker://root@Shop_web.1", "docker", "Shop_web.1", "root", None),
        ("podman://shop", "podman", "shop", None, None),
        ("ansible://web-1", "ansible", "web-1", None, None),
    ],
)
def test_connection_strings_are_taken_apart(
    text: str, scheme: str, host: str, user: str | None, port: int | None
) -> None:
    assert parse(text) == Connection(scheme=scheme, host=host, user=user, port=port)


def test_options_of_a_pod_are_kept() -> None:
    options = {"namespace": "shop", "container": "api", "context": "a/b@c", "kubeconfig": "/home/me/.kube/config"}
    text = "kubectl://api-0?" + "&".join(f"{key}={value}" for key, value in options.items())
    assert parse(text) == Connection(scheme="kubectl", host="api-0", options=options)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("shop.example", "a connection is written local://, ssh://user@host:22, "),
        ("shh://app", "unknown scheme 'shh'. Did you mean 'ssh'? Allowed: ansible, docker, kubectl, "),
        ("", "a connection is written local://"),
        ("local://x", "local:// is the machine that this runs on, and takes no name"),
        ("ssh://", "whom to reach is missing: write ssh://user@host:22"),
        ("docker://", "whom to reach is missing: write docker://user@container"),
        ("ssh://me:secret@app", "no password in a connection: use a key or the agent"),
        ("ssh://app:0", "'app:0' is no host with an optional port"),
        ("ssh://app:99999", "'app:99999' is no host with an optional port"),
        ("ssh://app:ssh", "'app:ssh' is no host with an optional port"),
        ("ssh://app/home", "'app/home' is no host with an optional port"),
        ("ssh://-oProxyCommand=evil", "a name does not begin with '-'"),
        ("ssh://-l@app", "a name does not begin with '-'"),
        ("docker://--help", "a name does not begin with '-'"),
        ("docker://a/b", "'a/b' is no name: write docker://user@container"),
        ("ssh://app?ssh_identity_file=/k", "'ssh_identity_file' is written as a key of the host: 'identity_file: …'"),
        ("ssh://app?sudo=true", "'sudo' is written as a key of the host: 'sudo: …'"),
        ("ssh://app?timeout=5", "'timeout' is written as a key of the host: 'timeout: …'"),
        ("ssh://app?controlpath=/x", "ssh:// takes no option 'controlpath'"),
        ("kubectl://p?namspace=x", "unknown option 'namspace'. Did you mean 'namespace'?"),
    ],
)
def test_what_is_no_connection_is_refused(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        parse(text)
    assert str(error.value).startswith(told)
    assert "secret" not in str(error.value)


def host(**keys: Any) -> HostSection:
    return HostSection.model_validate(keys)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ({"connect": "docker://x", "sudo": True}, "'sudo' does not apply to docker:// (only to local, ssh, "),
        ({"connect": "local://", "jump": "b"}, "'jump' does not apply to local:// (only to ssh, ansible)"),
        ({"connect": "paramiko://x", "jump": "b"}, "'jump' does not apply to paramiko://"),
        ({"connect": "kubectl://x", "identity_file": "/k"}, "'identity_file' does not apply to kubectl://"),
        ({"connect": "ssh://x", "jump": "-oProxyCommand=x"}, "'jump' is a name, and does not begin with '-'"),
        ({"connect": "ssh://x", "sudo": "-u"}, "'sudo' is a name, and does not begin with '-'"),
        ({"connect": "shh://x"}, "unknown scheme 'shh'. Did you mean 'ssh'?"),
        ({"connect": "local://", "timeout": "0 s"}, "Input should be greater than 0"),
    ],
)
def test_keys_that_do_not_apply_are_refused(keys: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as error:
        host(**keys)
    assert told in error.value.errors()[0]["msg"]


def test_keys_that_apply_are_taken() -> None:
    keys = {"ssh_config": "/c", "identity_file": "/k", "known_hosts": "/h", "jump": "me@bastion:22", "sudo": "app"}
    assert host(connect="ssh://x", **keys).sudo == "app"
    assert host(connect="local://", sudo=True).sudo is True
    assert host(connect="${env:HOST}", jump="b").connect == "${env:HOST}"  # not resolved where criteria are only listed
