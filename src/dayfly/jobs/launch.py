"""A launch that happens once: written down, submitted, tried again under the same key."""

from __future__ import annotations

import asyncio
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from dayfly.contract.errors import FailedPrecondition, InvalidField, Throttled, Transient
from dayfly.contract.honour import refuse_unhonoured
from dayfly.contract.identity import key_digest
from dayfly.contract.jobs import Submission, Submitted
from dayfly.contract.validate import validate_key, validate_spec
from dayfly.jobs.retry import persist

if TYPE_CHECKING:
    from collections.abc import Callable

    from dayfly.contract.jobs import JobHandle, JobSpec, Progress
    from dayfly.contract.provider import Description
    from dayfly.jobs.journal import JournalEntry
    from dayfly.jobs.ledger import Ledger
    from dayfly.jobs.provider import Provider

#: How long a launch is tried again while its failures may pass.
PATIENCE_SECONDS = 10 * 60.0

#: How long a launch that is being cancelled may take to settle before it is cut off.
_SETTLE_SECONDS = 5.0
_LOOK_UP_SECONDS = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A job that is ready to be launched.

    Attributes:
        submission: What the provider gets.
        name: What the job is called.
        timeout_seconds: The deadline that dayfly keeps, because the provider does not.
    """

    submission: Submission
    name: str
    timeout_seconds: int | None


def prepare(
    spec: JobSpec,
    key: str | None,
    description: Description,
    *,
    follow: bool,
    detached: bool,
    stoppable: bool,
) -> Intent:
    """Check a job, name it, and settle who keeps its deadline.

    Raises:
        InvalidField: A field is wrong, or this provider cannot carry it out.
    """
    key = secrets.token_hex(16) if key is None else key
    validate_key(key)
    validate_spec(spec)
    # From the key, so that a second launch under it is the same job.
    spec = replace(spec, name=spec.name or f"{_word(spec)}-{key_digest(key)[:4]}")
    timeout = None
    if spec.timeout_seconds is not None and "timeout_seconds" not in description.honours:
        if not stoppable:
            raise InvalidField(
                f"provider {description.provider!r} neither keeps a timeout nor stops a job",
                field="timeout_seconds",
                advice="Leave out --timeout, or use another provider.",
            )
        if detached:
            raise InvalidField(
                f"provider {description.provider!r} does not keep a timeout by itself, and nobody "
                "watches a detached job",
                field="timeout_seconds",
                advice="Leave out --timeout, or run the job in the foreground.",
            )
        spec, timeout = replace(spec, timeout_seconds=None), spec.timeout_seconds
    refuse_unhonoured(spec, description)
    submission = Submission(spec=spec, key=key, follow=follow)
    return Intent(submission=submission, name=spec.name, timeout_seconds=timeout)


def _word(spec: JobSpec) -> str:
    first = spec.run_command.split() or spec.command or (spec.image.partition("@")[0],)
    word = PurePosixPath(first[0]).name.partition(":")[0]
    return re.sub(r"[^a-z0-9]+", "-", word.lower())[:40].strip("-") or "job"


@dataclass(frozen=True)
class Launcher:
    """Launches over one provider."""

    provider: Provider
    ledger: Ledger

    async def launch(
        self, intent: Intent, entry: JournalEntry | None, report: Callable[[Progress], None]
    ) -> Submitted:
        """Submit until there is an answer, and write the answer down.

        Args:
            intent: The job, written down already.
            entry: What the journal had of this key before.
            report: Told how far the launch has come.

        Raises:
            FailedPrecondition: An earlier launch of this key was cut off, and this provider
                cannot say what became of it.
            DayflyError: The launch failed; ``reason`` says why, where that is known.
        """
        key = intent.submission.key
        if entry is not None and not self.provider.knows_keys:
            raise FailedPrecondition(
                f"an earlier launch of {entry.name} was cut off, and provider "
                f"{self.provider.name!r} cannot say whether its job runs",
                advice="Look at the provider. If there is none, launch it under another key.",
            )
        # A classic plugin starts a job per call; only a refusal is safe to repeat there.
        retried = Transient if self.provider.knows_keys else Throttled
        try:
            submitted = await persist(
                lambda: self.provider.submitter.submit(intent.submission, report),
                patience_seconds=PATIENCE_SECONDS,
                retried=retried,
            )
        except Transient:
            raise  # Nobody knows whether there is a job: the intent stays.
        except Exception:
            if entry is None:
                await self.ledger.forget(key)
            raise
        await self.ledger.launched(key, submitted.handle)
        return submitted

    async def settle(self, launching: asyncio.Task[Submitted], key: str) -> JobHandle | None:
        """After the caller was cancelled: the job that there may be, or None for sure."""
        await asyncio.wait({launching}, timeout=_SETTLE_SECONDS)
        if not launching.done():
            launching.cancel()
            await asyncio.wait({launching})
        if not launching.cancelled() and launching.exception() is None:
            return launching.result().handle
        if not self.provider.knows_keys:
            return None
        handle: JobHandle | None = None
        with suppress(Transient):
            handle = await persist(
                lambda: self.provider.submitter.find(key), patience_seconds=_LOOK_UP_SECONDS
            )
            if handle is None:
                await self.ledger.forget(key)
            else:
                await self.ledger.launched(key, handle)
        return handle
