"""What `locust -f` is given: it reads the plan from standard input and becomes what the plan asks for."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_ROOT = str(Path(__file__).resolve().parents[2])
# First of all: a folder named `load` where the user works is not ours.
sys.path.insert(0, _ROOT)

from locust import LoadTestShape, events, runners  # noqa: E402

from load.inside import lifeline  # noqa: E402
from load.inside.engine import Engine  # noqa: E402
from load.inside.pacing.shape import Planned, governed  # noqa: E402
from load.inside.plan import Plan, read_plan  # noqa: E402
from load.inside.telling.alone import Alone  # noqa: E402
from load.inside.telling.master import Master  # noqa: E402
from load.inside.telling.member import Member, spread  # noqa: E402
from load.inside.telling.stream import Stream  # noqa: E402
from load.inside.users.own import own_users  # noqa: E402
from load.inside.users.scenarios import Journey, user_classes  # noqa: E402

sys.path.remove(_ROOT)


def _prepare(plan: Plan) -> dict[str, Any]:
    """What locust is to find in this file: classes of users, and the shape where there is one process or the master."""
    engine = Engine(plan)
    shape: type[LoadTestShape] | None = None
    journeys: Sequence[Journey] = ()
    if plan.locustfile:
        users, shape = own_users(engine, plan.locustfile)
    else:
        users, journeys = user_classes(engine)
    names = spread([each.steps[0].name for each in journeys], [each.weight for each in journeys])
    told = engine.recorder.problem
    _on("user_error", lambda exception, **_: told(f"a user stumbled: {type(exception).__name__}: {exception}"))
    if plan.role == "worker":
        member = Member(engine, journeys, names)
        member.listen(events)
        _on("init", lambda environment, **_: member.attach(environment))
        return dict(users)
    return {**users, "Shape": _shape(engine, shape, names)}


def _shape(engine: Engine, own: type[LoadTestShape] | None, names: list[str]) -> type[LoadTestShape]:
    stream = Stream(Path(engine.plan.stream))
    governor: Alone | Master
    if engine.plan.role == "master":
        governor = Master(engine, stream)
        governor.listen(events)
    else:
        governor = Alone(engine, stream, names)
    _on("init", lambda environment, **_: governor.attach(environment))
    return governed(own, governor) if own else type("Shape", (Planned,), {"governor": governor, "abstract": False})


def _on(name: str, action: Callable[..., None]) -> None:
    hook: Any = getattr(events, name)
    hook.add_listener(action)


runners.WORKER_REPORT_INTERVAL = 1.0
os.environ.setdefault("LOCUST_WAIT_FOR_WORKERS_REPORT_AFTER_RAMP_UP", "0.3")
_plan = read_plan(sys.stdin.buffer.readline())
if _plan.lifeline:
    lifeline.hold()
globals().update(_prepare(_plan))
