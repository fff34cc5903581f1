"""`python -m load.elsewhere.join HOST`: a worker that joins a master, again for each profile of its run.

The token comes from the environment variable GOLIVE_LOAD_TOKEN. It ends when it is told to, by SIGTERM or SIGINT.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from load.children import Child, await_end
from load.elsewhere.joining import PLAN_PORT, TOKEN, line_from, noticed
from load.elsewhere.sealing import NotSealed, Seal
from load.workers import local_worker

_AGAIN_S = 1.0
_CONNECT_S = 5.0
_LOOK_S = 0.1
_PATIENCE_S = 5.0


def main(arguments: Sequence[str]) -> int:
    """Join for ever; 2 when the words are wrong."""
    if len(arguments) != 1 or not os.environ.get(TOKEN):
        print(f"usage: {TOKEN}=… python -m load.elsewhere.join HOST[:PORT]", file=sys.stderr)
        return 2
    host, _, port = arguments[0].partition(":")
    seal = Seal(os.environ[TOKEN])
    while True:
        join(host, int(port or PLAN_PORT), seal)
        time.sleep(_AGAIN_S)


def join(host: str, port: int, seal: Seal) -> bool:
    """Work for one load; False when there is none to join."""
    try:
        connection = socket.create_connection((host, port), timeout=_CONNECT_S)
    except OSError:
        return False  # the master has not come yet, or is between two profiles
    with connection:
        try:
            connection.sendall(seal.line({"joins": socket.gethostname()}))
            connection.settimeout(None)
            noticed(connection)
            told = seal.opened(line_from(connection))
        except (OSError, NotSealed) as error:
            print(f"{host}:{port}: {error}", file=sys.stderr)
            return False
        with tempfile.TemporaryDirectory(prefix="golive-load-") as folder:
            _work(local_worker(told["plan"], host, int(told["port"]), Path(folder)), connection)
    return True


def _work(child: Child, connection: socket.socket) -> None:
    """Until it ends, or nobody holds the connection any more."""
    connection.settimeout(_LOOK_S)
    try:
        while child.exit_code() is None:
            try:
                if not connection.recv(4096):
                    child.ask()
                    await_end([child], _PATIENCE_S)
                    return
            except TimeoutError:
                continue
            except OSError:
                return
    finally:
        child.end()
        print(child.said(), end="", file=sys.stderr)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
