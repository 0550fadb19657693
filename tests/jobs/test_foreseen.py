"""A provider that cannot find a job by its key says beforehand what the job will be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.jobs.scripted import Scripted

from dayfly.contract.errors import InvalidField, ProviderFailed
from dayfly.contract.jobs import JobHandle, JobSpec, Progress

if TYPE_CHECKING:
    from collections.abc import Callable

    from dayfly.contract.jobs import Submission, Submitted

ECHO = JobSpec(command=("/bin/echo", "hello"))


class Foreseeing(Scripted):
    """Tells what a job will be before it makes it, and may then make none."""

    makes = True

    async def submit(self, submission: Submission, report: Callable[[Progress], None]) -> Submitted:
        report(Progress(phase="attaching", handle=JobHandle(id="job-0", name="foreseen")))
        if not self.makes:
            await self._called("submit")
            raise ProviderFailed("the answer was lost, and is not asked for again")
        return await super().submit(submission, report)

    async def find(self, key: str) -> JobHandle | None:
        return None  # Its jobs carry no key.


@pytest.fixture
def provider() -> Foreseeing:
    return Foreseeing()


async def test_a_foreseen_job_is_written_down_before_there_is_an_answer(opened, provider, journal):
    provider.lost = 1
    provider.faults["submit"].extend([None, InvalidField("no", field="x")])
    async with opened() as jobs:
        with pytest.raises(InvalidField):
            await jobs.launch(ECHO, "k1")
        entry = journal.find("k1")
        assert (entry.handle.id, entry.launched) == ("job-0", None)
        # It is there, so the key is not launched again.
        job = await jobs.launch(ECHO, "k1")
    assert (job.handle.id, job.adopted, len(provider.sent)) == ("job-0", True, 2)


async def test_a_foreseen_job_that_is_not_there_is_launched(opened, provider, journal):
    provider.makes = False
    async with opened() as jobs:
        with pytest.raises(ProviderFailed):
            await jobs.launch(ECHO, "k1")
        assert journal.find("k1").handle.id == "job-0"
        provider.makes = True
        job = await jobs.launch(ECHO, "k1")
    assert (job.handle.id, job.adopted) == ("job-0", False)


async def test_a_foreseen_job_that_is_refused_leaves_nothing(opened, provider, journal):
    provider.faults["submit"].append(InvalidField("no", field="x"))
    async with opened() as jobs:
        with pytest.raises(InvalidField):
            await jobs.launch(ECHO, "k1")
    assert journal.entries() == []
