"""The followers of one log group: read in one call while they keep up, else one by one.

A stream that was silent for a while is read from the time to which it was silent, so that
it does not hold the others back. Once it speaks it is read by itself from its own cursor,
and so is the output of a job that has ended: what was visible late is not lost.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import DataLoss, NotFound, PermissionDenied
from dayfly.providers.aws.logs.merged import MOST_STREAMS, read_merged
from dayfly.providers.aws.logs.seen import Seen
from dayfly.providers.aws.logs.stream import read_stream
from dayfly.sdk.gathering import Gatherer
from dayfly.sdk.pacing import Pacer, Rate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.contract.jobs import LogBatch
    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.logs.cursor import Question
    from dayfly.providers.aws.logs.merged import MergedPages
    from dayfly.providers.aws.logs.reader import LogPlace

    #: None: this one is to be read by itself.
    Batches = tuple[LogBatch, ...] | None

#: Streams whose cursors are further behind are read by themselves, in ms.
_TOGETHER_MS: Final = 60_000
#: Longer than the pause of a follower that had something, so that all come along.
_WINDOW_SECONDS: Final = 0.025
#: Of the 25 calls a second that an account has for single streams, what those may take that
#: are not known to be there: a job that prints nothing has no stream.
_LOOKS: Final = Rate(20, 15)


class Sharing:
    """Reads the streams of one group."""

    def __init__(self, aws: Aws, settle_ms: int) -> None:
        self._aws = aws
        self._settle_ms = settle_ms
        self._seen = Seen()
        self._now_ms = int(time.time() * 1000)
        self._merges = True
        self._refuses_missing = False
        self._looks = Pacer(_LOOKS)
        rate = aws.rates.get("logs.FilterLogEvents")
        self._gatherer: Gatherer[Question, Batches] = Gatherer(
            self._answer,
            size=MOST_STREAMS,
            window_seconds=_WINDOW_SECONDS,
            apart_seconds=1 / rate.per_second if rate else 0.0,
        )

    async def read(self, question: Question) -> tuple[LogBatch, ...]:
        """The next page, for one of many who come back again and again.

        Raises:
            DayflyError: As AWS says.
        """
        batches = await self._gatherer.ask(question)
        if batches is not None:
            return batches
        if self._may_be_missing(question):
            await self._looks.turn()
        return await self.read_alone(question)

    async def read_alone(
        self, question: Question, settle_ms: int | None = None
    ) -> tuple[LogBatch, ...]:
        """The next page, in a call of its own; nothing where there is no such stream.

        Args:
            question: Of which stream, from where.
            settle_ms: Age from which on a line is given; None as for those who follow.

        Raises:
            DataLoss: The stream was there, and is no more.
            DayflyError: As AWS says.
        """
        stream = question.place.stream
        try:
            settle_ms = self._settle_ms if settle_ms is None else settle_ms
            page = await read_stream(self._aws, question, settle_ms)
        except NotFound as error:
            if question.cursor.had or question.cursor.token or self._seen.is_there(stream):
                raise _removed(question.place) from error
            self._seen.found(stream, there=False)
            return ()
        self._seen.found(stream, there=True)
        if page.empty_at is not None:
            self._seen.silent(question, page.empty_at, page.empty_at)
        return page.batches

    async def close(self) -> None:
        """Ask nothing more."""
        await self._gatherer.close()

    async def _answer(self, questions: Sequence[Question]) -> list[Batches | Exception]:
        if len(questions) == 1:
            # Here, and not by whoever asked: meanwhile others gather for a call together.
            return [await self.read_alone(questions[0])]
        answers: list[Batches | Exception] = [None] * len(questions)
        numbers = self._together(questions)
        if len({questions[number].place.stream for number in numbers}) > 1:
            merged = await self._merged([questions[number] for number in numbers])
            for number, batches in zip(numbers, merged, strict=True):
                answers[number] = batches
        return answers

    def _may_be_missing(self, question: Question) -> bool:
        return self._refuses_missing and not self._seen.is_there(question.place.stream)

    def _together(self, questions: Sequence[Question]) -> list[int]:
        """The numbers of those that one call can read."""
        starts = {
            number: self._seen.start(question)
            for number, question in enumerate(questions)
            if self._merges and not self._may_be_missing(question)
        }
        # Some hosts' clocks are ahead.
        newest = min(max(starts.values(), default=0), self._now_ms)
        return [
            number
            for number, start in starts.items()
            if start >= newest - _TOGETHER_MS
            and not (questions[number].place.ended and start > questions[number].cursor.ms)
        ]

    async def _merged(self, questions: Sequence[Question]) -> list[Batches]:
        start = min(map(self._seen.start, questions))
        try:
            page = await read_merged(self._aws, questions, start, self._settle_ms)
        except NotFound:
            # [?] Whether AWS leaves out a stream that is not there, or refuses the call. It
            # must not hide the others.
            self._refuses_missing = True
            return [None] * len(questions)
        except PermissionDenied:
            # GetLogEvents may be allowed, and gives the same.
            self._merges = False
            return [None] * len(questions)
        self._now_ms = page.now
        return self._parted(questions, page, start)

    def _parted(
        self, questions: Sequence[Question], page: MergedPages, start: int
    ) -> list[Batches]:
        answers: list[Batches] = []
        for question, reading in zip(questions, page.readings, strict=True):
            if reading.fresh:
                late_ones_may_be_before = start > question.cursor.ms
                answers.append(None if late_ones_may_be_before else reading.batches())
            elif reading.answered or page.whole:
                silent_to = page.now if reading.waits_ms is None else reading.waits_ms
                self._seen.silent(question, silent_to, page.now)
                answers.append(())
            else:
                # "Nothing" would not be true: there is more, and it was not read.
                answers.append(None)
        return answers


def _removed(place: LogPlace) -> DataLoss:
    return DataLoss(
        f"the log stream {place.stream} was in the log group {place.group}, and is there no more",
        advice="Somebody removed it, or the group; what had not been read is gone.",
    )
