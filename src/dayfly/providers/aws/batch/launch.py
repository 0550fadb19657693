"""One key, one job, as far as Batch lets one know.

SubmitJob has no idempotency. Before it the queue is searched for the key's name, and after
it once more: of two that were submitted at the same time the older one counts, and whoever
submitted the younger one stops it before it is handed out. What is left open: ListJobs may
not show a job yet [?], and a job that is stopped so may have begun.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from dayfly.contract.errors import Conflict, InvalidField, NotFound
from dayfly.contract.identity import intent_digest
from dayfly.contract.jobs import Submitted
from dayfly.providers.aws.batch.prepare import prepare
from dayfly.providers.aws.batch.queue import current, successors
from dayfly.providers.aws.batch.reasons import SUPERSEDED_WORDS
from dayfly.providers.aws.errors import incomplete, other_intent
from dayfly.providers.aws.logs.events import clock_ms
from dayfly.providers.aws.logs.group import LogGroups
from dayfly.providers.aws.tags import INTENT

if TYPE_CHECKING:
    from dayfly.contract.errors import DayflyError
    from dayfly.contract.jobs import Submission
    from dayfly.providers.aws.batch.definitions import Definitions, NewDefinition
    from dayfly.providers.aws.batch.prepare import Prepared
    from dayfly.providers.aws.batch.queue import Queue
    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.config import Config


class Launcher:
    """Launches jobs into one queue."""

    def __init__(self, aws: Aws, config: Config, queue: Queue, definitions: Definitions) -> None:
        self._aws, self._config = aws, config
        self._queue, self._definitions = queue, definitions
        self._groups = LogGroups(aws)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def prepare(self, submission: Submission) -> Prepared:
        """The launch, checked, with nothing sent.

        Raises:
            DayflyError: As ``prepare.prepare``.
        """
        return await prepare(submission, self._aws, self._config, self._queue, self._definitions)

    async def launch(self, submission: Submission) -> Submitted:
        """Submit the key's job, or adopt the one it has.

        Raises:
            AlreadyExists: The key's job is a different one.
            InvalidField: A field cannot be carried out; nothing was created.
            Conflict: Its definition was removed meanwhile.
        """
        # Within this process the race is not left to Batch.
        async with self._locks.setdefault(submission.key, asyncio.Lock()):
            if job := self._had(submission, await self._queue.of_key(submission.key)):
                return await self._adopt(submission, job)
            prepared = await self.prepare(submission)
            own = await self._submit(prepared)
            jobs = await self._queue.of_key(submission.key)
            rivals = successors(jobs, submission.instead_of)
            if rivals and rivals[0]["jobId"] != own["jobId"]:
                await self._give_way(str(own["jobId"]))
                return await self._adopt(submission, rivals[0])
            seen = next((job for job in rivals if job["jobId"] == own["jobId"]), own)
            return Submitted(handle=await self._queue.handle_of(seen), notes=prepared.notes)

    def _had(self, submission: Submission, jobs: list[dict[str, Any]]) -> dict[str, Any] | None:
        if submission.instead_of:
            return next(iter(successors(jobs, submission.instead_of)), None)
        return current(jobs)

    async def _adopt(self, submission: Submission, job: dict[str, Any]) -> Submitted:
        if (job.get("tags") or {}).get(INTENT) != intent_digest(submission.spec):
            raise other_intent(str(job["jobName"]))
        return Submitted(handle=await self._queue.handle_of(job), adopted=True)

    async def _submit(self, prepared: Prepared) -> dict[str, Any]:
        tried = f"submitting the job {prepared.request['jobName']}"
        new = prepared.definition
        if new:
            # A container whose log group is missing does not start.
            config = self._config
            await self._groups.ensure("", config.log_group, config.log_retention_days)
        arn = await self._definitions.get(new) if new else prepared.target
        try:
            answer = await self._aws.call(
                "batch", "SubmitJob", tried=tried, jobDefinition=arn, **prepared.request
            )
        except (InvalidField, NotFound, Conflict) as error:
            if new and await self._is_gone(new, arn, error):
                raise Conflict(error.message) from error
            raise
        if not answer.get("jobId"):
            raise incomplete(tried, answer)
        return {
            "jobId": str(answer["jobId"]),
            "jobName": prepared.request["jobName"],
            "createdAt": clock_ms(answer),
        }

    async def _is_gone(self, new: NewDefinition, arn: str, error: DayflyError) -> bool:
        """It was pruned between our look at it and its use: the next try registers it anew.

        Else Batch has something against it that stays so.
        """
        if not (isinstance(error, Conflict) or error.field == "target.name"):
            return False
        self._definitions.forget(new.name)
        return isinstance(error, Conflict) or await self._definitions.get(new) != arn

    async def _give_way(self, own: str) -> None:
        await self._aws.call(
            "batch",
            "TerminateJob",
            tried="stopping a second job of the same key",
            jobId=own,
            reason=SUPERSEDED_WORDS,
        )
