"""Accounts against a shop with real passwords, one-time codes and signed tokens."""

from __future__ import annotations

import json
import multiprocessing
import time
from pathlib import Path
from typing import Any

import pytest

from fixtures.context import RunContext
from fixtures.web import account_of, client_of
from golive.environment.sections import AccountSection, EndpointSection, TotpSection
from golive.model import CouldNotLook
from golive.targets.accounts import Account, LoginBroken, LoginRefused
from golive.targets.http import Client, NoAnswer
from golive.targets.totp import OneTimeCodes
from tests.judged import run_context
from tests.rogues import refusing
from tests.webshop import PASSWORD, PERIOD_S, Shop, secret, sections


def logins(shop: Shop) -> int:
    return sum(request == "POST /api/auth/login" for request, _ in shop.seen)


def test_an_account_logs_in_once_and_its_token_becomes_a_secret(run: RunContext, shop: Shop) -> None:
    account = account_of(run, "cashier_1")
    assert [account.send("GET /api/me").json()["username"] for _ in range(3)] == ["cashier_1"] * 3
    assert logins(shop) == 1
    token = account.login().token
    assert token not in run.redact(f"token {token}")
    assert token not in repr(account) + repr(account.login())
    assert PASSWORD not in repr(account.section)


def test_a_fresh_login_takes_a_code_that_was_not_used_yet(run: RunContext, shop: Shop) -> None:
    account = account_of(run, "cashier_1")
    first, second = account.fresh(), account.fresh()
    assert first.token != second.token
    assert first.code != second.code
    assert logins(shop) == 2, "none was refused"


