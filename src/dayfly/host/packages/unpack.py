"""A plugin's archive, taken apart as if an enemy had made it."""

from __future__ import annotations

import errno
import gzip
import shutil
import tarfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, cast

from dayfly.contract.errors import FailedPrecondition, InvalidField

if TYPE_CHECKING:
    from pathlib import Path

#: A tar's own headers and padding, for each of its files.
_OVERHEAD: Final = 4 * 1024
_PIECE: Final = 1 << 16
_NO_ROOM: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


class Limits(NamedTuple):
    """How much may come out of an archive."""

    files: int = 2_000
    bytes: int = 512 * 1024 * 1024


LIMITS: Final = Limits()


def unpack(archive: Path, into: Path, *, limits: Limits = LIMITS) -> Path:
    """Unpack a ``.tar.gz`` of files and directories, under one folder or under none.

    Whatever is wrong, nothing is written outside of ``into``; what was written in it is for
    the caller to remove.

    Args:
        archive: The file.
        into: An empty directory of the caller's own.
        limits: More than that is refused before it is written.

    Returns:
        Where the archive's files are: the one folder in it, or ``into``.

    Raises:
        InvalidField: It is damaged, or holds what no plugin's archive does; naming it.
        FailedPrecondition: The disk is full.
    """
    seen: set[str] = set()
    try:
        with gzip.open(archive) as unzipped:
            source = _Bounded(unzipped, limits.bytes + limits.files * _OVERHEAD)
            # "r|" reads forward only, so that nothing is read twice, and no further than needed.
            with tarfile.open(fileobj=cast("BinaryIO", source), mode="r|") as tar:
                for member in tar:
                    _check(member, seen, limits)
                    _write(tar, member, into)
            while source.read(_PIECE):
                pass  # To its very end, where gzip keeps a checksum of it all.
    except InvalidField as error:
        raise InvalidField(f"{archive.name}: {error.message}", field="archive") from error
    except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise FailedPrecondition(
                f"{into} cannot hold what is in {archive.name}: {error.strerror}"
            ) from error
        raise InvalidField(
            f"{archive.name}: cannot be unpacked: {error}", field="archive"
        ) from error
    if not seen:
        raise InvalidField(f"{archive.name}: there is nothing in it", field="archive")
    top = list(into.iterdir())
    return top[0] if len(top) == 1 and top[0].is_dir() else into


def _check(member: tarfile.TarInfo, seen: set[str], limits: Limits) -> None:
    """Refuse what a plugin has no use for."""
    name, path = repr(member.name[:200]), PurePosixPath(member.name)
    if path.is_absolute():
        raise _refused(f"{name} is an absolute path")
    if ".." in path.parts or "\0" in member.name or "\\" in member.name:
        raise _refused(f"{name} leads out of its folder")
    if member.islnk() or member.issym():
        raise _refused(f"{name} is a link, to {member.linkname[:200]!r}")
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise _refused(f"{name} is neither a file nor a directory")
    if not path.parts and not member.isdir():
        raise _refused(f"{name} has no name")
    # Some file systems do not tell upper case from lower.
    if (key := str(path).casefold()) in seen:
        raise _refused(f"{name} is in it twice")
    seen.add(key)
    if len(seen) > limits.files:
        raise _refused(f"there are over {limits.files} files in it")
    if member.size > limits.bytes:
        raise _refused(f"{name} is over {limits.bytes} bytes")


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, into: Path) -> None:
    """A file or a directory, the archive's owner, times and special bits left aside.

    With no links in it, a checked name leads nowhere else.
    """
    path = into / member.name
    if member.isdir():
        path.mkdir(parents=True, exist_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    content = tar.extractfile(member)
    with path.open("xb") as file:
        if content is not None:
            shutil.copyfileobj(content, file)
    path.chmod(0o755 if member.mode & 0o100 else 0o644)


def _refused(what: str) -> InvalidField:
    return InvalidField(what, field="archive")


class _Bounded:
    """Reads so much and no more: a small archive may hold very much of the same byte."""

    def __init__(self, file: BinaryIO | gzip.GzipFile, limit: int) -> None:
        self._file = file
        self._left = limit

    def read(self, size: int) -> bytes:
        data = self._file.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise _refused("there is more in it than a plugin may have")
        return data
