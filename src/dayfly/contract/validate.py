"""A job is checked at the edge: each error names the field, what it was, what is allowed."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import InvalidField
from dayfly.contract.jobs import TargetMode
from dayfly.contract.shapes import check_shape, check_text, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.jobs import JobSpec

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_KEY = re.compile(r"[\x21-\x7e]{1,128}")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")
_CAPABILITY = re.compile(r"ALL|(?!CAP_)[A-Z][A-Z_]{1,39}")
_DIRECTORY = re.compile(r"/[^/,:]+(/[^/,:]+)*")
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9]+)?")
_MAX_SECONDS: Final = 7 * 24 * 3600
_MAX_CPUS: Final = 1024
_MIN_MEMORY_MIB: Final = 6
_MAX_MEMORY_MIB: Final = 16 * 1024 * 1024
#: What a Linux kernel can number (``/proc/sys/kernel/pid_max``, proc(5)).
_MAX_PIDS: Final = 2**22


def validate_key(key: str) -> None:
    """Check an idempotency key.

    Raises:
        InvalidField: It is not 1 to 128 printable ASCII characters without spaces.
    """
    if not _KEY.fullmatch(key):
        raise refused("key", key, "1 to 128 printable ASCII characters without spaces")


def validate_spec(spec: JobSpec) -> None:
    """Check every field of a job that can be checked without a provider.

    Raises:
        InvalidField: Naming the field, what was wrong and what is allowed.
    """
    check_shape(spec)
    if spec.name and not _NAME.fullmatch(spec.name):
        raise refused("name", spec.name, "1 to 63 letters, digits, '.', '_' or '-'")
    _validate_command(spec)
    _validate_environment(spec)
    _validate_resources(spec)
    _validate_place(spec)
    _validate_isolation(spec)
    for label, value in spec.labels.items():
        if not _LABEL.fullmatch(label):
            raise refused("labels", label, "names of 1 to 128 letters, digits, '.', '_', '/', '-'")
        check_text(f"labels.{label}", value, longest=256)


def _validate_command(spec: JobSpec) -> None:
    if spec.command and spec.run_command:
        raise refused("run_command", spec.run_command, "nothing beside a command")
    if spec.command and not spec.command[0]:
        raise refused("command[0]", "", "the name of a program")
    check_text("image", spec.image, longest=512)
    if re.search(r"\s", spec.image) or spec.image.startswith("-"):
        raise refused("image", spec.image, "an image reference such as docker.io/library/alpine:3")


def _validate_environment(spec: JobSpec) -> None:
    _names("env", spec.env)
    _names("secrets", spec.secrets)
    for name, value in spec.env.items():
        # Not shown: people put secrets there all the same.
        check_text(f"env.{name}", value, shown=False)
        if value.startswith("secret://"):
            raise InvalidField(
                f"env.{name} is a secret reference, and plain environment is no place for one",
                field=f"env.{name}",
                advice=f"Use --secret {name}=REFERENCE, or secrets={{...}} in Python.",
            )
    for name, reference in spec.secrets.items():
        if not reference or len(reference) > 2048 or not reference.isprintable():
            # The reference is not shown: people paste values where references belong.
            raise InvalidField(
                f"secrets.{name} is not a reference of 1 to 2048 printable characters",
                field=f"secrets.{name}",
            )
        if name in spec.env:
            raise InvalidField(f"{name} is in both env and secrets", field=f"secrets.{name}")


def _names(field: str, table: Mapping[str, str]) -> None:
    for name in table:
        if not name or "=" in name or "\0" in name or len(name) > 1024:
            raise refused(field, name, "variable names without '=' or NUL")


def _validate_resources(spec: JobSpec) -> None:
    cpus, memory = spec.resources.cpus, spec.resources.memory_mib
    if cpus is not None and not (math.isfinite(cpus) and 0 < cpus <= _MAX_CPUS):
        raise refused("resources.cpus", cpus, f"more than 0, at most {_MAX_CPUS} vCPU")
    if memory is not None and not _MIN_MEMORY_MIB <= memory <= _MAX_MEMORY_MIB:
        allowed = f"{_MIN_MEMORY_MIB} to {_MAX_MEMORY_MIB} MiB"
        raise refused("resources.memory_mib", memory, allowed)
    _seconds("resources.cpu_time_seconds", spec.resources.cpu_time_seconds, least=1)
    _seconds("timeout_seconds", spec.timeout_seconds, least=1)
    _seconds("grace_period_seconds", spec.grace_period_seconds, least=0)
    _seconds("drain_seconds", spec.drain_seconds, least=0)


def _validate_place(spec: JobSpec) -> None:
    for field in ("working_dir", "user", "network", "cron"):
        check_text(field, getattr(spec, field), longest=4096)
    if spec.platform and not _PLATFORM.fullmatch(spec.platform):
        raise refused("platform", spec.platform, "os/arch[/variant], such as linux/arm64")
    target = spec.target
    named = target.name or target.provider_id
    if target.mode is TargetMode.OWNED and (named or target.type):
        raise refused("target.mode", "OWNED", "an attached mode where a target is named")
    if target.mode is not TargetMode.OWNED and not named:
        raise refused("target.name", "", "the target's name or id where a job is attached")


def _validate_isolation(spec: JobSpec) -> None:
    isolation = spec.isolation
    if isolation.no_network and spec.network:
        raise refused("network", spec.network, "nothing where isolation.no_network is set")
    for capability in isolation.drop_capabilities:
        if not _CAPABILITY.fullmatch(capability):
            allowed = "ALL, or a capability without CAP_, such as NET_ADMIN"
            raise refused("isolation.drop_capabilities", capability, allowed)
    pids = isolation.pids_limit
    if pids is not None and not 1 <= pids <= _MAX_PIDS:
        raise refused("isolation.pids_limit", pids, f"1 to {_MAX_PIDS}")
    for directory, size in isolation.tmpfs.items():
        parts = directory.split("/")
        if not _DIRECTORY.fullmatch(directory) or {".", ".."} & set(parts):
            raise refused("isolation.tmpfs", directory, "absolute paths without '.', ',' or ':'")
        if not 1 <= size <= _MAX_MEMORY_MIB:
            raise refused("isolation.tmpfs", size, f"1 to {_MAX_MEMORY_MIB} MiB")


def _seconds(field: str, value: int | None, *, least: int) -> None:
    if value is not None and not least <= value <= _MAX_SECONDS:
        raise refused(field, value, f"{least} to {_MAX_SECONDS} seconds")
