"""An entry of an index: one plugin, one version, and where to download it."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from dayfly.contract.errors import FailedPrecondition, InvalidField, NotFound
from dayfly.host.packages.entry_form import ENTRY

_BOUNDS: Final = (("minVersion", ">="), ("maxVersion", "<="))
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")


class Download(NamedTuple):
    """An archive of a plugin for one kind of machine; ``sha256`` may be missing in an index."""

    os: str
    arch: str
    url: str
    sha256: str = ""


class Entry(NamedTuple):
    """What an index says of a plugin.

    Attributes:
        name: The plugin's.
        version: Of the one version that the index offers.
        description: One line for a person.
        kind: ``external`` can be installed; ``builtin`` and ``ui`` are for other hosts.
        downloads: One for each kind of machine.
        document: All that the index says, as it says it.
    """

    name: str
    version: str
    description: str
    kind: str
    downloads: tuple[Download, ...]
    document: dict[str, Any]


def parse_entry(document: object) -> Entry:
    """Check an entry, whole.

    Raises:
        InvalidField: A field is missing, wrong or not known; naming it.
    """
    ENTRY(document, "")
    assert isinstance(document, dict)  # noqa: S101 - checked in the line above
    return Entry(
        name=document["name"],
        version=document["version"],
        description=document["description"],
        kind=document["type"],
        downloads=tuple(Download(**download) for download in document.get("downloads", ())),
        document=document,
    )


def download_for(entry: Entry, system: str, machine: str) -> Download:
    """The archive for this kind of machine; one without a digest is never taken.

    Raises:
        FailedPrecondition: The plugin is not for this host, or its archive has no digest.
        NotFound: There is none for this kind of machine.
    """
    named = f"plugin {entry.name!r} {entry.version}"
    if entry.kind != "external":
        raise FailedPrecondition(
            f"{named} cannot be installed: its type is {entry.kind!r}, and only 'external' "
            "plugins run in a process of their own"
        )
    for download in entry.downloads:
        if (download.os, download.arch) == (system, machine):
            break
    else:
        there = ", ".join(f"{d.os}/{d.arch}" for d in entry.downloads) or "none"
        raise NotFound(
            f"{named} has no download for {system}/{machine}; there are: {there}",
            field="downloads",
        )
    if not download.sha256:
        raise FailedPrecondition(
            f"{named}: the index gives no sha256 for {download.url}, so that nobody could tell "
            "what arrives",
            advice="Ask whoever keeps the index to add it; `dayfly plugin index` does.",
        )
    if not _SHA256.fullmatch(download.sha256):
        raise InvalidField(
            f"{named}: sha256 is {download.sha256[:120]!r}; allowed: 64 hexadecimal digits",
            field="downloads.sha256",
        )
    return download._replace(sha256=download.sha256.lower())


def needs(entry: Entry) -> list[str]:
    """Other plugins that this one asks for, such as ``other >= 1.2.0``."""
    return [
        " ".join([item["name"]] + [f"{sign} {item[key]}" for key, sign in _BOUNDS if key in item])
        for item in entry.document.get("dependencies", ())
    ]
