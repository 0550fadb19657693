"""What is known of a group's streams: which are there, and how far each was found silent.

It says which streams can be read in one call, and that one is gone which was there. It is
kept in memory; what is not known costs a call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dayfly.providers.aws.logs.cursor import Question

#: How long after it was printed a line may take to be visible, in ms: awslogs sends every
#: 5 seconds. A later one is still read, once its stream speaks again or its job has ended.
_LATE_MS: Final = 20_000
_MOST_STREAMS: Final = 10_000


@dataclass(slots=True)
class _Stream:
    there: bool = False
    position: tuple[int, int] = (-1, 0)
    silent_to: int = 0


class Seen:
    """Remembers the streams of one group."""

    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}

    def found(self, stream: str, *, there: bool) -> None:
        """The stream is there, or is not."""
        self._of(stream).there = there

    def is_there(self, stream: str) -> bool:
        """It was seen to be there."""
        known = self._streams.get(stream)
        return known is not None and known.there

    def silent(self, question: Question, to_ms: int, now_ms: int) -> None:
        """Nothing is visible between the question's cursor and a time.

        Args:
            question: About the stream.
            to_ms: The time, in ms since 1970.
            now_ms: CloudWatch's clock; what is only just printed is not visible yet.
        """
        known = self._of(question.place.stream)
        to_ms = min(to_ms, now_ms - _LATE_MS)
        if known.position != question.cursor.position:
            known.position, known.silent_to = question.cursor.position, to_ms
        known.silent_to = max(known.silent_to, to_ms)

    def start(self, question: Question) -> int:
        """From when on the stream has to be read, in ms since 1970."""
        known = self._streams.get(question.place.stream)
        if known is None or known.position != question.cursor.position:
            return question.cursor.ms
        return max(question.cursor.ms, known.silent_to)

    def _of(self, stream: str) -> _Stream:
        if stream not in self._streams and len(self._streams) >= _MOST_STREAMS:
            # The one that was met first is most likely to have ended.
            del self._streams[next(iter(self._streams))]
        return self._streams.setdefault(stream, _Stream())
