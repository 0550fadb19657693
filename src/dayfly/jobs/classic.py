"""Submit and Observe over a plugin that serves the three classic calls alone."""

from __future__ import annotations

import asyncio
import json
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

from dayfly.contract.errors import Conflict, DayflyError, InvalidField, NotFound
from dayfly.contract.identity import plain
from dayfly.contract.jobs import JobState, JobStatus, LogBatch, Stream, Submitted
from dayfly.contract.provider import Check, CheckOutcome, Description, JobPlan, PlannedCall

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from dayfly.contract.jobs import JobHandle, JobSpec, LogQuery, Progress, Submission
    from dayfly.contract.services import JobRunner

#: What the classic message has a field for. Whether the plugin heeds it, it cannot say.
_FIELDS = frozenset(
    {
        "alerts",
        "command",
        "cron",
        "drain_seconds",
        "env",
        "grace_period_seconds",
        "image",
        "kind",
        "log_destinations",
        "run_command",
        "secrets",
        "target.mode",
        "target.name",
        "target.provider_id",
        "target.type",
    }
)
_LOOKS_AT_ONCE = 16


class ClassicSubmitter:
    """Launches through RunJob, which knows no keys: every call starts another job."""

    def __init__(self, runner: JobRunner, name: str) -> None:
        self._runner = runner
        self._name = name

    async def describe(self) -> Description:
        """What the classic message can carry."""
        return Description(
            provider=self._name,
            version="",
            honours=_FIELDS,
            limits={
                "command": "joined into one line that /bin/sh reads back as the same words",
                "key": "not known to this plugin; only the journal of this machine guards a launch",
            },
            secret_forms=("whatever the plugin takes",),
            separates_streams=True,
            log_drain_seconds=2.0,
        )

    async def check(self) -> Sequence[Check]:
        """Nothing can be checked through the classic calls, and that is what this says."""
        return [
            Check(
                name="provider",
                outcome=CheckOutcome.WARNING,
                detail="this plugin serves the classic calls alone, which check nothing",
            )
        ]

    async def plan(self, submission: Submission) -> JobPlan:
        """The one call that a launch is."""
        spec = _joined(submission.spec)
        request = json.dumps(plain(spec))
        return JobPlan(calls=(PlannedCall(call="IaCProviderRunner.RunJob", request=request),))

    async def submit(self, submission: Submission, report: Callable[[Progress], None]) -> Submitted:
        """Launch; argv becomes one line that a shell reads back as the same argv."""
        del report
        return Submitted(handle=await self._runner.run_job(_joined(submission.spec)))

    async def find(self, key: str) -> JobHandle | None:
        """Refuse: there is no way to know.

        Raises:
            Conflict: Always.
        """
        raise Conflict(f"provider {self._name!r} cannot tell whether key {key!r} has a job")


class ClassicObserver:
    """Looks through JobStatus, job by job, and reads through JobLogs, from the beginning."""

    def __init__(self, runner: JobRunner) -> None:
        self._runner = runner
        self._at_once = asyncio.Semaphore(_LOOKS_AT_ONCE)

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        """One look at each."""
        async with asyncio.TaskGroup() as group:
            looks = [group.create_task(self._look(handle)) for handle in handles]
        results = [look.result() for look in looks]
        for result in results:
            if isinstance(result, DayflyError):
                raise result
        return [result for result in results if isinstance(result, JobStatus)]

    async def _look(self, handle: JobHandle) -> JobStatus | DayflyError:
        async with self._at_once:
            try:
                return await self._runner.job_status(handle)
            except NotFound as error:
                return JobStatus(handle=handle, state=JobState.UNKNOWN, message=error.message)
            except DayflyError as error:
                return error

    async def logs(self, handle: JobHandle, query: LogQuery) -> AsyncIterator[LogBatch]:
        """The output from the cursor on, which counts the bytes of each source.

        Raises:
            InvalidField: The query asks for what JobLogs cannot do.
        """
        for field in ("timestamps", "tail_lines", "since"):
            if getattr(query, field):
                raise InvalidField(
                    f"{field} cannot be had of a plugin that serves the classic calls alone",
                    field=field,
                )
        seen = _counts(query.cursor)
        passed = dict.fromkeys(seen, 0)
        ended_before = (await self._runner.job_status(handle)).final
        async for batch in self._runner.job_logs(handle):
            stream = batch.stream.value
            begin = passed.get(stream, 0)
            passed[stream] = begin + len(batch.data)
            fresh = batch.data[max(seen.get(stream, 0) - begin, 0) :]
            if fresh:
                seen[stream] = passed[stream]
                yield replace(batch, data=fresh, cursor=json.dumps(seen))
        if ended_before:
            yield LogBatch(stream=Stream.STDOUT, data=b"", cursor=json.dumps(seen), end=True)


def _counts(cursor: str) -> dict[int, int]:
    try:
        return {int(stream): int(count) for stream, count in json.loads(cursor or "{}").items()}
    except (ValueError, AttributeError, TypeError):
        raise InvalidField("the cursor is not one of this provider's", field="cursor") from None


def _joined(spec: JobSpec) -> JobSpec:
    if not spec.command:
        return spec
    return replace(spec, command=(), run_command=shlex.join(spec.command))
