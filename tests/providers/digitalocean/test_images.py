"""Image references, and what App Platform is told of them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.providers.digitalocean.samples import DIGEST, job

from dayfly.contract.errors import InvalidField
from dayfly.providers.digitalocean.component import check, notes
from dayfly.providers.digitalocean.config import Config
from dayfly.providers.digitalocean.images import parse_image


def hub(registry: str, repository: str, **version: str) -> dict[str, Any]:
    return {
        "registry_type": "DOCKER_HUB",
        "registry": registry,
        "repository": repository,
        **version,
    }


GHCR = {"registry_type": "GHCR", "registry": "owner", "repository": "tool"}


@pytest.mark.parametrize(
    ("reference", "source"),
    [
        ("busybox", hub("library", "busybox", tag="latest")),
        ("busybox:1.36", hub("library", "busybox", tag="1.36")),
        ("owner/tool:v1", hub("owner", "tool", tag="v1")),
        ("docker.io/owner/tool", hub("owner", "tool", tag="latest")),
        ("docker.io/busybox", hub("library", "busybox", tag="latest")),
        ("index.docker.io/owner/tool:1", hub("owner", "tool", tag="1")),
        (f"owner/tool@{DIGEST}", hub("owner", "tool", digest=DIGEST)),
        # App Platform takes a tag or a digest; the digest says more.
        (f"owner/tool:1@{DIGEST}", hub("owner", "tool", digest=DIGEST)),
        ("ghcr.io/owner/tool:1", GHCR | {"tag": "1"}),
        (f"ghcr.io/owner/tool@{DIGEST}", GHCR | {"digest": DIGEST}),
        ("ghcr.io/owner/a/b:1", GHCR | {"repository": "a/b", "tag": "1"}),
        (
            "registry.digitalocean.com/mine/tool:1",
            {"registry_type": "DOCR", "repository": "tool", "tag": "1"},
        ),
    ],
)
def test_a_reference(reference: str, source: dict[str, str]) -> None:
    assert parse_image(reference).source() == source


def test_a_tag_beside_a_digest_says_nothing() -> None:
    assert parse_image(f"owner/tool:1@{DIGEST}") == parse_image(f"owner/tool@{DIGEST}")


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("", "needs one"),
        ("quay.io/owner/tool", "quay.io"),
        ("localhost:5000/tool", "localhost:5000"),
        ("localhost/tool", "localhost"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/tool", "amazonaws.com"),
        ("ghcr.io/tool", "two parts"),
        ("registry.digitalocean.com/mine", "two parts"),
        ("Owner/Tool", "lower case"),
        ("owner//tool", "two parts"),
        ("owner/tool:", "a tag is"),
        ("owner/tool:a b", "a tag is"),
        ("owner/tool:" + "a" * 129, "a tag is"),
        ("owner/tool@sha256:abc", "a digest is"),
        ("owner/tool@", "a digest is"),
        (f"owner/tool@{DIGEST}0", "a digest is"),
        (f"owner/tool@{DIGEST.upper()}", "a digest is"),
    ],
)
def test_no_reference(reference: str, said: str) -> None:
    with pytest.raises(InvalidField) as caught:
        parse_image(reference)
    assert caught.value.field == "image"
    assert said in caught.value.message


def test_tags_are_refused_where_the_configuration_says_so() -> None:
    config = Config(tags="refuse")
    with pytest.raises(InvalidField) as caught:
        check(job(image="owner/tool:1"), config)
    assert caught.value.field == "image"
    assert "@sha256" in caught.value.advice
    assert check(job(image=f"owner/tool@{DIGEST}"), config).digest == DIGEST


def test_what_is_said_of_a_tag() -> None:
    spec = job(image="owner/tool:1")
    named = check(spec, Config())
    sent = parse_image(f"owner/tool@{DIGEST}")
    assert notes(spec, Config(), named, sent) == (f"owner/tool:1 is {DIGEST} now.",)
    assert notes(spec, Config(tags="allow"), named, named) == (
        "owner/tool:1 is pulled by its tag, whatever it names then.",
    )
    assert notes(spec, Config(), sent, sent) == ()
