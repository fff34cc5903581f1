"""Which watch a process takes part in: the open one of this deployment, or one that it begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from golive.environment.load import Environment
from golive.history.store import History
from golive.history.watches import current_watch, open_watch
from golive.model import CouldNotLook, Deployment, Watch, utc_text
from golive.watch.deployed import deployed_at
from golive.watch.schedule import is_over, new_watch

NEW_DEPLOYMENT = "a new deployment"
_SAME = timedelta(seconds=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Joined:
    """The watch that now stands, whether it was begun just now, and the one whose place it then took."""

    watch: Watch
    begun: bool = False
    replaced: Watch | None = None


def join(history: History, environment: Environment, *, now: datetime, time_scale: float | None = None) -> Joined:
    """Join the open watch over what is deployed, or begin one.

    A new deployment ends the watch before. With `time_scale` it has to be a watch of that speed, and a trial (another
    speed than 1) that has not come to its end; without it any will do. CouldNotLook when it is not known when the
    deployment was and no watch is open that knows, ValueError when the environment has no `watch` section,
    golive.history.store.HistoryUnusable.
    """
    current = current_watch(history, environment.name)
    at = _deployed_at(environment, current)
    deployment = Deployment(version=environment.deployment.version, deployed_at=at)
    because = "" if current is None else _objection(current, deployment, now, time_scale)
    if current is not None and not because:
        return Joined(watch=current)
    begun = new_watch(
        environment,
        deployed_at=at,
        now=now,
        time_scale=time_scale or 1.0,
        replaces=current.id if current is not None else None,
        reason=because,
    )
    return _opened(history, begun, current)


def begin_anew(
    history: History, environment: Environment, *, now: datetime, reason: str, time_scale: float = 1.0
) -> Joined:
    """End the open watch, if there is one, and begin another whose hour 0 is `now`. Errors as those of `join`."""
    current = current_watch(history, environment.name)
    begun = new_watch(
        environment,
        deployed_at=deployed_at(environment),
        now=now,
        time_scale=time_scale,
        replaces=current.id if current is not None else None,
        reason=reason,
        anew=True,
    )
    return _opened(history, begun, current)


def _deployed_at(environment: Environment, current: Watch | None) -> datetime:
    """When the deployment was. The open watch knows it as well while the target is out of reach, which its runs are
    there to find out; CouldNotLook where none is open over this version."""
    try:
        return deployed_at(environment)
    except CouldNotLook:
        watched = Deployment() if current is None else current.deployment
        if watched.deployed_at is None or watched.version != environment.deployment.version:
            raise
        return watched.deployed_at


def is_same(watched: Deployment, deployment: Deployment) -> bool:
    """Whether a watch over `watched` is one over `deployment`; False where that cannot be told."""
    if watched.version != deployment.version or watched.deployed_at is None or deployment.deployed_at is None:
        return False
    return abs(watched.deployed_at - deployment.deployed_at) < _SAME


def _opened(history: History, begun: Watch, current: Watch | None) -> Joined:
    stands = open_watch(history, begun)
    # Another process may have been faster; then nothing was begun here.
    if stands.id != begun.id:
        return Joined(watch=stands)
    return Joined(watch=stands, begun=True, replaced=current)


def _objection(current: Watch, deployment: Deployment, now: datetime, time_scale: float | None) -> str:
    """Why the open watch cannot be the one, or nothing."""
    if not is_same(current.deployment, deployment):
        at = f" of {utc_text(deployment.deployed_at)}" if deployment.deployed_at else ""
        return f"{NEW_DEPLOYMENT}: {f'version {deployment.version}' if deployment.version else 'one'}{at}"
    if time_scale is None or (time_scale == current.time_scale and not (current.trial and is_over(current, now))):
        return ""
    return "a trial takes its place" if time_scale != 1.0 else "a watch in real time takes its place"
