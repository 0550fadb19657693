"""What Batch knows of jobs: by id, by key, and all of dayfly's in a queue.

Source: docs.aws.amazon.com/batch/latest/APIReference/API_ListJobs.html: without a filter it
lists running jobs only; with one, jobs in every state, newest first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import FailedPrecondition
from dayfly.contract.groups import together
from dayfly.contract.identity import key_digest
from dayfly.contract.jobs import JobHandle
from dayfly.providers.aws.batch.states import lacks_code, was_superseded
from dayfly.providers.aws.content import RUN_DEFINITION
from dayfly.providers.aws.errors import incomplete
from dayfly.providers.aws.pages import all_pages

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.config import Config

#: Source: API_DescribeJobs.html
DESCRIBED_AT_ONCE: Final = 100
#: Tag of a job that was launched again: the id of the one before it.
INSTEAD_OF: Final = "dayfly:instead-of"

_MAX_NAME: Final = 128
_JOB_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OWN_NAME: Final = re.compile(r"dayfly-[0-9a-f]{20}(-.*)?")

Json = dict[str, Any]


def job_name(key: str, spec_name: str) -> str:
    """The name of a key's job.

    What is made from the key comes first: ListJobs finds names by their beginning, and
    ``find`` knows nothing but the key.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", spec_name.lower())
    return f"{_of_key(key)}-{slug}"[:_MAX_NAME].rstrip("-")


def _of_key(key: str) -> str:
    return f"dayfly-{key_digest(key)}"


class Queue:
    """Jobs of one configuration's queue, and any job by its id."""

    def __init__(self, aws: Aws, config: Config) -> None:
        self._aws, self._config = aws, config

    @property
    def name(self) -> str:
        """The configured queue.

        Raises:
            FailedPrecondition: None is configured.
        """
        if not self._config.queue:
            raise FailedPrecondition(
                "queue is not configured, and Batch takes jobs into a queue",
                field="queue",
                advice="Set queue in [providers.NAME] to a job queue's name or ARN.",
            )
        return self._config.queue

    async def of_key(self, key: str) -> list[Json]:
        """Details of a key's jobs, the oldest first, without those that gave way to another.

        Raises:
            Unavailable: A job is listed and cannot be seen yet.
        """
        listed = await self.named(f"{_of_key(key)}*")
        found = await self.details(str(job["jobId"]) for job in listed)
        if missing := {str(job["jobId"]) for job in listed} - found.keys():
            raise incomplete(f"looking at jobs {', '.join(sorted(missing))}", found)
        return sorted((job for job in found.values() if not was_superseded(job)), key=_age)

    async def own(self, queue: str = "") -> list[Json]:
        """Summaries of all of dayfly's jobs in a queue, the configured one by default."""
        found = await self.named("dayfly-*", queue)
        return [job for job in found if _OWN_NAME.fullmatch(str(job.get("jobName", "")))]

    async def named(self, name: str, queue: str = "", region: str = "") -> list[Json]:
        """Summaries of jobs with a name, or that begin so where it ends with ``*``."""
        queue = queue or self.name
        return await all_pages(
            self._aws,
            "batch",
            "ListJobs",
            "jobSummaryList",
            region=region,
            tried=f"listing jobs in {queue}",
            jobQueue=queue,
            filters=[{"name": "JOB_NAME", "values": [name]}],
        )

    async def details(self, ids: Iterable[str], region: str = "") -> dict[str, Json]:
        """What DescribeJobs says, by id; what it does not know is not in it."""
        known = [text for text in dict.fromkeys(ids) if _JOB_ID.fullmatch(text)]
        parts = [
            known[start : start + DESCRIBED_AT_ONCE]
            for start in range(0, len(known), DESCRIBED_AT_ONCE)
        ]
        answers = await together(
            self._aws.call(
                "batch", "DescribeJobs", region=region, tried="looking at jobs", jobs=part
            )
            for part in parts
        )
        return {str(job["jobId"]): job for answer in answers for job in answer.get("jobs", [])}

    async def summaries(self, jobs: Iterable[Json], region: str = "") -> dict[str, Json]:
        """Summaries, by id, of those jobs whose details lack an exit code."""
        lacking = [job for job in jobs if lacks_code(job)]
        found = await together(
            self.named(str(job["jobName"]), str(job["jobQueue"]), region) for job in lacking
        )
        return {str(job["jobId"]): job for listed in found for job in listed}

    async def handle_of(self, job: Json) -> JobHandle:
        """The handle of a job, from its detail or its summary."""
        metadata = {
            "runner": "batch",
            "region": await self._aws.region(),
            "queue": self.name,
        }
        if job.get("createdAt"):
            metadata["created"] = str(job["createdAt"])
        definition = str(job.get("jobDefinition", ""))
        if f"/{RUN_DEFINITION}-" in definition:
            metadata["definition"] = definition
        return JobHandle(
            id=str(job["jobId"]),
            name=str(job["jobName"]),
            provider="aws",
            metadata=metadata,
        )


def successors(jobs: Sequence[Json], of: str) -> list[Json]:
    """Jobs that were launched instead of another; of none, the first launches.

    Args:
        jobs: From ``of_key``.
        of: The other's id; empty for none.
    """
    return [job for job in jobs if (job.get("tags") or {}).get(INSTEAD_OF, "") == of]


def current(jobs: Sequence[Json]) -> Json | None:
    """The job that stands for a key: its first, or the last that was launched instead."""
    job: Json | None = None
    while later := successors(jobs, str(job["jobId"]) if job else ""):
        job = later[0]
    return job


def _age(job: Json) -> tuple[int, str]:
    return int(job.get("createdAt", 0)), str(job["jobId"])
