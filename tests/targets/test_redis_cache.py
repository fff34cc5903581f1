"""`Cache` against a real server that works, refuses, is full, or is none at all."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest

from golive.environment.sections import CacheSection
from golive.targets.redis_cache import Cache
from golive.targets.redis_errors import CacheCause, CacheTrouble
from tests import rogues
from tests.judged import written
from tests.servers import PASSWORD, RedisServer, free_port, running_redis, secret


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running_redis(maxclients="6") as running:
        yield running


@pytest.fixture
def cache(server: RedisServer) -> Iterator[Cache]:
    with server.client as client:
        client.flushall()
    opened = Cache("sessions", server.section())
    yield opened
    opened.close()


def test_ping_and_info(cache: Cache) -> None:
    assert 0 < cache.ping() < 100
    assert str(cache.info()["redis_version"]).startswith("6.2")


def test_keys_are_scanned_up_to_a_limit(server: RedisServer, cache: Cache) -> None:
    with server.client as client:
        client.mset({f"session:{n}": "x" for n in range(3000)} | {"other": "x"})
    everything = cache.scan("session:*", 5000)
    assert (len(everything.keys), everything.complete) == (3000, True)
    assert cache.scan("session:*", 3000).complete
    some = cache.scan("session:*", 10)
    assert (len(some.keys), some.complete) == (10, False)
    assert cache.scan("nothing:*", 10) == ([], True)


def test_keys_command_is_never_used(server: RedisServer, cache: Cache) -> None:
    with server.client as client:
        client.config_resetstat()
        cache.scan("session:*", 10)
        cache.ttl([b"session:1"])
        cache.ping()
        cache.info()
        used = {name.removeprefix("cmdstat_") for name in client.info("commandstats")}
    assert used <= {"scan", "pttl", "ping", "info", "auth", "select", "client|setinfo", "client", "config", "hello"}


def test_time_to_live(server: RedisServer, cache: Cache) -> None:
    with server.client as client:
        client.set("endless", "x")
        client.set("ending", "x", ex=100)
    endless, ending, gone = cache.ttl([b"endless", b"ending", b"gone"])
    assert endless == math.inf
    assert ending is not None
    assert 99 < ending <= 100
    assert gone is None
    assert cache.ttl([]) == []
    assert len(cache.ttl([b"endless"] * 2500)) == 2500


def test_a_connection_closed_meanwhile_is_opened_again(server: RedisServer, cache: Cache) -> None:
    cache.ping()
    with server.client as client:
        client.client_kill_filter(_type="normal", skipme=True)
    assert cache.ping() > 0


@pytest.mark.parametrize(
    ("password", "words"),
    [(None, "asks for a password"), (secret("wrong-password"), "refused the password")],
)
def test_refused_logins_say_why(server: RedisServer, password: object, words: str) -> None:
    with pytest.raises(CacheTrouble) as raised:
        Cache("sessions", server.section(password=password)).ping()
    assert raised.value.cause is CacheCause.AUTHENTICATION
    assert str(raised.value).startswith(f"cache sessions: {words}")
    assert "wrong-password" not in str(raised.value)


def test_a_user_without_rights(server: RedisServer) -> None:
    with server.client as client:
        client.acl_setuser("narrow", enabled=True, passwords=[f"+{PASSWORD}"], commands=["+ping"])
    section = server.section().model_copy(update={"url": f"redis://narrow@127.0.0.1:{server.port}/0"})
    cache = Cache("sessions", section)
    assert cache.ping() > 0
    with pytest.raises(CacheTrouble) as raised:
        cache.scan("session:*", 1)
    cache.close()
    assert raised.value.cause is CacheCause.PERMISSION


def test_exhausted_connections_say_so(server: RedisServer) -> None:
    held = [server.client for _ in range(6)]
    try:
        for client in held:
            client.ping()
        with pytest.raises(CacheTrouble, match="has no connection left") as raised:
            Cache("sessions", server.section()).ping()
        assert raised.value.cause is CacheCause.EXHAUSTED
    finally:
        for client in held:
            client.close()


@pytest.mark.parametrize(
    ("someone", "cause", "words"),
    [
        (rogues.refusing(), CacheCause.REFUSED, "refused the connection"),
        (rogues.rogue(rogues.silent), CacheCause.TIMEOUT, "did not answer within 0.3 s"),
        (rogues.rogue(rogues.dripping), CacheCause.TIMEOUT, "did not answer within 0.3 s"),
        (rogues.rogue(rogues.endless(b"+")), CacheCause.TIMEOUT, "did not answer within 0.3 s"),
        (rogues.rogue(rogues.always(b"$99999999999\r\n")), CacheCause.TIMEOUT, "did not answer within 0.3 s"),
        (rogues.rogue(rogues.endless(b"+OK\r\n")), CacheCause.PROTOCOL, "does not speak Redis's protocol"),
        (rogues.rogue(rogues.closing), CacheCause.LOST, "closed the connection"),
        (rogues.rogue(rogues.web_page), CacheCause.PROTOCOL, "what answers there does not speak Redis's protocol"),
        (rogues.rogue(rogues.always(b"-ERR \x1b[31mno\r\n")), CacheCause.OTHER, "cannot be read (?[31mno)"),
    ],
    ids=["refusing", "silent", "dripping", "endless", "huge", "flood", "closing", "web page", "error"],
)
def test_whoever_else_answers(someone: AbstractContextManager[int], cause: CacheCause, words: str) -> None:
    began = time.monotonic()
    with someone as port, pytest.raises(CacheTrouble) as raised:
        Cache("sessions", written(CacheSection, url=f"redis://127.0.0.1:{port}/0", timeout="300 ms")).ping()
    assert raised.value.cause is cause, str(raised.value)
    assert words in str(raised.value)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize("reply", [b"+PONG\r\n", b"$-1\r\n", b":5\r\n", b"*2\r\n$1\r\n0\r\n$3\r\nabc\r\n"])
def test_answers_of_the_wrong_shape(reply: bytes) -> None:
    with rogues.rogue(rogues.always(reply)) as port:
        cache = Cache("sessions", written(CacheSection, url=f"redis://127.0.0.1:{port}/0"))
        with pytest.raises(CacheTrouble, match="does not speak Redis's protocol"):
            cache.info()
        if reply[:1] != b":":
            with pytest.raises(CacheTrouble, match="does not speak Redis's protocol"):
                cache.ttl([b"a"])
        cache.close()


def test_unknown_host_name() -> None:
    with pytest.raises(CacheTrouble, match="its host name cannot be resolved"):
        Cache("sessions", written(CacheSection, url=f"redis://cache.invalid:{free_port()}/0")).ping()
