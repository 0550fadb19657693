"""Every state, stop code and reason of ECS, a row each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from dayfly.contract.jobs import ExitCodeSource, JobHandle, JobState, Reason
from dayfly.providers.aws.states import BY_STOP_CODE, NEVER_STARTED, STATES, status_from_task

HANDLE = JobHandle(id="arn:aws:ecs:eu-west-1:123456789012:task/jobs/" + "a" * 32)
BEGAN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def stopped(
    code: int | None = None, *, stop_code: str = "EssentialContainerExited", said="", why=""
):
    own = {"name": "job"} | ({} if code is None else {"exitCode": code})
    return {
        "lastStatus": "STOPPED",
        "stopCode": stop_code,
        "stoppedReason": said,
        "createdAt": BEGAN,
        "startedAt": BEGAN + timedelta(seconds=20),
        "executionStoppedAt": BEGAN + timedelta(seconds=30),
        "stoppedAt": BEGAN + timedelta(seconds=45),
        "containers": [{"name": "sidecar", "exitCode": 9}, own | ({"reason": why} if why else {})],
    }


def judged(task):
    return status_from_task(HANDLE, task, "job")


@pytest.mark.parametrize(("word", "state"), STATES.items())
def test_only_stopped_is_an_end(word, state):
    status = judged({"lastStatus": word, "containers": [{"name": "job", "exitCode": 0}]})
    assert (status.state, status.final, status.exit_code) == (state, False, None)
    assert status.message == word.lower()


def test_a_word_that_is_not_known_is_unknown():
    assert judged({"lastStatus": "HIBERNATING"}).state is JobState.UNKNOWN


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [
        (0, JobState.SUCCEEDED, Reason.COMPLETED),
        (1, JobState.FAILED, Reason.EXITED_NONZERO),
        (137, JobState.FAILED, Reason.EXITED_NONZERO),
        (255, JobState.FAILED, Reason.EXITED_NONZERO),
    ],
)
def test_the_jobs_own_container_decides(code, state, reason):
    status = judged(stopped(code))
    assert (status.state, status.reason) == (state, reason)
    assert (status.exit_code, status.exit_code_source) == (code, ExitCodeSource.REPORTED)
    assert status.ended == BEGAN + timedelta(seconds=30)


@pytest.mark.parametrize(("stop_code", "meant"), BY_STOP_CODE.items())
@pytest.mark.parametrize("code", [None, 0, 143])
def test_a_stop_code_says_more_than_what_the_container_left(stop_code, meant, code):
    status = judged(stopped(code, stop_code=stop_code, said="the words"))
    assert (status.state, status.reason) == meant
    assert status.exit_code == code
    assert (status.message, status.state is JobState.SUCCEEDED) == ("the words", False)


#: Sentences of AWS's, from its pages on stopped tasks, and of its stand-ins.
SENTENCES = [
    (("CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve "
     "ref x: dial tcp 1.2.3.4:443: i/o timeout"), Reason.IMAGE_UNAVAILABLE, True),
    ("CannotPullContainerError: ref pull has been retried: failed to copy: unexpected EOF",
     Reason.IMAGE_UNAVAILABLE, True),
    ("CannotPullContainerError: pull access denied, repository does not exist",
     Reason.IMAGE_UNAVAILABLE, False),
    ("CannotPullImageManifestError: Error response from daemon: manifest unknown",
     Reason.IMAGE_UNAVAILABLE, False),
    ("ResourceInitializationError: unable to pull image or start container: no such host",
     Reason.IMAGE_UNAVAILABLE, False),
    (("ResourceInitializationError: unable to pull image or start container: 400 executable file "
     "not found in $PATH"), Reason.NEVER_STARTED, False),
    ("CannotStartContainerError: Error response from daemon: OCI runtime create failed",
     Reason.NEVER_STARTED, False),
    ("CannotCreateContainerError: API error (400): volume", Reason.NEVER_STARTED, False),
    (("ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
     "retrieval failed: unable to retrieve secret from asm: service call has been retried 1 "
     "time(s): failed to fetch secret arn:x: AccessDeniedException"),
     Reason.SECRET_UNAVAILABLE, False),
    (("ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve "
     "secret from asm: RequestError: dial tcp: i/o timeout"), Reason.SECRET_UNAVAILABLE, True),
    (("ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve "
     "secrets from ssm: invalid parameters: /x"), Reason.SECRET_UNAVAILABLE, False),
    (("ResourceInitializationError: failed to validate logger args: create stream has been "
     "retried: failed to create Cloudwatch log stream: The specified log group does not exist"),
     Reason.PROVIDER_ERROR, False),
    (("Capacity is unavailable at this time. Please try again later or in a different availability "
     "zone"), Reason.NO_CAPACITY, True),
    ("Timeout waiting for network interface provisioning to complete.", Reason.NO_CAPACITY, True),
    ("Timeout waiting for EphemeralStorage provisioning to complete.", Reason.NO_CAPACITY, True),
    ("Unexpected EC2 error while attempting to Create Network Interface", Reason.PROVIDER_ERROR,
     True),
    ("AGENT", Reason.PROVIDER_ERROR, True),
    ("OutOfMemoryError: Container killed due to memory usage", Reason.OUT_OF_MEMORY, False),
    ("something that nobody has written down", Reason.NEVER_STARTED, False),
]  # fmt: skip


@pytest.mark.parametrize(("words", "reason", "may_pass"), SENTENCES)
@pytest.mark.parametrize("where", ["said", "why"])
def test_a_job_without_a_code_never_ran_and_the_words_say_why(words, reason, may_pass, where):
    status = judged(stopped(None, stop_code="TaskFailedToStart", **{where: words}))
    assert (status.state, status.reason, status.may_pass) == (JobState.FAILED, reason, may_pass)
    assert (status.exit_code, status.exit_code_source) == (None, ExitCodeSource.UNKNOWN)
    assert words in status.message
    assert words in status.evidence


def test_every_row_of_the_table_has_a_sentence():
    import re

    met = set()
    for words, _, _ in SENTENCES:
        met.add(next(why for why in NEVER_STARTED if re.search(why.words, words, re.DOTALL)))
    assert met == set(NEVER_STARTED)


def test_memory_is_told_by_the_containers_own_reason():
    why = "OutOfMemoryError: Container killed due to memory usage"
    status = judged(stopped(137, why=why))
    assert (status.reason, status.exit_code, status.message) == (Reason.OUT_OF_MEMORY, 137, why)


def test_an_empty_stop_code_is_none_and_no_containers_is_no_code():
    assert judged(stopped(0, stop_code="")).state is JobState.SUCCEEDED
    assert judged({"lastStatus": "STOPPED", "containers": []}).reason is Reason.NEVER_STARTED


def test_a_task_that_is_to_be_stopped_says_so():
    status = judged({"lastStatus": "RUNNING", "desiredStatus": "STOPPED", "containers": []})
    assert (status.state, status.message) == (JobState.RUNNING, "running, to be stopped")


@pytest.mark.parametrize(
    ("code", "stop_code", "said"),
    [
        (None, "EssentialContainerExited", "AGENT: the agent was disconnected"),
        (None, "", "Host EC2 (instance i-1) terminated."),
        (0, "TaskFailedToStart", "Timeout waiting for network interface provisioning"),
    ],
)
def test_what_ran_is_never_run_again(code, stop_code, said):
    status = judged(stopped(code, stop_code=stop_code, said=said))
    assert (status.state, status.may_pass) == (JobState.FAILED, False)
    assert status.reason is not Reason.NEVER_STARTED
