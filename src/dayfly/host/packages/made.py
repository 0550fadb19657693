"""What an index says of archives: an entry, and its downloads for each version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from dayfly.contract.errors import InvalidField
from dayfly.host.packages.entries import parse_entry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dayfly.host.packages.archives import Archive

#: What plugin.json and an entry spell alike.
_SAME: Final = (
    "name", "version", "author", "description", "license", "minEngineVersion", "keywords",
    "homepage", "repository", "category", "dependencies",
)  # fmt: skip


def version_of(archives: list[Archive], directory: Path, base_url: str) -> dict[str, Any]:
    """The archives of one version, one for each kind of machine.

    Raises:
        InvalidField: There are two for one.
    """
    first, base = archives[0], base_url.rstrip("/")
    kinds = {(archive.os, archive.arch) for archive in archives}
    if len(kinds) != len(archives):
        raise InvalidField(
            f"{first.path.name}: there are two archives of this version for one kind of machine",
            field="archive",
        )
    downloads = []
    for archive in sorted(archives, key=lambda a: (a.os, a.arch)):
        path = archive.path.relative_to(directory).as_posix()
        url = f"{base}/{quote(path)}" if base else path
        downloads.append(
            {"os": archive.os, "arch": archive.arch, "url": url, "sha256": archive.sha256}
        )
    return {"version": first.manifest["version"], "downloads": downloads}


def entry_of(first: Archive, downloads: list[dict[str, Any]]) -> dict[str, Any]:
    """A plugin's entry, by the plugin.json of one of its archives.

    Raises:
        InvalidField: Something in the plugin.json does not fit into an entry.
    """
    entry = _of_manifest(first.manifest) | {"downloads": downloads}
    try:
        parse_entry(entry)
    except InvalidField as error:
        raise InvalidField(
            f"{first.path.name}: {error.message}",
            field=error.field,
            advice="Correct the plugin's plugin.json, and pack it again.",
        ) from error
    return entry


def _of_manifest(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A plugin.json as an entry; the services have another name there."""
    entry = {key: manifest[key] for key in _SAME if key in manifest}
    said = manifest.get("capabilities")
    said = said if isinstance(said, dict) else {}
    capabilities = {key: said[key] for key in ("iacProvider", "moduleTypes") if key in said}
    ours = manifest.get("dayfly", {}).get("services", [])
    services = [*manifest.get("iacServices", []), *ours]
    entry |= {
        "type": "external",
        "tier": manifest.get("tier", "community"),
        "capabilities": capabilities | {"serviceMethods": services},
        "iacProvider": {"computePlanVersion": "v2"},
    }
    config = _named(manifest.get("required_config"), {})
    secrets = _named(manifest.get("required_secrets"), {"sensitive": True})
    return (
        entry
        | ({"required_config": config} if config else {})
        | ({"required_secrets": secrets} if secrets else {})
    )


def _named(listed: Any, more: Mapping[str, bool]) -> Any:
    """Names as the tables that an entry has of them; what is no list is for its check to name."""
    if not isinstance(listed, list):
        return listed
    return [{"name": item, **more} if isinstance(item, str) else item for item in listed]
