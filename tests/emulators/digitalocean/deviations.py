"""Where the API is known, or believed, to differ from its published definition.

A test that meets another difference fails; so does one that never meets one of these.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """A difference.

    Attributes:
        name: Its own.
        reason: Why it is none of ours.
        pattern: What a complaint about it looks like, whole.
    """

    name: str
    reason: str
    pattern: str


DEVIATIONS: Final = (
    Deviation(
        name="account-not-cut-out",
        reason="/v2/account is in DigitalOcean's whole definition, not in the part for apps",
        pattern=r"account_get: request: no such path in the definition",
    ),
    Deviation(
        name="registry-not-cut-out",
        reason="/v2/registry is in DigitalOcean's whole definition, not in the part for apps",
        pattern=r"registry_tags: request: no such path in the definition",
    ),
    Deviation(
        name="job-timeout",
        reason="the app spec reference documents `timeout` of a job, which the definition lacks",
        pattern=r".*\bjobs\.\d+\.timeout: unknown member",
    ),
    Deviation(
        name="job-schedule",
        reason="the app spec reference documents `schedule` of a job, which the definition lacks",
        pattern=r".*\bjobs\.\d+\.schedule: unknown member",
    ),
    Deviation(
        name="job-kind-scheduled",
        reason="the app spec reference documents the kind SCHEDULED, which the definition lacks",
        pattern=r".*\bjobs\.\d+\.kind: 'SCHEDULED' is not one of .*",
    ),
    Deviation(
        name="app-envs",
        reason="the app spec reference documents `envs` of the whole app, which app_spec lacks",
        pattern=r".*\bspec\.envs: unknown member",
    ),
)


def deviation_of(complaint: str) -> str:
    """The name of the deviation that a complaint is about; empty where it is none of them."""
    found = (one.name for one in DEVIATIONS if re.fullmatch(one.pattern, complaint, re.DOTALL))
    return next(found, "")
