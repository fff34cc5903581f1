"""Servers that misbehave, on loopback: each is a function from a connected socket to what it does with it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from tests.servers import free_port

Behaviour = Callable[[socket.socket], None]


@contextmanager
def rogue(behaviour: Behaviour) -> Iterator[int]:
    """The port of a server that treats every connection like that."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=(server, behaviour), daemon=True)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(1)


def _serve(server: socket.socket, behaviour: Behaviour) -> None:
    while True:
        try:
            line, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_treat, args=(line, behaviour), daemon=True).start()


def _treat(line: socket.socket, behaviour: Behaviour) -> None:
    with line, suppress(OSError):
        behaviour(line)


@contextmanager
def refusing() -> Iterator[int]:
    """A port at which nobody listens."""
    yield free_port()


def silent(line: socket.socket) -> None:
    """Accept and never answer, until the other side gives up."""
    while line.recv(4096):
        pass


def closing(line: socket.socket) -> None:
    """Hang up at once."""
    line.close()


def web_page(line: socket.socket) -> None:
    """Answer as a web server would, with a page that would redden a terminal."""
    line.recv(4096)
    line.sendall(b"HTTP/1.1 400 Bad \x1b[31mRequest\r\n\r\n<html><script>alert(1)</script>\x1b[2J")


def endless(text: bytes) -> Behaviour:
    """Answer without ever coming to an end."""

    def pour(line: socket.socket) -> None:
        line.recv(4096)
        while True:
            line.sendall(text * (65536 // len(text)))

    return pour


def dripping(line: socket.socket) -> None:
    """Answer one byte at a time."""
    line.recv(4096)
    while True:
        line.sendall(b"+")
        time.sleep(0.1)


def always(reply: bytes) -> Behaviour:
    """Give the same answer to whatever is asked."""

    def say(line: socket.socket) -> None:
        while line.recv(4096):
            line.sendall(reply)

    return say
