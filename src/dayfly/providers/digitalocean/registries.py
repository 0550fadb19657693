"""From a tag to the digest that it names now, asked of the registry itself."""

from __future__ import annotations

import asyncio
import base64
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import (
    DayflyError,
    InvalidField,
    NotFound,
    Throttled,
    Unauthenticated,
    Unavailable,
)
from dayfly.contract.jobs import Reason
from dayfly.providers.digitalocean.errors import retry_after
from dayfly.providers.digitalocean.way import from_transport, shown
from dayfly.sdk.redaction import hide

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from dayfly.providers.digitalocean.client import AppPlatform
    from dayfly.providers.digitalocean.images import Image

#: Where the registry API of each kind is. Source: distribution specification, and each
#: registry's own documentation.
_HOSTS: Final = {"DOCKER_HUB": "https://registry-1.docker.io", "GHCR": "https://ghcr.io"}
_KINDS: Final = {"docker.io": "DOCKER_HUB", "ghcr.io": "GHCR"}
_ACCEPT: Final = (
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.v2+json"
)
#: Tags are looked for on so many pages of 200.
_PAGES: Final = 50
_ASK_SECONDS: Final = 60.0
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


class Registries:
    """Asks registries, with credentials where the configuration has some."""

    def __init__(self, api: AppPlatform, mirrors: Mapping[str, str]) -> None:
        self._api = api
        self._hosts = _HOSTS | {_KINDS[host]: address for host, address in mirrors.items()}

    async def resolve(self, image: Image, credentials: str) -> Image:
        """The image with its digest in place of its tag.

        Args:
            image: As it was named.
            credentials: ``USER:PASSWORD`` of its registry; empty where there are none.

        Raises:
            NotFound: The registry has no such tag; ``reason`` is IMAGE_UNAVAILABLE.
            Unauthenticated: It is private, and the credentials are missing or wrong.
            Unavailable: The registry cannot be reached.
        """
        if image.digest:
            return image
        if image.kind == "DOCR":
            digest = await self._at_digitalocean(image)
        else:
            digest = await self._at_registry(image, credentials)
        if not _DIGEST.fullmatch(digest):
            raise _unavailable(NotFound, image, f"it gave {digest[:80]!r} for a digest")
        return replace(image, tag="", digest=digest)

    async def _at_digitalocean(self, image: Image) -> str:
        repository = image.repository.replace("/", "%2F")
        path = f"/v2/registry/{image.registry}/repositories/{repository}/tags"
        tried = f"resolving the tag {image.tag} of {image.path}"
        for page in range(1, _PAGES + 1):
            answer = await self._api.request(
                "GET", path, query={"page": page, "per_page": 200}, tried=tried
            )
            rows = answer.get("tags") or []
            for row in rows:
                if row.get("tag") == image.tag:
                    return str(row.get("manifest_digest", ""))
            if len(rows) < 200:
                raise _unavailable(NotFound, image, "the registry has no such tag")
        raise _unavailable(NotFound, image, f"it is not among the first {_PAGES * 200} tags")

    async def _at_registry(self, image: Image, credentials: str) -> str:
        url = f"{self._hosts[image.kind]}/v2/{image.path}/manifests/{image.tag}"
        headers = {"Accept": _ACCEPT}
        answer = await self._ask("HEAD", url, image, headers=headers)
        if answer.status_code == 401:
            challenge = answer.headers.get("www-authenticate", "")
            token = await self._token(challenge, image, credentials)
            headers["Authorization"] = f"Bearer {token}"
            answer = await self._ask("HEAD", url, image, headers=headers)
        _check(answer, image, private=not credentials)
        return str(answer.headers.get("docker-content-digest", ""))

    async def _token(self, challenge: str, image: Image, credentials: str) -> str:
        parts = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        realm = parts.pop("realm", "")
        if not challenge.lower().startswith("bearer ") or not realm.startswith("https://"):
            raise _unavailable(Unauthenticated, image, "it asks for credentials in another way")
        query = {"service": parts.get("service", ""), "scope": f"repository:{image.path}:pull"}
        headers = {}
        if credentials:
            coded = base64.b64encode(credentials.encode()).decode()
            hide(coded)
            headers["Authorization"] = f"Basic {coded}"
        answer = await self._ask("GET", realm, image, headers=headers, query=query)
        _check(answer, image, private=not credentials)
        try:
            document = answer.json()
            token = str(document.get("token") or document["access_token"])
        except (ValueError, KeyError, AttributeError):
            raise _unavailable(Unavailable, image, "it gave no token") from None
        hide(token)
        return token

    async def _ask(
        self,
        method: str,
        url: str,
        image: Image,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        import httpx  # noqa: PLC0415 - 100 ms, after the handshake

        try:
            async with asyncio.timeout(_ASK_SECONDS):
                return await self._api.http.request(
                    method, url, headers=dict(headers), params=query
                )
        except (httpx.HTTPError, OSError) as error:
            tried = f"resolving the tag {image.tag} of {image.path}"
            raise from_transport(error, shown(url), tried) from None


def _check(answer: httpx.Response, image: Image, *, private: bool) -> None:
    status = answer.status_code
    if answer.is_success:
        return
    if status in {401, 403}:
        more = "; none are configured for it" if private else ""
        raise _unavailable(Unauthenticated, image, f"it refuses the credentials ({status}){more}")
    if status == 404:
        raise _unavailable(NotFound, image, "it has no such tag")
    if status == 429:
        error = _unavailable(Throttled, image, "too many requests")
        error.retry_after_seconds = retry_after(answer.headers)
        raise error
    kind = Unavailable if status >= 500 else InvalidField
    raise _unavailable(kind, image, f"it answered {status}")


def _unavailable(kind: type[DayflyError], image: Image, why: str) -> DayflyError:
    return kind(
        f"the image {_host(image)}{image.path}:{image.tag} could not be resolved to its digest "
        f"by its registry: {why}",
        field="image",
        reason=Reason.IMAGE_UNAVAILABLE,
        advice="See that the name and the tag are right, and for a private image "
        "registry_credentials; or name the image by its digest.",
    )


def _host(image: Image) -> str:
    return {"DOCKER_HUB": "docker.io/", "GHCR": "ghcr.io/"}.get(
        image.kind, "registry.digitalocean.com/"
    )
