"""The narrow seam to the machine: directories of jobs, and the supervisors in them.

All of it blocks, for short: callers go through a thread.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import secrets
import shutil
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dayfly.providers.local import errors, layout
from dayfly.providers.local.launch import start_supervisor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_ID = re.compile(r"[0-9a-f]{20}")
_DRAFT = ".draft-"
_DOOMED = ".doomed-"
#: A draft or a doomed directory that is this old has nobody who works on it.
_ABANDONED_SECONDS = 600
_LAUNCH_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Record:
    """All that a job's directory says.

    Attributes:
        job: Who it is, as it was made.
        started: What the supervisor wrote before the start, or None.
        result: How it ended, or None.
        alive: Its supervisor lives.
    """

    job: Mapping[str, Any]
    started: Mapping[str, Any] | None
    result: Mapping[str, Any] | None
    alive: bool


class Client:
    """The jobs of one state directory."""

    def __init__(self, state: Path) -> None:
        self.jobs = state / "local" / "jobs"

    def path(self, job_id: str) -> Path:
        """A job's directory.

        Raises:
            NotFound: It is no id of ours, or there is no such job.
        """
        if not _ID.fullmatch(job_id) or not (path := self.jobs / job_id).is_dir():
            raise errors.no_such_job(job_id)
        return path

    def ids(self) -> list[str]:
        """Every job that there is."""
        try:
            return sorted(path.name for path in self.jobs.iterdir() if _ID.fullmatch(path.name))
        except FileNotFoundError:
            return []

    def launch(
        self, job_id: str, job: Mapping[str, object], document: Mapping[str, object]
    ) -> bool:
        """Make the job's directory and start it, unless that was done already.

        Args:
            job_id: The directory's name.
            job: What the directory says of the job; its ``digest`` decides whether a job
                that is there is the same.
            document: For the supervisor's stdin alone.

        Returns:
            Whether the directory is this call's.
        """
        made = False
        for _ in range(_LAUNCH_ATTEMPTS):
            made = self._make(job_id, job) or made
            with self._held(job_id) as path:
                if path is None:
                    continue
                known = read_json(path / layout.JOB)
                if known is None or known.get("digest") != job["digest"]:
                    raise errors.other_intent(job_id)
                if not _exists(path, layout.STARTED) and not _exists(path, layout.RESULT):
                    start_supervisor(path, document)
                return made
        raise errors.gone_meanwhile(job_id)

    def read(self, job_id: str) -> Record:
        """What there is of a job now.

        Raises:
            NotFound: There is no such job.
            DataLoss: A file of it is damaged.
        """
        path = self.path(job_id)
        alive = is_alive(path)
        # After the look at the supervisor: one that has gone has written what it had to.
        job, result = read_json(path / layout.JOB), read_json(path / layout.RESULT)
        started = read_json(path / layout.STARTED)
        if job is None:
            raise errors.no_such_job(job_id)
        return Record(job, started, result, alive)

    def is_launched(self, job_id: str) -> bool:
        """Whether the job was started or cancelled, once a launch in progress has settled it."""
        with self._held(job_id) as path:
            return path is not None and (
                _exists(path, layout.STARTED) or _exists(path, layout.RESULT)
            )

    def stop(self, job_id: str) -> None:
        """Ask for a stop; a job that never started never will."""
        if _ask_to_stop(self.path(job_id)):
            return
        with self._held(job_id) as path:
            if path is None or _exists(path, layout.RESULT) or _ask_to_stop(path):
                return
            if not _exists(path, layout.STARTED):
                layout.write_durably(str(path), layout.RESULT, _never_started())

    def remove(self, job_id: str) -> None:
        """Remove an ended job; one that is gone is no error.

        Raises:
            FailedPrecondition: It has not ended.
        """
        with self._held(job_id) as path:
            if path is None:
                return
            if is_alive(path) and not _exists(path, layout.RESULT):
                raise errors.still_runs(job_id)
            doomed = self.jobs / f"{_DOOMED}{secrets.token_hex(8)}"
            path.rename(doomed)
        shutil.rmtree(doomed)

    def abandoned(self) -> list[Path]:
        """Directories that a crash left half made or half removed."""
        latest = time.time() - _ABANDONED_SECONDS
        return [
            path
            for path in (self.jobs.iterdir() if self.jobs.is_dir() else ())
            if path.name.startswith((_DRAFT, _DOOMED)) and path.stat().st_mtime < latest
        ]

    def _make(self, job_id: str, job: Mapping[str, object]) -> bool:
        if (self.jobs / job_id).exists():
            return False
        self.jobs.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self.jobs / f"{_DRAFT}{secrets.token_hex(8)}"
        draft.mkdir(mode=0o700)
        try:
            for name in (layout.ALIVE, layout.CONTROL):
                os.mkfifo(draft / name, 0o600)
            for name in (*layout.STREAMS, layout.INDEX, layout.SUPERVISOR_LOG):
                (draft / name).touch(mode=0o600)
            layout.write_durably(str(draft), layout.JOB, job)
            draft.rename(self.jobs / job_id)
        except OSError:
            shutil.rmtree(draft)
            if (self.jobs / job_id).exists():
                return False
            raise
        return True

    @contextmanager
    def _held(self, job_id: str) -> Iterator[Path | None]:
        """The job's directory to ourselves; None where there is none (any more).

        Whoever holds it is done within the bound of a launch.
        """
        path = self.jobs / job_id
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            yield None
            return
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield path if _is_at(path, descriptor) else None
        finally:
            os.close(descriptor)


def is_alive(path: Path) -> bool:
    """Whether a supervisor holds the other end of the job's FIFO."""
    try:
        descriptor = os.open(path / layout.ALIVE, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    try:
        os.read(descriptor, 1)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def read_json(path: Path) -> dict[str, Any] | None:
    """A document of ours, or None where there is none.

    Raises:
        DataLoss: It is there, and does not hold a document.
    """
    try:
        document = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError as error:
        raise errors.damaged(path, str(error)) from error
    if not isinstance(document, dict):
        raise errors.damaged(path, "it holds no table")
    return document


def _ask_to_stop(path: Path) -> bool:
    """Whether there was a supervisor to ask."""
    try:
        descriptor = os.open(path / layout.CONTROL, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno not in {errno.ENXIO, errno.ENOENT}:
            raise
        return False  # Nobody reads it, or the job is being removed.
    try:
        with suppress(BlockingIOError):  # It is full of requests.
            os.write(descriptor, layout.STOP_REQUEST)
    finally:
        os.close(descriptor)
    return True


def _never_started() -> dict[str, object]:
    result: dict[str, object] = {"code": None, "signal": None, "stop": layout.STOP_CANCEL}
    return result | {"cut": False, "failure": "", "ended": time.time_ns()}


def _exists(path: Path, name: str) -> bool:
    return (path / name).exists()


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        there = path.stat()
    except FileNotFoundError:
        return False
    held = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino)
