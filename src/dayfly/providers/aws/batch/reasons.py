"""Why a job of Batch's failed: one table, the first row that fits counts.

Source: docs.aws.amazon.com/batch/latest/userguide/, pages job_stuck_in_runnable.html,
job_timeouts.html, job_retries.html; docs.aws.amazon.com/AmazonECS/latest/developerguide/
stopped-task-error-codes.html for what Batch passes on from ECS
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dayfly.contract.jobs import Reason
from dayfly.providers.aws.why import NETWORK, Why

if TYPE_CHECKING:
    from collections.abc import Sequence

#: What dayfly says when it stops a job; Batch gives it back as ``statusReason``.
CANCEL_WORDS: Final = "Cancelled by dayfly"
SUPERSEDED_WORDS: Final = "Superseded by an older job of the same key, says dayfly"

#: The first that fits counts.
REASONS: Final = (
    Why(rf"^({CANCEL_WORDS}|{SUPERSEDED_WORDS})", Reason.CANCELLED),
    Why(r"Job attempt duration exceeded timeout", Reason.TIMED_OUT),
    Why(r"OutOfMemory", Reason.OUT_OF_MEMORY),
    Why(rf"CannotPull.*({NETWORK})", Reason.IMAGE_UNAVAILABLE, may_pass=True),
    Why(r"CannotPull\w*Error", Reason.IMAGE_UNAVAILABLE),
    Why(r"ResourceInitializationError.*(ecr registry auth|pull image)", Reason.IMAGE_UNAVAILABLE),
    Why(
        r"ResourceInitializationError.*(retriev\w+ (from asm|secret|parameter)|secretsmanager|ssm|"
        r"pull secrets or registry auth)",
        Reason.SECRET_UNAVAILABLE,
    ),
    Why(r"ResourceInitializationError.*(log group|log stream|awslogs)", Reason.PROVIDER_ERROR),
    Why(
        r"Host EC2 \(instance \S+\) (terminated|stopped)|Spot \w+ was interrupted",
        Reason.RECLAIMED,
    ),
    Why(r"network interface provisioning|EphemeralStorage", Reason.NO_CAPACITY, may_pass=True),
    Why(r"Capacity is unavailable", Reason.NO_CAPACITY, may_pass=True),
    # The queue's own limit on waiting: whoever set it wants no more of it.
    Why(r"\bCAPACITY:", Reason.NO_CAPACITY),
    Why(r"MISCONFIGURATION:|by JobStateTimeLimit action", Reason.NEVER_STARTED),
    Why(r"Cannot(Start|Create)\w*Error|Container Overrides length", Reason.NEVER_STARTED),
    Why(r"ResourceInitializationError|Task failed to start", Reason.NEVER_STARTED),
)


def why_failed(words: Sequence[str]) -> Why | None:
    """What the words of a failed job mean; None where they say nothing that is known.

    Args:
        words: Of the job, of its last attempt and of its container.
    """
    return next(
        (
            why
            for why in REASONS
            if any(re.search(why.words, said, re.IGNORECASE | re.DOTALL) for said in words)
        ),
        None,
    )
