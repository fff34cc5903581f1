"""What the words of the command line mean."""

from __future__ import annotations

import pytest

from golive.discovery.target import NotATarget, Target, parse


@pytest.mark.parametrize(
    ("words", "host", "target", "name", "told"),
    [
        (("local",), None, Target(connect="local://"), "local", "local"),
        (("ssh://deploy@shop-1.example.com:2222",), None, Target(connect="ssh://deploy@shop-1.example.com:2222"),
         "shop-1-example-com", "ssh://deploy@shop-1.example.com:2222"),
        (("docker://shop_api_1",), None, Target(connect="docker://shop_api_1"), "shop-api-1", "docker://shop_api_1"),
        (("docker",), None, Target(connect="local://", scope="containers"), "local", "docker"),
        (("docker",), "ssh://shop", Target(connect="ssh://shop", scope="containers"), "shop",
         "docker --host=ssh://shop"),
        (("compose", "/srv/shop/docker-compose.yml"), None,
         Target(connect="local://", scope="compose", path="/srv/shop/docker-compose.yml"), "shop",
         "compose /srv/shop/docker-compose.yml"),
        (("compose", "/srv/shop/"), "ssh://web", Target(connect="ssh://web", scope="compose", path="/srv/shop/"),
         "shop", "compose /srv/shop/ --host=ssh://web"),
    ],
)  # fmt: skip
def test_targets(words: tuple[str, ...], host: str | None, target: Target, name: str, told: str) -> None:
    found = parse(*words, host=host)
    assert (found, found.name, found.told) == (target, name, told)


@pytest.mark.parametrize(
    ("words", "host", "says"),
    [
        (("shop",), None, "'shop' is no target: give local, ssh://user@host, docker, docker://NAME or compose FILE"),
        (("shh://x",), None, "unknown scheme 'shh'. Did you mean 'ssh'?"),
        (("ssh://ann:hunter2@shop",), None, "no password in a connection"),
        (("ssh://",), None, "whom to reach is missing"),
        (("ssh://-oProxyCommand=x",), None, "a name does not begin with '-'"),
        (("compose",), None, "compose: which project?"),
        (("local", "x"), None, "local: only compose takes a file behind it"),
        (("ssh://shop",), "ssh://other", "--host goes with docker and compose only"),
        (("docker",), "nowhere", "'nowhere' is no target"),
    ],
)
def test_other_words_are_refused(words: tuple[str, ...], host: str | None, says: str) -> None:
    with pytest.raises(NotATarget) as refused:
        parse(*words, host=host)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert "hunter2" not in str(refused.value)
