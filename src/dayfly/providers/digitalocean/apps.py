"""The calls that are made, each under its own name. Source: DigitalOcean's OpenAPI definition.

Answers are dictionaries and read tolerantly: the definition lags the API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import NotFound, ProviderFailed
from dayfly.providers.digitalocean.answers import name_of, oldest_first

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.providers.digitalocean.client import AppPlatform

#: The largest page. Source: DigitalOcean's OpenAPI definition, per_page.
PAGE: Final = 200
#: An answer that always names a next page must not be followed for ever.
_PAGES: Final = 100


class Apps:
    """Apps, their deployments, and what those ran."""

    def __init__(self, api: AppPlatform) -> None:
        self._api = api

    async def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Make an app, which deploys it."""
        tried = f"creating the app {body['spec']['name']}"
        return _member(await self._api.request("POST", "/v2/apps", json=body, tried=tried), "app")

    async def get(self, app: str) -> dict[str, Any] | None:
        """An app; None where there is none."""
        try:
            answer = await self._api.request(
                "GET", f"/v2/apps/{app}", tried=f"reading the app {app}"
            )
        except NotFound:
            return None
        return _member(answer, "app")

    async def all(self) -> list[dict[str, Any]]:
        """Every app of the account."""
        return await self._pages("/v2/apps", "apps", "listing the apps")

    async def named(self, name: str) -> dict[str, Any] | None:
        """The app of exactly this name; None where there is none."""
        return next((app for app in await self.all() if name_of(app) == name), None)

    async def update(self, app: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        """Give an app another spec, which deploys it."""
        answer = await self._api.request(
            "PUT", f"/v2/apps/{app}", json={"spec": spec}, tried=f"updating the app {app}"
        )
        return _member(answer, "app")

    async def delete(self, app: str) -> None:
        """Remove an app; one that is gone already is no error."""
        try:
            await self._api.request("DELETE", f"/v2/apps/{app}", tried=f"deleting the app {app}")
        except NotFound:
            return

    async def deploy(self, app: str) -> dict[str, Any]:
        """Deploy an app as it is, again."""
        answer = await self._api.request(
            "POST",
            f"/v2/apps/{app}/deployments",
            json={"force_build": False},
            tried=f"deploying the app {app}",
        )
        return _member(answer, "deployment")

    async def deployments(self, app: str) -> list[dict[str, Any]]:
        """Every deployment of an app; none where there is no such app."""
        path = f"/v2/apps/{app}/deployments"
        try:
            return await self._pages(path, "deployments", f"listing the deployments of {app}")
        except NotFound:
            return []

    async def deployment(self, app: str, deployment: str) -> dict[str, Any] | None:
        """A deployment by its id; None where there is none, or no such app."""
        path = f"/v2/apps/{app}/deployments/{deployment}"
        try:
            answer = await self._api.request(
                "GET", path, tried=f"reading the deployment {deployment} of the app {app}"
            )
        except NotFound:
            return None
        return _member(answer, "deployment")

    async def cancel_deployment(self, app: str, deployment: str) -> None:
        """Ask for a deployment's stop."""
        path = f"/v2/apps/{app}/deployments/{deployment}/cancel"
        await self._api.request("POST", path, tried=f"cancelling the deployment {deployment}")

    async def invocation(self, app: str, deployment: str, job: str) -> dict[str, Any] | None:
        """What a deployment invoked of a job; None where there is nothing.

        Whether a deploy-time job makes an invocation at all is contested [?].
        """
        query = {"job_names": [job], "deployment_id": deployment}
        tried = f"reading the invocations of the job {job} of the app {app}"
        try:
            path = f"/v2/apps/{app}/job-invocations"
            rows = await self._pages(path, "job_invocations", tried, query)
        except NotFound:
            return None
        # Filtered here too: an API that ignores a parameter must not show another's job.
        own = [
            row
            for row in rows
            if row.get("deployment_id") == deployment and row.get("job_name") == job
        ]
        return next(iter(oldest_first(own)), None)

    async def cancel_invocation(self, app: str, invocation: str, job: str) -> None:
        """Ask for an invocation's stop."""
        await self._api.request(
            "POST",
            f"/v2/apps/{app}/job-invocations/{invocation}/cancel",
            query={"job_name": job},
            tried=f"cancelling the invocation {invocation} of the app {app}",
        )

    async def _pages(
        self, path: str, member: str, tried: str, query: Mapping[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for page in range(1, _PAGES + 1):
            whole = {**(query or {}), "page": page, "per_page": PAGE}
            answer = await self._api.request("GET", path, query=whole, tried=tried)
            new = answer.get(member) or []
            rows += new
            more = ((answer.get("links") or {}).get("pages") or {}).get("next")
            if not new or not (more or len(new) == PAGE):
                return rows
        raise ProviderFailed(f"{tried}: there are more than {_PAGES} pages of them")


def _member(answer: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = answer.get(name)
    if not isinstance(value, dict):
        raise ProviderFailed(f"DigitalOcean's answer has no {name}")
    return value
