"""Which step of a file is meant: one alone, or one of a pipeline's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dayfly.contract.errors import InvalidField, NotFound
from dayfly.sandbox.step import TYPE, called, step_from
from dayfly.sandbox.yaml_text import read_yaml

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dayfly.sandbox.step import Step

#: A pipeline's own affairs, which a step that runs alone has no use for.
_OF_THE_PIPELINE = frozenset({"error_status", "on_error"})
_KEYS = frozenset({"config", "name", "type"}) | _OF_THE_PIPELINE
_DECIDE = "Leave it out, and decide before whether to run this."
#: These change whether or how long the step runs, each with what to do instead.
_INSTEAD = {
    "if": _DECIDE,
    "skip_if": _DECIDE,
    "timeout": "Put it into config, where it is the command's own.",
}


def step_of(path: Path, name: str = "") -> Step:
    """The step that a file holds.

    The file is one step, a list ``steps``, a table ``pipelines`` of those, or the step's
    ``config`` alone.

    Args:
        path: A YAML file.
        name: Which one; empty where there is only one of this type.

    Raises:
        InvalidField: The file is no YAML, or its step cannot be carried out.
        NotFound: There is no such step, or more than one.
    """
    document = read_yaml(path)
    if not isinstance(document, (dict, list)):
        raise InvalidField(f"{path} holds no step", field="file")
    found = [step for step in _steps(document) if not name or step.get("name") == name]
    if len(found) != 1:
        names = ", ".join(str(step.get("name", "without a name")) for step in _steps(document))
        asked = f"{len(found)} named {name!r}" if name else str(len(found))
        raise NotFound(
            f"{path} has {asked} of type {TYPE}, and one is needed; there are: {names or 'none'}",
            field="step",
            advice="Name one with --step.",
        )
    return _step(found[0])


def _steps(document: Any) -> Iterator[dict[str, Any]]:
    if isinstance(document, list):
        yield from (step for step in document if _is_ours(step))
    elif _is_ours(document):
        yield document
    elif "steps" in document or "pipelines" in document:
        pipelines = document.get("pipelines")
        tables = [document, *(pipelines.values() if isinstance(pipelines, dict) else ())]
        for table in tables:
            steps = table.get("steps") if isinstance(table, dict) else None
            yield from (step for step in (steps or ()) if _is_ours(step))
    elif "type" not in document:
        config = document.get("config", document)
        yield {"name": document.get("name", ""), "type": TYPE, "config": config}


def _is_ours(step: object) -> bool:
    return isinstance(step, dict) and step.get("type") == TYPE


def _step(table: dict[str, Any]) -> Step:
    name = table.get("name", "")
    if not isinstance(name, str):
        raise InvalidField("the step's name is no text", field="name")
    for key, value in table.items():
        if key in _INSTEAD and value:
            raise InvalidField(
                f"{called(name)}: {key} needs its pipeline, and cannot be honoured here",
                field=key,
                advice=_INSTEAD[key],
            )
        if key not in _KEYS | _INSTEAD.keys():
            raise InvalidField(
                f"{called(name)}: {key!r} is unknown; allowed: {', '.join(sorted(_KEYS))}",
                field=key,
            )
    return step_from(name, table.get("config"))
