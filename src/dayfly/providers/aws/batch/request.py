"""The SubmitJob request of a job, and what Batch cannot take in one."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import InvalidField
from dayfly.contract.identity import intent_digest
from dayfly.providers.aws.batch.definition import requirements
from dayfly.providers.aws.batch.queue import INSTEAD_OF, job_name
from dayfly.providers.aws.container import environment_of
from dayfly.providers.aws.tags import tag_map

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobSpec, Submission
    from dayfly.providers.aws.sizes import Size

MIN_TIMEOUT_SECONDS: Final = 60
MAX_TAGS: Final = 50
#: SubmitJob takes 30 KiB, but Batch hands the overrides on to ECS, which takes 8,192
#: characters of JSON: beyond that the job fails with "Container Overrides length must be at
#: most 8192" (seen in github.com/Netflix/metaflow/issues/1482). Batch adds variables of its
#: own, whose names and values fit into what is kept free.
MAX_OVERRIDES: Final = 8192 - 1500

_RESERVED: Final = "AWS_BATCH"
#: Source: docs.aws.amazon.com/batch/latest/userguide/job_definition_parameters.html#parameters
_PLACEHOLDER: Final = re.compile(r"Ref::\w")


def check_run(spec: JobSpec) -> None:
    """Refuse what Batch cannot do for a run, whoever's definition it is from.

    Raises:
        InvalidField: Naming the field.
    """
    if spec.timeout_seconds is not None and spec.timeout_seconds < MIN_TIMEOUT_SECONDS:
        raise InvalidField(
            f"timeout_seconds is {spec.timeout_seconds}; Batch takes {MIN_TIMEOUT_SECONDS} or more",
            field="timeout_seconds",
        )
    for number, word in enumerate(spec.argv):
        _check_word(word, "run_command" if spec.run_command else f"command[{number}]")
    for table, names in (("env", spec.env), ("secrets", spec.secrets)):
        for name in names:
            if name.startswith(_RESERVED):
                raise InvalidField(
                    f"{table}.{name} begins with {_RESERVED}, which Batch keeps for itself",
                    field=f"{table}.{name}",
                )
    for name, value in spec.env.items():
        if not value:
            # Seen in github.com/hashicorp/terraform-provider-aws/issues/26960.
            raise InvalidField(
                f"env.{name} is empty, and Batch drops variables without a value",
                field=f"env.{name}",
                advice="Leave it out, or set it in the command.",
            )


def overrides_of(spec: JobSpec, size: Size | None) -> dict[str, Any]:
    """What this run has of its own.

    Args:
        spec: The job.
        size: CPU and memory; None leaves them to the definition.
    """
    overrides: dict[str, Any] = {}
    if spec.argv:
        overrides["command"] = list(spec.argv)
    if spec.env:
        overrides["environment"] = environment_of(spec)
    if size is not None:
        overrides["resourceRequirements"] = requirements(size)
    return overrides


def too_long(overrides: dict[str, Any]) -> bool:
    """The job would fail for the length of its overrides."""
    return len(json.dumps(overrides)) > MAX_OVERRIDES


def submit_job(submission: Submission, queue: str, overrides: dict[str, Any]) -> dict[str, Any]:
    """The whole request but ``jobDefinition``.

    Raises:
        InvalidField: A label is no tag of AWS's.
    """
    spec = submission.spec
    tags = tag_map(submission.key, intent_digest(spec), spec.name, spec.labels)
    if submission.instead_of:
        tags[INSTEAD_OF] = submission.instead_of
    if len(tags) >= MAX_TAGS:
        # Those of the definition count too: beyond the limit Batch fails the job.
        raise InvalidField(
            f"there are {len(spec.labels)} labels; with dayfly's own tags a job of Batch's may "
            f"have {MAX_TAGS - 1}",
            field="labels",
        )
    request: dict[str, Any] = {
        "jobName": job_name(submission.key, spec.name),
        "jobQueue": queue,
        "containerOverrides": overrides,
        "retryStrategy": {"attempts": 1},
        "tags": tags,
    }
    if spec.timeout_seconds is not None:
        request["timeout"] = {"attemptDurationSeconds": spec.timeout_seconds}
    return request


def _check_word(word: str, field: str) -> None:
    if not word:
        # "Command field cannot have empty strings", says SubmitJob.
        raise InvalidField(f"{field} is empty, and Batch refuses empty arguments", field=field)
    if _PLACEHOLDER.search(word):
        raise InvalidField(
            f"{field} has a word that begins with Ref::, which Batch takes for a placeholder",
            field=field,
        )
