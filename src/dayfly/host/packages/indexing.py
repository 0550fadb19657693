"""An index made of archives: each plugin's newest version, checked as those who read it do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from dayfly.contract.errors import DayflyError, FailedPrecondition, InvalidField
from dayfly.host.packages.archives import SUFFIX, look_into
from dayfly.host.packages.entries import parse_entry
from dayfly.host.packages.https import require_https
from dayfly.host.packages.made import entry_of, version_of
from dayfly.host.packages.versions import FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from dayfly.host.packages.archives import Archive


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
        versions = [version_of(archives, directory, base_url) for archives in by_number]
        entries[name] = entry_of(by_number[0][0], versions[0]["downloads"])
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
