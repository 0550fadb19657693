"""Task definitions at ECS: found before they are registered, read once, removed for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import Conflict, InvalidField, NotFound
from dayfly.providers.aws.content import Registered
from dayfly.providers.aws.pages import all_pages

if TYPE_CHECKING:
    from dayfly.providers.aws.client import Aws

    Definition = dict[str, Any]

_REMEMBERED: Final = 1000


class Definitions:
    """Task definitions of one identity, in its region."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._registered = Registered()
        self._read: dict[str, Definition] = {}

    async def ensure(self, family: str, content: Definition) -> str:
        """ARN of the family's definition; it is registered where there is none.

        Args:
            family: A name that stands for the content.
            content: All of the definition but its family.
        """

        async def find_or_register() -> str:
            found = await self._find(family)
            return found or await self._register(family, content)

        return await self._registered.get(family, find_or_register)

    def forget(self, family: str) -> None:
        """Look for the family's definition anew: somebody removed it."""
        self._registered.forget(family)

    async def read(self, name: str, region: str = "") -> Definition:
        """A definition as ECS has it.

        Args:
            name: ARN, ``family`` (its latest revision) or ``family:revision``.
            region: Where, if elsewhere than configured.

        Raises:
            NotFound: There is none.
        """
        if name in self._read:
            return self._read[name]
        try:
            answer = await self._aws.call(
                "ecs",
                "DescribeTaskDefinition",
                region=region,
                tried=f"reading the task definition {name!r}",
                taskDefinition=name,
            )
        except InvalidField as error:
            # ECS has no code of its own for this.
            raise NotFound(
                error.message,
                field="target.name",
                advice="`aws ecs list-task-definitions` lists what there is.",
            ) from error
        definition: Definition = answer["taskDefinition"]
        if name == definition["taskDefinitionArn"]:  # A revision never changes.
            if len(self._read) >= _REMEMBERED:
                self._read.clear()
            self._read[name] = definition
        return definition

    async def remove(self, arn: str) -> None:
        """Deregister a revision and delete it; what is gone already is no error."""
        region = arn.split(":")[3]
        try:
            await self._aws.call(
                "ecs", "DeregisterTaskDefinition", region=region, taskDefinition=arn
            )
        except Conflict:
            pass  # Inactive already: an earlier call came this far.
        except (InvalidField, NotFound):
            return
        await self._aws.call("ecs", "DeleteTaskDefinitions", region=region, taskDefinitions=[arn])

    async def active(self, prefix: str) -> list[str]:
        """ARNs of all active revisions of families that begin so."""
        arns: list[str] = []
        for family in await self._listed(
            "ListTaskDefinitionFamilies", "families", familyPrefix=prefix
        ):
            arns += await self._listed(
                "ListTaskDefinitions", "taskDefinitionArns", familyPrefix=family
            )
        return arns

    async def _listed(self, operation: str, member: str, **wanted: str) -> list[str]:
        return await all_pages(self._aws, "ecs", operation, member, status="ACTIVE", **wanted)

    async def _find(self, family: str) -> str:
        try:
            definition = await self.read(family)
        except NotFound:
            return ""
        active = definition.get("status", "ACTIVE") == "ACTIVE"
        return str(definition["taskDefinitionArn"]) if active else ""

    async def _register(self, family: str, content: Definition) -> str:
        answer = await self._aws.call(
            "ecs",
            "RegisterTaskDefinition",
            tried=f"registering the task definition {family!r}",
            family=family,
            **content,
        )
        return str(answer["taskDefinition"]["taskDefinitionArn"])
