"""Overrides of a launch: what they may say and what comes of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tests.emulators.aws.ecs.fargate import cpu_units, is_pair, memory_mib
from tests.emulators.aws.errors import break_rule

if TYPE_CHECKING:
    from tests.emulators.aws.ecs.definitions import Revision

MOST_CHARACTERS: Final = 8192


def merged_overrides(request: dict[str, Any], revision: Revision) -> dict[str, Any]:
    """The overrides as a task shows them: one entry for each container.

    Raises:
        ApiError: They are too long, or name what is not there.
    """
    asked = request.get("overrides", {})
    if len(json.dumps(asked, separators=(",", ":"), ensure_ascii=False)) > MOST_CHARACTERS:
        code = "InvalidParameterException"
        break_rule(code, f"Container Overrides length must be at most {MOST_CHARACTERS}")
    definition = revision.document
    by_name = {one["name"]: one for one in definition["containerDefinitions"]}
    overrides = {one.get("name"): one for one in asked.get("containerOverrides", [])}
    for name, override in overrides.items():
        if name not in by_name:
            message = (
                f"Override for container named {name} is not a container in the TaskDefinition."
            )
            break_rule("InvalidParameterException", message)
        _check_environment(by_name[name], override)
    merged = {**asked, "inferenceAcceleratorOverrides": []}
    merged["containerOverrides"] = [{"name": name, **overrides.get(name, {})} for name in by_name]
    _check_size(merged, definition)
    return merged


def commands(definition: dict[str, Any], overrides: dict[str, Any]) -> list[list[str]]:
    """The command of each container."""
    return [
        [*container.get("entryPoint", []), *override.get("command", container.get("command", []))]
        for container, override in zip(
            definition["containerDefinitions"], overrides["containerOverrides"], strict=True
        )
    ]


def _check_environment(container: dict[str, Any], override: dict[str, Any]) -> None:
    secrets = {one["name"] for one in container.get("secrets", [])}
    for one in override.get("environment", []):
        if one.get("name") in secrets:
            break_rule(
                "ClientException",
                "The secret name must be unique and not shared with any new or existing "
                f"environment variables set on the container, such as '{one['name']}'.",
            )


def _check_size(merged: dict[str, Any], definition: dict[str, Any]) -> None:
    if "cpu" in merged:
        merged["cpu"] = cpu_units(merged["cpu"])
    if "memory" in merged:
        merged["memory"] = memory_mib(merged["memory"])
    cpu = merged.get("cpu") or definition.get("cpu", "")
    memory = merged.get("memory") or definition.get("memory", "")
    fargate = "FARGATE" in definition["compatibilities"]
    if fargate and not is_pair(cpu, memory):
        message = f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory."
        # [?] The message is AWS's; the code is believed to be the one of a registration.
        break_rule("ClientException", message)
