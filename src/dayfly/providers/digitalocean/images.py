"""An image reference, as App Platform takes it: a known registry, a repository, a digest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from dayfly.contract.errors import InvalidField

_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_PART: Final = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*")
_HUB: Final = ("docker.io", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com")
_DOCR: Final = "registry.digitalocean.com"
_GHCR: Final = "ghcr.io"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A reference, taken apart.

    Attributes:
        kind: DOCKER_HUB, GHCR or DOCR.
        registry: The first part of the path: Docker Hub's or GitHub's owner, or the name of
            a registry at DigitalOcean.
        repository: The rest of the path.
        tag: Empty where there is a digest.
        digest: Empty where there is a tag.
    """

    kind: str
    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def path(self) -> str:
        """Owner and repository, as a registry's own API has them."""
        return f"{self.registry}/{self.repository}"

    def source(self) -> dict[str, Any]:
        """``image`` of a component's spec.

        The definition says that ``registry`` is left empty for DOCR, where a team had one
        registry.
        """
        found = {"registry_type": self.kind, "registry": self.registry}
        if self.kind == "DOCR":
            del found["registry"]
        version = {"digest": self.digest} if self.digest else {"tag": self.tag}
        return {**found, "repository": self.repository, **version}


def parse_image(reference: str) -> Image:
    """A reference such as ``ghcr.io/owner/tool:1.2`` or one with ``@sha256:...``.

    Raises:
        InvalidField: It is none, or of a registry that App Platform does not pull from.
    """
    if not reference:
        raise InvalidField("image is empty; a job needs one", field="image", advice="Give --image.")
    rest, _, digest = reference.partition("@")
    if "@" in reference and not _DIGEST.fullmatch(digest):
        raise _refused(reference, "a digest is sha256: and 64 hex digits")
    head, slash, last = rest.rpartition("/")
    name, colon, tag = last.partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise _refused(reference, "a tag is 1 to 128 letters, digits, '_', '.' or '-'")
    host, parts = _host(f"{head}{slash}{name}")
    kind = _kind(host, reference)
    if kind == "DOCKER_HUB" and len(parts) == 1:
        parts = ["library", *parts]
    if len(parts) < 2 or not all(map(_PART.fullmatch, parts)):
        raise _refused(reference, "a path of two parts or more, in lower case")
    # A digest says more than the tag beside it, and App Platform takes one of them.
    return Image(
        kind=kind,
        registry=parts[0],
        repository="/".join(parts[1:]),
        tag="" if digest else tag or "latest",
        digest=digest,
    )


def _host(path: str) -> tuple[str, list[str]]:
    parts = path.split("/")
    if len(parts) > 1 and ("." in parts[0] or ":" in parts[0] or parts[0] == "localhost"):
        return parts[0], parts[1:]
    return _HUB[0], parts


def _kind(host: str, reference: str) -> str:
    if host in _HUB:
        return "DOCKER_HUB"
    if host in {_GHCR, _DOCR}:
        return "GHCR" if host == _GHCR else "DOCR"
    raise InvalidField(
        f"image {reference!r} is of the registry {host}; App Platform pulls from docker.io, "
        f"{_GHCR} and {_DOCR} only",
        field="image",
        advice="Push the image to one of them.",
    )


def _refused(reference: str, allowed: str) -> InvalidField:
    return InvalidField(f"image is {reference!r}; allowed: {allowed}", field="image")
