"""Lists, read to their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dayfly.providers.aws.client import Aws


async def all_pages(
    aws: Aws,
    service: str,
    operation: str,
    member: str,
    *,
    region: str = "",
    tried: str = "",
    **params: Any,
) -> list[Any]:
    """Everything that an operation lists, over all of its pages.

    Args:
        aws: Makes the calls.
        service: As botocore names it, such as ``ecs``.
        operation: As AWS names it, such as ``ListJobs``.
        member: Where its answer has the list.
        region: Another than the configured one.
        tried: What is being done, for an error.
        params: The request, without its token.

    Raises:
        DayflyError: As ``Aws.call``.
    """
    found: list[Any] = []
    more: dict[str, str] = {}
    while True:
        page = await aws.call(service, operation, region=region, tried=tried, **params, **more)
        found += page.get(member, [])
        if not (token := page.get("nextToken")):
            return found
        more = {"nextToken": token}
