"""A plugin's archive, the same bit by bit wherever and whenever it is made."""

from __future__ import annotations

import gzip
import io
import tarfile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

#: zlib's own default may change with its version; what it makes of a level seldom does.
_LEVEL: Final = 6


def write_tarball(folder: Path, archive: Path) -> None:
    """Write a folder's files as ``<its name>/...`` into a ``.tar.gz``.

    Names are in order; times, owners and the name of the machine are left out, and of the
    rights only whether a file may be executed is kept. Two machines whose zlib differs may
    still compress to other bytes.

    Raises:
        OSError: A file cannot be read, or the archive cannot be written.
    """
    with (
        archive.open("wb") as file,
        gzip.GzipFile(
            filename="", mode="wb", fileobj=file, compresslevel=_LEVEL, mtime=0
        ) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for path in (folder, *sorted(folder.rglob("*"))):
            info = tarfile.TarInfo(path.relative_to(folder.parent).as_posix())
            info.mtime = 0
            if path.is_dir():
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(info)
                continue
            data = path.read_bytes()
            info.size = len(data)
            info.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            tar.addfile(info, io.BytesIO(data))
