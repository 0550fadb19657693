"""An index made of archives: each plugin's newest version, checked as those who read it do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from dayfly.contract.errors import DayflyError, FailedPrecondition, InvalidField
from dayfly.host.packages.archives import SUFFIX, Archive, look_into
from dayfly.host.packages.entries import parse_entry
from dayfly.host.packages.https import require_https
from dayfly.host.packages.versions import FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

#: What plugin.json and an entry spell alike.
_SAME: Final = (
    "name", "version", "author", "description", "license", "minEngineVersion", "keywords",
    "homepage", "repository", "category", "dependencies",
)  # fmt: skip


class Built(NamedTuple):
    """What came of it.

    Attributes:
        entries: Every entry of the index, by name.
        older: Archives of versions that are not the newest: an entry has room for one.
    """

    entries: dict[str, dict[str, Any]]
    older: tuple[Path, ...]


def build_index(directory: Path, base_url: str = "") -> Built:
    """Write ``plugins/<name>/manifest.json`` for all archives, and ``index.json`` of all.

    ``versions.json`` beside each of them has every version that there is an archive of.

    Args:
        directory: The index's; archives are anywhere in it. Entries that have no archive
            there are checked and kept.
        base_url: Where the directory will be on the web; empty leaves downloads relative to
            the index, which dayfly reads and other hosts do not.

    Raises:
        InvalidField: An archive or an entry is wrong; naming it. Nothing was written.
        FailedPrecondition: ``base_url`` is not https, or the directory cannot be written.
    """
    if base_url:
        require_https(base_url)
    archives = [look_into(path) for path in sorted(directory.rglob(f"*{SUFFIX}"))]
    newest: dict[str, list[Archive]] = {}
    for archive in archives:
        newest.setdefault(archive.manifest["name"], []).append(archive)
    older: list[Path] = []
    entries = kept_entries(directory, newest.keys())
    listed: dict[str, dict[str, Any]] = {}
    for name, mine in newest.items():
        numbers = sorted({archive.version for archive in mine}, reverse=True)
        older += [archive.path for archive in mine if archive.version != numbers[0]]
        by_number = [[a for a in mine if a.version == number] for number in numbers]
        versions = [_version(archives, directory, base_url) for archives in by_number]
        entries[name] = _entry(by_number[0][0], versions[0]["downloads"])
        listed[name] = {"name": name, "versions": versions}
    _write(directory, entries, listed)
    return Built(dict(sorted(entries.items())), tuple(older))


def kept_entries(directory: Path, replaced: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Entries that are there, checked, but for those that are made anew.

    Raises:
        InvalidField: One is wrong, or in a folder of another name.
    """
    found = {}
    for path in sorted((directory / "plugins").glob("*/manifest.json")):
        if path.parent.name in set(replaced):
            continue
        try:
            entry = parse_entry(json.loads(path.read_bytes()))
        except ValueError as error:
            raise InvalidField(f"{path}: is not JSON: {error}", field="index") from error
        except DayflyError as error:
            raise InvalidField(f"{path}: {error.message}", field=error.field) from error
        if entry.name != path.parent.name:
            raise InvalidField(
                f"{path}: name is {entry.name!r}; allowed here: {path.parent.name!r}",
                field="name",
            )
        found[entry.name] = entry.document
    return found


def _version(archives: list[Archive], directory: Path, base_url: str) -> dict[str, Any]:
    """The archives of one version, one for each kind of machine."""
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


def _entry(first: Archive, downloads: list[dict[str, Any]]) -> dict[str, Any]:
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
    capabilities = {
        key: manifest.get("capabilities", {})[key]
        for key in ("iacProvider", "moduleTypes")
        if key in manifest.get("capabilities", {})
    }
    ours = manifest.get("dayfly", {}).get("services", [])
    services = [*manifest.get("iacServices", []), *ours]
    entry |= {
        "type": "external",
        "tier": manifest.get("tier", "community"),
        "capabilities": capabilities | {"serviceMethods": services},
        "iacProvider": {"computePlanVersion": "v2"},
    }
    config = [
        {"name": item} if isinstance(item, str) else item
        for item in manifest.get("required_config", [])
    ]
    secrets = [
        {"name": item, "sensitive": True} if isinstance(item, str) else item
        for item in manifest.get("required_secrets", [])
    ]
    return (
        entry
        | ({"required_config": config} if config else {})
        | ({"required_secrets": secrets} if secrets else {})
    )


def _write(
    directory: Path,
    entries: Mapping[str, Mapping[str, Any]],
    listed: Mapping[str, Mapping[str, Any]],
) -> None:
    try:
        for name, versions in listed.items():
            place = directory / "plugins" / name
            place.mkdir(parents=True, exist_ok=True)
            _replace(place / FILE, versions)
            _replace(place / "manifest.json", entries[name])
        _replace(directory / "index.json", [entries[name] for name in sorted(entries)])
    except OSError as error:
        raise FailedPrecondition(f"{directory} cannot be written: {error}") from error


def _replace(path: Path, document: object) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(f"{json.dumps(document, indent=2)}\n", encoding="utf-8")
    new.replace(path)
