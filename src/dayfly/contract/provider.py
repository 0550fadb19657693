"""What a provider says of itself: what it honours, what it would send, what it left."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.jobs import JobStatus

_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What a provider can honour, and the pace at which it may be asked.

    Attributes:
        provider: The plugin's name.
        version: The plugin's version.
        honours: Names of ``JobSpec`` fields that it carries out (a dot reaches into
            ``resources``, ``target`` and the like); a job that sets another is refused.
        limits: Field to what it may be, for a person.
        side_effects: What a launch changes besides starting the job.
        secret_forms: Forms of secret reference taken, such as ``env:NAME``.
        separates_streams: stdout and stderr are kept apart.
        statuses_per_call: How many handles one call of ``statuses`` takes.
        calls_per_second: Rate allowed for ``statuses``; 0 is unlimited.
        visibility_grace_seconds: How long a new job may be invisible.
        log_drain_seconds: How long after the end output may still arrive.
        poll_min_seconds: Shortest pause between two looks.
        poll_max_seconds: Longest pause between two looks.
        remembers_seconds: How long ``find`` knows a job that has ended; 0 is for good.
    """

    provider: str
    version: str
    honours: frozenset[str]
    limits: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    side_effects: tuple[str, ...] = ()
    secret_forms: tuple[str, ...] = ()
    separates_streams: bool = True
    statuses_per_call: int = 100
    calls_per_second: float = 0.0
    visibility_grace_seconds: float = 0.0
    log_drain_seconds: float = 0.0
    poll_min_seconds: float = 0.5
    poll_max_seconds: float = 10.0
    remembers_seconds: float = 0.0


class CheckOutcome(IntEnum):
    """How one check of ``doctor`` went."""

    PASSED = 1
    WARNING = 2
    FAILED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that a launch depends on.

    Attributes:
        name: What was looked at.
        outcome: How it went.
        detail: What was seen.
        advice: What to do about it.
    """

    name: str
    outcome: CheckOutcome
    detail: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """One request that a launch would send.

    Attributes:
        call: The provider's own name for it.
        request: What it is sent, as JSON text; secrets are references.
        note: What a person should know about it.
    """

    call: str
    request: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPlan:
    """The requests of a launch, validated, with nothing created."""

    calls: tuple[PlannedCall, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedJob:
    """A job that the provider knows as one of ours.

    Attributes:
        status: As ``statuses`` would give it.
        key: Its idempotency key, where the provider kept it.
        labels: The labels it was launched with.
        warning: Why a person should look at it; empty where there is no reason to.
    """

    status: JobStatus
    key: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    warning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Something a run made that is no longer needed, in the provider's own words."""

    kind: str
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A region that a provider offers."""

    name: str
    display_name: str = ""
