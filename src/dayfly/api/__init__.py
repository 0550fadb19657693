"""The Python API: configuration, a plugin's process, jobs.

Times are seconds, sizes MiB, outputs bytes. Failures are ``dayfly.DayflyError``. What
comes back of a job (state, exit code, reason) is the provider's word, never a guess.
"""

from __future__ import annotations

from dayfly.api.blocking import Result, run
from dayfly.api.connection import Connection, connect
from dayfly.api.fields import JobFields, job_spec, variables_to_pass

__all__ = [
    "Connection",
    "JobFields",
    "Result",
    "connect",
    "job_spec",
    "run",
    "variables_to_pass",
]
