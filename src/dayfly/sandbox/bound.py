"""Output up to a bound, with a mark where it was cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.contract.errors import InvalidField
from dayfly.contract.jobs import Stream
from dayfly.sandbox.result import Output

if TYPE_CHECKING:
    from collections.abc import Iterator


class Bound:
    """Passes each stream on up to a number of bytes, and counts the rest."""

    def __init__(self, most: int | None) -> None:
        """Take the bound; None is no bound.

        Raises:
            InvalidField: It is below 0.
        """
        if most is not None and most < 0:
            raise InvalidField(f"max_output is {most}; allowed: 0 or more", field="max_output")
        self._most = most
        self._passed = dict.fromkeys(Stream, 0)
        self._dropped = dict.fromkeys(Stream, 0)

    def take(self, output: Output) -> Iterator[Output]:
        """As much of it as there is room for, and the mark where the room ends."""
        room = None if self._most is None else self._most - self._passed[output.stream]
        if room is None or len(output.data) <= room:
            self._passed[output.stream] += len(output.data)
            yield output
            return
        first = self._dropped[output.stream] == 0
        self._passed[output.stream] += room
        self._dropped[output.stream] += len(output.data) - room
        if room:
            yield Output(stream=output.stream, data=output.data[:room])
        if first:
            mark = f"\n[dayfly: output cut here, after {self._most} bytes]\n"
            yield Output(stream=output.stream, data=mark.encode())

    def dropped(self, *streams: Stream) -> int:
        """Bytes of these streams that were not passed on."""
        return sum(self._dropped[stream] for stream in streams)
