"""Honour or refuse: a field that a provider cannot carry out stops the launch."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

from dayfly.contract.errors import InvalidField

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dayfly.contract.jobs import JobSpec
    from dayfly.contract.provider import Description

#: For people only: no provider has to carry it out.
_ALWAYS = frozenset({"name"})

#: What to say on the command line instead of a field's name.
_FLAGS = {
    "command": "-- ARGV",
    "env": "--env",
    "secrets": "--secret",
    "resources.cpus": "--cpus",
    "resources.memory_mib": "--memory",
    "resources.cpu_time_seconds": "--cpu-time",
    "timeout_seconds": "--timeout",
    "grace_period_seconds": "--grace",
    "working_dir": "--workdir",
    "labels": "--label",
    "target.name": "--target",
    "target.mode": "--target-mode",
}


def flag_for(field: str) -> str:
    """The command line's name for a field."""
    if field.startswith("isolation."):
        return "--profile"
    return _FLAGS.get(field, "--" + field.rsplit(".", maxsplit=1)[-1].replace("_", "-"))


def fields_set(spec: JobSpec) -> frozenset[str]:
    """Names of the fields that ask for something; a dot reaches into a part."""
    return frozenset(_set(spec, ""))


def _set(part: object, prefix: str) -> Iterator[str]:
    plain = type(part)()
    for item in fields(part):  # type: ignore[arg-type]
        value = getattr(part, item.name)
        if value == getattr(plain, item.name):
            continue
        if is_dataclass(value):
            yield from _set(value, f"{prefix}{item.name}.")
        else:
            yield prefix + item.name


def refuse_unhonoured(spec: JobSpec, description: Description) -> None:
    """Stop a job that asks for what this provider cannot do.

    Raises:
        InvalidField: Naming the first such field, and all that are honoured.
    """
    extra = sorted(fields_set(spec) - description.honours - _ALWAYS)
    if not extra:
        return
    known = ", ".join(sorted(description.honours)) or "none"
    flags = ", ".join(dict.fromkeys(map(flag_for, extra)))
    raise InvalidField(
        f"provider {description.provider!r} cannot honour {', '.join(extra)}",
        field=extra[0],
        advice=f"Leave out {flags}, or use another provider. "
        f"{description.provider} honours: {known}.",
    )
