"""A request, taken apart, and what it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from multidict import MultiMapping
    from tests.emulators.digitalocean.account import Account

_APP: Final = "/v2/apps/{app}"
#: Operations, by the definition's own names, in the order in which their paths are tried.
_PATHS: Final = {
    "apps_list": ("GET", "/v2/apps"),
    "apps_create": ("POST", "/v2/apps"),
    "apps_list_regions": ("GET", "/v2/apps/regions"),
    "apps_list_instanceSizes": ("GET", "/v2/apps/tiers/instance_sizes"),
    "apps_get_instanceSize": ("GET", "/v2/apps/tiers/instance_sizes/{slug}"),
    "apps_get": ("GET", _APP),
    "apps_update": ("PUT", _APP),
    "apps_delete": ("DELETE", _APP),
    "apps_list_deployments": ("GET", f"{_APP}/deployments"),
    "apps_create_deployment": ("POST", f"{_APP}/deployments"),
    "apps_get_deployment": ("GET", f"{_APP}/deployments/{{deployment}}"),
    "apps_cancel_deployment": ("POST", f"{_APP}/deployments/{{deployment}}/cancel"),
    "apps_get_logs": ("GET", f"{_APP}/deployments/{{deployment}}/components/{{job}}/logs"),
    "apps_list_job_invocations": ("GET", f"{_APP}/job-invocations"),
    "apps_get_job_invocation": ("GET", f"{_APP}/job-invocations/{{invocation}}"),
    "apps_cancel_job_invocation": ("POST", f"{_APP}/job-invocations/{{invocation}}/cancel"),
    "apps_get_job_invocation_logs": ("GET", f"{_APP}/jobs/{{job}}/invocations/{{invocation}}/logs"),
    "account_get": ("GET", "/v2/account"),
    "registry_tags": ("GET", "/v2/registry/{registry}/repositories/{repository}/tags"),
}
_PATTERNS: Final = {
    name: (method, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)))
    for name, (method, path) in _PATHS.items()
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request to the API.

    Attributes:
        account: Whose.
        operation: Its name.
        url: Of the request, without its query.
        base: Where the emulator is.
        path: Parameters in the path.
        query: Those after it.
        body: Of the request, if it has one.
    """

    account: Account
    operation: str
    url: str
    base: str
    path: Mapping[str, str]
    query: MultiMapping[str]
    body: dict[str, Any]


def find_operation(method: str, path: str) -> tuple[str, dict[str, str]] | None:
    """The operation of a request and the parameters in its path; None where there is none."""
    for name, (verb, pattern) in _PATTERNS.items():
        if verb == method and (match := pattern.fullmatch(path)):
            return name, match.groupdict()
    return None
