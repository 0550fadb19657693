"""What a launch would send, with nothing asked and nothing made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.providers.digitalocean.samples import CLONE, DIGEST, IMAGE, KEY, RUN, job

from dayfly.contract.errors import FailedPrecondition, InvalidField, NotFound
from dayfly.contract.honour import fields_set, refuse_unhonoured
from dayfly.contract.jobs import JobSpec, JobTarget, Resources, Submission, TargetMode
from dayfly.providers.digitalocean.config import read_config
from dayfly.providers.digitalocean.own import own_name
from dayfly.providers.digitalocean.runner import HONOURS, Submitter
from dayfly.providers.digitalocean.session import Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from dayfly.contract.provider import JobPlan

#: Nobody answers there: a plan that asks anybody anything fails.
NOBODY = {"endpoint_url": "https://127.0.0.1:9", "token_env": "NO_TOKEN_IS_HERE"}
CANARY = "canary-5f2d"
#: What an attached run takes: no image and no command.
BARE = {"image": "", "command": ()}


@pytest.fixture
async def make() -> AsyncIterator[Callable[..., Any]]:
    sessions = []

    async def made(**settings: Any) -> Submitter:
        session = Session()
        sessions.append(session)
        await session.configure(read_config(NOBODY | settings))
        return Submitter(session)

    yield made
    for session in sessions:
        await session.close()


async def planned(submitter: Submitter, **fields: Any) -> JobPlan:
    return await submitter.plan(Submission(spec=job(**fields), key=KEY))


async def test_owned_makes_an_app(make: Callable[..., Any]) -> None:
    plan = await planned(await make(region="fra"), resources=Resources(cpus=0.5))
    [call] = plan.calls
    assert call.call == "POST /v2/apps"
    spec = json.loads(call.request)["spec"]
    assert (spec["name"], spec["region"]) == (own_name(KEY), "fra")
    [component] = spec["jobs"]
    assert component["image"]["digest"] == DIGEST
    assert component["run_command"] == "echo hello"
    assert plan.notes == ("App Platform sizes: apps-s-1vcpu-0.5gb, rounded up 0.5 vCPU to 1.",)
    assert call.note == ""


async def test_a_clone_adds_a_job_and_says_what_it_redeploys(make: Callable[..., Any]) -> None:
    plan = await planned(await make(), target=CLONE, secrets={"A": "${db.URL}", "B": "env:B"})
    [call] = plan.calls
    assert call.call == "PUT /v2/apps/{id of shop}"
    *others, added = json.loads(call.request)["spec"]["jobs"]
    assert others == ["(as they are)"]
    assert added["name"] == own_name(KEY)
    assert {"key": "A", "value": "${db.URL}", "scope": "RUN_TIME", "type": "GENERAL"} in added[
        "envs"
    ]
    assert "deploys the whole app each time" in call.note
    assert "puts the values of B in place" in call.note


async def test_a_run_deploys_the_app_as_it_is(make: Callable[..., Any]) -> None:
    plan = await planned(await make(), target=RUN, **BARE)
    [call] = plan.calls
    assert call.call == "POST /v2/apps/{id of shop/migrate}/deployments"
    assert json.loads(call.request) == {"force_build": False}
    assert "runs all of its deploy-time jobs" in call.note


@pytest.mark.parametrize("target", [JobTarget(), CLONE])
async def test_secrets_are_shown_as_references(
    target: JobTarget, make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PASSWORD", "HUB"):
        monkeypatch.setenv(name, f"user:{CANARY}")
    submitter = await make(
        secrets={"db": "env:PASSWORD"}, registry_credentials={"ghcr.io": "env:HUB"}
    )
    secrets = {"A": "env:PASSWORD", "B": "secret://db#key"}
    plan = await planned(submitter, target=target, secrets=secrets)
    [call] = plan.calls
    assert CANARY not in repr(plan)
    [component] = [row for row in json.loads(call.request)["spec"]["jobs"] if isinstance(row, dict)]
    shown = {row["key"]: row["value"] for row in component["envs"] if row["type"] == "SECRET"}
    assert shown == secrets
    assert component["image"]["registry_credentials"] == "env:HUB"
    assert "values of A, B" in call.note


@pytest.mark.parametrize(
    ("tags", "note"),
    [
        ("resolve", "The tag 1.2 is resolved to its digest first."),
        ("allow", "owner/tool:1.2 is pulled by its tag, whatever it names then."),
    ],
)
async def test_what_becomes_of_a_tag(tags: str, note: str, make: Callable[..., Any]) -> None:
    plan = await planned(await make(tags=tags), image="owner/tool:1.2")
    assert plan.notes == (note,)


def without_consent(target: JobTarget) -> JobTarget:
    return JobTarget(mode=target.mode, name=target.name)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"image": "quay.io/a/b"}, "image"),
        ({"command": ("a", "|", "b")}, "command[1]"),
        ({"env": {"A": "${b}"}}, "env.A"),
        ({"secrets": {"A": "hunter2"}}, "secrets.A"),
        ({"target": without_consent(CLONE)}, "target.allow_redeploy"),
        ({"target": without_consent(RUN), **BARE}, "target.allow_redeploy"),
        (
            {
                "target": JobTarget(
                    mode=TargetMode.ATTACHED_CLONE, name="shop/web", allow_redeploy=True
                )
            },
            "target.name",
        ),
        ({"target": RUN, "image": IMAGE, "command": ()}, "image"),
        ({"target": RUN, "image": "", "command": ("a",)}, "command"),
        ({"target": RUN, **BARE, "env": {"A": "b"}}, "env"),
        ({"target": RUN, **BARE, "labels": {"A": "b"}}, "labels"),
        ({"target": RUN, **BARE, "resources": Resources(cpus=1)}, "resources.cpus"),
        ({"target": RUN, **BARE, "grace_period_seconds": 5}, "grace_period_seconds"),
    ],
)
async def test_what_can_never_work_is_refused(
    fields: dict[str, Any], field: str, make: Callable[..., Any]
) -> None:
    with pytest.raises(InvalidField) as caught:
        await planned(await make(), **fields)
    assert caught.value.field == field
    assert "hunter2" not in str(caught.value)


async def test_a_name_that_is_not_mapped(make: Callable[..., Any]) -> None:
    with pytest.raises(NotFound) as caught:
        await planned(await make(), secrets={"A": "secret://nobody"})
    assert caught.value.field == "secrets.A"


async def test_the_description(make: Callable[..., Any]) -> None:
    description = await (await make(log_drain_seconds=3)).describe()
    assert description.log_drain_seconds == 3
    assert not description.separates_streams
    assert "${component.VARIABLE}" in description.secret_forms
    assert len(description.side_effects) == len(TargetMode)
    # All that it honours are fields, and each example of this folder asks for no other.
    for spec in (job(target=CLONE, labels={"a": "b"}, grace_period_seconds=9), job(target=RUN)):
        refuse_unhonoured(spec, description)
    assert fields_set(job(env={"A": "b"}, resources=Resources(cpus=1, memory_mib=512))) <= HONOURS
    with pytest.raises(InvalidField) as caught:
        refuse_unhonoured(JobSpec(image=IMAGE, timeout_seconds=5), description)
    assert caught.value.field == "timeout_seconds"


async def test_before_it_is_configured() -> None:
    with pytest.raises(FailedPrecondition):
        await Submitter(Session()).describe()
