"""A launch before anything is sent: what is registered, what is submitted, what was rounded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import InvalidField
from dayfly.contract.identity import intent_digest, key_digest
from dayfly.contract.jobs import Resources, TargetMode
from dayfly.providers.aws.batch.definition import content_of, content_of_one, size_of
from dayfly.providers.aws.batch.definitions import NewDefinition
from dayfly.providers.aws.batch.request import check_run, overrides_of, submit_job, too_long
from dayfly.providers.aws.content import RUN_DEFINITION, content_name

if TYPE_CHECKING:
    from dayfly.contract.jobs import JobSpec, Submission
    from dayfly.providers.aws.batch.definitions import Definitions
    from dayfly.providers.aws.batch.queue import Queue
    from dayfly.providers.aws.client import Aws
    from dayfly.providers.aws.config import Config
    from dayfly.providers.aws.sizes import Size

#: Fields of a definition that SubmitJob does not override.
_FIXED: Final = ("image", "secrets", "platform", "user")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """One launch.

    Attributes:
        request: SubmitJob, all but ``jobDefinition``.
        definition: What must be there first; None for a target's.
        target: ARN of the target's definition; empty where one is made.
        size: CPU and memory of the job; None where the definition says.
        notes: What was rounded or chosen.
    """

    request: dict[str, Any]
    definition: NewDefinition | None = None
    target: str = ""
    size: Size | None = None
    notes: tuple[str, ...] = ()


async def prepare(
    submission: Submission, aws: Aws, config: Config, queue: Queue, definitions: Definitions
) -> Prepared:
    """Check all of a job, and write its requests. AWS is asked about a target only.

    Raises:
        InvalidField: A field cannot be carried out.
        NotFound: The target, or a secret's portable name, is not there.
        FailedPrecondition: A setting is missing.
    """
    # Imported now: it loads AWS's models.
    from dayfly.providers.aws.models import check_params  # noqa: PLC0415

    spec = submission.spec
    check_run(spec)
    if spec.target.mode is TargetMode.OWNED:
        prepared = _owned(submission, config, queue.name, await aws.region())
    else:
        prepared = await _attached(submission, queue.name, definitions)
    if prepared.definition is not None:
        check_params("batch", "RegisterJobDefinition", prepared.definition.request)
    name = prepared.target or (prepared.definition.name if prepared.definition else "")
    check_params("batch", "SubmitJob", {**prepared.request, "jobDefinition": name})
    return prepared


def _owned(submission: Submission, config: Config, queue: str, region: str) -> Prepared:
    spec = submission.spec
    content = content_of(spec, config, region)
    size = size_of(spec.resources, fargate=config.fargate)
    overrides = overrides_of(spec, size)
    definition = NewDefinition(name=content_name(content), content=content)
    notes = [size.note] if size.note else []
    if too_long(overrides):
        whole = content_of_one(
            content, overrides.pop("command", []), overrides.pop("environment", [])
        )
        definition = NewDefinition(
            name=f"{RUN_DEFINITION}-{key_digest(submission.key)}",
            content=whole,
            intent=intent_digest(spec),
        )
        notes.append("The command and env are too long to override: a definition holds them.")
    request = submit_job(submission, queue, overrides) | {"propagateTags": True}
    return Prepared(request=request, definition=definition, size=size, notes=tuple(notes))


async def _attached(submission: Submission, queue: str, definitions: Definitions) -> Prepared:
    spec = submission.spec
    if spec.target.mode is not TargetMode.ATTACHED_RUN:
        raise InvalidField(
            f"target.mode is {spec.target.mode.name}; Batch runs a job definition as it is, "
            "with overrides (ATTACHED_RUN)",
            field="target.mode",
        )
    for field in _FIXED:
        if getattr(spec, field):
            raise InvalidField(
                f"{field} is the job definition's, and Batch does not override it", field=field
            )
    target = await definitions.target(spec.target)
    _refuse_secrets(spec, target)
    size = _size_within(spec.resources, target)
    overrides = overrides_of(spec, size)
    if size is not None:
        overrides["resourceRequirements"] += _kept(target)
    if too_long(overrides):
        raise InvalidField(
            "command and env are longer than what Batch overrides in a job definition",
            field="command" if len(str(spec.argv)) > len(str(dict(spec.env))) else "env",
            advice="Pass large input by reference: an object in S3, a file in the image.",
        )
    return Prepared(
        request=submit_job(submission, queue, overrides),
        target=str(target["jobDefinitionArn"]),
        size=size,
        notes=(size.note,) if size and size.note else (),
    )


def _refuse_secrets(spec: JobSpec, target: dict[str, Any]) -> None:
    """A plain variable in a secret's place would fail the job once ECS has it."""
    for secret in (target.get("containerProperties") or {}).get("secrets") or ():
        if secret["name"] in spec.env:
            raise InvalidField(
                f"env.{secret['name']} is a secret in the job definition, which a plain variable "
                "does not override",
                field=f"env.{secret['name']}",
                advice="Leave it out, or register a revision without the secret.",
            )


def _size_within(wanted: Resources, target: dict[str, Any]) -> Size | None:
    """CPU and memory are overridden together: what is not asked for stays the definition's."""
    if wanted == Resources():
        return None
    container = target.get("containerProperties") or {}
    # Older definitions have numbers of their own for both.
    has = {"VCPU": container.get("vcpus"), "MEMORY": container.get("memory")}
    has |= {item["type"]: item["value"] for item in container.get("resourceRequirements") or []}
    cpus = wanted.cpus if wanted.cpus is not None else float(has["VCPU"] or 0) or None
    memory = wanted.memory_mib if wanted.memory_mib is not None else int(has["MEMORY"] or 0)
    fargate = "FARGATE" in (target.get("platformCapabilities") or [])
    return size_of(replace(wanted, cpus=cpus, memory_mib=memory or None), fargate=fargate)


def _kept(target: dict[str, Any]) -> list[dict[str, str]]:
    """What else the definition asks for, such as GPU: the list is overridden as a whole [?]."""
    listed = (target.get("containerProperties") or {}).get("resourceRequirements") or []
    return [item for item in listed if item["type"] not in {"VCPU", "MEMORY"}]