def test_a_code_that_another_run_has_used_is_tried_again_with_the_next(run: RunContext, shop: Shop) -> None:
    account = account_of(run, "cashier_1")
    shop.used_steps["cashier_1"] = int(time.time() // PERIOD_S) + 0
    began = time.monotonic()
    account.login()
    assert logins(shop) <= 2
    assert time.monotonic() - began < PERIOD_S + 1


def test_refused_credentials_fail_and_are_not_tried_again(run: RunContext, shop: Shop, tmp_path: Path) -> None:
    shop.breaches.add("nobody")
    said = r"account cashier_1 was not let in: POST /api/auth/login at api answered 401 \(invalid_credentials\)"
    account = account_of(run, "cashier_1")
    for _ in range(3):
        with pytest.raises(LoginRefused, match=said):
            account.login()
    assert logins(shop) == 2
    another_process = Account(
        "cashier_1", account.section, client_of(run, "api"), learn=run.redact.learn, folder=run.directory
    )
    with pytest.raises(LoginRefused, match=said):
        another_process.login()
    assert logins(shop) == 2, "the other process knew it from the file"


def test_a_refusal_that_ends_in_throttling_stays_a_refusal(run: RunContext, shop: Shop) -> None:
    shop.breaches.add("nobody")
    shop.failures["cashier_1"] = 4
    with pytest.raises(LoginRefused, match="invalid_credentials"):
        account_of(run, "cashier_1").login()


def test_a_broken_login_is_not_a_refusal(run: RunContext, shop: Shop) -> None:
    shop.breaches.add("login-broken")
    with pytest.raises(LoginBroken, match=r"account cashier_1 could not log in: POST .* answered 500 \(internal\)"):
        account_of(run, "cashier_1").login()


def test_too_many_attempts_are_not_a_refusal(run: RunContext, shop: Shop) -> None:
    shop.failures["cashier_1"] = 5
    with pytest.raises(CouldNotLook, match=r"too many attempts before this one; it allows another attempt in 60 s"):
        account_of(run, "cashier_1").login()


def test_an_endpoint_that_is_down_says_nothing_about_the_account(shop: Shop, tmp_path: Path) -> None:
    with refusing() as port:
        run = run_context(tmp_path, **sections(shop, url=f"http://127.0.0.1:{port}"))
        with pytest.raises(NoAnswer, match="api refused the connection"):
            account_of(run, "cashier_1").login()
        run.close()


def test_an_endpoint_without_a_login_is_named(shop: Shop, tmp_path: Path) -> None:
    run = run_context(tmp_path, **sections(shop, login=None))
    with pytest.raises(CouldNotLook, match="account cashier_1: endpoint api has no 'login', so nobody can log in"):
        account_of(run, "cashier_1").login()


def test_an_answer_without_a_token_is_a_refusal(shop: Shop, tmp_path: Path) -> None:
    login = {"request": "POST /api/auth/login", "token": "data.token"}
    run = run_context(tmp_path, **sections(shop, login=login))
    with pytest.raises(LoginRefused, match=r"answered 200 without a token at 'data\.token'"):
        account_of(run, "cashier_1").login()
    run.close()


def test_the_password_is_filled_in_once(tmp_path: Path) -> None:
    """A password that looks like a placeholder is sent as it is."""
    endpoint = EndpointSection.model_validate({"url": "http://127.0.0.1:1", "login": {"request": "POST /login"}})
    section = AccountSection(endpoint="api", username="{password}", password=secret("{code}"))
    client = Client("api", endpoint, user_agent="x", request_id=lambda: "1")
    account = Account("a", section, client, learn=lambda _: None, folder=tmp_path)
    template = {"u": "{username}", "p": "{password}", "c": "x{code}", "n": 1}
    assert account.filled(template, code="123456") == {"u": "{password}", "p": "{code}", "c": "x123456", "n": 1}
    assert account.filled(template, code=None) == {"u": "{password}", "p": "{code}", "n": 1}


# One-time codes


SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def codes(file: Path, **more: Any) -> OneTimeCodes:
    clock = more.pop("clock", time.time)
    sleep = more.pop("sleep", time.sleep)
    return OneTimeCodes(TotpSection(secret=secret(SECRET), **more), file, clock=clock, sleep=sleep)


def test_codes_follow_the_specification(tmp_path: Path) -> None:
    """Test vectors of RFC 6238, appendix B."""
    vectors = {
        "SHA1": ("12345678901234567890", "94287082"),
        "SHA256": ("12345678901234567890123456789012", "46119246"),
        "SHA512": ("1234567890123456789012345678901234567890123456789012345678901234", "90693936"),
    }
    import base64

    for algorithm, (key, expected) in vectors.items():
        section = TotpSection(
            secret=secret(base64.b32encode(key.encode()).decode()),
            digits=8,
            algorithm=algorithm,  # type: ignore[arg-type]
        )
        assert OneTimeCodes(section, tmp_path / "f").at(59 // 30) == expected


def test_a_used_step_is_waited_out(tmp_path: Path) -> None:
    now = [1000.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    made = codes(tmp_path / "lock", period=30, clock=lambda: now[0], sleep=sleep)
    with made.unused() as first:
        pass
    with made.unused() as second:
        pass
    assert (first, second) == (made.at(33), made.at(34))
    assert slept == [pytest.approx(20.002)]
    with codes(tmp_path / "lock", period=30, clock=lambda: 10.0, sleep=sleep).unused() as third:
        assert third == made.at(0), "a clock that was set back is not waited for"


def test_the_file_holds_the_step_and_no_secret(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    with codes(file).unused() as code:
        pass
    remembered = file.read_text()
    assert set(json.loads(remembered)) == {"step"}
    assert SECRET not in remembered
    assert code not in remembered


@pytest.mark.parametrize("content", ["", "rubbish", "[1]", '{"step": "x"}', '{"step": 99999999999}'])
def test_a_damaged_file_is_no_obstacle(tmp_path: Path, content: str) -> None:
    (tmp_path / "lock").write_text(content)
    with codes(tmp_path / "lock").unused() as code:
        assert len(code) == 6


def test_a_wrong_code_is_none_of_the_near_steps(tmp_path: Path) -> None:
    made = codes(tmp_path / "lock", period=1)
    now = int(time.time())
    near = {made.at(step) for step in range(now - 5, now + 6)}
    assert all(made.wrong() not in near for _ in range(50))


def test_a_secret_that_is_no_base32_is_named_without_being_shown(tmp_path: Path) -> None:
    section = TotpSection(secret=secret("otpauth://totp/x?secret=ABC"))
    with pytest.raises(CouldNotLook, match="a TOTP secret is no base32 text") as caught:
        OneTimeCodes(section, tmp_path / "lock").at(1)
    assert "otpauth" not in str(caught.value)


def _present(folder: str, url: str, totp: str, results: Any) -> None:
    endpoint = EndpointSection.model_validate({"url": url, "login": {"request": "POST /api/auth/login"}})
    section = AccountSection(
        endpoint="api",
        username="cashier_1",
        password=secret(PASSWORD),
        totp=TotpSection(secret=secret(totp), period=PERIOD_S),
    )
    client = Client("api", endpoint, user_agent="x", request_id=lambda: "1")
    account = Account("cashier_1", section, client, learn=lambda _: None, folder=Path(folder))
    results.put(account.login().answer.status)
    client.close()


def test_processes_of_one_run_do_not_present_the_same_code(shop: Shop, tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    arguments = (str(tmp_path), shop.url, shop.secrets["cashier_1"], results)
    processes = [spawn.Process(target=_present, args=arguments) for _ in range(3)]
    for process in processes:
        process.start()
    assert [results.get(timeout=20) for _ in processes] == [200, 200, 200]
    for process in processes:
        process.join()
    results.close()
    results.join_thread()
    assert logins(shop) == 3, "no code was presented twice"
