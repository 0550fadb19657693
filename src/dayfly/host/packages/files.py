"""Reading a local file of others, as bounded as what comes from the web."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

from dayfly.contract.errors import FailedPrecondition, NotFound, ProviderFailed

if TYPE_CHECKING:
    from pathlib import Path

_PIECE: Final = 1 << 20


def copy_file(path: Path, into: BinaryIO, max_bytes: int) -> None:
    """Copy a file into another one.

    Raises:
        NotFound: It is not there.
        FailedPrecondition: It is over ``max_bytes``, and was not read on.
        ProviderFailed: The system cannot read it.
    """
    total = 0
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                total += len(piece)
                if total > max_bytes:
                    raise FailedPrecondition(f"{path} is over {max_bytes} bytes, and not read on")
                into.write(piece)
    except FileNotFoundError as error:
        raise NotFound(f"{path} is not there") from error
    except OSError as error:
        raise ProviderFailed(f"{path} cannot be read: {error.strerror}") from error
