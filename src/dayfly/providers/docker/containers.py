"""From a job to the container that runs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import InvalidField
from dayfly.contract.identity import intent_digest, key_digest, name_for
from dayfly.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.jobs import Isolation, JobSpec, Submission

OWN: Final = "dayfly."
KEY: Final = "dayfly.key"
FULL_KEY: Final = "dayfly.idempotency-key"
INTENT: Final = "dayfly.intent"
NAME: Final = "dayfly.name"
VERSION: Final = "dayfly.version"

DEFAULT_GRACE_SECONDS: Final = 10
_MIB: Final = 1024 * 1024

#: The engine keeps every byte as written ("json-file" would replace what is no UTF-8), and
#: all of them (its own default rotates after 100 MB).
EVERY_BYTE: Final[Mapping[str, Any]] = {
    "Type": "local",
    "Config": {"max-size": "1000g", "max-file": "1", "compress": "false"},
}


def key_label(key: str) -> str:
    """What a key's container can be found by."""
    return f"{KEY}={key_digest(key)}"


def container_name(submission: Submission) -> str:
    """The name that only one container of the engine can have."""
    return name_for(submission.key, submission.spec.name)


def refuse(spec: JobSpec) -> None:
    """Check what only this provider asks for.

    Raises:
        InvalidField: There is no image, or a label is dayfly's own.
    """
    if not spec.image:
        raise InvalidField(
            "image is empty; a container needs one", field="image", advice="Give --image."
        )
    for label in spec.labels:
        if label.startswith(OWN):
            raise InvalidField(
                f"the label {label!r} begins with {OWN!r}, which dayfly uses itself",
                field=f"labels.{label}",
            )


def create_body(submission: Submission, secrets: Mapping[str, str]) -> dict[str, Any]:
    """The engine's request for a job.

    Args:
        submission: The job and its key.
        secrets: Variable names to what stands for them: values to send, references to show.
    """
    spec = submission.spec
    body: dict[str, Any] = {
        "Image": spec.image,
        "Env": [f"{name}={value}" for name, value in (*spec.env.items(), *secrets.items())],
        "Labels": labels(submission),
        "AttachStdin": False,
        "OpenStdin": False,
        "Tty": False,
        "HostConfig": _host_config(spec),
    }
    if spec.argv:
        body["Cmd"] = list(spec.argv)
    if spec.entrypoint:
        body["Entrypoint"] = list(spec.entrypoint)
    if spec.working_dir:
        body["WorkingDir"] = spec.working_dir
    if spec.user:
        body["User"] = spec.user
    if spec.grace_period_seconds is not None:
        body["StopTimeout"] = spec.grace_period_seconds
    return body


def labels(submission: Submission) -> dict[str, str]:
    """The job's own labels and those that find it again."""
    return {
        **submission.spec.labels,
        KEY: key_digest(submission.key),
        FULL_KEY: submission.key,
        INTENT: intent_digest(submission.spec),
        NAME: submission.spec.name,
        VERSION: __version__,
    }


def _host_config(spec: JobSpec) -> dict[str, Any]:
    config: dict[str, Any] = {"AutoRemove": False, "LogConfig": EVERY_BYTE}
    if spec.resources.cpus is not None:
        config["NanoCpus"] = round(spec.resources.cpus * 1_000_000_000)
    if spec.resources.memory_mib is not None:
        # The same number twice: no swap beyond the memory, so that the limit is one.
        config["Memory"] = config["MemorySwap"] = spec.resources.memory_mib * _MIB
    if spec.network:
        config["NetworkMode"] = spec.network
    return config | _confinement(spec.isolation)


def _confinement(isolation: Isolation) -> dict[str, Any]:
    """What keeps a container from the rest of the machine, in the engine's own fields."""
    config: dict[str, Any] = {}
    if isolation.no_network:
        config["NetworkMode"] = "none"
    if isolation.read_only_root:
        config["ReadonlyRootfs"] = True
    if isolation.no_new_privileges:
        config["SecurityOpt"] = ["no-new-privileges:true"]
    if isolation.drop_capabilities:
        config["CapDrop"] = list(isolation.drop_capabilities)
    if isolation.pids_limit is not None:
        config["PidsLimit"] = isolation.pids_limit
    if isolation.tmpfs:
        config["Tmpfs"] = {
            path: f"rw,noexec,nosuid,nodev,size={mib}m" for path, mib in isolation.tmpfs.items()
        }
    return config
