"""The journal: private, safe with many writers, and without anything that is secret."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.contract.errors import AlreadyExists, FailedPrecondition, InvalidField, NotFound
from dayfly.contract.jobs import (
    ExitCodeSource,
    JobHandle,
    JobSpec,
    JobState,
    JobStatus,
    Reason,
)
from dayfly.jobs import Journal, JournalEntry
from dayfly.jobs.entries import LATEST, select

HANDLE = JobHandle(id="42", name="n", provider="p", metadata={"region": "x"})
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def intend(journal, key="k1", *, name="", digest="d", provider="prod"):
    return journal.intend(
        provider=provider, plugin="plugin", key=key, name=name or key, digest=digest
    )


def entry(name, key="", *, deleted=False):
    return JournalEntry(
        key=key or f"key-of-{name}",
        provider="prod",
        plugin="plugin",
        name=name,
        digest="d",
        handle=None,
        status=None,
        launched=None,
        never_launched=False,
        cancel_requested=False,
        created=NOON,
        ended=None,
        deleted=NOON if deleted else None,
    )


def test_only_its_owner_can_read_it(journal):
    intend(journal)
    assert journal.path.parent.stat().st_mode & 0o777 == 0o700
    for path in journal.path.parent.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_it_is_in_the_state_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("DAYFLY_STATE_DIR", str(tmp_path / "here"))
    assert Journal.open().path == tmp_path / "here" / "journal.sqlite3"
    monkeypatch.delenv("DAYFLY_STATE_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert Journal.open().path == tmp_path / "state" / "dayfly" / "journal.sqlite3"


def test_a_status_comes_back_as_it_was(journal):
    status = JobStatus(
        handle=HANDLE,
        state=JobState.FAILED,
        exit_code=137,
        exit_code_source=ExitCodeSource.REPORTED,
        signal=9,
        reason=Reason.OUT_OF_MEMORY,
        message="out of memory",
        evidence="OOMKilled",
        created=NOON,
        started=NOON,
        ended=NOON,
    )
    intend(journal)
    journal.launched("prod", "k1", HANDLE)
    journal.observed("prod", "k1", status)
    found = Journal.open(journal.path).find("k1")
    assert found.handle == HANDLE
    assert found.status == found.end == status
    assert found.ended is not None


def test_an_end_is_never_overwritten(journal):
    intend(journal)
    journal.launched("prod", "k1", HANDLE)
    ended = JobStatus(handle=HANDLE, state=JobState.SUCCEEDED, exit_code=0)
    for state in (JobState.RUNNING, JobState.UNKNOWN):
        journal.observed("prod", "k1", JobStatus(handle=HANDLE, state=state))
        assert journal.find("k1").end is None
    journal.observed("prod", "k1", ended)
    journal.observed("prod", "k1", JobStatus(handle=HANDLE, state=JobState.FAILED, exit_code=1))
    assert journal.find("k1").end.exit_code == 0


def test_a_key_belongs_to_one_job_of_one_provider(journal):
    assert intend(journal) is None
    assert intend(journal).digest == "d"
    assert intend(journal, digest="other", provider="elsewhere") is None
    with pytest.raises(AlreadyExists, match="'k1' belongs to another job on 'prod'"):
        intend(journal, digest="other")


def test_a_key_that_was_never_launched_is_free(journal):
    intend(journal)
    journal.found("prod", "k1", None)
    assert journal.find("k1").never_launched
    assert intend(journal, digest="other") is None


def test_only_an_intent_can_be_withdrawn(journal):
    intend(journal, "open")
    intend(journal, "answered")
    journal.launched("prod", "answered", HANDLE)
    for key in ("open", "answered"):
        journal.withdraw("prod", key)
    assert [entry.key for entry in journal.entries()] == ["answered"]


def test_entries_come_newest_first(journal):
    for key in ("a", "b", "c"):
        intend(journal, key)
    assert [entry.key for entry in journal.entries()] == ["c", "b", "a"]
    assert journal.find(LATEST).key == "c"


async def test_nothing_of_the_job_itself_is_in_the_file(opened, provider, journal):
    spec = JobSpec(command=("psql", "postgres://me:hunter2@db"), env={"TOKEN": "hunter2-too"})
    async with opened() as jobs:
        job = await jobs.launch(spec)
        provider.only.ends()
        await job.wait()
    content = b"".join(path.read_bytes() for path in journal.path.parent.iterdir())
    assert job.key.encode() in content
    assert b"hunter2" not in content
    assert b"postgres://" not in content


def test_a_file_that_is_no_journal_is_explained(tmp_path):
    path = tmp_path / "journal.sqlite3"
    path.write_bytes(b"not a database, and long enough to be looked at" * 40)
    with pytest.raises(FailedPrecondition, match="cannot be used: file is not a database") as it:
        Journal.open(path)
    assert "DAYFLY_STATE_DIR" in it.value.advice


def test_a_directory_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FailedPrecondition, match="cannot be used"):
        Journal.open(tmp_path / "file" / "journal.sqlite3")


def test_a_journal_of_another_version_is_left_alone(tmp_path):
    path = tmp_path / "journal.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(FailedPrecondition, match="has version 99"):
        Journal.open(path)


WRITER = """
import sys
from pathlib import Path
from dayfly.contract.jobs import JobHandle
from dayfly.jobs import Journal
sys.stdin.readline()
for number in range(40):
    journal = Journal.open(Path(sys.argv[1])) if number % 10 == 0 else journal
    key = f"{sys.argv[2]}-{number}"
    journal.intend(provider="prod", plugin="p", key=key, name=key, digest="d")
    journal.launched("prod", key, JobHandle(id=key))
    assert journal.intend(provider="prod", plugin="p", key="shared", name="s", digest="d") is None \
        or journal.get("prod", "shared") is not None
