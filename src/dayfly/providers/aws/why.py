"""A row of a table of reasons, of ECS's own and of what Batch passes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from dayfly.contract.jobs import Reason

#: What says that a registry or a store could not be reached, and may be the next time.
NETWORK: Final = r"i/o timeout|\bEOF\b|connection reset|TLS handshake timeout|context deadline"


class Why(NamedTuple):
    """One cause of an end.

    Attributes:
        words: What it looks like in what AWS says of the job, as a regular expression.
        reason: What it is for us.
        may_pass: It is no fault of the job's or of its settings, and the job never ran.
    """

    words: str
    reason: Reason
    may_pass: bool = False
