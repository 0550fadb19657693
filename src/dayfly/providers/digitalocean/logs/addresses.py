"""Where a job's output is: live, archived, or nowhere so far. Its addresses carry tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import InvalidField
from dayfly.providers.digitalocean.logs.cursor import SOURCES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.providers.digitalocean.client import AppPlatform
    from dayfly.providers.digitalocean.handles import Place

#: How long the log service may wait for an instance that is not there yet; 3 minutes are
#: its default, in which nothing else of the job could be read.
_INSTANCE_WAIT: Final = "10s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Where output is.

    Attributes:
        source: Which output, as a cursor names it.
        live: Address of a live stream; empty where there is none.
        archives: Addresses of files, in their order.
    """

    source: str
    live: str
    archives: tuple[str, ...]

    def __repr__(self) -> str:
        """Without the addresses."""
        return f"Found(source={self.source!r}, live={bool(self.live)}, {len(self.archives)} files)"


class Addresses:
    """Asks for addresses of output. They stay in this folder."""

    def __init__(self, api: AppPlatform) -> None:
        self._api = api

    async def find(
        self, place: Place, invocation: str, *, only: str = "", follow: bool
    ) -> Found | None:
        """The first source that was reached; None where none was so far.

        Args:
            place: The job.
            invocation: Id of its invocation; empty where there is none.
            only: Look at this source alone; empty looks at all, as they come in ``SOURCES``.
            follow: Ask for the live address.
        """
        for source in (only,) if only else SOURCES:
            if source == "invocation" and not invocation:
                continue
            answer = await self._ask(source, place, invocation, follow=follow) or {}
            live = str(answer.get("live_url") or "")
            archives = tuple(map(str, answer.get("historic_urls") or ()))
            if live or archives:
                return Found(source=source, live=live, archives=archives)
        return None

    async def _ask(
        self, source: str, place: Place, invocation: str, *, follow: bool
    ) -> Mapping[str, Any] | None:
        job, deployment = place.component, place.deployment
        query = {"follow": str(follow).lower(), "pod_connection_timeout": _INSTANCE_WAIT}
        if source == "invocation":
            path = f"jobs/{job}/invocations/{invocation}/logs"
            query |= {"type": "JOB_INVOCATION", "deployment_id": deployment}
        else:
            path = f"deployments/{deployment}/components/{job}/logs"
            query |= {"type": source.upper()}
        tried = f"finding the output ({source}) of the job {job} of the app {place.app}"
        try:
            return await self._api.request(
                "GET", f"/v2/apps/{place.app}/{path}", query=query, tried=tried
            )
        except InvalidField:
            # 400: that phase was never reached.
            return None
