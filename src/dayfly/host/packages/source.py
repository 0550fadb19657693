"""Where an index is, and the reading of what it holds: bounded, and from https or the disk."""

from __future__ import annotations

import io
import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from dayfly.contract.errors import FailedPrecondition, InvalidField
from dayfly.host.packages import https
from dayfly.host.packages.files import copy_file

if TYPE_CHECKING:
    from typing import BinaryIO

    from dayfly.host.packages.entries import Download

MAX_INDEX_BYTES: Final = 16 * 1024 * 1024
MAX_ARCHIVE_BYTES: Final = 256 * 1024 * 1024
INDEX_SECONDS: Final = 60.0
ARCHIVE_SECONDS: Final = 600.0


class Source:
    """A place of files.

    Attributes:
        location: A path, or an https URL, as it was given.
        web: It is a URL.
        one_file: It is a file, and not a directory.
        base: The directory, or the one that the file is in; what is relative is so to it.
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
        self.web = "://" in location
        if self.web:
            https.require_https(location)
        self.one_file = location.endswith(".json")
        base = location.rpartition("/")[0] if self.one_file else location.rstrip("/")
        self.base = base or ("/" if location.startswith("/") else ".")

    def json(self, where: str) -> Any:
        """What a file holds, which must be JSON.

        Raises:
            NotFound: There is no such file.
            InvalidField: It is not JSON.
            DayflyError: It cannot be read.
        """
        raw = io.BytesIO()
        if self.web:
            https.copy(where, raw, max_bytes=MAX_INDEX_BYTES, seconds=INDEX_SECONDS)
        else:
            copy_file(Path(where), raw, MAX_INDEX_BYTES)
        try:
            return json.loads(raw.getvalue())
        except (ValueError, RecursionError) as error:
            raise InvalidField(f"{where}: is not JSON: {error}", field="index") from error

    def copy(self, download: Download, into: BinaryIO) -> str:
        """Copy an archive into a file; whether it is the right one is for the caller to see.

        Returns:
            Where it came from.

        Raises:
            FailedPrecondition: It is not https, too large, or cannot be kept.
            DayflyError: It could not be read.
        """
        url = download.url
        if "://" not in url:
            path = _relative(url)
            url = f"{self.base}/{quote(path) if self.web else path}"
        if "://" in url:
            https.copy(url, into, max_bytes=MAX_ARCHIVE_BYTES, seconds=ARCHIVE_SECONDS)
            return url
        copy_file(Path(url), into, MAX_ARCHIVE_BYTES)
        return str(Path(url).absolute())


def _relative(url: str) -> str:
    path = PurePosixPath(url)
    if path.is_absolute() or ".." in path.parts or ":" in url or "\0" in url or not path.parts:
        raise FailedPrecondition(
            f"the index gives {url[:200]!r} as a download; allowed: an https URL, or a path "
            "within the index"
        )
    return str(path)
