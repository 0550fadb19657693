"""What a launch on Batch honours, and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dayfly.contract.provider import Description
from dayfly.providers.aws.batch.queue import DESCRIBED_AT_ONCE
from dayfly.providers.aws.batch.request import MAX_OVERRIDES, MAX_TAGS, MIN_TIMEOUT_SECONDS
from dayfly.providers.aws.client import RATES
from dayfly.providers.aws.container import ARCHITECTURES
from dayfly.providers.aws.secrets import FORMS
from dayfly.version import __version__

if TYPE_CHECKING:
    from dayfly.providers.aws.config import Config

#: A job definition of Batch's has no entry point, working directory or grace period.
_HONOURS: Final = frozenset(
    {
        "image",
        "command",
        "run_command",
        "env",
        "secrets",
        "resources.cpus",
        "resources.memory_mib",
        "timeout_seconds",
        "labels",
        "user",
        "target.mode",
        "target.name",
        "target.provider_id",
    }
)
#: [?] AWS does not say how long DescribeJobs may not know a job that was just submitted.
_GRACE_SECONDS: Final = 15.0
#: Source: docs.aws.amazon.com/batch/latest/userguide/job_states.html
_REMEMBERS_SECONDS: Final = 7 * 24 * 3600.0

_LIMITS: Final = {
    "command": "no empty argument, and none with Ref::, which is a placeholder of Batch's; "
    f"command and env over {MAX_OVERRIDES} characters go into a definition of the run's own, "
    "24 KiB in all",
    "env": "no empty value, which Batch drops; no name that begins with AWS_BATCH",
    "labels": f"{MAX_TAGS} tags in all; letters, digits, spaces and + - = . _ : / @",
    "timeout_seconds": f"{MIN_TIMEOUT_SECONDS} s or more, counted from the start of the run",
    "target.name": "a job definition of one container: its name, name:revision or ARN",
}
_SIDE_EFFECTS: Final = (
    "Registers a job definition for each new image, user and set of secrets, and keeps it.",
    "SubmitJob knows no key, so dayfly looks for the key's job before and after it.",
    "Two launches of one key at the same moment may both start; the younger is stopped.",
    "Batch keeps an ended job for 7 days, and no call removes it.",
)


def describe(config: Config) -> Description:
    """What the configured queue can be given."""
    platform = {"platform"} if config.fargate else set()
    limits = dict(_LIMITS)
    if config.fargate:
        limits["platform"] = " or ".join(ARCHITECTURES)
        limits["resources.cpus"] = "0.25 to 16 vCPU, rounded up to a size of Fargate's"
        limits["resources.memory_mib"] = "512 to 122880 MiB, rounded up to a size of Fargate's"
    else:
        limits["resources.cpus"] = "whole vCPUs, rounded up"
    return Description(
        provider="aws",
        version=__version__,
        honours=_HONOURS | platform,
        limits=limits,
        side_effects=_SIDE_EFFECTS,
        secret_forms=FORMS,
        separates_streams=False,
        statuses_per_call=DESCRIBED_AT_ONCE,
        calls_per_second=RATES["batch.DescribeJobs"].per_second,
        visibility_grace_seconds=_GRACE_SECONDS,
        log_drain_seconds=config.drain_seconds,
        poll_min_seconds=1.0,
        poll_max_seconds=15.0,
        remembers_seconds=_REMEMBERS_SECONDS,
    )
