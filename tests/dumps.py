"""Backups made by the real `pg_dump`, and ways to spoil them."""

from __future__ import annotations

import gzip
import os
import time
from dataclasses import dataclass
from pathlib import Path

from golive.environment.sections import BackupSection, HostSection
from golive.targets.backups import Backups
from golive.targets.hosts.host import Host
from tests.judged import written
from tests.servers import PostgresServer

SCHEMA = """
CREATE TABLE users (id int PRIMARY KEY, name text);
INSERT INTO users SELECT g, 'user ' || md5(g::text) FROM generate_series(1, 400) g;
CREATE TABLE orders (id int PRIMARY KEY, total int);
INSERT INTO orders SELECT g, g * 10 FROM generate_series(1, 1000) g;
CREATE TABLE "my table" (a int)
"""


@dataclass(frozen=True)
class Shelf:
    """A folder of backups on the local host, whose PATH begins with the server's programs."""

    folder: Path
    server: PostgresServer

    def dump(self, name: str = "shop.dump", *, database: str = "shop", form: str = "-Fc", age_s: float = 0) -> Path:
        """A real dump."""
        self.server.tool("pg_dump", form, "--file", str(self.folder / name), database)
        return self.aged(self.folder / name, age_s)

    def put(self, name: str, content: bytes, *, age_s: float = 0) -> Path:
        """Any file."""
        (self.folder / name).write_bytes(content)
        return self.aged(self.folder / name, age_s)

    @staticmethod
    def aged(file: Path, age_s: float) -> Path:
        """The file as if written that long ago."""
        moment = time.time() - age_s
        os.utime(file, (moment, moment))
        return file

    def backups(self, pattern: str = "*.dump", *, every: str = "1 h", path: tuple[str, ...] | None = None) -> Backups:
        """As an environment would describe them; read anew."""
        section = written(BackupSection, host="app", folder=str(self.folder), pattern=pattern, every=every)
        return Backups("nightly", section, self.host(path))

    def host(self, path: tuple[str, ...] | None = None) -> Host:
        """The local host."""
        return Host("app", written(HostSection, connect="local://", path=path or (str(self.server.bin),)))


def cut_off(file: Path) -> None:
    """Lose the last third."""
    content = file.read_bytes()
    file.write_bytes(content[: len(content) * 2 // 3])


def flip_a_byte(file: Path) -> None:
    """Damage one byte in the middle of the data."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)


def from_the_future(file: Path) -> None:
    """An archive of a version that this pg_restore does not know."""
    content = bytearray(file.read_bytes())
    content[5:8] = bytes([1, 99, 0])
    file.write_bytes(content)


def zip_it(file: Path) -> Path:
    """The same through gzip, beside it."""
    zipped = file.with_name(file.name + ".gz")
    zipped.write_bytes(gzip.compress(file.read_bytes()))
    return zipped
