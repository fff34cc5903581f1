"""http/login, logout, session_expiry, token_lifetime, token_validation, second_factor and throttling."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks.http import (
    login,
    logout,
    second_factor,
    session_expiry,
    throttling,
    token_lifetime,
    token_validation,
)
from golive.model import Status
from tests.checks.http.conftest import Bench
from tests.judged import Judged, run_context
from tests.rogues import refusing
from tests.webshop import Shop, sections

PIN = {"request": "POST /api/auth/pin"}


def requests_to(shop: Shop, path: str) -> int:
    return sum(request == path for request, _ in shop.seen)


# Login


def judge_login(bench: Bench) -> Judged:
    return bench.judge(login, **{"as": "cashier_1"})


def test_a_user_logs_in(bench: Bench) -> None:
    outcome = judge_login(bench)
    assert outcome.status is Status.PASS
    assert outcome.value("login") > 0


@pytest.mark.parametrize(
    ("breach", "says"),
    [
        ("wrong-user", "GET /api/me at api answered 200 with username 'somebody', but 'cashier_1' has logged in"),
        ("login-broken", "account cashier_1 could not log in: POST /api/auth/login at api answered 500 (internal)"),
        ("nobody", "account cashier_1 was not let in: POST /api/auth/login at api answered 401 (invalid_credentials)"),
    ],
)
def test_a_login_that_does_not_work_fails(bench: Bench, breach: str, says: str) -> None:
    bench.shop.breaches.add(breach)
    outcome = judge_login(bench)
    assert (outcome.status, outcome.message) == (Status.FAIL, says)


def test_too_many_attempts_before_are_unknown(bench: Bench) -> None:
    bench.shop.failures["cashier_1"] = 5
    assert judge_login(bench).status is Status.UNKNOWN


# Second factor


def judge_second_factor(bench: Bench, **keys: Any) -> Judged:
    return bench.judge(second_factor, **{"as": "careful"}, also_try=[PIN], **keys)


def test_an_enforced_second_factor_passes(bench: Bench) -> None:
    outcome = judge_second_factor(bench)
    assert outcome.status is Status.PASS
    assert outcome.message == "5 logins without a valid second factor gave no session, the right code did"
    assert bench.shop.failures["careful"] == 1, "the success came after all failures but one"


@pytest.mark.parametrize(
    ("breach", "says"),
    [
        ("no-code", "the password without a code gives a session: POST /api/auth/login at api answered 200"),
        ("empty-code", "an empty code gives a session"),
        ("any-code", "a wrong code gives a session"),
        ("reused-code", "a code that was used before gives a session"),
        (
            "pin",
            "POST /api/auth/pin gives a session: POST /api/auth/pin at api answered 200 and GET /api/me at ",
        ),
        ("nobody", "the right code is refused as well, so the refusals prove nothing: account careful was not let in"),
    ],
)
def test_each_way_around_the_second_factor_fails(bench: Bench, breach: str, says: str) -> None:
    bench.shop.breaches.add(breach)
    outcome = judge_second_factor(bench)
    assert outcome.status is Status.FAIL
    assert says in outcome.message


def test_tokens_of_a_breach_are_not_shown(bench: Bench) -> None:
    bench.shop.breaches |= {"no-code", "pin"}
    outcome = judge_second_factor(bench)
    assert "eyJ" not in outcome.message + outcome.seen


def test_an_account_without_a_second_factor_is_unknown(shop: Shop, tmp_path: Path) -> None:
    made = sections(shop)
    made["accounts"]["careful"] = made["accounts"]["careful"].model_copy(update={"totp": None})
    bench = Bench(shop, run_context(tmp_path, **made), environ={})
    outcome = judge_second_factor(bench)
    bench.run.close()
    assert (outcome.status, outcome.message) == (
        Status.UNKNOWN,
        "account careful has no 'totp', so its second factor cannot be tried",
    )


def test_a_throttled_right_code_is_unknown(bench: Bench) -> None:
    bench.shop.failures["careful"] = 4
    outcome = judge_second_factor(bench)
    assert outcome.status is Status.UNKNOWN
    assert "too many attempts before this one" in outcome.message


# Tokens


def judge_tokens(bench: Bench, **keys: Any) -> Judged:
    return bench.judge(token_validation, **{"as": "cashier_1"}, **keys)


def test_tokens_that_are_validated_pass(bench: Bench) -> None:
    outcome = judge_tokens(bench, expired_as="kiosk_absolute", ended_as="leaver")
    assert outcome.status is Status.PASS
    assert "logged out: 401" in outcome.seen
    assert "kinds of invalid token refused with 401, the valid one accepted" in outcome.message
    assert "really expired: 401" in outcome.seen
    assert "no token: 401" in outcome.seen
    assert "eyJ" not in outcome.seen


@pytest.mark.parametrize(
    ("breach", "says"),
    [
        ("alg-none", "alg none, alg None, alg NONE, alg nOnE"),
        ("signature-unchecked", "changed role, changed store"),
        ("signature-unchecked", "GET /api/me accepts tokens that are not valid: wrong signature, no signature"),
    ],
)
def test_tokens_that_are_not_validated_fail(bench: Bench, breach: str, says: str) -> None:
    bench.shop.breaches.add(breach)
    outcome = judge_tokens(bench)
    assert outcome.status is Status.FAIL
    assert says in outcome.message


def test_a_really_expired_token_is_tried(bench: Bench) -> None:
    bench.shop.breaches.add("absolute-ignored")
    outcome = judge_tokens(bench, expired_as="kiosk_absolute")
    assert (outcome.status, outcome.message) == (
        Status.FAIL,
        "GET /api/me accepts tokens that are not valid: really expired",
    )


def test_a_token_that_survives_the_logout_is_not_valid(bench: Bench) -> None:
    bench.shop.breaches.add("alive-after-logout")
    outcome = judge_tokens(bench, ended_as="leaver")
    assert outcome.message == "GET /api/me accepts tokens that are not valid: logged out"


@pytest.mark.parametrize("breach", ["", "absolute-ignored"])
def test_an_expiry_that_was_seen_before_is_not_awaited_again(bench: Bench, breach: str) -> None:
    bench.shop.breaches.add(breach)
    bench.judge(session_expiry, **LIMITS)
    before = requests_to(bench.shop, "POST /api/auth/login")
    outcome = judge_tokens(bench, expired_as="kiosk_absolute")
    assert outcome.status is (Status.FAIL if breach else Status.PASS)
    assert requests_to(bench.shop, "POST /api/auth/login") == before + 1
    assert "really expired" in outcome.seen


def test_an_expiry_that_cannot_be_awaited_is_unknown(bench: Bench) -> None:
    outcome = judge_tokens(bench, expired_as="cashier_2")
    assert outcome.status is Status.UNKNOWN
    assert "the token of cashier_2 expires only in 28800 s, wait_at_most is 5 s" in outcome.message


def test_another_status_than_the_refusal_fails(bench: Bench) -> None:
    bench.shop.breaches.add("token-error-500")
    outcome = judge_tokens(bench)
    assert outcome.status is Status.FAIL
    assert "GET /api/me at api answered 500 to garbled, 401 needed" in outcome.message


def test_a_valid_token_that_is_refused_proves_nothing(bench: Bench) -> None:
    bench.shop.breaches.add("everything-forbidden")
    outcome = judge_tokens(bench, request="GET /api/stores/1/orders")
    assert outcome.status is Status.FAIL
    assert "answered 403 to a valid token of cashier_1, so the refusals prove nothing" in outcome.message


def test_token_lifetime(bench: Bench) -> None:
    outcome = bench.judge(token_lifetime, **{"as": "cashier_1"}, at_most="8 h")
    assert (outcome.status, round(outcome.value("lifetime"))) == (Status.PASS, 28800)
    outcome = bench.judge(token_lifetime, **{"as": "cashier_2"}, at_most="1 h")
    assert outcome.message == "lifetime: 28800 s, at most 3600 s needed"


def test_a_token_without_an_end_fails(bench: Bench) -> None:
    bench.shop.breaches.add("no-expiry")
    outcome = bench.judge(token_lifetime, **{"as": "cashier_1"}, at_most="8 h")
    assert (outcome.status, outcome.message) == (
        Status.FAIL,
        "the token of cashier_1 never ends: it has no 'exp'",
    )


def test_a_token_that_is_no_jwt_is_unknown(shop: Shop, tmp_path: Path) -> None:
    how = {"request": "POST /api/auth/login", "token": "user.username"}
    bench = Bench(shop, run_context(tmp_path, **sections(shop, login=how)), environ={})
    outcome = bench.judge(token_lifetime, **{"as": "cashier_1"}, at_most="8 h")
    bench.run.close()
    assert outcome.status is Status.UNKNOWN
    assert "is no JWT: judge its session with cache/session_ttl instead" in outcome.message


# Ends of sessions


def test_logout_ends_the_session(bench: Bench) -> None:
    outcome = bench.judge(logout, **{"as": "leaver"})
    assert (outcome.status, outcome.message) == (Status.PASS, "GET /api/me at api answered 401 after the logout")


def test_a_token_that_survives_the_logout_fails(bench: Bench) -> None:
    bench.shop.breaches.add("alive-after-logout")
    outcome = bench.judge(logout, **{"as": "leaver"})
    assert outcome.status is Status.FAIL
    assert outcome.message == "the token is still accepted after the logout: GET /api/me at api answered 200"


def test_a_logout_that_does_not_work_fails(bench: Bench) -> None:
    outcome = bench.judge(logout, **{"as": "leaver"}, logout="POST /api/auth/leave")
    assert outcome.message.startswith("POST /api/auth/leave at api answered 404: the logout itself does not work; ")


def test_a_logout_that_is_not_described_is_unknown(shop: Shop, tmp_path: Path) -> None:
    made = sections(shop, login={"request": "POST /api/auth/login"})
    bench = Bench(shop, run_context(tmp_path, **made), environ={})
    assert bench.judge(logout, **{"as": "leaver"}).status is Status.UNKNOWN
    bench.run.close()


LIMITS: dict[str, Any] = {
    "idle_account": "kiosk_idle",
    "idle_limit": "300 ms",
    "absolute_account": "kiosk_absolute",
    "absolute_limit": "700 ms",
    "margin": "100 ms",
}


def test_sessions_end_by_themselves(bench: Bench) -> None:
    outcome = bench.judge(session_expiry, **LIMITS)
    assert outcome.status is Status.PASS
    assert "idle limit: GET /api/me at api answered 401 after 0.3 s without a request" in outcome.message
    assert "absolute limit: GET /api/me at api answered 401 after 0.7 s in use" in outcome.message


@pytest.mark.parametrize(
    ("breach", "says"),
    [
        ("idle-ignored", "kiosk_idle: the session is still accepted after 0.3 s without a request"),
        ("absolute-ignored", "kiosk_absolute: the session is still accepted after 0.7 s in use"),
    ],
)
def test_sessions_that_do_not_end_fail(bench: Bench, breach: str, says: str) -> None:
    bench.shop.breaches.add(breach)
    outcome = bench.judge(session_expiry, **LIMITS)
    assert outcome.status is Status.FAIL
    assert outcome.message == f"{says}: GET /api/me at api answered 200"


def test_a_session_that_never_began_proves_nothing(bench: Bench) -> None:
    bench.shop.breaches.add("everything-forbidden")
    outcome = bench.judge(session_expiry, **LIMITS, request="GET /api/stores/1/orders")
    assert outcome.status is Status.FAIL
    assert "right after the login, so nothing is proven" in outcome.message


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({}, "neither an idle nor an absolute limit is given"),
        ({"idle_account": "a"}, "an account and its limit go together"),
        ({"idle_account": "a", "idle_limit": "15 min"}, "use cache/session_ttl and http/token_lifetime"),
    ],
)
def test_limits_that_cannot_be_awaited_are_refused(keys: dict[str, Any], says: str) -> None:
    assert says in str(session_expiry.Params.model_validate(keys).asserts_nothing())


# Throttling


def test_throttling_stops_guesses(bench: Bench) -> None:
    outcome = bench.judge(throttling, endpoint="api", within_attempts=8)
    assert outcome.status is Status.PASS
    assert outcome.message == "stopped at: 6 attempts, at most 8 attempts needed (with 429, for 60 s)"
    assert requests_to(bench.shop, "POST /api/auth/login") == 6
    assert all(name.startswith("golive-probe-") for name in bench.shop.failures), "no real account is touched"


def test_guesses_without_end_fail_after_so_many(bench: Bench) -> None:
    bench.shop.breaches.add("unthrottled")
    outcome = bench.judge(throttling, endpoint="api", within_attempts=8)
    assert outcome.status is Status.FAIL
    assert outcome.message.startswith("8 wrong passwords in a row for golive-probe-")
    assert outcome.message.endswith(" and none was refused with 429")
    assert requests_to(bench.shop, "POST /api/auth/login") == 8


def test_a_broken_login_is_unknown_to_throttling(bench: Bench) -> None:
    bench.shop.breaches.add("login-broken")
    assert bench.judge(throttling, endpoint="api").status is Status.UNKNOWN


def test_a_server_that_is_down_is_unknown(shop: Shop, tmp_path: Path) -> None:
    with refusing() as port:
        bench = Bench(shop, run_context(tmp_path, **sections(shop, url=f"http://127.0.0.1:{port}")), environ={})
        outcomes = [
            judge_second_factor(bench),
            judge_tokens(bench),
            bench.judge(logout, **{"as": "leaver"}),
            bench.judge(session_expiry, **LIMITS),
            bench.judge(token_lifetime, **{"as": "cashier_1"}, at_most="1 h"),
            bench.judge(throttling, endpoint="api"),
        ]
        bench.run.close()
        assert {outcome.status for outcome in outcomes} == {Status.UNKNOWN}
        assert judge_login(bench).message == "api refused the connection (POST /api/auth/login)"
        assert judge_login(bench).status is Status.FAIL
