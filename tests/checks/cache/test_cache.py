"""cache/answers, memory, sessions and session_ttl."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import redis

from checks.cache import answers, memory, session_ttl, sessions
from fixtures.context import RunContext
from golive.environment.params import Secret
from golive.environment.sections import AccountSection, CacheSection, EndpointSection
from golive.model import Status
from golive.targets.accounts import Account
from golive.targets.http import Client
from golive.targets.redis_cache import Cache
from tests import rogues
from tests.judged import Judged, judged, run_context, written
from tests.servers import RedisServer, free_port, running_redis, secret


def gone() -> Cache:
    return Cache("sessions", CacheSection(url=f"redis://127.0.0.1:{free_port()}/0"))


def answered(cache: Cache, context: RunContext, **keys: object) -> Judged:
    criterion = written(answers.Params, cache="sessions", **keys)
    return judged(answers.test_cache_answers_within_limit, criterion=criterion, cache=cache, context=context)


def test_an_answer_is_timed(cache: Cache, context: RunContext) -> None:
    found = answered(cache, context)
    assert found.status is Status.PASS
    assert found.value("answer") < 100
    assert "ms, below 100 ms needed (PING)" in found.message
    assert "below 0.0001 ms needed" in answered(cache, context, critical="0.0001 ms").message


@pytest.mark.parametrize(
    ("someone", "words"),
    [
        (rogues.refusing(), "cache sessions: refused the connection"),
        (rogues.rogue(rogues.silent), "cache sessions: did not answer within 0.2 s"),
        (rogues.rogue(rogues.web_page), "cache sessions: what answers there does not speak Redis's protocol"),
    ],
    ids=["refusing", "silent", "web page"],
)
def test_no_answer_fails_with_its_cause(someone: AbstractContextManager[int], words: str, context: RunContext) -> None:
    with someone as port:
        section = written(CacheSection, url=f"redis://127.0.0.1:{port}/0", timeout="200 ms")
        found = answered(Cache("sessions", section), context)
    assert found.status is Status.FAIL
    assert found.message.startswith(words)


def test_a_refused_password_fails(server: RedisServer, context: RunContext) -> None:
    found = answered(Cache("sessions", server.section(password=secret("wrong-password"))), context)
    assert found.status is Status.FAIL
    assert "cache sessions: refused the password" in found.message


def test_a_server_that_hangs_fails(context: RunContext) -> None:
    with running_redis() as server:
        server.command("CLIENT", "PAUSE", "5000", "ALL")
        found = answered(Cache("sessions", server.section(timeout="300 ms")), context)
    assert found.status is Status.FAIL
    assert "did not answer within 0.3 s" in found.message


def test_a_snapshot_that_fails_is_told(context: RunContext) -> None:
    with running_redis() as server:
        cache = Cache("sessions", server.section())
        assert answered(cache, context).status is Status.PASS
        shutil.rmtree(server.folder)
        server.command("BGSAVE")
        deadline = time.monotonic() + 5
        while cache.info()["rdb_last_bgsave_status"] == "ok":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        found = answered(cache, context)
        cache.close()
    assert found.status is Status.FAIL
    assert "its last snapshot to disk failed (rdb_last_bgsave_status is 'err')" in found.message


def test_a_replica_without_its_primary_fails(context: RunContext) -> None:
    with running_redis() as server:
        server.command("REPLICAOF", "127.0.0.1", str(free_port()))
        cache = Cache("sessions", server.section())
        found = answered(cache, context)
        cache.close()
    assert found.status is Status.FAIL
    assert "it is a replica and has lost its primary" in found.message


def test_connections_that_were_turned_away_fail(tmp_path: Path) -> None:
    with running_redis(maxclients="3") as server:
        cache = Cache("sessions", server.section())

        def turn_one_away() -> None:
            held = [server.client for _ in range(3)]
            for client in held:
                with suppress(redis.RedisError):
                    client.ping()
            for client in held:
                client.close()

        turned = run_context(tmp_path / "a")
        cache.ping()
        turn_one_away()
        base = answered(cache, turned)
        assert base.status is Status.PASS
        assert "1 connections turned away so far, of unknown age: counted from now on" in base.message
        turned.state.commit()
        turn_one_away()
        found = answered(cache, run_context(tmp_path / "a"))
        cache.close()
    assert found.status is Status.FAIL
    assert "turned away: 1 connections, at most 0 connections needed (since the last look)" in found.message


def remembered(cache: Cache, **keys: object) -> Judged:
    criterion = written(memory.Params, cache="sessions", **keys)
    return judged(memory.test_cache_has_memory_left, criterion=criterion, cache=cache)


def test_memory_against_its_limit(server: RedisServer, cache: Cache) -> None:
    found = remembered(cache)
    assert found.status is Status.PASS
    assert "MB of the machine, as it has no maxmemory" in found.message
    assert remembered(cache, require_limit=True).message == "cache sessions: it has no memory limit (maxmemory is 0)"
    try:
        server.command("CONFIG", "SET", "maxmemory", "100mb")
        assert remembered(cache, require_limit=True).status is Status.PASS
        used = cache.info()["used_memory"]
        server.command("CONFIG", "SET", "maxmemory", str(int(used * 1.1)))
        found = remembered(cache)
    finally:
        server.command("CONFIG", "SET", "maxmemory", "0")
    assert found.status is Status.FAIL
    assert "below 85 % needed" in found.message
    assert "of maxmemory, policy noeviction)" in found.message


def counted(cache: Cache, context: RunContext, **keys: object) -> Judged:
    criterion = written(sessions.Params, cache="sessions", **keys)
    return judged(sessions.test_sessions_are_counted, criterion=criterion, cache=cache, context=context)


def fill(server: RedisServer, count: int) -> None:
    with server.client as client:
        client.flushall()
        for number in range(count):
            client.set(f"session:{number}", "x", ex=900)


def test_sessions_are_counted(server: RedisServer, cache: Cache, context: RunContext) -> None:
    fill(server, 7)
    found = counted(cache, context)
    assert found.status is Status.PASS
    assert found.message == "active sessions: 7 sessions (keys like session:*)"
    assert counted(cache, context, at_least=8).status is Status.FAIL
    assert counted(cache, context, at_most=6).message == "sessions at most: 7 sessions, at most 6 sessions needed"


def test_a_fall_to_none_and_a_jump_are_told(server: RedisServer, cache: Cache, context: RunContext) -> None:
    fill(server, 30)
    counted(cache, context)
    context.state.commit()
    fill(server, 0)
    found = counted(cache, context)
    assert found.status is Status.WARN
    assert found.message == "no session is left of the 30 at the last look"
    assert counted(cache, context, change="fail").status is Status.FAIL
    fill(server, 61)
    assert "61 sessions, more than 2 times the 30 of the last look" in counted(cache, context).message
    fill(server, 49)
    assert counted(cache, context).status is Status.PASS


def test_more_sessions_than_are_counted(server: RedisServer, cache: Cache, context: RunContext) -> None:
    fill(server, 30)
    found = counted(cache, context, at_most_keys=10)
    assert "10 sessions (keys like session:*, and more that were not counted)" in found.message
    assert counted(cache, context, at_most_keys=10, at_most=20).status is Status.UNKNOWN


def lasting(cache: Cache, account: Account | None = None, **keys: object) -> Judged:
    criterion = written(session_ttl.Params, cache="sessions", **{"limit": "15 min", **keys})
    return judged(session_ttl.test_every_session_ends_by_itself, criterion=criterion, cache=cache, account=account)


def test_sessions_that_end_pass(server: RedisServer, cache: Cache) -> None:
    fill(server, 5)
    found = lasting(cache)
    assert found.status is Status.PASS
    assert "sessions without an end: 0 sessions, at most 0 sessions needed (of 5 looked at)" in found.message
    assert 890 < found.value("longest time to live") <= 900


def test_a_session_without_an_end_fails(server: RedisServer, cache: Cache) -> None:
    fill(server, 5)
    server.command("SET", "session:0123456789-secret", "x")
    found = lasting(cache)
    assert found.status is Status.FAIL
    assert (
        "sessions without an end: 1 sessions, at most 0 sessions needed (of 6 looked at, first session:012345…)"
        in found.message
    )
    assert "secret" not in found.message + found.seen


def test_a_session_that_lives_too_long_fails(server: RedisServer, cache: Cache) -> None:
    fill(server, 5)
    server.command("SET", "session:old", "x", "EX", "86400")
    found = lasting(cache)
    assert found.status is Status.FAIL
    assert "longest time to live: 86400 s, at most 900 s needed" in found.message


def test_a_sample_says_that_it_is_one(server: RedisServer, cache: Cache) -> None:
    fill(server, 30)
    assert "(of 10 looked at, there are more)" in lasting(cache, at_most_keys=10).message


def test_without_sessions_nothing_is_known(cache: Cache, context: RunContext) -> None:
    found = lasting(cache)
    assert found.status is Status.UNKNOWN
    assert found.message == (
        "cache sessions: no key is like session:*, so nothing shows: give an account that logs in first ('as')"
    )
    assert lasting(gone()).status is Status.UNKNOWN
    assert counted(gone(), context).status is Status.UNKNOWN
    assert remembered(gone()).status is Status.UNKNOWN


class _LoginPage(BaseHTTPRequestHandler):
    """Lets in who knows the password, and keeps a session in Redis."""

    cache: RedisServer
    ttl_s = "900"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        right = asked["password"] == "right-password"
        if right:
            self.cache.command("SET", "session:1", "x", "EX", self.ttl_s)
        body = json.dumps({"token": "some-token-0001"} if right else {"error": "invalid_credentials"}).encode()
        self.send_response(200 if right else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def signing_in(server: RedisServer, folder: Path, password: str) -> Iterator[Account]:
    page = type("Page", (_LoginPage,), {"cache": server})
    with ThreadingHTTPServer(("127.0.0.1", 0), page) as web:
        threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        url = f"http://127.0.0.1:{web.server_port}"
        endpoint = written(EndpointSection, url=url, login={"request": "POST /login"})
        client = Client("api", endpoint, user_agent="test", request_id=lambda: "test", max_requests_per_second=1000)
        held: Secret = secret(password)
        section = written(AccountSection, endpoint="api", username="cashier", password=held)
        yield Account("cashier", section, client, learn=lambda _: None, folder=folder)
        client.close()
        web.shutdown()


def test_an_account_that_logs_in_first_makes_sure_of_a_session(
    server: RedisServer, cache: Cache, tmp_path: Path
) -> None:
    with signing_in(server, tmp_path, "right-password") as account:
        found = lasting(cache, account)
        assert found.status is Status.PASS
        assert "(of 1 looked at)" in found.message
        server.command("FLUSHALL")
        assert "although an account is logged in" in lasting(cache, account).message


def test_an_account_that_is_not_let_in_leaves_it_open(server: RedisServer, cache: Cache, tmp_path: Path) -> None:
    with signing_in(server, tmp_path, "wrong-password") as account:
        found = lasting(cache, account)
    assert found.status is Status.UNKNOWN
    assert found.message.startswith("nobody could log in, so there may be no session to look at: account cashier")
    assert "wrong-password" not in found.message
