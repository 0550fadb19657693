"""One key, one task: RunTask with a token from the key, and what ECS may answer.

ECS starts one task for a clientToken, however often it is sent, so a launch asks nothing
first. [?] How long it remembers a token is not published for ECS (EC2 keeps 24 hours or
more); it forgets a stopped task after about an hour.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import AlreadyExists, Conflict, InvalidField, NotFound
from dayfly.contract.identity import intent_digest
from dayfly.contract.jobs import Submitted
from dayfly.providers.aws import tags
from dayfly.providers.aws.ecs.found import handle_of_found, tag_table
from dayfly.providers.aws.ecs.handles import cluster_in, handle_of
from dayfly.providers.aws.ecs.prepared import prepare
from dayfly.providers.aws.ecs.request import run_task
from dayfly.providers.aws.ecs.tasks import cluster_is_gone
from dayfly.providers.aws.errors import conflicting, incomplete, other_intent, refused_run
from dayfly.providers.aws.logs.events import clock_ms
from dayfly.providers.aws.logs.group import LogGroups

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobHandle, Submission
    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.config import Config
    from dayfly.providers.aws.ecs.definitions import Definitions
    from dayfly.providers.aws.ecs.prepared import Prepared
    from dayfly.providers.aws.ecs.tasks import Tasks

#: A task older than this when RunTask answers, by AWS's clock, was started by an earlier call.
_EARLIER_MS: Final = 30_000


class Launcher:
    """Launches tasks with one configuration."""

    def __init__(self, aws: Aws, config: Config, definitions: Definitions, tasks: Tasks) -> None:
        self._aws = aws
        self._config = config
        self._definitions = definitions
        self._tasks = tasks
        self._groups = LogGroups(aws)

    async def submit(self, submission: Submission) -> Submitted:
        """Run the key's task, or adopt the one that it has.

        Raises:
            InvalidField: A field cannot be carried out; no task was started.
            AlreadyExists: The key's task is another job.
            Unavailable: There is no room now.
        """
        config, region = self._config, await self._aws.region()
        prepared = await prepare(submission, config, self._definitions, region)
        arn = prepared.definition
        # Refused before anything is made, whatever it is that ECS would refuse.
        run_task(submission, config, arn, prepared.overrides, awsvpc=prepared.awsvpc)
        if prepared.family:
            await self._groups.ensure(region, config.log_group, config.log_retention_days)
            arn = await self._definitions.ensure(prepared.family, prepared.content)
        try:
            task, adopted = await self._run(submission, prepared, arn)
        except AlreadyExists as error:
            handle = await self._adopted(submission, conflicting(error))
            return Submitted(handle=handle, adopted=True)
        place = {"region": region, "cluster": config.cluster, **prepared.place}
        if prepared.alone:
            place["definition"] = arn
        note = prepared.size.note if prepared.size else ""
        return Submitted(
            handle=handle_of(task, submission, place),
            adopted=adopted,
            notes=(note,) if note else (),
        )

    async def _run(
        self, submission: Submission, prepared: Prepared, arn: str
    ) -> tuple[dict[str, Any], bool]:
        request = run_task(
            submission, self._config, arn, prepared.overrides, awsvpc=prepared.awsvpc
        )
        tried = f"running a task of {arn.rsplit('/', maxsplit=1)[-1]}"
        try:
            answer = await self._aws.call("ecs", "RunTask", tried=tried, **request)
        except NotFound as error:
            raise cluster_is_gone(error, self._config.cluster) from error
        except Conflict as error:
            if prepared.family:
                # It was pruned since it was found; the next try registers it anew.
                self._definitions.forget(prepared.family)
                raise
            raise InvalidField(
                error.message, field="target.name", advice="Name an ACTIVE revision."
            ) from error
        except InvalidField as error:
            if error.field == "target.name" and await self._is_gone(prepared, arn):
                raise Conflict(error.message) from error
            raise
        if failures := answer.get("failures"):
            raise refused_run(tried, failures)
        if not answer.get("tasks"):
            raise incomplete(tried, answer)
        task: dict[str, Any] = answer["tasks"][0]
        return task, _is_earlier(task, clock_ms(answer))

    async def _is_gone(self, prepared: Prepared, arn: str) -> bool:
        """An owned definition was pruned; else ECS has something against it that stays so.

        AWS's words for one that is gone are not all known [?].
        """
        if not prepared.family:
            return False
        self._definitions.forget(prepared.family)
        return await self._definitions.ensure(prepared.family, prepared.content) != arn

    async def _adopted(self, submission: Submission, arns: list[str]) -> JobHandle:
        """The task that the token belongs to, if it is this job, where its own request put it."""
        found = []
        for arn in arns:
            found += await self._tasks.named(cluster_in(arn, self._config.cluster), [arn])
        if not found:
            raise Conflict(f"the key's task {', '.join(arns)} is not visible yet")
        task = max(found, key=_created)
        # Tags go with StopTask; then ECS's own word, that the requests differ, is what counts.
        intent = tag_table(task).get(tags.INTENT, "")
        if intent != intent_digest(submission.spec):
            raise other_intent(str(task["taskArn"]))
        return await handle_of_found(task, submission.key, self._config, self._definitions)


def _created(task: dict[str, Any]) -> datetime:
    at: datetime = task.get("createdAt") or datetime.min.replace(tzinfo=UTC)
    return at


def _is_earlier(task: dict[str, Any], now_ms: int) -> bool:
    at: datetime | None = task.get("createdAt")
    moved = task.get("lastStatus") not in {"PROVISIONING", "PENDING", "ACTIVATING", None}
    return moved or (at is not None and now_ms - at.timestamp() * 1000 > _EARLIER_MS)
