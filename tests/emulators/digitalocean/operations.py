"""Which function answers which operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.emulators.digitalocean import apps, deploying, places, registry, tracks

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.emulators.digitalocean.calls import Call

OPERATIONS: Final[dict[str, Callable[[Call], dict[str, Any]]]] = {
    "apps_list": apps.list_all,
    "apps_create": apps.create,
    "apps_get": apps.get,
    "apps_update": apps.update,
    "apps_delete": apps.delete,
    "apps_list_regions": places.list_regions,
    "apps_list_instanceSizes": places.list_sizes,
    "apps_get_instanceSize": places.get_size,
    "apps_list_deployments": deploying.list_deployments,
    "apps_create_deployment": deploying.create_deployment,
    "apps_get_deployment": deploying.get_deployment,
    "apps_cancel_deployment": deploying.cancel_deployment,
    "apps_list_job_invocations": deploying.list_invocations,
    "apps_get_job_invocation": deploying.get_invocation,
    "apps_cancel_job_invocation": deploying.cancel_invocation,
    "apps_get_logs": tracks.of_component,
    "apps_get_job_invocation_logs": tracks.of_invocation,
    "account_get": places.get_account,
    "registry_tags": registry.list_tags,
}
