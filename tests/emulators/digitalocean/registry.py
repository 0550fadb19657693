"""Registries: Docker Hub's and GitHub's by the registry API, DigitalOcean's by its own.

``emulator.registries`` has the address of each of the first two, as the
setting ``registry_mirrors`` takes them.
"""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from tests.emulators.digitalocean.errors import not_found
from tests.emulators.digitalocean.paging import page

if TYPE_CHECKING:
    from tests.emulators.digitalocean.calls import Call
    from tests.emulators.digitalocean.knobs import Knobs

PREFIX: Final = "/_registry/"
HOSTS: Final = {"DOCKER_HUB": "docker.io", "GHCR": "ghcr.io"}
_MANIFEST: Final = re.compile(r"/_registry/([^/]+)/v2/(.+)/manifests/([^/]+)")
_TOKEN: Final = re.compile(r"/_registry/([^/]+)/token")
_SCOPE: Final = re.compile(r"repository:(.+):pull")
_KIND: Final = "application/vnd.oci.image.index.v1+json"


def operation(path: str) -> str:
    """Its name, for faults and counters."""
    return "registry_token" if _TOKEN.fullmatch(path) else "manifest"


def serve(knobs: Knobs, request: web.BaseRequest, base: str) -> web.Response:
    """A token, or a manifest's digest."""
    if found := _TOKEN.fullmatch(request.path):
        return _token(knobs, request, found[1])
    if found := _MANIFEST.fullmatch(request.path):
        return _manifest(knobs, request, base, found)
    return web.json_response({"errors": [{"code": "NOT_FOUND"}]}, status=404)


def list_tags(call: Call) -> dict[str, Any]:
    """registry_tags: of one repository of DigitalOcean's registry."""
    knobs = call.account.knobs
    path = f"registry.digitalocean.com/{call.path['registry']}/{call.path['repository']}"
    path = path.replace("%2F", "/")
    named = {name.rpartition(":")[2]: one for name, one in knobs.digests.items() if _of(name, path)}
    if not named and not knobs.any_tag:
        not_found()
    named = named or {"latest": _made_up(f"{path}:latest")}
    rows = [{"tag": tag, "manifest_digest": digest} for tag, digest in sorted(named.items())]
    found, more = page(rows, call.query, call.url)
    return {"tags": found, **more}


def _token(knobs: Knobs, request: web.BaseRequest, host: str) -> web.Response:
    scope = _SCOPE.fullmatch(request.query.get("scope", ""))
    if scope is None:
        return web.json_response({"errors": [{"code": "UNSUPPORTED"}]}, status=400)
    path = f"{host}/{scope[1]}"
    given = request.headers.get("Authorization", "").removeprefix("Basic ")
    wanted = base64.b64encode(knobs.private_images.get(path, "").encode()).decode()
    if given != wanted and (given or path in knobs.private_images):
        return web.json_response({"errors": [{"code": "UNAUTHORIZED"}]}, status=401)
    return web.json_response({"token": _grant(path), "expires_in": 300})


def _manifest(
    knobs: Knobs, request: web.BaseRequest, base: str, asked: re.Match[str]
) -> web.Response:
    host, path, reference = asked.groups()
    name = f"{host}/{path}"
    if request.headers.get("Authorization") != f"Bearer {_grant(name)}":
        realm = f'realm="{base}{PREFIX}{host}/token"'
        challenge = f'Bearer {realm},service="{host}",scope="repository:{path}:pull"'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})
    digest = knobs.digests.get(f"{name}:{reference}", "")
    if not digest and knobs.any_tag and path not in knobs.missing_images:
        digest = _made_up(f"{name}:{reference}")
    if not digest:
        return web.json_response({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, status=404)
    return web.Response(
        body=b"{}", headers={"Docker-Content-Digest": digest, "Content-Type": _KIND}
    )


def _of(name: str, path: str) -> bool:
    return name.rpartition(":")[0] == path


def _grant(path: str) -> str:
    return hashlib.sha256(f"token of {path}".encode()).hexdigest()


def _made_up(name: str) -> str:
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"
