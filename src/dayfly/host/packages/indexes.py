"""An index of plugins: a directory, a file, or either of them on the web.

A directory holds ``plugins/<name>/manifest.json``, and ``index.json`` with all of them in
one list, because the web has no way to list a directory. A file holds such a list, or one
entry. Where there is ``plugins/<name>/versions.json``, other versions are in it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dayfly.contract.errors import DayflyError, InvalidField, NotFound
from dayfly.host.packages.entries import Entry, parse_entry
from dayfly.host.packages.listed import Listed, parse_listed
from dayfly.host.packages.naming import check_name
from dayfly.host.packages.source import Source
from dayfly.host.packages.versions import FILE, of_version

if TYPE_CHECKING:
    from collections.abc import Iterator


class Index:
    """Where plugins are found.

    Attributes:
        source: Its files.
    """

    def __init__(self, location: str) -> None:
        """Nothing is read yet.

        Args:
            location: A path, or an https URL.

        Raises:
            FailedPrecondition: It is a URL that is not https.
            InvalidField: It is empty.
        """
        self.source = Source(location)

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

    def entry(self, name: str, version: str = "") -> Entry:
        """All that there is about one plugin.

        Args:
            name: The plugin's.
            version: ``X.Y.Z``; empty for the one that the index offers.

        Raises:
            InvalidField: The name, or the entry, is wrong.
            NotFound: It is not in this index, or not in this version.
            DayflyError: The index cannot be read.
        """
        where, document = self._find(check_name(name))
        try:
            entry = parse_entry(document)
        except InvalidField as error:
            raise InvalidField(f"{where}: {error.message}", field=error.field) from error
        if entry.name != name and entry.kind == "external":
            raise InvalidField(
                f"{where}: name is {entry.name!r}; allowed here: {name!r}", field="name"
            )
        # Plugins that are built into other hosts may be called otherwise in their folder.
        return self._in_version(entry._replace(name=name), version or entry.version)

    def _in_version(self, entry: Entry, version: str) -> Entry:
        offered = version == entry.version
        if offered and all(download.sha256 for download in entry.downloads):
            return entry
        where = f"{self.source.base}/plugins/{entry.name}/{FILE}"
        try:
            return of_version(entry, version, self.source.json(where))
        except NotFound as error:
            if offered:
                return entry
            if error.field == "version":
                raise
            raise NotFound(
                f"{self.source.location} has plugin {entry.name!r} in version {entry.version} "
                f"alone: {error.message}",
                field="version",
            ) from error
        except InvalidField as error:
            raise InvalidField(f"{where}: {error.message}", field=error.field) from error

    def _find(self, name: str) -> tuple[str, Any]:
        where = f"{self.source.base}/plugins/{name}/manifest.json"
        if self.source.one_file:
            return self._find_in_list(name, where)
        try:
            return where, self.source.json(where)
        except NotFound as error:
            raise NotFound(
                f"there is no plugin {name!r} in {self.source.location}: {error.message}",
                field="plugin",
                advice="dayfly plugin search lists those that there are.",
            ) from error

    def _find_in_list(self, name: str, entry: str) -> tuple[str, Any]:
        for where, document in self._documents():
            if not isinstance(document, dict) or document.get("name") != name:
                continue
            if "downloads" not in document:
                # A list may say less than an entry, which then is beside it.
                try:
                    return entry, self.source.json(entry)
                except NotFound:
                    pass
            return where, document
        raise NotFound(f"there is no plugin {name!r} in {self.source.location}", field="plugin")

    def _documents(self) -> Iterator[tuple[str, Any]]:
        source = self.source
        if not source.one_file and not source.web:
            yield from self._files(Path(source.base, "plugins"))
            return
        where = source.location if source.one_file else f"{source.base}/index.json"
        whole = source.json(where)
        items = whole if isinstance(whole, list) else [whole]
        yield from ((f"{where}[{number}]", item) for number, item in enumerate(items))

    def _files(self, plugins: Path) -> Iterator[tuple[str, Any]]:
        """Each entry; of one that cannot be read, what is wrong with it."""
        if not plugins.is_dir():
            raise NotFound(
                f"{self.source.location} is no index: there is no directory {plugins}",
                field="index",
            )
        for path in sorted(plugins.glob("*/manifest.json")):
            try:
                document = self.source.json(str(path))
            except DayflyError as error:
                yield str(path), error
                continue
            if isinstance(document, dict) and document.get("type") != "external":
                document = {**document, "name": path.parent.name}
            yield str(path), document
