"""Jobs, handles and answers, with only what a test is about given."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dayfly.contract.jobs import JobSpec, JobTarget, Submission, TargetMode
from dayfly.providers.digitalocean.handles import COMPONENT, Mode, Place
from dayfly.providers.digitalocean.own import own_name

KEY = "a-key"
DIGEST = "sha256:" + "a" * 64
IMAGE = f"ghcr.io/owner/tool@{DIGEST}"
APP = "4f6c71e2-1e90-4762-9fee-6cc4a0a9f2cf"
DEPLOYMENT = "3aa4d20e-5527-4c00-b496-601fbd22520a"
INVOCATION = "ba32b134-569c-4c0c-ba02-8ffdb0492ece"
CLONE = JobTarget(mode=TargetMode.ATTACHED_CLONE, name="shop", allow_redeploy=True)
RUN = JobTarget(mode=TargetMode.ATTACHED_RUN, name="shop/migrate", allow_redeploy=True)
PLACE = Place(app=APP, name=own_name(KEY), component=COMPONENT, mode=Mode.OWNED)


def job(**fields: Any) -> JobSpec:
    return JobSpec(**({"image": IMAGE, "command": ("echo", "hello")} | fields))


def submission(**fields: Any) -> Submission:
    return Submission(spec=job(**fields), key=KEY)


def place(**fields: Any) -> Place:
    return replace(PLACE, **fields)
