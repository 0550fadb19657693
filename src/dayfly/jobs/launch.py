"""A launch: checked, written down, submitted until it is answered, written down again."""

from __future__ import annotations

import asyncio
import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dayfly.contract.errors import (
    DayflyError,
    DeadlinePassed,
    FailedPrecondition,
    InvalidField,
    NotServed,
    ProviderFailed,
    Stopped,
    Transient,
    Unclassified,
)
from dayfly.contract.honour import refuse_unhonoured
from dayfly.contract.jobs import Submission, Submitted
from dayfly.contract.validate import validate_key, validate_spec
from dayfly.jobs.retry import retried

if TYPE_CHECKING:
    from collections.abc import Callable

    from dayfly.contract.jobs import JobHandle, JobSpec, Progress
    from dayfly.contract.provider import Description
    from dayfly.jobs.engine import Engine
    from dayfly.jobs.provider import Provider

#: Errors that leave it open whether a job was started.
_OPEN = (Transient, ProviderFailed, Unclassified, Stopped)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A job that may be launched.

    Attributes:
        spec: What was asked for, with a name.
        submission: What is sent: without a timeout that the provider does not keep.
        deadline_seconds: The timeout that is kept here; None where there is none.
    """

    spec: JobSpec
    submission: Submission
    deadline_seconds: int | None


def check(
    spec: JobSpec,
    key: str,
    description: Description,
    provider: Provider,
    *,
    follow: bool = False,
    detached: bool = False,
) -> Checked:
    """Refuse what can never work, before anything is written or sent.

    Raises:
        InvalidField: Naming the field.
    """
    validate_key(key)
    validate_spec(spec)
    spec = spec if spec.name else replace(spec, name=default_name(spec, key))
    sent, deadline = spec, None
    if spec.timeout_seconds is not None and "timeout_seconds" not in description.honours:
        _refuse_unkept(provider, detached=detached)
        sent, deadline = replace(spec, timeout_seconds=None), spec.timeout_seconds
    refuse_unhonoured(sent, description)
    submission = Submission(spec=sent, key=key, follow=follow)
    return Checked(spec=spec, submission=submission, deadline_seconds=deadline)


def default_name(spec: JobSpec, key: str) -> str:
    """A name from the program or the image, and four digits from the key.

    The same key gives the same name: the name is part of what the job is.
    """
    program = spec.command[0] if spec.command else spec.run_command.split(" ", 1)[0]
    image = re.sub(r"@.*|:[^/:]*$", "", spec.image)
    words = (program or image).rstrip("/").rsplit("/", maxsplit=1)[-1]
    slug = re.sub(r"[^a-z0-9]+", "-", words.lower())[:40].strip("-") or "job"
    return f"{slug}-{hashlib.sha256(key.encode()).hexdigest()[:4]}"


class Launch:
    """One launch on its way. The journal is ahead of it, so that a crash loses nothing."""

    def __init__(self, engine: Engine, submission: Submission) -> None:
        self._provider = engine.provider
        self._ledger = engine.ledger
        self._timing = engine.timing
        self._turns = engine.launching
        self._invisible = engine.description.visibility_grace_seconds
        self._submission = submission

    @property
    def key(self) -> str:
        """The job's idempotency key."""
        return self._submission.key

    @property
    def name(self) -> str:
        """What a person calls the job."""
        return self._submission.spec.name

    async def run(self, report: Callable[[Progress], None], *, cut_short: bool) -> Submitted:
        """Submit until there is an answer.

        Args:
            report: Told how the launch comes along.
            cut_short: The key was submitted before, and nobody saw an answer.

        Raises:
            FailedPrecondition: It was cut short, and the provider knows no keys.
            DayflyError: The provider refused, or could not be reached.
        """
        submission, key = self._submission, self._submission.key
        if cut_short and not self._provider.idempotent:
            raise FailedPrecondition(
                f"an earlier launch under key {key!r} was cut short, and provider "
                f"{self._provider.name!r} cannot tell whether it started a job",
                advice="Look at the provider itself; to run the job (again), use another key.",
            )
        tries = 0

        async def submit() -> Submitted:
            nonlocal tries
            async with self._turns:
                tries += 1
                return await self._submit(report)

        try:
            submitted = await retried(
                submit,
                tried=f"to launch {submission.spec.name} on {self._provider.name!r}",
                timing=self._timing,
                deadline=self._timing.launch_deadline,
            )
        except DayflyError as error:
            # A refusal says nothing about an earlier try whose answer was lost.
            if tries == 1 and not cut_short and not leaves_open(error):
                await self._ledger.withdraw(key)
            raise
        await self._ledger.launched(key, submitted.handle)
        return submitted

    async def _submit(self, report: Callable[[Progress], None]) -> Submitted:
        """Submit once. What the job will be is written down as soon as the provider says it."""
        writing = []

        def told(progress: Progress) -> None:
            if progress.handle is not None:
                foreseen = self._ledger.found(self._submission.key, progress.handle)
                writing.append(asyncio.create_task(foreseen))
            report(progress)

        try:
            return await self._provider.submitter.submit(self._submission, told)
        finally:
            await asyncio.gather(*writing)

    async def find(self) -> JobHandle | None:
        """What became of a launch that was called off.

        Raises:
            DeadlinePassed: It cannot be told: a new job may be invisible.
            DayflyError: The provider could not be asked.
        """
        key, before = self._submission.key, self._submission.instead_of
        with suppress(NotServed):
            # A provider may still be at it when its call is gone: it is asked twice.
            for pause in (0.0, self._timing.withdrawal / 4):
                await asyncio.sleep(pause)
                handle = await retried(
                    lambda: self._provider.submitter.find(key),
                    tried=f"to find key {key!r} on {self._provider.name!r}",
                    timing=self._timing,
                    deadline=self._timing.cancel_deadline,
                )
                if handle is not None and handle.id != before:
                    await self._ledger.found(key, handle)
                    return handle
            if self._invisible > 0:
                raise DeadlinePassed(
                    f"{self._provider.name!r} has no job of key {key!r} so far, and a new one may "
                    f"be invisible for {self._invisible:g} s",
                    advice="Look again: `dayfly ps` finds it, and `dayfly cancel` stops it.",
                )
            await self._ledger.withdraw(key)
        return None


def leaves_open(error: BaseException | None) -> bool:
    """The error does not say whether a job was started."""
    return isinstance(error, _OPEN)


def _refuse_unkept(provider: Provider, *, detached: bool) -> None:
    if detached:
        raise InvalidField(
            f"provider {provider.name!r} does not keep a timeout by itself, and a detached job "
            "has nobody else to stop it",
            field="timeout_seconds",
            advice="Leave out --timeout, or run the job in the foreground.",
        )
    if not provider.cancels:
        raise InvalidField(
            f"provider {provider.name!r} does not keep a timeout by itself, and its plugin "
            "cannot stop jobs",
            field="timeout_seconds",
            advice="Leave out --timeout, or use another provider.",
        )
