"""Archives by their names: ``<name>-<version>-<os>-<arch>.tar.gz``."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from dayfly.contract.errors import InvalidField
from dayfly.host.packages.content import check_content
from dayfly.host.packages.unpack import unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX: Final = ".tar.gz"
_NAME: Final = re.compile(
    r"(?P<name>[a-z][a-z0-9-]*[a-z0-9])-(?P<version>\d+\.\d+\.\d+)"
    r"-(?P<os>linux|darwin)-(?P<arch>amd64|arm64)\.tar\.gz"
)


class Archive(NamedTuple):
    """An archive that was looked into.

    Attributes:
        path: The file.
        version: Its plugin's, as numbers.
        os: Which system it is for.
        arch: Which machine it is for.
        sha256: Of the file.
        manifest: Its plugin.json, as it is.
    """

    path: Path
    version: tuple[int, ...]
    os: str
    arch: str
    sha256: str
    manifest: Mapping[str, Any]


def archive_name(name: str, version: str, system: str, machine: str) -> str:
    """The name of an archive's file."""
    return f"{name}-{version}-{system}-{machine}{SUFFIX}"


def look_into(path: Path) -> Archive:
    """Unpack an archive to the side, as an installation would, and read its plugin.json.

    Raises:
        InvalidField: It would not be installed, or its name says something else than its
            content; naming the file.
    """
    said = _NAME.fullmatch(path.name)
    if said is None:
        raise InvalidField(
            f"{path.name}: allowed: {archive_name('NAME', 'X.Y.Z', 'OS', 'ARCH')}, with linux or "
            "darwin and amd64 or arm64",
            field="archive",
        )
    with tempfile.TemporaryDirectory(prefix="dayfly-archive-") as directory:
        folder = unpack(path, Path(directory))
        try:
            check_content(folder, said["name"], said["version"])
        except InvalidField as error:
            message = error.message.replace(f"{folder}/", "")
            raise InvalidField(f"{path.name}: {message}", field=error.field) from error
        document = json.loads((folder / "plugin.json").read_bytes())
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    version = tuple(map(int, said["version"].split(".")))
    return Archive(path, version, said["os"], said["arch"], digest, document)
