"""An index of plugins: a directory, a file, or either of them on the web.

A directory holds ``plugins/<name>/manifest.json``, and ``index.json`` with all of them in
one list, because the web has no way to list a directory. A file holds such a list, or one
entry.
"""

from __future__ import annotations

import io
import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import (
    DayflyError,
    FailedPrecondition,
    InvalidField,
    NotFound,
)
from dayfly.host.packages import https
from dayfly.host.packages.entries import Entry, parse_entry
from dayfly.host.packages.files import copy_file
from dayfly.host.packages.listed import Listed, parse_listed
from dayfly.host.packages.naming import check_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from dayfly.host.packages.entries import Download

MAX_INDEX_BYTES: Final = 16 * 1024 * 1024
MAX_ARCHIVE_BYTES: Final = 256 * 1024 * 1024
INDEX_SECONDS: Final = 60.0
ARCHIVE_SECONDS: Final = 600.0


class Index:
    """Where plugins are found.

    Attributes:
        location: A path, or an https URL, as it was given.
    """

    def __init__(self, location: str) -> None:
        """Nothing is read yet.

        Raises:
            FailedPrecondition: It is a URL that is not https.
            InvalidField: It is empty.
        """
        if not location.strip():
            raise InvalidField(
                "there is no index to look into",
                field="index",
                advice="Name a directory, a file or an https URL with --index, or set "
                "DAYFLY_PLUGIN_INDEX.",
            )
        self.location = location
        self._web = "://" in location
        if self._web:
            https.require_https(location)
        self._one_file = location.endswith(".json")
        # What is relative in an index is so to the directory that it is in.
        base = location.rpartition("/")[0] if self._one_file else location.rstrip("/")
        self._base = base or ("/" if location.startswith("/") else ".")

    def listed(self) -> tuple[list[Listed], list[DayflyError]]:
        """All plugins, by name, and what is wrong with the others.

        Raises:
            DayflyError: The index cannot be read at all.
        """
        found: dict[str, Listed] = {}
        broken: list[DayflyError] = []
        for where, document in self._documents():
            if isinstance(document, DayflyError):
                broken.append(document)
                continue
            try:
                item = parse_listed(document)
            except InvalidField as error:
                broken.append(InvalidField(f"{where}: {error.message}", field=error.field))
            else:
                found.setdefault(item.name, item)
        return [found[name] for name in sorted(found)], broken

    def entry(self, name: str) -> Entry:
        """All that there is about one plugin.

        Raises:
            InvalidField: The name, or the entry, is wrong.
            NotFound: It is not in this index.
            DayflyError: The index cannot be read.
        """
        where, document = self._find(check_name(name))
        try:
            entry = parse_entry(document)
        except InvalidField as error:
            raise InvalidField(f"{where}: {error.message}", field=error.field) from error
        if entry.name != name:
            raise InvalidField(
                f"{where}: name is {entry.name!r}; allowed here: {name!r}", field="name"
            )
        return entry

    def copy(self, download: Download, into: BinaryIO) -> str:
        """Copy an archive into a file; whether it is the right one is for the caller to see.

        Returns:
            Where it came from.

        Raises:
            FailedPrecondition: It is not https, or too large.
            DayflyError: It could not be read.
        """
        url = download.url
        if "://" not in url:
            url = f"{self._base}/{_relative(url)}"
        if "://" in url:
            https.copy(url, into, max_bytes=MAX_ARCHIVE_BYTES, seconds=ARCHIVE_SECONDS)
            return url
        copy_file(Path(url), into, MAX_ARCHIVE_BYTES)
        return str(Path(url).absolute())

    def _find(self, name: str) -> tuple[str, Any]:
        if self._one_file:
            for where, document in self._documents():
                if isinstance(document, dict) and document.get("name") == name:
                    return where, document
            raise NotFound(f"there is no plugin {name!r} in {self.location}", field="plugin")
        where = f"{self._base}/plugins/{name}/manifest.json"
        try:
            return where, self._json(where)
        except NotFound as error:
            raise NotFound(
                f"there is no plugin {name!r} in {self.location}: {error.message}",
                field="plugin",
                advice="dayfly plugin search lists those that there are.",
            ) from error

    def _documents(self) -> Iterator[tuple[str, Any]]:
        if not self._one_file and not self._web:
            yield from self._files(Path(self._base, "plugins"))
            return
        where = self.location if self._one_file else f"{self._base}/index.json"
        whole = self._json(where)
        items = whole if isinstance(whole, list) else [whole]
        yield from ((f"{where}[{number}]", item) for number, item in enumerate(items))

    def _files(self, plugins: Path) -> Iterator[tuple[str, Any]]:
        """Each entry; of one that cannot be read, what is wrong with it."""
        if not plugins.is_dir():
            raise NotFound(
                f"{self.location} is no index: there is no directory {plugins}", field="index"
            )
        for path in sorted(plugins.glob("*/manifest.json")):
            try:
                yield str(path), self._json(str(path))
            except DayflyError as error:
                yield str(path), error

    def _json(self, where: str) -> Any:
        raw = io.BytesIO()
        if self._web:
            https.copy(where, raw, max_bytes=MAX_INDEX_BYTES, seconds=INDEX_SECONDS)
        else:
            copy_file(Path(where), raw, MAX_INDEX_BYTES)
        try:
            return json.loads(raw.getvalue())
        except (ValueError, RecursionError) as error:
            raise InvalidField(f"{where}: is not JSON: {error}", field="index") from error


def _relative(url: str) -> str:
    path = PurePosixPath(url)
    if path.is_absolute() or ".." in path.parts or ":" in url or not path.parts:
        raise FailedPrecondition(
            f"the index gives {url[:200]!r} as a download; allowed: an https URL, or a path "
            "within the index"
        )
    return str(path)
