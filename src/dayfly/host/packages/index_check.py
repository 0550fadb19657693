"""Does an index hold what it says? Its entries, its list, and the archives that are in it."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from dayfly.contract.errors import DayflyError, InvalidField
from dayfly.host.packages.archives import look_into
from dayfly.host.packages.entries import parse_entry
from dayfly.host.packages.indexing import kept_entries
from dayfly.host.packages.versions import FILE, all_versions

if TYPE_CHECKING:
    from pathlib import Path

    from dayfly.host.packages.entries import Download


def faults_of(directory: Path) -> list[str]:
    """Everything that is wrong with the index in a directory, a sentence each."""
    try:
        entries = kept_entries(directory, ())
    except InvalidField as error:
        return [error.message]
    faults = []
    try:
        listed = json.loads((directory / "index.json").read_bytes())
    except (OSError, ValueError) as error:
        listed = None
        faults.append(f"{directory / 'index.json'}: {error}")
    if listed is not None and listed != [entries[name] for name in sorted(entries)]:
        faults.append(f"{directory / 'index.json'}: is not the list of plugins/*/manifest.json")
    for name, document in entries.items():
        entry = parse_entry(document)
        faults += _download_faults(directory, name, entry.downloads)
        path = directory / "plugins" / name / FILE
        if not path.exists():
            continue
        try:
            others = all_versions(entry, json.loads(path.read_bytes()))
        except (OSError, ValueError, InvalidField) as error:
            faults.append(f"{path}: {error}")
            continue
        for other in others:
            if other.downloads != entry.downloads:
                faults += _download_faults(directory, f"{name}@{other.version}", other.downloads)
    return faults


def _download_faults(directory: Path, of: str, downloads: tuple[Download, ...]) -> list[str]:
    faults = []
    for number, download in enumerate(downloads):
        where = f"{of}: downloads[{number}]"
        if not download.sha256:
            faults.append(f"{where} has no sha256, so that nobody can install it")
        elif download.url.startswith("http:"):
            faults.append(f"{where} is http, and nobody reads it: {download.url}")
        elif "://" not in download.url:
            faults += _archive_faults(directory / download.url, download.sha256, where)
    return faults


def _archive_faults(path: Path, sha256: str, where: str) -> list[str]:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return [f"{where}: {path}: {error.strerror}"]
    if digest != sha256.lower():
        return [f"{where}: {path} has the sha256 {digest}; by its entry: {sha256}"]
    try:
        look_into(path)
    except DayflyError as error:
        return [f"{where}: {error.message}"]
    return []
