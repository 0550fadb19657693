"""Commands of an agent's earlier life: whoever asked for them is gone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from dayfly.contract.errors import DayflyError

if TYPE_CHECKING:
    from dayfly.jobs import Jobs

_log = logging.getLogger("dayfly.agent")

LABEL: Final = "dayfly-agent"


async def stop_leftovers(jobs: Jobs, name: str) -> None:
    """Stop and remove what an agent of this name left when it was killed.

    What cannot be seen or stopped is said in the log, and keeps no agent from starting.

    Args:
        jobs: Of the provider that runs the commands.
        name: The agent's; nothing of another agent is touched.
    """
    if "labels" not in (await jobs.describe()).honours:
        _log.warning("the provider keeps no labels: what a killed agent leaves is not found again")
        return
    try:
        listed = await jobs.list()
        for job in listed:
            if job.labels.get(LABEL) == name:
                left = jobs.attach(job.status.handle, job.key)
                _log.warning("stopping %s, which an earlier agent left", left.name)
                await left.cancel()
                await left.delete()
    except DayflyError as error:
        _log.warning("what an earlier agent left may still be there: %s", error.message)
