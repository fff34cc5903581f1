"""`${kind:name}` in an environment: values that are kept elsewhere.

`${env:NAME}` is an environment variable, `${file:PATH}` the content of a file (a path
relative to the environment's folder), `${cmd:COMMAND}` the output of a shell command,
`${demo:KEY}` a value of the embedded target.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from golive.environment.params import REFERENCE, Resolved
from golive.environment.problems import Problem, unknown_name
from golive.environment.yaml_source import Path_, Source

Provider = Callable[[str], str]
_COMMAND_TIMEOUT_S = 15
_MAX_FILE_BYTES = 100_000


class Unresolved(Exception):
    """A reference without a value; the message is the reason, as the end of a sentence."""


def standard_providers(folder: Path, variables: Mapping[str, str]) -> dict[str, Provider]:
    """`env`, `file` and `cmd`; relative paths and commands start from `folder`."""
    return {
        "env": lambda name: _variable(name, variables),
        "file": lambda name: _content(folder / Path(name).expanduser()),
        "cmd": lambda command: _output(command, folder),
    }


def resolve(source: Source, providers: Mapping[str, Provider]) -> tuple[Any, list[Problem]]:
    """The data of `source` with every reference replaced by a `Resolved` text, and what could not be."""
    problems: list[Problem] = []
    cache: dict[str, str] = {}

    def text(value: str, path: Path_) -> str:
        def one(match: Any) -> str:
            whole = match[0]
            if whole not in cache:
                cache[whole] = _value(match["kind"], match["name"], providers)
            return cache[whole]

        try:
            replaced = REFERENCE.sub(one, value)
        except Unresolved as error:
            problems.append(Problem(place=source.place(path), text=str(error)))
            return value
        return value if replaced == value else Resolved(replaced, value)

    def walk(value: Any, path: Path_) -> Any:
        if isinstance(value, str):
            return text(value, path) if "${" in value else value
        if isinstance(value, dict):
            return {key: walk(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, (*path, i)) for i, item in enumerate(value)]
        return value

    return walk(source.data, ()), problems


def referenced(data: Any) -> Iterator[tuple[str, str]]:
    """Every (kind, name) that `data` refers to."""
    if isinstance(data, str):
        for match in REFERENCE.finditer(data):
            yield match["kind"], match["name"]
    elif isinstance(data, dict):
        for item in data.values():
            yield from referenced(item)
    elif isinstance(data, list):
        for item in data:
            yield from referenced(item)


def resolved_texts(data: Any) -> Iterator[tuple[str, str]]:
    """Every text in `data` that came out of a reference, with that reference as it was written."""
    if isinstance(data, Resolved):
        yield str(data), data.source
    elif isinstance(data, dict):
        for item in data.values():
            yield from resolved_texts(item)
    elif isinstance(data, list):
        for item in data:
            yield from resolved_texts(item)


def _value(kind: str, name: str, providers: Mapping[str, Provider]) -> str:
    if kind not in providers:
        raise Unresolved(f"${{{kind}:{name}}}: " + unknown_name("kind of reference", kind, providers))
    try:
        return providers[kind](name)
    except Unresolved as error:
        raise Unresolved(f"${{{kind}:{name}}} {error}") from None


def _variable(name: str, variables: Mapping[str, str]) -> str:
    if name not in variables:
        raise Unresolved("is undefined: set that environment variable")
    if not variables[name]:
        raise Unresolved("is empty: give that environment variable a value")
    return variables[name]


def _content(file: Path) -> str:
    try:
        with file.open("rb") as handle:
            raw = handle.read(_MAX_FILE_BYTES + 1)
        text = raw.decode("utf-8").rstrip("\r\n")
    except OSError as error:
        raise Unresolved(f"cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise Unresolved("is not UTF-8 text") from None
    if not text or len(raw) > _MAX_FILE_BYTES:
        raise Unresolved("is empty" if not text else f"is larger than {_MAX_FILE_BYTES // 1000} kB")
    return text


def _output(command: str, folder: Path) -> str:
    try:
        process = subprocess.Popen(  # noqa: S602 - the environment's author asks for a shell command
            command, shell=True, cwd=folder, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError as error:
        raise Unresolved(f"could not be run: {error}") from None
    try:
        output, _ = process.communicate(timeout=_COMMAND_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise Unresolved(f"did not end within {_COMMAND_TIMEOUT_S} s") from None
    except UnicodeDecodeError:
        raise Unresolved("printed something that is not text") from None
    finally:
        if process.poll() is None:
            # The shell's own children hold the pipe open: the whole group goes.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
    # What the command wrote is not repeated: it may hold the secret itself.
    if process.returncode:
        raise Unresolved(f"ended with exit code {process.returncode}")
    text = output.rstrip("\r\n")
    if not text:
        raise Unresolved("printed nothing")
    return text
