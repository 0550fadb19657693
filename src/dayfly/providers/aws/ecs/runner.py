"""Jobs as tasks on an ECS cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.provider import Description, JobPlan, PlannedCall
from dayfly.providers.aws import states
from dayfly.providers.aws.ecs.definitions import Definitions
from dayfly.providers.aws.ecs.handles import (
    cluster_of,
    is_task,
    not_found,
    region_of,
    unseen,
)
from dayfly.providers.aws.ecs.inventory import EcsInventory
from dayfly.providers.aws.ecs.launch import Launcher
from dayfly.providers.aws.ecs.output import log_place_of
from dayfly.providers.aws.ecs.prepared import prepare
from dayfly.providers.aws.ecs.request import run_task
from dayfly.providers.aws.ecs.tasks import Tasks
from dayfly.providers.aws.secrets import FORMS
from dayfly.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dayfly.contract.jobs import JobHandle, JobStatus, Submission, Submitted
    from dayfly.contract.provider import Check, Leftover, ListedJob
    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.config import Config
    from dayfly.providers.aws.logs.reader import LogPlace

HONOURS: Final = frozenset(
    {
        "image", "command", "run_command", "entrypoint", "env", "secrets", "resources.cpus",
        "resources.memory_mib", "grace_period_seconds", "working_dir", "user", "platform",
        "labels", "target.mode", "target.name", "target.provider_id",
    }
)  # fmt: skip

#: A new task may be MISSING for some seconds [?]; a job is not lost before this.
_VISIBLE_SECONDS: Final = 60.0
#: Source: docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html
_REMEMBERS_SECONDS: Final = 3600.0
#: Tasks of which more than their ids need not be asked; a forgotten one is asked again.
_REMEMBERED: Final = 10_000


class EcsRunner:
    """RunTask, DescribeTasks, StopTask."""

    def __init__(self, aws: Aws, config: Config) -> None:
        self._aws, self._config = aws, config
        self._tasks = Tasks(aws)
        self._definitions = Definitions(aws)
        self._launcher = Launcher(aws, config, self._definitions, self._tasks)
        self._inventory = EcsInventory(aws, config, self._definitions, self._tasks)
        #: Tasks that were seen to have run, and whether they have stopped: their streams
        #: are there, and need no look first.
        self._ran: dict[str, bool] = {}

    def describe(self) -> Description:
        """What a task can be told, and how often ECS may be asked."""
        return Description(
            provider="aws",
            version=__version__,
            honours=HONOURS,
            limits={
                "resources": "Fargate: pairs of 0.25 to 16 vCPU and 512 MiB to 120 GiB, rounded up",
                "grace_period_seconds": "at most 120 s, on Fargate at least 2; 30 by default",
                "command": "with env at most 8,192 characters of JSON, or a definition of its own",
                "labels": "at most 46; letters, digits, spaces and + - = . _ : / @",
                "platform": "linux/amd64 or linux/arm64",
                "target.name": "an existing task definition: command, env, cpu and memory apply",
                "key": "known for about an hour after the task has stopped",
            },
            side_effects=(
                f"Makes the log group {self._config.log_group}; lines stay for its retention.",
                "Keeps a task definition for each content, until `dayfly prune` removes it.",
            ),
            secret_forms=FORMS,
            separates_streams=False,
            statuses_per_call=100,
            calls_per_second=20.0,
            visibility_grace_seconds=_VISIBLE_SECONDS,
            log_drain_seconds=self._config.drain_seconds,
            poll_min_seconds=2.0,
            poll_max_seconds=15.0,
            remembers_seconds=_REMEMBERS_SECONDS,
        )

    async def submit(self, submission: Submission) -> Submitted:
        """Launch, or adopt what the key already has."""
        return await self._launcher.submit(submission)

    async def find(self, key: str) -> JobHandle | None:
        """The key's newest task, or None."""
        return await self._inventory.find(key)

    async def plan(self, submission: Submission) -> JobPlan:
        """The requests of a launch, held against ECS's own definitions of them."""
        from dayfly.providers.aws.models import check_params  # noqa: PLC0415 - imports botocore
        from dayfly.providers.aws.price import price_note  # noqa: PLC0415 - for plan only

        region = await self._aws.region()
        prepared = await prepare(submission, self._config, self._definitions, region)
        arn = prepared.definition or f"{prepared.family}:1"
        request = run_task(
            submission, self._config, arn, prepared.overrides, awsvpc=prepared.awsvpc
        )
        calls = [("RunTask", request, "")]
        if prepared.family:
            found = "for this run, removed after it" if prepared.alone else "unless it is there"
            register = {"family": prepared.family, **prepared.content}
            calls.insert(0, ("RegisterTaskDefinition", register, found))
        for operation, params, _ in calls:
            check_params("ecs", operation, params)
        notes = []
        if prepared.size:
            notes = [prepared.size.note, price_note(prepared.size, self._config.prices)]
        return JobPlan(
            calls=tuple(
                PlannedCall(call=f"ecs:{name}", request=json.dumps(params, indent=2), note=note)
                for name, params, note in calls
            ),
            notes=tuple(note for note in notes if note),
        )

    async def check(self) -> Sequence[Check]:
        """The cluster, and what it can run."""
        from dayfly.providers.aws.doctor.checks import ecs_checks  # noqa: PLC0415 - for doctor only

        return await ecs_checks(self._aws, self._config)

    async def statuses(self, handles: Sequence[JobHandle]) -> Sequence[JobStatus]:
        """One DescribeTasks for up to 100 of a cluster."""
        real = [handle for handle in handles if is_task(handle)]
        tasks = dict(zip((h.id for h in real), await self._tasks.many(real), strict=True))
        return [self._status(handle, tasks.get(handle.id)) for handle in handles]

    async def log_place(self, handle: JobHandle) -> LogPlace | None:
        """The task's stream, once it runs."""
        if not is_task(handle):
            raise not_found(handle)
        if handle.id not in self._ran:
            task = await self._tasks.look(handle)
            if task is None:
                return await self._inventory.place_of_forgotten(handle)
            self._note(task)
        if handle.id not in self._ran:
            return None
        return log_place_of(handle, ended=self._ran[handle.id])

    async def cancel(self, handle: JobHandle) -> None:
        """StopTask: TERM, the grace period, KILL. What has stopped is left as it is.

        Raises:
            NotFound: ECS has no such task.
        """
        if not is_task(handle):
            raise not_found(handle)
        task = await self._tasks.look(handle)
        if task is None:
            raise unseen(handle)
        if task.get("lastStatus") == "STOPPED":
            return
        await self._aws.call(
            "ecs",
            "StopTask",
            region=region_of(handle),
            tried=f"stopping the task {handle.id}",
            cluster=cluster_of(handle),
            task=handle.id,
            reason=states.CANCEL_REASON,
        )

    async def list_jobs(self) -> Sequence[ListedJob]:
        """Own tasks of the configured cluster; a stopped one for about an hour."""
        return await self._inventory.list_jobs()

    async def delete(self, handle: JobHandle) -> None:
        """Remove the definition that was made for this run alone."""
        await self._inventory.delete(handle)

    async def prune(self, *, dry_run: bool, older_than_seconds: int) -> Sequence[Leftover]:
        """Remove own definitions that no running task uses, or say which would go."""
        return await self._inventory.prune(dry_run=dry_run, older_than_seconds=older_than_seconds)

    async def close(self) -> None:
        """Look no more."""
        await self._tasks.close()

    def _status(self, handle: JobHandle, task: dict[str, Any] | None) -> JobStatus:
        if task is None:
            return states.missing(handle)
        self._note(task)
        return states.status_from_task(handle, task, handle.metadata.get("container", ""))

    def _note(self, task: dict[str, Any]) -> None:
        stopped = task.get("lastStatus") == "STOPPED"
        if stopped or task.get("startedAt") is not None:
            if len(self._ran) >= _REMEMBERED:
                self._ran.clear()
            self._ran[str(task["taskArn"])] = stopped
