"""What was launched from this machine, in SQLite: written before a launch and after it.

A safety net, not the truth: that is at the provider. Several processes may write at once.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from dayfly.contract.errors import AlreadyExists, FailedPrecondition
from dayfly.contract.tokens import to_token
from dayfly.jobs import rows
from dayfly.jobs.entries import FINAL, select

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dayfly.contract.jobs import JobHandle, JobStatus
    from dayfly.jobs.entries import JournalEntry

_BUSY_SECONDS: Final = 10.0
#: A removed job's row is kept this long, so that its key is not launched again.
_KEEP_SECONDS: Final = 180 * 24 * 3600


class Journal:
    """The journal's file. Every method blocks for as long as a disk does, and is thread-safe.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.Lock()
        weakref.finalize(self, connection.close)

    @classmethod
    def open(cls, path: Path | None = None) -> Self:
        """Open the journal, and make it where there is none.

        Args:
            path: The file; None is ``journal.sqlite3`` in DAYFLY_STATE_DIR, or in the
                user's state directory.

        Raises:
            FailedPrecondition: The file cannot be made, read or understood.
        """
        path = path or state_dir() / "journal.sqlite3"
        with _explained(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
            connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            try:
                _prepare(connection, path)
            except BaseException:
                connection.close()
                raise
        return cls(path, connection)

    def entries(self) -> list[JournalEntry]:
        """All there is, newest first.

        Raises:
            FailedPrecondition: The file cannot be read; so does every other method.
        """
        with self._lock, _explained(self.path):
            found = self._connection.execute("SELECT * FROM jobs ORDER BY created DESC, rowid DESC")
            return [rows.to_entry(row) for row in found]

    def find(self, selector: str) -> JournalEntry:
        """The entry of a key, a name, a unique prefix of a name, or ``@latest``.

        Raises:
            NotFound: Nothing has this name.
            InvalidField: It is empty, or several have this name.
        """
        return select(self.entries(), selector)

    def get(self, provider: str, key: str) -> JournalEntry | None:
        """The entry of a key."""
        with self._lock, _explained(self.path):
            return _get(self._connection, provider, key)

    def intend(
        self, *, provider: str, plugin: str, key: str, name: str, digest: str
    ) -> JournalEntry | None:
        """Write down that a job is about to be launched.

        Returns:
            What the key has already; None where it is new.

        Raises:
            AlreadyExists: The key belongs to another job.
        """
        now = time.time()
        with self._transaction() as connection:
            connection.execute("DELETE FROM jobs WHERE deleted < ?", (now - _KEEP_SECONDS,))
            known = _get(connection, provider, key)
            if known is not None and not known.never_launched:
                if known.digest != digest:
                    raise AlreadyExists(
                        f"key {key!r} belongs to another job on {provider!r}: {known.name}",
                        advice="Use another key for another job.",
                    )
                return known
            connection.execute(
                "INSERT OR REPLACE INTO jobs (provider, key, plugin, name, digest, created)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (provider, key, plugin, name, digest, now),
            )
        return None

    def withdraw(self, provider: str, key: str) -> None:
        """Take an intent back: the provider refused it, and made nothing."""
        self._change(
            "DELETE FROM jobs WHERE launched IS NULL AND provider=? AND key=?", provider, key
        )

    def launched(self, provider: str, key: str, handle: JobHandle) -> None:
        """The launch was answered. Whatever was seen of an earlier one is not its end."""
        self._set(
            provider,
            key,
            token=to_token(handle),
            launched=time.time(),
            never_launched=0,
            state=None,
            ended_here=None,
        )

    def found(self, provider: str, key: str, handle: JobHandle | None) -> None:
        """The provider was asked for a launch that was never answered."""
        if handle is None:
            self._set(provider, key, never_launched=1)
        else:
            self._set(provider, key, token=to_token(handle), never_launched=0)

    def cancel_requested(self, provider: str, key: str) -> None:
        """Somebody asked for the job's stop."""
        self._set(provider, key, cancel_requested=1)

    def observed(self, provider: str, key: str, status: JobStatus) -> None:
        """Keep what was seen of a job; an end that was seen is never overwritten."""
        changes = rows.status_columns(status)
        if status.state in FINAL:
            changes["ended_here"] = time.time()
        self._set(provider, key, unless="ended_here IS NOT NULL", **changes)

    def deleted(self, provider: str, key: str) -> None:
        """The job's leftovers are gone."""
        self._set(provider, key, deleted=time.time())

    def _set(self, provider: str, key: str, *, unless: str = "0", **changes: object) -> None:
        columns = ", ".join(f"{column}=?" for column in changes)
        self._change(
            f"UPDATE jobs SET {columns} WHERE NOT ({unless}) AND provider=? AND key=?",  # noqa: S608 - our own names
            *changes.values(),
            provider,
            key,
        )

    def _change(self, statement: str, *values: object) -> None:
        with self._transaction() as connection:
            connection.execute(statement, values)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, _explained(self.path):
            # Written to at once: a read that later becomes a write could not wait its turn.
            self._connection.execute("BEGIN IMMEDIATE")
            with self._connection:
                yield self._connection


def state_dir() -> Path:
    """Where dayfly keeps what is to outlive a command."""
    if given := os.environ.get("DAYFLY_STATE_DIR"):
        return Path(given)
    from platformdirs import user_state_path  # noqa: PLC0415 - not where it is given

    return user_state_path("dayfly")


def _get(connection: sqlite3.Connection, provider: str, key: str) -> JournalEntry | None:
    row: Any = connection.execute(
        "SELECT * FROM jobs WHERE provider=? AND key=?", (provider, key)
    ).fetchone()
    return rows.to_entry(row) if row else None


def _make(path: Path) -> None:
    """Make the file, readable for its owner only. One that is there is not touched.

    To close a file is to lose every lock that this process has on it, SQLite's too.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.row_factory = sqlite3.Row
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == 0:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            connection.execute(rows.TABLE)
            connection.execute(f"PRAGMA user_version={rows.VERSION}")
    elif version != rows.VERSION:
        raise FailedPrecondition(
            f"the journal {path} has version {version}; this dayfly reads {rows.VERSION}",
            advice="Use the dayfly that wrote it, or set DAYFLY_STATE_DIR to another directory.",
        )
    # A crash of this process loses nothing so, and a launch waits for no disk.
    connection.execute("PRAGMA synchronous=NORMAL")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise FailedPrecondition(
            f"the journal {path} cannot be used: {error}",
            advice="Set DAYFLY_STATE_DIR to a directory that can be written; a damaged file "
            "may be moved away: `dayfly ps --on PROVIDER` still finds the jobs.",
        ) from error
