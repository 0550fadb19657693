"""What a run takes before it is run: a definition, the overrides, where its output will be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dayfly.contract.jobs import TargetMode
from dayfly.providers.aws.container import STREAM_PREFIX, environment_of
from dayfly.providers.aws.content import RUN_DEFINITION, content_name
from dayfly.providers.aws.ecs import attached
from dayfly.providers.aws.ecs.definition import (
    CONTAINER,
    content_of,
    content_of_one,
)
from dayfly.providers.aws.ecs.request import overrides_of, size_of, too_long

if TYPE_CHECKING:
    from dayfly.contract.jobs import Submission
    from dayfly.providers.aws.config import Config
    from dayfly.providers.aws.ecs.definitions import Definitions
    from dayfly.providers.aws.sizes import Size


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A run, but for the definition's ARN.

    Attributes:
        family: Of an owned definition; empty where the job is attached.
        content: What the owned definition is registered with.
        definition: ARN of the attached definition; empty where it is owned.
        overrides: Of the run.
        awsvpc: The definition's network mode.
        size: What the task gets; None where the definition says.
        alone: The definition is for this run, and goes with it.
        place: Where the output will be, for the handle.
    """

    family: str = ""
    content: dict[str, Any] = field(default_factory=dict)
    definition: str = ""
    overrides: dict[str, Any]
    awsvpc: bool
    size: Size | None
    alone: bool = False
    place: dict[str, str]


async def prepare(
    submission: Submission, config: Config, definitions: Definitions, region: str
) -> Prepared:
    """Check the job and settle how it is run; nothing is created.

    Raises:
        InvalidField: A field is beyond what ECS, or the attached definition, takes.
        FailedPrecondition: A setting that it needs is missing.
        NotFound: The attached definition is not there.
    """
    if submission.spec.target.mode is TargetMode.OWNED:
        return _owned(submission, config, region)
    spec = submission.spec
    target = spec.target.provider_id or spec.target.name
    definition = await definitions.read(target)
    container = attached.container_of(definition, config.container)
    attached.refuse(spec, definition, container)
    size = attached.size(spec, definition, config)
    return Prepared(
        definition=str(definition["taskDefinitionArn"]),
        overrides=attached.overrides(spec, container, config, size),
        awsvpc=definition.get("networkMode") == "awsvpc",
        size=size,
        place={"container": container, **attached.log_place(definition, container)},
    )


def _owned(submission: Submission, config: Config, region: str) -> Prepared:
    spec = submission.spec
    size = size_of(spec, config)
    content = content_of(spec, config, region)
    overrides = overrides_of(spec, CONTAINER, size)
    alone = too_long(overrides)
    if alone:
        content = content_of_one(content, spec.argv, environment_of(spec))
        own = {"name": CONTAINER}
        overrides = {**overrides, "containerOverrides": [own]}
    return Prepared(
        # The key's earlier try may have left another content behind.
        family=content_name({"key": submission.key, "content": content}, RUN_DEFINITION)
        if alone
        else content_name(content),
        content=content,
        overrides=overrides,
        awsvpc=content["networkMode"] == "awsvpc",
        size=size,
        alone=alone,
        place={
            "container": CONTAINER,
            "log_group": config.log_group,
            "log_prefix": STREAM_PREFIX,
        },
    )
