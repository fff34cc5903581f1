"""Secrets come by reference only, and nothing that is written shows them."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import pytest

from golive.environment.params import Secret
from golive.environment.problems import EnvironmentInvalid
from golive.environment.redaction import MASK, Redactor
from tests.environment.conftest import BASE, Load

ACCOUNT = BASE + "accounts:\n  ann: {endpoint: api, username: ann, password: %s}\n"


def refused(load: Load, *args: str, **kwargs: object) -> str:
    with pytest.raises(EnvironmentInvalid) as error:
        load(*args, **kwargs)
    return str(error.value)


def test_literal_password_is_refused_and_not_repeated(load: Load) -> None:
    told = refused(load, ACCOUNT % "hunter22")
    assert told == (
        "environments/shop.yaml:7: environment: 'accounts.ann.password': a secret is never written out: "
        "refer to it as ${env:NAME}, ${file:PATH} or ${cmd:COMMAND}"
    )


@pytest.mark.parametrize("reference", ["${env:PW}", "${file:pw.txt}", "${cmd:printf s3cr3t-value}"])
def test_reference_is_resolved_and_known_as_secret(load: Load, reference: str) -> None:
    environment = load(ACCOUNT % f"'{reference}'", variables={"PW": "s3cr3t-value"}, pw__txt="s3cr3t-value\n")
    secret = environment.section.accounts["ann"].password
    assert secret.reveal() == "s3cr3t-value"
    assert "s3cr3t" not in repr(secret)
    assert "s3cr3t" not in repr(environment.section)
    assert "s3cr3t-value" in environment.secrets


REFERENCES = {
    "${env:NOPE}": "${env:NOPE} is undefined: set that environment variable",
    "${env:EMPTY}": "${env:EMPTY} is empty: give that environment variable a value",
    "${file:none.txt}": "${file:none.txt} cannot be read: No such file or directory",
    "${cmd:exit 3}": "${cmd:exit 3} ended with exit code 3",
    "${cmd:true}": "${cmd:true} printed nothing",
    "${vault:x}": "${vault:x}: unknown kind of reference 'vault'. Allowed: cmd, env, file.",
}


@pytest.mark.parametrize("reference", REFERENCES)
def test_reference_without_a_value_is_one_line(load: Load, reference: str) -> None:
    told = refused(load, ACCOUNT % f"'{reference}'", variables={"EMPTY": ""})
    assert told == f"environments/shop.yaml:7: {REFERENCES[reference]}"


def test_listing_needs_no_secret(load: Load) -> None:
    environment = load(ACCOUNT % "'${env:NOPE}'", resolved=False)
    assert environment.secrets == ()


def test_short_lived_command_is_ended_with_its_children(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("golive.environment.references._COMMAND_TIMEOUT_S", 0.2)
    assert "did not end within 0.2 s" in refused(load, ACCOUNT % "'${cmd:sleep 30 & sleep 30}'")


@pytest.mark.parametrize("secret", ["hunter2&<pass>", 'qu"ote\\back', "plain-secret", "ünïcode-pass", "a b+c/d=e"])
def test_every_encoding_of_a_secret_is_masked(secret: str) -> None:
    import html
    from urllib.parse import quote, quote_plus

    redact = Redactor([secret])
    basic = base64.b64encode(f"user:{secret}".encode()).decode()
    forms = [
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        html.escape(secret),
        json.dumps(secret),
        repr(secret),
        basic,
    ]
    for form in forms:
        masked = redact(f"before {form} after")
        assert secret not in masked
        assert MASK in masked, form
        assert masked.startswith("before ")
        assert masked.endswith(" after")


def test_token_learnt_later_is_masked_too() -> None:
    redact = Redactor()
    assert redact("token abcdef123") == "token abcdef123"
    redact.learn("abcdef123")
    assert redact("token abcdef123") == f"token {MASK}"


def test_longer_secret_wins_over_its_own_part() -> None:
    assert Redactor(["pass", "password-long"])("password-long") == MASK


def test_secret_shows_nothing_of_itself() -> None:
    secret = Secret("value")
    assert f"{secret!r} {secret!s}" == "Secret(…) Secret(…)"


def test_data_is_masked_throughout(tmp_path: Path) -> None:
    del tmp_path
    assert Redactor(["topsecret"]).data({"topsecret": ["x topsecret", 5, None]}) == {MASK: [f"x {MASK}", 5, None]}


LONG = "tok-" + "".join(chr(97 + (i * 7 + i * i) % 26) for i in range(300))
KEY = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\nEFAASCBKcwggSjAgEAAoIBAQ\n-----END KEY-----"
RESTS = {
    f"token {LONG[:100]}...{LONG[-100:]} end": f"token {MASK}...{MASK} end",
    f"'{LONG[:60]}'\n'{LONG[60:130]}'": f"'{MASK}'\n'{MASK}'",
    f"E  {LONG[40:90]}": f"E  {MASK}",
    f"twice {LONG[:50]}, {LONG[:50]}": f"twice {MASK}, {MASK}",
    "E   MIIEvQIBADANBgkqhkiG9w0BAQ\nE   EFAASCBKcwggSjAgEAAoIBAQ": f"E   {MASK}\nE   {MASK}",
    "{'a': 'short-sec...": f"{{'a': '{MASK}...",
    "…ret-word'}": f"…{MASK}'}}",
    "sho...": "sho...",
    "and so on ... and on…": "and so on ... and on…",
}


@pytest.mark.parametrize("text", RESTS)
def test_what_is_left_of_a_secret_is_masked_too(text: str) -> None:
    """pytest wraps long values and cuts them in the middle."""
    assert Redactor([LONG, KEY, "short-secret-word"])(text) == RESTS[text]


def test_masking_costs_little() -> None:
    redact = Redactor([f"{number}{LONG}" for number in range(20)])
    text = "an ordinary line … of evidence, nothing in it ...\n" * 160
    begun = time.perf_counter()
    for _ in range(10):
        redact(text)
    assert (time.perf_counter() - begun) / 10 < 0.05
