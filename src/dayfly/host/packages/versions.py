"""Other versions of a plugin: ``plugins/<name>/versions.json``, beside the entry.

An entry has room for one version; the published workflow-registry lists all of them there,
with the digests that its entries may lack.
"""

from __future__ import annotations

from typing import Any, Final

from dayfly.contract.errors import InvalidField, NotFound
from dayfly.host.packages.entries import Download, Entry
from dayfly.host.packages.entry_form import DOWNLOADS

FILE: Final = "versions.json"


def of_version(entry: Entry, version: str, document: object) -> Entry:
    """A plugin's entry as it is for one of its versions.

    Args:
        entry: Of the version that the index offers.
        version: Which one is wanted, ``X.Y.Z``.
        document: What ``versions.json`` holds.

    Raises:
        NotFound: There is none of this version; the message lists those that there are.
        InvalidField: A field is wrong; naming it.
    """
    known = all_versions(entry, document)
    for one in known:
        if one.version == version:
            return one
    there = ", ".join(dict.fromkeys([entry.version, *(one.version for one in known)]))
    raise NotFound(
        f"there is no version {version} of plugin {entry.name!r}; there are: {there}",
        field="version",
    )


def all_versions(entry: Entry, document: object) -> list[Entry]:
    """A plugin's entry as it is for each version, in the document's order.

    Raises:
        InvalidField: A field is wrong; naming it.
    """
    listed = document.get("versions") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise InvalidField("versions is missing; allowed: a list", field="versions")
    return [_one(entry, item, f"versions[{number}]") for number, item in enumerate(listed)]


def _one(entry: Entry, item: Any, where: str) -> Entry:
    version = item.get("version") if isinstance(item, dict) else None
    if not isinstance(version, str):
        raise InvalidField(f"{where}.version is missing; allowed: text", field=f"{where}.version")
    downloads = item.get("downloads", [])
    DOWNLOADS(downloads, f"{where}.downloads")
    return entry._replace(
        version=version,
        downloads=tuple(Download(**download) for download in downloads),
        document={**entry.document, "version": version, "downloads": downloads},
    )
