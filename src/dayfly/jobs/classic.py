"""Launching and observing through the classic service: run, look, read, and nothing more.

It has no argv, no key and no log position, so each of these is made up for here, or
refused by name.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from dayfly.contract.errors import (
    Conflict,
    DeadlinePassed,
    InvalidField,
    NotFound,
    NotServed,
    ProviderFailed,
    Unavailable,
)
from dayfly.contract.jobs import JobState, JobStatus, LogBatch, Stream, Submitted
from dayfly.contract.provider import Description, JobPlan, PlannedCall

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from dayfly.contract.jobs import JobHandle, JobSpec, LogQuery, Progress, Submission
    from dayfly.contract.provider import Check
    from dayfly.contract.services import JobRunner

#: The message carries these. A timeout too, but nothing tells that a plugin keeps it.
HONOURS: Final = frozenset(
    {
        "image",
        "command",
        "run_command",
        "env",
        "secrets",
        "kind",
        "cron",
        "grace_period_seconds",
        "drain_seconds",
        "alerts",
        "log_destinations",
    }
)
_STATUSES_PER_CALL: Final = 20
_COUNT: Final = re.compile(r"[0-9]{1,18}")


class ClassicSubmitter:
    """``JobSubmitter`` over a runner that starts another job with every call."""

    def __init__(self, runner: JobRunner, name: str) -> None:
        self._runner = runner
        self._name = name

    async def describe(self) -> Description:
        """The classic message's fields, and a careful pace."""
        return Description(
            provider=self._name,
            version="",
            honours=HONOURS,
            separates_streams=False,
            statuses_per_call=_STATUSES_PER_CALL,
            poll_min_seconds=1.0,
            poll_max_seconds=10.0,
        )

    async def check(self) -> Sequence[Check]:
        """A classic plugin has nothing to say here."""
        return ()

    async def plan(self, submission: Submission) -> JobPlan:
        """The one call that a launch is."""
        spec = _classic(submission.spec)
        request = {
            "name": spec.name,
            "image": spec.image,
            "run_command": spec.run_command,
            "env_vars": dict(spec.env),
            "env_vars_secret": dict(spec.secrets),
        }
        return JobPlan(calls=(PlannedCall(call="RunJob", request=json.dumps(request, indent=2)),))

    async def submit(self, submission: Submission, report: Callable[[Progress], None]) -> Submitted:
        """Start the job.

        Raises:
            ProviderFailed: No answer came; the job may run all the same.
        """
        del report
        try:
            handle = await self._runner.run_job(_classic(submission.spec))
        except (Unavailable, DeadlinePassed, Conflict) as error:
            raise ProviderFailed(
                f"provider {self._name!r} gave no answer to RunJob, and may have started "
                f"{submission.spec.name}: {error.message}",
                advice="Its plugin knows no keys, so trying again could start a second job. "
                "Look at the provider itself first.",
            ) from error
        return Submitted(handle=handle)

    async def find(self, key: str) -> JobHandle | None:
        """Nothing is known by key.

        Raises:
            NotServed: Always.
        """
        raise NotServed(f"provider {self._name!r} cannot look a job up by its key {key!r}")


class ClassicObserver:
    """``JobObserver`` over a runner that looks at one job, and reads from the beginning."""

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        """One look each, at once."""
        return await asyncio.gather(*map(self._status, handles))

    async def logs(self, handle: JobHandle, query: LogQuery) -> AsyncGenerator[LogBatch, None]:
        """The output from its beginning, without what the cursor counts as seen."""
        _refuse_beyond(query)
        seen = _Seen(query.cursor)
        ended = (await self._status(handle)).final
        chunks = cast("AsyncGenerator[LogBatch, None]", self._runner.job_logs(handle))
        async with aclosing(chunks):
            async for batch in chunks:
                if data := seen.rest(batch):
                    yield replace(batch, data=data, cursor=seen.cursor, times=(), end=False)
        if ended:
            yield LogBatch(stream=Stream.COMBINED, data=b"", cursor=seen.cursor, end=True)

    async def _status(self, handle: JobHandle) -> JobStatus:
        try:
            return await self._runner.job_status(handle)
        except NotFound as error:
            return JobStatus(handle=handle, state=JobState.UNKNOWN, message=error.message)


class _Seen:
    """Bytes seen of each stream: two readings may interleave the streams differently."""

    def __init__(self, cursor: str) -> None:
        counts = cursor.split(".") if cursor else ["0"] * len(Stream)
        if len(counts) != len(Stream) or not all(map(_COUNT.fullmatch, counts)):
            raise InvalidField(
                f"cursor is {cursor[:80]!r}; allowed: one that came with this job's output",
                field="cursor",
            )
        self._skip = dict(zip(Stream, map(int, counts), strict=True))
        self._read = dict.fromkeys(Stream, 0)

    @property
    def cursor(self) -> str:
        """After all that was passed on."""
        return ".".join(str(max(self._read[s], self._skip[s])) for s in Stream)

    def rest(self, batch: LogBatch) -> bytes:
        """What of the batch is new."""
        before = self._read[batch.stream]
        self._read[batch.stream] = before + len(batch.data)
        return batch.data[max(self._skip[batch.stream] - before, 0) :]


def _classic(spec: JobSpec) -> JobSpec:
    # The known runners give run_command to /bin/sh -c, so that quoting keeps argv whole.
    return replace(spec, command=(), run_command=spec.run_command or shlex.join(spec.command))


def _refuse_beyond(query: LogQuery) -> None:
    for field in ("tail_lines", "since"):
        if getattr(query, field) is not None:
            raise InvalidField(
                f"{field} cannot be honoured: the plugin gives output only as a whole",
                field=field,
                advice="Read the whole output.",
            )
