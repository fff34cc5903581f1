"""Where an environment looks, without a secret and without the ports of the embedded target."""

from golive.environment.params import Resolved
from golive.environment.places import places_of, told_as_written
from golive.environment.sections import EnvironmentSection


def resolved(text: str, source: str) -> Resolved:
    return Resolved(text, source)


def test_places_are_told_by_part() -> None:
    section = EnvironmentSection.model_validate(
        {
            "system": "shop",
            "criteria": ["c.yaml"],
            "hosts": {"app": {"connect": "ssh://ops@10.0.0.1"}},
            "endpoints": {"api": {"url": "http://127.0.0.1:8001"}},
            "databases": {"main": {"url": "postgresql://app@s3cret/shop"}},
        }
    )
    data = {
        "endpoints": {"api": {"url": resolved("http://127.0.0.1:8001", "${demo:api_url}")}},
        "databases": {"main": {"url": resolved("postgresql://app@s3cret/shop", "postgresql://app@${env:DB_KEY}/shop")}},
        "hosts": {"app": {"connect": resolved("ssh://ops@10.0.0.1", "ssh://ops@${env:APP}")}},
    }
    assert places_of(section, told_as_written(data, {"postgresql://app@s3cret/shop"})) == {
        "hosts.app connect": "ssh://ops@10.0.0.1",
        "endpoints.api url": "${demo:api_url}",
        "databases.main url": "postgresql://app@${env:DB_KEY}/shop",
    }
