"""What this machine launched, written down before and after: a safety net, not the truth.

No environment, no argv, no secret is in it: a key, names, a digest and a handle.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.contract.errors import AlreadyExists, FailedPrecondition, InvalidField, NotFound
from dayfly.contract.jobs import ExitCodeSource, JobHandle, JobState, JobStatus, Reason
from dayfly.contract.tokens import from_token, to_token

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSION = 1
_BUSY_SECONDS = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
  provider TEXT NOT NULL, key TEXT NOT NULL, name TEXT NOT NULL, digest TEXT NOT NULL,
  pid INTEGER NOT NULL, created TEXT NOT NULL, handle TEXT,
  state INTEGER NOT NULL DEFAULT 0, exit_code INTEGER, exit_code_source INTEGER NOT NULL DEFAULT 0,
  signal INTEGER, reason INTEGER, message TEXT NOT NULL DEFAULT '', started TEXT, ended TEXT,
  cancel_requested TEXT, removed TEXT,
  PRIMARY KEY (provider, key)
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalEntry:
    """One launch.

    Attributes:
        provider: The configuration it went to.
        key: Its idempotency key.
        name: What it is called.
        digest: ``intent_digest`` of what was submitted.
        pid: Process that wrote the intent.
        created: When it was intended.
        handle: None until the provider answered.
        status: The last that was seen of it.
        cancel_requested: Somebody here asked for its stop.
        deleted: Its leftovers are removed, or it was never launched.
    """

    provider: str
    key: str
    name: str
    digest: str
    pid: int
    created: datetime
    handle: JobHandle | None
    status: JobStatus | None
    cancel_requested: bool
    deleted: bool


class Journal:
    """An SQLite file that several processes share. Its calls block; they take about a millisecond.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Created by us first, because SQLite would make it readable for others.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            self._db = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, check_same_thread=False, isolation_level=None
            )
            self._db.row_factory = sqlite3.Row
            self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise _broken(path, error) from error

    @classmethod
    def open(cls, path: Path | None = None) -> Journal:
        """Open a journal.

        Args:
            path: None is ``journal.sqlite3`` in ``$DAYFLY_STATE_DIR``, or in the user's
                state directory.

        Raises:
            FailedPrecondition: It cannot be read or written, or a newer dayfly wrote it.
        """
        return cls(path or state_dir() / "journal.sqlite3")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def intend(self, *, provider: str, key: str, name: str, digest: str) -> JournalEntry | None:
        """Write down that a job is about to be launched.

        Returns:
            The entry that the key had already, or None.

        Raises:
            AlreadyExists: The key had another job.
        """
        with self._transaction() as db:
            row = db.execute(
                "SELECT * FROM jobs WHERE provider = ? AND key = ?", (provider, key)
            ).fetchone()
            if row is None:
                db.execute(
                    "INSERT INTO jobs (provider, key, name, digest, pid, created) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (provider, key, name, digest, os.getpid(), _now()),
                )
                return None
            entry = _entry(row)
            if entry.digest != digest:
                raise AlreadyExists(
                    f"key {key!r} on {provider!r} belongs to the job {entry.name}, "
                    f"launched {entry.created:%Y-%m-%d %H:%M} UTC with another spec",
                    field="key",
                    advice="Use another key, or launch exactly the same job.",
                )
            db.execute(
                "UPDATE jobs SET pid = ? WHERE provider = ? AND key = ?",
                (os.getpid(), provider, key),
            )
            return entry

    def launched(self, provider: str, key: str, handle: JobHandle) -> None:
        """Write down where the job is."""
        self._update(provider, key, "handle = ?, removed = NULL", to_token(handle))

    def forget(self, provider: str, key: str) -> None:
        """Remove an intent that came to nothing: no job was created."""
        with self._transaction() as db:
            db.execute("DELETE FROM jobs WHERE provider = ? AND key = ?", (provider, key))

    def observed(self, provider: str, key: str, status: JobStatus) -> None:
        """Write down the last that was seen of a job."""
        self._update(
            provider,
            key,
            "state = ?, exit_code = ?, exit_code_source = ?, signal = ?, reason = ?, message = ?, "
            "started = ?, ended = ?",
            status.state.value,
            status.exit_code,
            status.exit_code_source.value,
            status.signal,
            status.reason.value if status.reason else None,
            status.message,
            _text(status.started),
            _text(status.ended),
        )

    def cancel_requested(self, provider: str, key: str) -> None:
        """Write down that somebody here asked for the stop."""
        self._update(provider, key, "cancel_requested = ?", _now())

    def removed(self, provider: str, key: str) -> None:
        """Write down that the job's leftovers go, its output among them."""
        self._update(provider, key, "removed = ?", _now())

    def entries(self) -> list[JournalEntry]:
        """Every launch, the newest first."""
        with self._transaction() as db:
            rows = db.execute("SELECT * FROM jobs ORDER BY created DESC, rowid DESC").fetchall()
        return [_entry(row) for row in rows]

    def find(self, selector: str) -> JournalEntry:
        """The launch that a person means: a name, a unique prefix of one, or ``@latest``.

        A name that several jobs had is the newest one's.

        Raises:
            NotFound: There is none.
            InvalidField: The prefix fits several names.
        """
        entries = self.entries()
        if selector == "@latest":
            if not entries:
                raise NotFound("no job was launched from here yet")
            return entries[0]
        for entry in entries:
            if entry.name == selector:
                return entry
        fitting = {e.name: e for e in reversed(entries) if selector and e.name.startswith(selector)}
        if len(fitting) > 1:
            names = ", ".join(sorted(fitting)[:10])
            raise InvalidField(
                f"{selector!r} fits {len(fitting)} jobs: {names}",
                field="job",
                advice="Give more of the name.",
            )
        if not fitting:
            raise NotFound(
                f"no job here has the name {selector[:120]!r}, or one that begins with it",
                advice="See `dayfly ps --all`. A job of another machine is named by its handle.",
            )
        return fitting.popitem()[1]

    def _update(self, provider: str, key: str, what: str, *values: object) -> None:
        with self._transaction() as db:
            db.execute(
                f"UPDATE jobs SET {what} WHERE provider = ? AND key = ?",  # noqa: S608 - ours
                (*values, provider, key),
            )

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        # An intent must survive a power cut, or the launch after it could be a second one.
        self._db.execute("PRAGMA synchronous = FULL")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise FailedPrecondition(
                f"{self.path} was written by a newer dayfly (version {version}, not {_VERSION})",
                advice="Use that one, or set DAYFLY_STATE_DIR to another directory.",
            )
        if version < _VERSION:
            self._db.execute(_SCHEMA)
            self._db.execute(f"PRAGMA user_version = {_VERSION}")

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    yield self._db
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                raise _broken(self.path, error) from error


