"""Everything that the verdict over a watch rests on, out of the environment and the history."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from golive.environment.load import Environment
from golive.environment.params import REFERENCE
from golive.history.criteria_sets import digest_of
from golive.history.manifest import rules_of
from golive.history.notes import notes
from golive.history.people import attestations, signatures
from golive.history.probes import probe_spans
from golive.history.records import ResultFiles
from golive.history.runs import mark_dead, runs_of_watch
from golive.history.signing import results_folder, signers_of, verified
from golive.history.watches import current_watch
from golive.model import Deployment, ProbePolicy, SignOff, Watch, WatchRecord

if TYPE_CHECKING:
    from golive.history.store import History


def watch_record(
    history: History,
    environment: Environment,
    *,
    watch: Watch | None = None,
    now: datetime,
    results: ResultFiles | None = None,
) -> WatchRecord:
    """The record of `watch`, or of the open watch of the environment; without any its `watch` is None.

    Runs whose process has died meanwhile are marked first, and signatures are verified: `results` are the runs' own
    files to compare them with, by default those beside the history.
    """
    mark_dead(history)
    chosen = watch or current_watch(history, environment.name)
    section = environment.section.watch
    record = WatchRecord(
        environment=environment.name,
        system=environment.system,
        watch=chosen,
        criteria=environment.criteria,
        criteria_digest=digest_of(environment.criteria, environment.secrets),
        deployment=_deployment(environment, chosen),
        waivers=environment.waivers,
        attestations=(*environment.attestations, *attestations(history, environment.name, valid_at=now)),
        sign_off=sign_off(environment),
        probe_policy=probe_policy(environment),
        milestones=dict(section.milestones) if section else {},
        flapping_blocks=_flapping_blocks(environment),
    )
    if chosen is None:
        return record
    found = replace(
        record,
        runs=tuple(runs_of_watch(history, chosen.id)),
        signatures=tuple(signatures(history, chosen.id)),
        probes=tuple(probe_spans(history, chosen.id)),
        notes=tuple(notes(history, chosen.id)),
    )
    return verified(found, signers_of(environment), now=now, results=results or results_folder(history))


def _deployment(environment: Environment, watch: Watch | None) -> Deployment:
    """What the environment says is deployed now. A version that has no value here is taken as the one watched."""
    told = environment.deployment
    unknown = REFERENCE.search(told.version) is not None
    return replace(told, version=watch.deployment.version) if unknown and watch is not None else told


def policy(environment: Environment) -> dict[str, Any]:
    """What the environment asks of a watch as a whole, as a watch keeps it from its start."""
    section = environment.section.watch
    return rules_of(
        sign_off(environment),
        probe_policy(environment),
        section.milestones if section else {},
        flapping_blocks=_flapping_blocks(environment),
    )


def _flapping_blocks(environment: Environment) -> bool:
    section = environment.section.watch
    return section is None or section.flapping == "blocks"


def sign_off(environment: Environment) -> SignOff:
    """Who must sign; without a section nobody. All roles, unless the environment sets a smaller quorum."""
    section = environment.section.sign_off
    if section is None:
        return SignOff()
    quorum = len(section.roles) if section.quorum is None else section.quorum
    return SignOff(roles=section.roles, quorum=quorum, override_role=section.override_role)


def probe_policy(environment: Environment) -> ProbePolicy | None:
    """What availability the environment demands; None if it demands none."""
    section = environment.section.watch.availability if environment.section.watch else None
    if section is None:
        return None
    return ProbePolicy(
        endpoints=tuple(dict.fromkeys(probe.endpoint for probe in section.probes)),
        every_s=section.every,
        begin_within_s=section.begin_within,
        unknown_at_most_s=section.unknown_at_most,
        at_least_percent=section.at_least,
    )
