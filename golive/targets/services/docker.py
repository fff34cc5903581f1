"""Containers of a Docker engine by their names or by a label, however they were started."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from golive.environment.sections import ServicesSection
from golive.targets.hosts.facts import HostFacts
from golive.targets.services import Part, ServicesReading
from golive.targets.services.engine import (
    LABEL,
    Address,
    Engine,
    EventsBack,
    LeftOut,
    Replicas,
    asking,
    deployed,
    telling,
)
from golive.targets.services.engine.named import named


class Config(ServicesSection):
    """Containers by name; with `service_label`, `expected` are values of that label."""

    holds_containers: ClassVar[bool] = True

    label: str | None = Field(None, description="label (`key` or `key=value`) that every container of the set carries")
    service_label: Annotated[str, Field(pattern=LABEL)] | None = Field(
        None, description="label whose value names the service, where containers have names of their own"
    )
    leave_out: LeftOut = ()
    replicas: Replicas = {}
    engine: Address = None
    events_back: EventsBack = "24h"


def snippet(config: Config) -> str:
    """All containers of the set, what they use and their images."""
    return asking.snippet(_engine(config))


def parse(config: Config, said: str, facts: HostFacts) -> ServicesReading:
    """CouldNotLook when the engine does not answer; a container that is not there is a missing service."""
    return telling.reading(_engine(config), said, facts)


def identity_snippet(config: Config) -> str:
    """One line a container: the id of its image, and a digest of all that it was given, taken there."""
    return deployed.snippet(_engine(config))


def identity(config: Config, said: str, host: str) -> dict[Part, str]:
    """For each service its image ids, the digest of its configuration, and its containers' number."""
    return deployed.identity(_engine(config), said, host)


def _engine(config: Config) -> Engine:
    return named("docker", config, address=config.engine, events_back=config.events_back)