def state_dir() -> Path:
    """Where this user's state is: ``$DAYFLY_STATE_DIR``, or the platform's own place."""
    chosen = os.environ.get("DAYFLY_STATE_DIR")
    if chosen:
        return Path(chosen).absolute()
    from platformdirs import user_state_path  # noqa: PLC0415 - not needed where one is chosen

    return user_state_path("dayfly")


def _entry(row: sqlite3.Row) -> JournalEntry:
    handle = from_token(row["handle"]) if row["handle"] else None
    return JournalEntry(
        provider=row["provider"],
        key=row["key"],
        name=row["name"],
        digest=row["digest"],
        pid=row["pid"],
        created=datetime.fromisoformat(row["created"]),
        handle=handle,
        status=_status(row, handle) if handle and (row["state"] or row["reason"]) else None,
        cancel_requested=row["cancel_requested"] is not None,
        deleted=row["removed"] is not None,
    )


def _status(row: sqlite3.Row, handle: JobHandle) -> JobStatus:
    return JobStatus(
        handle=handle,
        state=JobState(row["state"]),
        exit_code=row["exit_code"],
        exit_code_source=ExitCodeSource(row["exit_code_source"]),
        signal=row["signal"],
        reason=Reason(row["reason"]) if row["reason"] else None,
        message=row["message"],
        created=datetime.fromisoformat(row["created"]),
        started=_time(row["started"]),
        ended=_time(row["ended"]),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _broken(path: Path, error: Exception) -> FailedPrecondition:
    return FailedPrecondition(
        f"the journal {path} cannot be used: {error}",
        advice="Check the directory, its free space and its permissions, or set "
        "DAYFLY_STATE_DIR to another one.",
    )