"""


def test_several_processes_write_at_once_from_the_first_moment(tmp_path):
    path = tmp_path / "journal.sqlite3"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(number)],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for number in range(4)
    ]
    for writer in writers:
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    for writer in writers:
        _, errors = writer.communicate(timeout=30)
        assert writer.returncode == 0, errors.decode()
    entries = Journal.open(path).entries()
    assert len(entries) == 4 * 40 + 1
    assert sum(entry.handle is not None for entry in entries) == 4 * 40


def test_threads_share_one_journal(journal):
    def write(thread):
        for number in range(20):
            intend(journal, f"{thread}-{number}")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(journal.entries()) == 80


def test_reading_it_needs_no_event_loop():
    code = "import sys, dayfly.jobs as j; j.Journal; sys.exit('asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=20)
    assert done.returncode == 0


names = st.lists(st.text(alphabet="ab-", min_size=1, max_size=4), min_size=1, max_size=8)


@given(names, st.data())
def test_a_selector_names_one_job_or_is_refused(some, data):
    entries = [entry(name, f"key-{number}") for number, name in enumerate(some)]
    chosen = data.draw(st.sampled_from(entries))
    assert select(entries, chosen.key) == chosen
    assert select(entries, LATEST) == entries[0]
    prefix = chosen.name[: data.draw(st.integers(1, len(chosen.name)))]
    exact = [one for one in entries if one.name == prefix]
    matches = exact or [one for one in entries if one.name.startswith(prefix)]
    if len(matches) == 1:
        assert select(entries, prefix) == matches[0]
        return
    with pytest.raises(InvalidField) as caught:
        select(entries, prefix)
    assert all(one.key in caught.value.message for one in matches)


def test_a_removed_job_gives_way_to_one_that_is_there():
    there, removed = entry("web-2"), entry("web-1", deleted=True)
    assert select([removed, there], "web") == there
    assert select([removed, there], LATEST) == there
    assert select([removed, there], "web-1") == removed


@pytest.mark.parametrize("selector", ["nothing", "key-of-web", "@newest"])
def test_a_name_of_nothing_is_not_found(selector):
    with pytest.raises(NotFound, match="no job here is named"):
        select([entry("web-1")], selector)


def test_an_empty_selector_is_refused():
    with pytest.raises(InvalidField) as caught:
        select([entry("web-1")], "")
    assert caught.value.field == "job"


def test_a_list_that_is_long_is_cut():
    entries = [entry("web", f"key-{number}") for number in range(20)]
    with pytest.raises(InvalidField, match="and 12 more"):
        select(entries, "web")


def test_the_path_may_be_anywhere(tmp_path):
    deep = Path(tmp_path / "a" / "b" / "c.sqlite3")
    assert Journal.open(deep).entries() == []
