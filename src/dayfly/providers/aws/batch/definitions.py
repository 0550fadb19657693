"""Job definitions at AWS: found, registered, deregistered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import FailedPrecondition, InvalidField, NotFound
from dayfly.providers.aws.content import Registered
from dayfly.providers.aws.errors import incomplete
from dayfly.providers.aws.pages import all_pages
from dayfly.providers.aws.tags import INTENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.jobs import JobTarget
    from dayfly.providers.aws.client import Aws

#: Batch keeps no time for a definition, so that its age is what this tag says.
REGISTERED: Final = "dayfly:registered"

_TARGET: Final = re.compile(
    r"(?:arn:[\w-]+:batch:[a-z0-9-]+:\d{12}:job-definition/)?([A-Za-z0-9_-]{1,128})(?::(\d+))?"
)
#: Kinds of job that are more than one container, and where Batch has them.
_OTHER_KINDS: Final = {
    "nodeProperties": "several nodes",
    "ecsProperties": "several containers",
    "eksProperties": "pods on EKS",
}

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDefinition:
    """A definition that a launch needs.

    Attributes:
        name: Made from its content, or from the key of its only run.
        content: What it is registered with.
        intent: Digest of the job that it is for alone; empty where runs share it.
    """

    name: str
    content: Mapping[str, Any]
    intent: str = ""

    @property
    def request(self) -> Json:
        """The RegisterJobDefinition request, but for the time."""
        tags = {"tags": {INTENT: self.intent}} if self.intent else {}
        return {"jobDefinitionName": self.name, **self.content, **tags}


class Definitions:
    """Definitions of one configuration's region."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._known = Registered()

    async def get(self, new: NewDefinition) -> str:
        """The ARN of an active definition with this content, registered where there is none."""

        async def find_or_register() -> str:
            return await self._find(new) or await self._register(new)

        if new.intent:
            # Of one run: nobody asks again.
            return await find_or_register()
        return await self._known.get(new.name, find_or_register)

    def forget(self, name: str) -> None:
        """It is not active any more: look again next time."""
        self._known.forget(name)

    async def active(self, name: str = "") -> list[Json]:
        """Active revisions of a name, or of all names."""
        named = {"jobDefinitionName": name} if name else {}
        return await self._all(status="ACTIVE", **named)

    async def target(self, target: JobTarget) -> Json:
        """The definition that a job is attached to.

        Raises:
            InvalidField: It is not one of a single container.
            NotFound: There is none of this name.
            FailedPrecondition: It was deregistered.
        """
        field = "target.provider_id" if target.provider_id else "target.name"
        wanted = target.provider_id or target.name
        shape = _TARGET.fullmatch(wanted)
        if shape is None:
            raise InvalidField(
                f"{field} is {wanted!r}; allowed: a job definition's name, name:revision or ARN",
                field=field,
            )
        name, revision = shape.groups()
        if revision is None:
            found = await self.active(name)
        else:
            known = await self._all(jobDefinitionName=name)
            found = [one for one in known if _revision(one) == int(revision)]
        if not found:
            raise NotFound(f"Batch has no active job definition {wanted!r}", field=field)
        newest: Json = max(found, key=_revision)
        _refuse(newest, wanted, field)
        return newest

    async def deregister(self, arn: str, region: str = "") -> None:
        """Make it inactive; Batch removes it 180 days later. What is gone already is no error."""
        self.forget(arn.rsplit("/", maxsplit=1)[-1].split(":", maxsplit=1)[0])
        known = await self._all(region, jobDefinitions=[arn])
        if any(definition.get("status") == "ACTIVE" for definition in known):
            await self._aws.call(
                "batch",
                "DeregisterJobDefinition",
                region=region,
                tried=f"deregistering {arn}",
                jobDefinition=arn,
            )

    async def _find(self, new: NewDefinition) -> str | None:
        found = [
            definition
            for definition in await self.active(new.name)
            if (definition.get("tags") or {}).get(INTENT, "") == new.intent
        ]
        return str(max(found, key=_revision)["jobDefinitionArn"]) if found else None

    async def _register(self, new: NewDefinition) -> str:
        request = new.request
        now = datetime.now(UTC).isoformat(timespec="seconds")
        request["tags"] = {**request.get("tags", {}), REGISTERED: now}
        tried = f"registering the job definition {new.name}"
        answer = await self._aws.call("batch", "RegisterJobDefinition", tried=tried, **request)
        if not answer.get("jobDefinitionArn"):
            raise incomplete(tried, answer)
        return str(answer["jobDefinitionArn"])

    async def _all(self, region: str = "", **params: Any) -> list[Json]:
        return await all_pages(
            self._aws,
            "batch",
            "DescribeJobDefinitions",
            "jobDefinitions",
            region=region,
            tried="looking for a job definition",
            **params,
        )


def _revision(definition: Json) -> int:
    return int(definition.get("revision", 0))


def _refuse(definition: Json, wanted: str, field: str) -> None:
    if definition.get("status") != "ACTIVE":
        raise FailedPrecondition(
            f"the job definition {wanted!r} was deregistered",
            field=field,
            advice="Name an active revision, or none for the newest.",
        )
    for member, kind in _OTHER_KINDS.items():
        if definition.get(member):
            raise InvalidField(
                f"the job definition {wanted!r} is for {kind} ({member}); dayfly runs one "
                "container",
                field=field,
            )
