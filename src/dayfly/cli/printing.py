"""What dayfly itself prints: results on stdout, everything else on stderr."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CONTROL = {
    code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"
}
#: What turns round, or hides, the text beside it; and what some take for the end of a line.
_TURNING = (0x61C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A))
_CONTROL |= {code: f"\\u{code:04x}" for code in _TURNING}


def printable(text: str) -> str:
    """Text that cannot steer a terminal; a provider's words are not ours."""
    return text.translate(_CONTROL).encode(errors="backslashreplace").decode()


def sentence(text: str, *, prefix: str = "dayfly: ") -> bytes:
    """Something that dayfly says to a person, as it goes to stderr."""
    return f"{prefix}{printable(text)}\n".encode()


def say(text: str, *, prefix: str = "dayfly: ") -> None:
    """Tell the person something, on stderr."""
    write_all(2, sentence(text, prefix=prefix))


def show(text: str) -> None:
    """Print a line of a result on stdout."""
    write_all(1, f"{printable(text)}\n".encode())


def print_json(document: object) -> None:
    """Print the one JSON document of a command on stdout."""
    write_all(1, f"{json.dumps(document, indent=2)}\n".encode())


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte, however small the reader's bites."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def colours() -> bool:
    """Whether stdout is a terminal that takes colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def print_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table: aligned plain text, and on a terminal in colours.

    A cell that begins with ``!`` is a warning, shown red on a terminal.
    """
    cells = [[printable(cell).replace("\n", " ") for cell in row] for row in rows]
    if colours():
        _print_rich(headings, cells)
        return
    cells = [[cell.removeprefix("!") for cell in row] for row in cells]
    widths = [max(map(len, column)) for column in zip(headings, *cells, strict=True)]
    for row in (list(headings), *cells):
        show("  ".join(map(str.ljust, row, widths)).rstrip())


def _print_rich(headings: Sequence[str], cells: Sequence[Sequence[str]]) -> None:
    from rich.console import Console  # noqa: PLC0415 - slow to import; only for a terminal
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in cells:
        table.add_row(
            *(Text(cell.removeprefix("!"), "red" if cell.startswith("!") else "") for cell in row)
        )
    Console().print(table)
