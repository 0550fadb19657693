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
    listed = _listed(document)
    for number, item in enumerate(listed):
        if item["version"] != version:
            continue
        downloads = item.get("downloads", [])
        DOWNLOADS(downloads, f"versions[{number}].downloads")
        return entry._replace(
            version=version,
            downloads=tuple(Download(**download) for download in downloads),
            document={**entry.document, "version": version, "downloads": downloads},
        )
    there = ", ".join(dict.fromkeys([entry.version, *(item["version"] for item in listed)]))
    raise NotFound(
        f"there is no version {version} of plugin {entry.name!r}; there are: {there}",
        field="version",
    )


def _listed(document: object) -> list[dict[str, Any]]:
    listed = document.get("versions") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise InvalidField("versions is missing; allowed: a list", field="versions")
    for number, item in enumerate(listed):
        if not isinstance(item, dict) or not isinstance(item.get("version"), str):
            where = f"versions[{number}].version"
            raise InvalidField(f"{where} is missing; allowed: text", field=where)
    return listed
