"""Copies of what others made: bounded, whether it is a local file or comes from the web."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

from dayfly.contract.errors import FailedPrecondition, NotFound, ProviderFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PIECE: Final = 1 << 16


def copy_file(path: Path, into: BinaryIO, max_bytes: int) -> None:
    """Copy a file into another one.

    Raises:
        NotFound: It is not there.
        FailedPrecondition: It is over ``max_bytes``, and was not read on; or cannot be kept.
        ProviderFailed: The system cannot read it.
    """
    try:
        with path.open("rb") as file:
            copy_pieces(file.read, into, max_bytes, str(path))
    except FileNotFoundError as error:
        raise NotFound(f"{path} is not there") from error
    except OSError as error:
        raise ProviderFailed(f"{path} cannot be read: {error.strerror}") from error


def copy_pieces(read: Callable[[int], bytes], into: BinaryIO, max_bytes: int, named: str) -> int:
    """Copy what can be read, piece by piece.

    Args:
        read: Gives up to so many bytes, and none at the end.
        into: Open for writing.
        max_bytes: More than that is refused.
        named: Where it comes from, for a person.

    Returns:
        How many bytes it was.

    Raises:
        FailedPrecondition: It is larger, or the system cannot write it.
        OSError: It cannot be read.
    """
    total = 0
    while piece := read(_PIECE):
        total += len(piece)
        if total > max_bytes:
            raise FailedPrecondition(f"{named} is over {max_bytes} bytes, and not read on")
        try:
            into.write(piece)
        except OSError as error:
            raise FailedPrecondition(f"{named} cannot be kept: {error.strerror}") from error
    return total
