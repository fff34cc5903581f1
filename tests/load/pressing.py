"""A load in a process of its own, for tests that end it: `python -m tests.load.pressing URL FOLDER PROCESSES`."""

from __future__ import annotations

import sys
from pathlib import Path

from load.runner import LoadInterrupted, run
from tests.load.targets import SESSIONS, WRITE, section


def main(url: str, folder: str, processes: str) -> None:
    stages = [{"ramp": "200 ms", "users": 4}, {"hold": "60 s"}]
    environment = section(url, WRITE, stages=stages, processes=int(processes))
    profile = environment.load.profiles["steady"]
    try:
        run(
            "steady",
            profile,
            environment,
            sessions=SESSIONS,
            directory=Path(folder),
            user_agent="golive-test/1",
            run="run-7",
        )
    except LoadInterrupted as interrupted:
        print(f"{interrupted}: {interrupted.result.window(with_warm_up=True).n} requests", flush=True)
        sys.exit(130)


if __name__ == "__main__":
    main(*sys.argv[1:])
