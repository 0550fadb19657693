"""``step.sandbox_exec`` as users of the Go project write it, as a command."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from dayfly.contract.errors import InvalidField
from dayfly.sandbox.command import LOCAL_DOCKER, Command
from dayfly.sandbox.profiles import STRICT
from dayfly.sandbox.quantities import go_mebibytes, go_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

TYPE: Final = "step.sandbox_exec"

KEYS: Final = frozenset(
    {
        "argo_module", "command", "cpu_limit", "env", "exec_env", "fail_on_error", "image",
        "memory_limit", "mounts", "network", "profile", "provider", "security_profile", "timeout",
        "user", "working_dir",
    }
)  # fmt: skip
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step of a pipeline.

    Attributes:
        name: As it is called; may be empty.
        command: What it runs.
        fail_on_error: A command that exits with another code than 0 fails the step.
    """

    name: str
    command: Command
    fail_on_error: bool = True


def called(name: str) -> str:
    """What a message calls the step of this name."""
    return f"step {name!r}" if name else "the step"


def step_from(name: str, config: object) -> Step:
    """A step from its ``config``, whose values are text as it was written.

    ``${NAME}`` in ``image`` is a variable of this process.

    Raises:
        InvalidField: A key is unknown or cannot be honoured, or a value is wrong.
    """
    if not isinstance(config, dict):
        raise InvalidField(f"{called(name)} has no table config", field="config")
    for key in config:
        if key not in KEYS:
            raise InvalidField(
                f"{called(name)}: {key!r} is unknown; allowed: {', '.join(sorted(KEYS))}",
                field=f"config.{key}",
            )
    if config.get("mounts"):
        raise InvalidField(
            f"{called(name)}: mounts cannot be honoured: a job has no directories of this machine",
            field="config.mounts",
            advice="Put the files into the image, or have the command fetch them.",
        )
    read = _Reader(name, config)
    command = Command(
        argv=read.argv(),
        exec_env=read.text("exec_env") or LOCAL_DOCKER,
        provider=read.text("provider"),
        argo_module=read.text("argo_module"),
        image=_VARIABLE.sub(read.from_environment, read.text("image")),
        profile=read.either("security_profile", "profile") or STRICT,
        env=read.table("env"),
        cpus=read.as_("cpu_limit", _number),
        memory_mib=read.as_("memory_limit", go_mebibytes),
        timeout_seconds=read.as_("timeout", go_seconds),
        network=read.text("network"),
        working_dir=read.text("working_dir"),
        user=read.text("user"),
    )
    fail = read.as_("fail_on_error", _truth)
    return Step(name=name, command=command, fail_on_error=True if fail is None else fail)


class _Reader:
    """One step's table, each value refused under its name."""

    def __init__(self, step: str, config: Mapping[str, Any]) -> None:
        self._step = step
        self._config = config

    def text(self, key: str) -> str:
        value = self._config.get(key, "")
        if not isinstance(value, str):
            raise self._wrong(key, "text")
        return value

    def either(self, one: str, other: str) -> str:
        if self.text(one) and self.text(other) and self.text(one) != self.text(other):
            raise self._wrong(other, f"the same as {one}, or nothing")
        return self.text(one) or self.text(other)

    def argv(self) -> tuple[str, ...]:
        value = self._config.get("command")
        if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
            raise self._wrong("command", "a list of texts")
        return tuple(value)

    def table(self, key: str) -> dict[str, str]:
        value = self._config.get(key) or {}
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise self._wrong(key, "a table of texts")
        return dict(value)

    def as_(self, key: str, convert: Callable[[str, str], T]) -> T | None:
        text = self.text(key)
        return convert(text, f"config.{key}") if text else None

    def from_environment(self, match: re.Match[str]) -> str:
        value = os.environ.get(match[1])
        if value is None:
            raise InvalidField(
                f"{called(self._step)}: image has ${{{match[1]}}}, and {match[1]} is not set here",
                field="config.image",
            )
        return value

    def _wrong(self, key: str, allowed: str) -> InvalidField:
        return InvalidField(
            f"{called(self._step)}: {key} is something else; allowed: {allowed}",
            field=f"config.{key}",
        )


def _number(text: str, field: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidField(f"{field} is {text[:120]!r}; allowed: a number", field=field) from None


def _truth(text: str, field: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise InvalidField(f"{field} is {text[:120]!r}; allowed: true, false", field=field)
    return text.lower() == "true"
