"""The emulator does what it says, to a real client over a real socket."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from tests.emulators.aws import Emulator, Fault, Knobs, Rate
from tests.emulators.aws.script import emulate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REGION = "eu-central-1"
ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ecsTaskExecutionRole"
# One for all: it keeps the models that it has read.
SESSION = get_session()
ONCE = AioConfig(retries={"total_max_attempts": 1}, read_timeout=5, parameter_validation=False)


class Aws:
    """An emulator and clients of it."""

    def __init__(self, emulator: Emulator, stack: AsyncExitStack) -> None:
        self.emulator = emulator
        self._stack = stack
        self._clients: dict[str, Any] = {}

    async def client(self, service: str) -> Any:
        if service not in self._clients:
            context = SESSION.create_client(
                service,
                region_name=REGION,
                endpoint_url=self.emulator.url,
                aws_access_key_id="AKIAEMULATED",
                aws_secret_access_key="secret",
                config=ONCE,
            )
            self._clients[service] = await self._stack.enter_async_context(context)
        return self._clients[service]

    async def call(self, service: str, operation: str, **members: Any) -> dict[str, Any]:
        return await getattr(await self.client(service), operation)(**members)

    async def ecs(self, operation: str, **members: Any) -> dict[str, Any]:
        return await self.call("ecs", operation, **members)

    async def logs(self, operation: str, **members: Any) -> dict[str, Any]:
        return await self.call("logs", operation, **members)

    async def refused(self, service: str, operation: str, **members: Any) -> dict[str, Any]:
        with pytest.raises(ClientError) as caught:
            await self.call(service, operation, **members)
        return caught.value.response

    async def run(self, command: list[str] | None = None, **members: Any) -> dict[str, Any]:
        if "overrides" not in members and command is not None:
            override = {"name": "job", "command": command}
            members["overrides"] = {"containerOverrides": [override]}
        return await self.ecs("run_task", **{**LAUNCH, **members})

    async def start(self, command: list[str] | None = None, **members: Any) -> str:
        return (await self.run(command, **members))["tasks"][0]["taskArn"]

    async def task(self, arn: str, **members: Any) -> dict[str, Any]:
        answer = await self.ecs("describe_tasks", cluster="jobs", tasks=[arn], **members)
        return answer["tasks"][0]

    async def until(self, arn: str, status: str) -> dict[str, Any]:
        task = await self.task(arn)
        while task["lastStatus"] != status:
            await asyncio.sleep(0.005)
            task = await self.task(arn)
        return task

    async def end(self, command: list[str], **members: Any) -> dict[str, Any]:
        return await self.until(await self.start(command, **members), "STOPPED")


NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-0123456789abcdef0"]}}
LAUNCH: dict[str, Any] = {
    "cluster": "jobs",
    "taskDefinition": "job",
    "launchType": "FARGATE",
    "networkConfiguration": NETWORK,
}


def definition(family: str = "job", **members: Any) -> dict[str, Any]:
    container = {
        "name": "job",
        "image": "busybox",
        "logConfiguration": {
            "logDriver": "awslogs",
            "options": {
                "awslogs-group": "/jobs",
                "awslogs-region": REGION,
                "awslogs-stream-prefix": "run",
                "awslogs-create-group": "true",
            },
        },
        **members.pop("container", {}),
    }
    return {
        "family": family,
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "256",
        "memory": "512",
        "executionRoleArn": ROLE,
        "containerDefinitions": [container],
        **members,
    }


@asynccontextmanager
async def opened(**knobs: Any) -> AsyncIterator[Aws]:
    async with AsyncExitStack() as stack:
        emulator = await stack.enter_async_context(Emulator(Knobs(**knobs)))
        aws = Aws(emulator, stack)
        await aws.ecs("register_task_definition", **definition())
        yield aws


@pytest.fixture
async def aws() -> AsyncIterator[Aws]:
    """Breaks no rule, or the test says which."""
    async with opened() as aws:
        yield aws
        assert aws.emulator.violations == []


def broken(aws: Aws) -> list[str]:
    """The rules broken so far, which the test expects."""
    found = list(aws.emulator.violations)
    aws.emulator.violations.clear()
    return found


def code(response: dict[str, Any]) -> str:
    return response["Error"]["Code"]


def message(response: dict[str, Any]) -> str:
    return response["Error"]["Message"]


async def raw(url: str, target: str, body: object) -> tuple[int, dict[str, Any]]:
    signature = f"AWS4-HMAC-SHA256 Credential=AKIA/20260101/{REGION}/ecs/aws4_request, Signature=0"
    headers = {"X-Amz-Target": target, "Authorization": signature}
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=json.dumps(body), headers=headers) as response,
    ):
        return response.status, json.loads(await response.read())


class TestModels:
    async def test_an_unknown_member_is_named(self, aws):
        target = "AmazonEC2ContainerServiceV20141113.DescribeTasks"
        status, answer = await raw(aws.emulator.url, target, {"tasks": ["1"], "taks": []})
        assert (status, answer["__type"]) == (400, "ClientException")
        assert "taks: no such member" in answer["message"]
        assert "taks" in broken(aws)[0]

    @pytest.mark.parametrize(
        ("members", "named"),
        [
            ({"launchType": "LAMBDA"}, "launchType: 'LAMBDA' is not one of"),
            ({"count": "1"}, "count: '1' is no integer"),
            ({"tags": [{"key": "k" * 129}]}, "tags[0].key: 129 characters is more than 128"),
            ({"tags": [{"key": "a{"}]}, "tags[0].key: 'a{' does not match"),
            ({"capacityProviderStrategy": [{}]}, "capacityProvider: required"),
            (
                {"capacityProviderStrategy": [{"capacityProvider": "FARGATE", "weight": 1001}]},
                "weight: 1001 is more than 1000",
            ),
        ],
    )
    async def test_what_does_not_fit_is_refused(self, aws, members, named):
        assert named in message(await aws.refused("ecs", "run_task", **{**LAUNCH, **members}))
        assert any(named in one for one in broken(aws))

    async def test_a_required_member(self, aws):
        assert "tasks: required" in message(await aws.refused("ecs", "describe_tasks"))
        assert broken(aws)

    async def test_query_parameters_are_checked_too(self, aws):
        response = await aws.refused("sts", "assume_role", RoleArn=ROLE, RoleSessionName="a b c")
        assert code(response) == "ValidationError"
        assert "RoleSessionName" in broken(aws)[0]

    async def test_an_operation_that_is_not_emulated_says_so(self, aws):
        assert "not emulated" in message(await aws.refused("ecs", "list_services"))
        assert broken(aws)

    async def test_an_answer_that_does_not_fit_is_noticed(self, aws):
        arn = await aws.start()
        aws.emulator.region(REGION).tasks["jobs", arn.rsplit("/")[-1]].fixed["cpu"] = 256
        await aws.ecs("describe_tasks", cluster="jobs", tasks=[arn])
        assert "answer of ecs.DescribeTasks tasks[0].cpu: 256 is no string" in broken(aws)

    async def test_a_mistake_of_the_emulator_is_noticed(self, aws):
        aws.emulator.region(REGION).families["broken"] = None
        response = await aws.refused("ecs", "list_task_definitions", familyPrefix="broken")
        assert code(response) == "InternalFailure"
        assert broken(aws)[0].startswith("emulator: ecs.ListTaskDefinitions")


class TestClusters:
    async def test_there_inactive_and_missing(self):
        async with opened(inactive_clusters=("old",)) as aws:
            answer = await aws.ecs("describe_clusters", clusters=["jobs", "old", "none"])
            states = {one["clusterName"]: one["status"] for one in answer["clusters"]}
            assert states == {"jobs": "ACTIVE", "old": "INACTIVE"}
            assert answer["failures"][0]["reason"] == "MISSING"
            for name in ("old", "none"):
                response = await aws.refused("ecs", "run_task", **{**LAUNCH, "cluster": name})
                assert code(response) == "ClusterNotFoundException"


class TestDefinitions:
    async def test_revisions_by_family_number_and_arn(self, aws):
        tags = [{"key": "a", "value": "b"}]
        second = await aws.ecs("register_task_definition", **definition(), tags=tags)
        arn = second["taskDefinition"]["taskDefinitionArn"]
        assert arn == f"arn:aws:ecs:{REGION}:{ACCOUNT}:task-definition/job:2"
        for reference in ("job", "job:2", arn):
            answer = await aws.ecs(
                "describe_task_definition", taskDefinition=reference, include=["TAGS"]
            )
            assert answer["taskDefinition"]["revision"] == 2
            assert answer["tags"] == tags
        assert "tags" not in await aws.ecs("describe_task_definition", taskDefinition="job:1")
        response = await aws.refused("ecs", "describe_task_definition", taskDefinition="job:9")
        assert (code(response), message(response)) == (
            "ClientException",
            "Unable to describe task definition.",
        )

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"family": "a b"}, "family"),
            ({"family": "f" * 256}, "family"),
            ({"cpu": "256", "memory": "3072"}, "No Fargate configuration exists"),
            ({"networkMode": "bridge"}, "network mode"),
            ({"executionRoleArn": ""}, "execution role"),
            ({"container": {"name": "no spaces"}}, "Container.name"),
            ({"container": {"command": ["x" * 65_536]}}, "Max allowed length is '65536'"),
            ({"container": {"stopTimeout": 121}}, "stopTimeout"),
            ({"container": {"essential": False}}, "At least one container must be essential"),
            ({"container": {"logConfiguration": {"logDriver": "awslogs"}}}, "awslogs-group"),
        ],
    )
    async def test_what_the_models_do_not_say(self, aws, changes, said):
        members = definition(**changes)
        response = await aws.refused("ecs", "register_task_definition", **members)
        assert code(response) == "ClientException"
        assert said in message(response)
        assert broken(aws)

    async def test_lists_of_families_and_revisions(self, aws):
        for family in ("job", "jobs-b", "other"):
            await aws.ecs("register_task_definition", **definition(family))
        await aws.ecs("deregister_task_definition", taskDefinition="other:1")
        listed = await aws.ecs("list_task_definition_families", familyPrefix="job")
        assert listed["families"] == ["job", "jobs-b"]
        inactive = await aws.ecs("list_task_definition_families", status="INACTIVE")
        assert inactive["families"] == ["other"]
        first = await aws.ecs(
            "list_task_definitions", familyPrefix="job", sort="DESC", maxResults=1
        )
        token = first["nextToken"]
        rest = await aws.ecs(
            "list_task_definitions", familyPrefix="job", sort="DESC", maxResults=1, nextToken=token
        )
        arns = [*first["taskDefinitionArns"], *rest["taskDefinitionArns"]]
        assert [arn.rsplit(":")[-1] for arn in arns] == ["2", "1"]
        assert "nextToken" not in rest
        gone = await aws.ecs("list_task_definitions", status="INACTIVE")
        assert [arn.rsplit("/")[-1] for arn in gone["taskDefinitionArns"]] == ["other:1"]

    async def test_out_of_use_then_away(self, aws):
        arn = await aws.start(emulate(never_ends=True))
        early = await aws.ecs("delete_task_definitions", taskDefinitions=["job:1"])
        assert "still in ACTIVE status" in early["failures"][0]["reason"]
        await aws.ecs("deregister_task_definition", taskDefinition="job:1")
        response = await aws.refused("ecs", "run_task", **{**LAUNCH, "taskDefinition": "job:1"})
        assert (code(response), message(response)) == (
            "ClientException",
            "TaskDefinition is inactive",
        )
        deleted = await aws.ecs("delete_task_definitions", taskDefinitions=["job:1"])
        assert deleted["taskDefinitions"][0]["status"] == "DELETE_IN_PROGRESS"
        await aws.ecs("describe_task_definition", taskDefinition="job:1")
        await aws.ecs("stop_task", cluster="jobs", task=arn)
        await aws.until(arn, "STOPPED")
        await aws.refused("ecs", "describe_task_definition", taskDefinition="job:1")
        again = await aws.ecs("register_task_definition", **definition())
        assert again["taskDefinition"]["revision"] == 2
        response = await aws.refused(
            "ecs", "delete_task_definitions", taskDefinitions=[f"job:{n}" for n in range(11)]
        )
        assert "11 are not 1 to 10" in broken(aws)[0]

    async def test_an_inactive_one_may_be_hidden(self):
        async with opened(hide_inactive_definitions=True) as aws:
            await aws.ecs("deregister_task_definition", taskDefinition="job:1")
            await aws.refused("ecs", "describe_task_definition", taskDefinition="job:1")


class TestLaunch:
    async def test_the_same_token_is_the_same_task(self, aws):
        first = await aws.run(clientToken="key-1", startedBy="me")
        again = await aws.run(clientToken="key-1", startedBy="me")
        assert first["tasks"][0]["taskArn"] == again["tasks"][0]["taskArn"]
        other = await aws.refused("ecs", "run_task", **LAUNCH, clientToken="key-1", startedBy="you")
        assert code(other) == "ConflictException"
        assert other["resourceIds"] == [first["tasks"][0]["taskArn"]]
        elsewhere = await aws.run(cluster="default", clientToken="key-1", startedBy="you")
        assert elsewhere["tasks"]

    async def test_a_token_is_forgotten(self):
        async with opened(client_token_seconds=0.0) as aws:
            assert await aws.start(clientToken="a") != await aws.start(clientToken="a")

    async def test_failures_come_with_200(self):
        fault = Fault(kind="no_capacity", operation="RunTask", first=2)
        async with opened(faults=(fault,)) as aws:
            for _ in range(2):
                answer = await aws.run(clientToken="a")
                assert answer["tasks"] == []
                assert "Capacity is unavailable" in answer["failures"][0]["reason"]
            assert (await aws.run(clientToken="a"))["tasks"]

    async def test_failures_may_stay_with_their_token(self):
        fault = Fault(kind="no_capacity", first=1, message="RESOURCE:FARGATE")
        async with opened(client_token_remembers_failures=True) as aws:
            aws.emulator.change(faults=[fault])
            for _ in range(2):
                answer = await aws.run(clientToken="a")
                assert answer["failures"][0]["reason"] == "RESOURCE:FARGATE"

    async def test_containers_may_be_missing_from_the_answer(self):
        async with opened(empty_containers=True) as aws:
            answer = await aws.run()
            assert answer["tasks"][0]["containers"] == []
            assert (await aws.task(answer["tasks"][0]["taskArn"]))["containers"]

    async def test_members_of_a_task(self, aws):
        answer = await aws.run(
            startedBy="dayfly/abc",
            group="mine",
            tags=[{"key": "a", "value": "b"}],
            count=2,
            propagateTags="NONE",
        )
        task = answer["tasks"][1]
        assert len(answer["tasks"]) == 2
        assert (task["startedBy"], task["group"]) == ("dayfly/abc", "mine")
        assert task["lastStatus"] == "PROVISIONING"
        assert (task["cpu"], task["memory"], task["launchType"]) == ("256", "512", "FARGATE")
        assert task["tags"] == [{"key": "a", "value": "b"}]

    async def test_a_spot_provider(self, aws):
        members = {name: value for name, value in LAUNCH.items() if name != "launchType"}
        strategy = [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
        answer = await aws.ecs("run_task", **members, capacityProviderStrategy=strategy)
        assert answer["tasks"][0]["capacityProviderName"] == "FARGATE_SPOT"

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"count": 11}, "count"),
            ({"startedBy": "a b"}, "startedBy"),
            ({"clientToken": "x" * 65}, "clientToken"),
            ({"networkConfiguration": {}}, "Network Configuration must be provided"),
            (
                {"capacityProviderStrategy": [{"capacityProvider": "FARGATE"}]},
                "both a launch type and capacity provider",
            ),
            (
                {"overrides": {"containerOverrides": [{"name": "x"}]}},
                "x is not a container in the TaskDefinition",
            ),
            (
                {"overrides": {"containerOverrides": [{"name": "job", "command": ["x" * 8192]}]}},
                "at most 8192",
            ),
            ({"overrides": {"cpu": "512"}}, "No Fargate configuration exists"),
            ({"tags": [{"key": "aws:x"}]}, "reserved"),
        ],
    )
    async def test_what_the_models_do_not_say(self, aws, changes, said):
        if "cpu" in changes.get("overrides", {}):
            changes = {"overrides": {"cpu": "512", "memory": "512"}}
        response = await aws.refused("ecs", "run_task", **{**LAUNCH, **changes})
        assert said in message(response)
        assert broken(aws)

    async def test_what_is_not_there(self, aws):
        subnets = {"awsvpcConfiguration": {"subnets": ["subnet-none"]}}
        members = {**LAUNCH, "networkConfiguration": subnets}
        assert "subnet-none" in message(await aws.refused("ecs", "run_task", **members))
        missing = await aws.refused("ecs", "run_task", **{**LAUNCH, "taskDefinition": "none"})
        assert message(missing) == "TaskDefinition not found."

    async def test_a_secret_cannot_be_overridden_by_a_variable(self, aws):
        secrets = [{"name": "DB", "valueFrom": "/jobs/token"}]
        members = definition("secret", container={"secrets": secrets})
        await aws.ecs("register_task_definition", **members)
        override = {"name": "job", "environment": [{"name": "DB", "value": "x"}]}
        response = await aws.refused(
            "ecs",
            "run_task",
            **{
                **LAUNCH,
                "taskDefinition": "secret",
                "overrides": {"containerOverrides": [override]},
            },
        )
        assert "such as 'DB'" in message(response)
        assert broken(aws)


class TestLife:
    async def test_through_all_states(self):
        durations = {
            "provisioning_seconds": 0.15,
            "pending_seconds": 0.15,
            "deactivating_seconds": 0.15,
            "deprovisioning_seconds": 0.15,
        }
        async with opened(**durations) as aws:
            arn = await aws.start(emulate(run_seconds=0.15, exit_code=3, lines=2))
            seen: list[str] = []
            while "STOPPED" not in seen:
                task = await aws.task(arn)
                if task["lastStatus"] not in seen:
                    seen.append(task["lastStatus"])
                await asyncio.sleep(0.005)
            assert seen == [
                "PROVISIONING",
                "PENDING",
                "RUNNING",
                "DEACTIVATING",
                "DEPROVISIONING",
                "STOPPED",
            ]
            assert task["stopCode"] == "EssentialContainerExited"
            assert task["stoppedReason"] == "Essential container in task exited"
            assert task["containers"][0]["exitCode"] == 3
            assert (
                task["createdAt"]
                < task["startedAt"]
                < task["executionStoppedAt"]
                < task["stoppedAt"]
            )

    async def test_the_exit_code_comes_with_the_container_or_late(self):
        for late in (False, True):
            async with opened(exit_code_at_stopped_only=late, deprovisioning_seconds=0.25) as aws:
                arn = await aws.start(emulate(run_seconds=0.01))
                container = (await aws.until(arn, "DEPROVISIONING"))["containers"][0]
                assert ("exitCode" in container) is not late
                assert (await aws.until(arn, "STOPPED"))["containers"][0]["exitCode"] == 0

    async def test_any_other_command_ends_well(self, aws):
        task = await aws.end(["sh", "-c", "exit 7"])
        assert task["containers"][0]["exitCode"] == 0

    async def test_out_of_memory(self, aws):
        container = (await aws.end(emulate(oom=True)))["containers"][0]
        assert container["exitCode"] == 137
        assert container["reason"].startswith("OutOfMemoryError")

    async def test_never_started(self, aws):
        why = {
            "stopCode": "TaskFailedToStart",
            "stoppedReason": "CannotPullContainerError: no such image",
            "reason": "CannotPullContainerError: no such image",
        }
        task = await aws.end(emulate(fail_to_start=why))
        assert task["stopCode"] == "TaskFailedToStart"
        assert task["stoppedReason"].startswith("CannotPullContainerError")
        assert "exitCode" not in task["containers"][0]
        assert task["containers"][0]["reason"].startswith("CannotPullContainerError")
        assert "startedAt" not in task

    async def test_taken_away(self, aws):
        task = await aws.end(emulate(never_ends=True, spot_after=0.02))
        assert task["stopCode"] == "SpotInterruption"
        assert task["containers"][0]["exitCode"] == 143

    async def test_a_sidecar(self, aws):
        job = definition("pair")
        sidecar = {
            "name": "side",
            "image": "busybox",
            "command": emulate(never_ends=True, term_exit_code=9),
        }
        job["containerDefinitions"].append(sidecar)
        await aws.ecs("register_task_definition", **job)
        task = await aws.end(emulate(exit_code=4, run_seconds=0.02), taskDefinition="pair")
        codes = {one["name"]: one["exitCode"] for one in task["containers"]}
        assert codes == {"job": 4, "side": 9}

    async def test_a_secret_that_is_not_there(self, aws):
        arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:none-AbCdEf:key::"
        members = definition("secret", container={"secrets": [{"name": "A", "valueFrom": arn}]})
        await aws.ecs("register_task_definition", **members)
        task = await aws.end(emulate(), taskDefinition="secret")
        assert task["stopCode"] == "TaskFailedToStart"
        assert task["stoppedReason"].startswith("ResourceInitializationError")

    async def test_a_group_that_nobody_makes(self, aws):
        members = definition("plain")
        del members["containerDefinitions"][0]["logConfiguration"]["options"][
            "awslogs-create-group"
        ]
        await aws.ecs("register_task_definition", **members)
        task = await aws.end(emulate(), taskDefinition="plain")
        assert "The specified log group does not exist" in task["stoppedReason"]
        await aws.logs("create_log_group", logGroupName="/jobs")
        assert (await aws.end(emulate(), taskDefinition="plain"))["containers"][0]["exitCode"] == 0


class TestStop:
    async def test_a_running_task(self, aws):
        tags = [{"key": "a", "value": "b"}]
        arn = await aws.start(emulate(never_ends=True, term_seconds=0.25), tags=tags)
        await aws.until(arn, "RUNNING")
        assert (await aws.task(arn, include=["TAGS"]))["tags"] == tags
        answer = await aws.ecs("stop_task", cluster="jobs", task=arn, reason="enough")
        assert answer["task"]["desiredStatus"] == "STOPPED"
        assert (await aws.until(arn, "STOPPING"))["stopCode"] == "UserInitiated"
        task = await aws.until(arn, "STOPPED")
        assert (task["stopCode"], task["stoppedReason"]) == ("UserInitiated", "enough")
        assert task["containers"][0]["exitCode"] == 143
        assert (await aws.task(arn, include=["TAGS"]))["tags"] == []

    async def test_one_that_ignores_the_signal(self):
        async with opened(kill_after_seconds=0.3) as aws:
            arn = await aws.start(emulate(never_ends=True, ignores_term=True))
            await aws.until(arn, "RUNNING")
            await aws.ecs("stop_task", cluster="jobs", task=arn)
            assert (await aws.until(arn, "STOPPED"))["containers"][0]["exitCode"] == 137

    async def test_one_that_has_not_begun(self, aws):
        arn = await aws.start(emulate(never_ends=True, pending_seconds=5))
        await aws.ecs("stop_task", cluster="jobs", task=arn)
        task = await aws.until(arn, "STOPPED")
        assert "exitCode" not in task["containers"][0]
        assert "startedAt" not in task

    async def test_an_end_is_not_rewritten(self, aws):
        task = await aws.end(emulate(exit_code=5))
        await aws.ecs("stop_task", cluster="jobs", task=task["taskArn"])
        assert (await aws.task(task["taskArn"]))["stopCode"] == "EssentialContainerExited"

    async def test_one_that_is_not_there(self, aws):
        response = await aws.refused("ecs", "stop_task", cluster="jobs", task="0" * 32)
        assert code(response) == "InvalidParameterException"


class TestReading:
    async def test_missing_at_first_and_after_long(self):
        async with opened(missing_seconds=30, stopped_tasks_expire_after=60) as aws:
            arn = await aws.start(startedBy="me")
            answer = await aws.ecs("describe_tasks", cluster="jobs", tasks=[arn])
            assert answer["failures"] == [{"arn": arn, "reason": "MISSING"}]
            listed = await aws.ecs("list_tasks", cluster="jobs", startedBy="me")
            assert listed["taskArns"] == []
            aws.emulator.change(ahead_seconds=31)
            assert (await aws.task(arn))["taskArn"] == arn
            aws.emulator.change(ahead_seconds=120)
            answer = await aws.ecs("describe_tasks", cluster="jobs", tasks=[arn])
            assert answer["failures"][0]["reason"] == "MISSING"

    async def test_at_most_a_hundred(self, aws):
        ids = [f"{n:032x}" for n in range(101)]
        response = await aws.refused("ecs", "describe_tasks", cluster="jobs", tasks=ids)
        assert code(response) == "InvalidParameterException"
        assert broken(aws)

    async def test_lists_and_their_filters(self, aws):
        for _ in range(12):
            await aws.run(emulate(never_ends=True), count=10, startedBy="many")
        ended = await aws.end(emulate(), startedBy="one")
        seen: list[str] = []
        members: dict[str, Any] = {"cluster": "jobs", "startedBy": "many"}
        while True:
            answer = await aws.ecs("list_tasks", **members)
            assert len(answer["taskArns"]) <= 100
            seen += answer["taskArns"]
            if "nextToken" not in answer:
                break
            members["nextToken"] = answer["nextToken"]
        assert len(seen) == len(set(seen)) == 120
        stopped = await aws.ecs("list_tasks", cluster="jobs", family="job", desiredStatus="STOPPED")
        assert stopped["taskArns"] == [ended["taskArn"]]
        assert (await aws.ecs("list_tasks", cluster="jobs", startedBy="one"))["taskArns"] == []
        pending = await aws.ecs("list_tasks", cluster="jobs", desiredStatus="PENDING")
        assert pending["taskArns"] == []

    async def test_started_by_stands_alone(self, aws):
        members = {"cluster": "jobs", "startedBy": "a"}
        response = await aws.refused("ecs", "list_tasks", **members, family="job")
        assert "only filter" in message(response)
        await aws.ecs("list_tasks", **members, desiredStatus="STOPPED")
        aws.emulator.change(started_by_alone=True)
        await aws.refused("ecs", "list_tasks", **members, desiredStatus="STOPPED")
        assert len(broken(aws)) == 2

    async def test_tags_of_anything(self, aws):
        task = await aws.start(emulate(never_ends=True))
        listed = await aws.ecs("describe_task_definition", taskDefinition="job")
        cluster = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/jobs"
        tags = [{"key": "a", "value": "b"}]
        for arn in (task, listed["taskDefinition"]["taskDefinitionArn"], cluster):
            await aws.ecs("tag_resource", resourceArn=arn, tags=tags)
            assert (await aws.ecs("list_tags_for_resource", resourceArn=arn))["tags"] == tags
        await aws.ecs("untag_resource", resourceArn=task, tagKeys=["a"])
        assert (await aws.ecs("list_tags_for_resource", resourceArn=task))["tags"] == []


class TestFaults:
    async def test_throttling(self, aws):
        aws.emulator.change(rates={"ecs.DescribeClusters": Rate(2, 0.01)})
        for _ in range(2):
            await aws.ecs("describe_clusters")
        response = await aws.refused("ecs", "describe_clusters")
        assert (code(response), message(response)) == ("ThrottlingException", "Rate exceeded")
        assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
        aws.emulator.change(rates={"ecs.DescribeClusters": Rate(2, 1000)})
        await aws.ecs("describe_clusters")

    async def test_the_answer_is_lost(self, aws):
        aws.emulator.change(faults=[Fault(kind="reset_after", operation="RunTask", every=2)])
        await aws.start(clientToken="a")
        with pytest.raises(EndpointConnectionError):
            await aws.start(clientToken="b")
        assert len(aws.emulator.tasks()) == 2
        await aws.start(clientToken="b")
        assert len(aws.emulator.tasks()) == 2

    @pytest.mark.parametrize("orderly", [True, False])
    async def test_nothing_was_done(self, aws, orderly):
        fault = Fault(kind="reset_before", operation="RunTask", first=1, orderly=orderly)
        aws.emulator.change(faults=[fault])
        # A reset reads as if there had been no connection: so a client cannot conclude from
        # EndpointConnectionError that nothing was sent.
        expected = ConnectionClosedError if orderly else EndpointConnectionError
        with pytest.raises(expected):
            await aws.start()
        assert aws.emulator.tasks() == []
        await aws.start()

    async def test_no_answer_in_time(self, aws):
        aws.emulator.change(faults=[Fault(kind="hang", operation="RunTask", seconds=2.0)])
        short = AioConfig(retries={"total_max_attempts": 1}, read_timeout=0.1)
        async with SESSION.create_client(
            "ecs",
            region_name=REGION,
            endpoint_url=aws.emulator.url,
            aws_access_key_id="AKIAEMULATED",
            aws_secret_access_key="secret",
            config=short,
        ) as client:
            with pytest.raises(ReadTimeoutError):
                await client.run_task(**LAUNCH)
        assert len(aws.emulator.tasks()) == 1

    async def test_credentials_run_out(self, aws):
        aws.emulator.change(faults=[Fault(kind="expired", after=1)])
        await aws.ecs("describe_clusters")
        assert code(await aws.refused("ecs", "describe_clusters")) == "ExpiredTokenException"
        assert code(await aws.refused("sts", "get_caller_identity")) == "ExpiredToken"

    async def test_credentials_run_out_in_time(self, aws):
        aws.emulator.change(faults=[Fault(kind="expired", after_seconds=1.0)])
        await aws.ecs("describe_clusters")
        await asyncio.sleep(1.0)
        assert code(await aws.refused("logs", "describe_log_groups")) == "ExpiredTokenException"

    async def test_wrong_credentials(self, aws):
        aws.emulator.change(access_keys=["AKIAOTHER"])
        assert code(await aws.refused("ecs", "describe_clusters")) == "UnrecognizedClientException"
        assert code(await aws.refused("sts", "get_caller_identity")) == "InvalidClientTokenId"

    async def test_no_permission(self, aws):
        aws.emulator.change(faults=[Fault(kind="denied", operation="ecs.RunTask")])
        response = await aws.refused("ecs", "run_task", **LAUNCH)
        assert code(response) == "AccessDeniedException"
        assert "is not authorized to perform: ecs:RunTask on resource" in message(response)
        await aws.ecs("describe_clusters")
        simulated = await aws.call(
            "iam",
            "simulate_principal_policy",
            PolicySourceArn=ROLE,
            ActionNames=["ecs:RunTask", "ecs:StopTask"],
        )
        decisions = [one["EvalDecision"] for one in simulated["EvaluationResults"]]
        assert decisions == ["implicitDeny", "allowed"]

    async def test_server_errors_by_count(self, aws):
        fault = Fault(kind="server_error", operation="DescribeClusters", status=503, first=2)
        aws.emulator.change(faults=[fault])
        for _ in range(2):
            response = await aws.refused("ecs", "describe_clusters")
            assert response["ResponseMetadata"]["HTTPStatusCode"] == 503
        await aws.ecs("describe_clusters")

    async def test_latency_and_counters(self, aws):
        aws.emulator.change(latency_seconds=0.05)
        loop = asyncio.get_running_loop()
        before = loop.time()
        await aws.ecs("describe_clusters", clusters=["jobs"])
        assert loop.time() - before >= 0.05
        assert aws.emulator.calls["ecs.DescribeClusters"] == 1
        assert aws.emulator.requests[-1] == ("ecs.DescribeClusters", {"clusters": ["jobs"]})


STREAM: dict[str, Any] = {"logGroupName": "/jobs", "startFromHead": True}


async def ended_stream(aws: Aws, **behaviour: Any) -> dict[str, Any]:
    """Members that name the stream of a task that has ended."""
    task = await aws.end(emulate(**behaviour))
    return {**STREAM, "logStreamName": f"run/job/{task['taskArn'].rsplit('/')[-1]}"}


async def read_all(aws: Aws, members: dict[str, Any]) -> list[list[str]]:
    """Pages until the token stays the same."""
    pages, token = [], None
    while True:
        more = {"nextToken": token} if token else {}
        answer = await aws.logs("get_log_events", **members, **more)
        pages.append([event["message"] for event in answer["events"]])
        if answer["nextForwardToken"] == token:
            return pages
        token = answer["nextForwardToken"]


class TestLogs:
    async def test_groups(self, aws):
        await aws.logs("create_log_group", logGroupName="/a", tags={"k": "v"})
        response = await aws.refused("logs", "create_log_group", logGroupName="/a")
        assert code(response) == "ResourceAlreadyExistsException"
        await aws.logs("put_retention_policy", logGroupName="/a", retentionInDays=14)
        listed = await aws.logs("describe_log_groups", logGroupNamePrefix="/a")
        assert listed["logGroups"][0]["retentionInDays"] == 14
        response = await aws.refused(
            "logs", "put_retention_policy", logGroupName="/a", retentionInDays=15
        )
        assert "15 is not one of" in message(response)
        assert broken(aws)
        await aws.logs("delete_log_group", logGroupName="/a")
        response = await aws.refused("logs", "delete_log_group", logGroupName="/a")
        assert code(response) == "ResourceNotFoundException"

    async def test_the_group_appears_with_the_first_line(self, aws):
        arn = await aws.start(emulate(pending_seconds=0.3, lines=["one", "two"]))
        stream = {**STREAM, "logStreamName": f"run/job/{arn.rsplit('/')[-1]}"}
        response = await aws.refused("logs", "get_log_events", **stream)
        assert message(response) == "The specified log group does not exist."
        await aws.until(arn, "STOPPED")
        listed = await aws.logs("describe_log_streams", logGroupName="/jobs")
        assert [one["logStreamName"] for one in listed["logStreams"]] == [stream["logStreamName"]]
        response = await aws.refused(
            "logs", "get_log_events", logGroupName="/jobs", logStreamName="none"
        )
        assert message(response) == "The specified log stream does not exist."
        await aws.logs(
            "delete_log_stream", logGroupName="/jobs", logStreamName=stream["logStreamName"]
        )
        await aws.refused("logs", "get_log_events", **stream)

    async def test_streams_may_appear_at_the_start(self):
        async with opened(log_streams_appear_at_start=True) as aws:
            arn = await aws.start(emulate(never_ends=True))
            await aws.until(arn, "RUNNING")
            listed = await aws.logs("describe_log_streams", logGroupName="/jobs")
            assert len(listed["logStreams"]) == 1

    async def test_pages_forward(self, aws):
        stream = await ended_stream(aws, lines=25)
        pages = await read_all(aws, {**stream, "limit": 10})
        assert [len(page) for page in pages] == [10, 10, 5, 0]
        assert [line for page in pages for line in page] == [f"line {n}" for n in range(25)]

    async def test_pages_backward(self, aws):
        stream = {**await ended_stream(aws, lines=25), "startFromHead": False, "limit": 10}
        last = await aws.logs("get_log_events", **stream)
        assert [event["message"] for event in last["events"]][-1] == "line 24"
        token = last["nextBackwardToken"]
        before = await aws.logs("get_log_events", **stream, nextToken=token)
        assert [event["message"] for event in before["events"]][-1] == "line 14"

    async def test_a_page_is_a_megabyte_or_ten_thousand_lines(self, aws):
        wide = await ended_stream(aws, lines=300, line_bytes=10_000)
        pages = await read_all(aws, wide)
        assert len(pages[0]) == 104
        assert sum(map(len, pages)) == 300
        many = await ended_stream(aws, lines=15_000)
        assert [len(page) for page in await read_all(aws, many)] == [10_000, 5_000, 0]

    async def test_an_empty_page_is_not_the_end(self):
        async with opened(log_empty_page_every=2) as aws:
            stream = await ended_stream(aws, lines=25)
            pages = await read_all(aws, {**stream, "limit": 10})
            assert [len(page) for page in pages] == [10, 0, 10, 0, 5, 0]

    async def test_a_range_of_time(self, aws):
        stream = await ended_stream(aws, lines=5, run_seconds=0.05)
        events = (await aws.logs("get_log_events", **stream))["events"]
        start, end = events[1]["timestamp"], events[3]["timestamp"]
        answer = await aws.logs("get_log_events", **stream, startTime=start, endTime=end)
        assert [event["message"] for event in answer["events"]] == ["line 1", "line 2"]
        group = {"logGroupName": "/jobs", "startTime": start, "endTime": end}
        filtered = await aws.logs("filter_log_events", **group)
        messages = [event["message"] for event in filtered["events"]]
        assert messages == ["line 1", "line 2", "line 3"]

    async def test_tokens_that_are_not_good(self, aws):
        stream = await ended_stream(aws, lines=5)
        token = (await aws.logs("get_log_events", **stream))["nextForwardToken"]
        assert token.startswith("f/")
        damaged = token.replace("311326", "311327")
        other = await ended_stream(aws, lines=5)
        for members in ({**stream, "nextToken": damaged}, {**other, "nextToken": token}):
            response = await aws.refused("logs", "get_log_events", **members)
            assert code(response) == "InvalidParameterException"
        aws.emulator.change(log_token_seconds=0)
        await aws.refused("logs", "get_log_events", **stream, nextToken=token)
        assert broken(aws) == []
        aws.emulator.change(log_token_seconds=60)
        members = {**stream, "startFromHead": False, "nextToken": token}
        await aws.refused("logs", "get_log_events", **members)
        assert "startFromHead must be true" in broken(aws)[0]

    async def test_lines_come_late(self):
        async with opened(log_lag_seconds=30) as aws:
            task = await aws.end(emulate(lines=3, run_seconds=0.01))
            stream = {**STREAM, "logStreamName": f"run/job/{task['taskArn'].rsplit('/')[-1]}"}
            await aws.refused("logs", "get_log_events", **stream)
            aws.emulator.change(ahead_seconds=31)
            events = (await aws.logs("get_log_events", **stream))["events"]
            assert len(events) == 3
            assert events[0]["ingestionTime"] - events[0]["timestamp"] == 30_000

    async def test_lines_come_out_of_order(self):
        async with opened(log_reorder_seconds=30, log_reorder_batch=2) as aws:
            task = await aws.end(emulate(lines=8, run_seconds=0.01))
            stream = {**STREAM, "logStreamName": f"run/job/{task['taskArn'].rsplit('/')[-1]}"}
            answer = await aws.logs("get_log_events", **stream)
            early = [event["message"] for event in answer["events"]]
            assert early == ["line 2", "line 3", "line 6", "line 7"]
            aws.emulator.change(ahead_seconds=31)
            after = await aws.logs("get_log_events", **stream, nextToken=answer["nextForwardToken"])
            assert after["events"] == []
            assert len((await aws.logs("get_log_events", **stream))["events"]) == 8

    async def test_lines_end_where_the_job_is_stopped(self, aws):
        behaviour = emulate(never_ends=True, lines=1000, lines_per_second=1)
        arn = await aws.start(behaviour)
        await aws.until(arn, "RUNNING")
        aws.emulator.change(ahead_seconds=10)
        await aws.ecs("stop_task", cluster="jobs", task=arn)
        await aws.until(arn, "STOPPED")
        stream = {**STREAM, "logStreamName": f"run/job/{arn.rsplit('/')[-1]}"}
        assert 5 < len((await aws.logs("get_log_events", **stream))["events"]) < 100


class TestFilter:
    async def test_many_streams_in_order_of_time(self, aws):
        arns = [await aws.start(emulate(lines=20, run_seconds=0.1)) for _ in range(3)]
        names = [f"run/job/{arn.rsplit('/')[-1]}" for arn in arns]
        for arn in arns:
            await aws.until(arn, "STOPPED")
        events: list[dict[str, Any]] = []
        members: dict[str, Any] = {
            "logGroupName": "/jobs",
            "logStreamNames": names[:2],
            "limit": 7,
        }
        while True:
            answer = await aws.logs("filter_log_events", **members)
            events += answer["events"]
            if "nextToken" not in answer:
                break
            members["nextToken"] = answer["nextToken"]
        assert len({event["eventId"] for event in events}) == len(events) == 40
        times = [event["timestamp"] for event in events]
        assert times == sorted(times)
        assert {event["logStreamName"] for event in events} == set(names[:2])
        changed = {**members, "logStreamNames": names, "nextToken": answer.get("nextToken", "x")}
        response = await aws.refused("logs", "filter_log_events", **changed)
        assert code(response) == "InvalidParameterException"

    async def test_words_prefix_and_direction(self, aws):
        stream = await ended_stream(aws, lines=["good day", "bad day", "good night"])
        group = {"logGroupName": "/jobs", "logStreamNamePrefix": stream["logStreamName"]}
        answer = await aws.logs("filter_log_events", **group, filterPattern="good")
        assert [one["message"] for one in answer["events"]] == ["good day", "good night"]
        down = await aws.logs("filter_log_events", **group, startFromHead=False)
        assert down["events"][0]["message"] == "good night"

    async def test_a_hundred_streams_at_most(self, aws):
        await ended_stream(aws, lines=1)
        names = [f"s{n}" for n in range(101)]
        response = await aws.refused(
            "logs", "filter_log_events", logGroupName="/jobs", logStreamNames=names
        )
        assert "logStreamNames: 101 items is more than 100" in message(response)
        assert broken(aws)

    async def test_streams_that_are_not_there(self, aws):
        stream = await ended_stream(aws, lines=1)
        members = {"logGroupName": "/jobs", "logStreamNames": ["none", stream["logStreamName"]]}
        response = await aws.refused("logs", "filter_log_events", **members)
        assert code(response) == "ResourceNotFoundException"
        aws.emulator.change(filter_tolerates_missing_streams=True)
        assert len((await aws.logs("filter_log_events", **members))["events"]) == 1

    async def test_a_hundred_thousand_lines_cost_little(self, aws):
        command = emulate(lines=1000, run_seconds=0.1)
        for _ in range(10):
            await aws.run(command, count=10)
        aws.emulator.change(ahead_seconds=10)
        listed = await aws.logs("describe_log_streams", logGroupName="/jobs")
        assert len(listed["logStreams"]) == 50
        members: dict[str, Any] = {"logGroupName": "/jobs"}
        count = 0
        loop = asyncio.get_running_loop()
        before = loop.time()
        while True:
            answer = await aws.logs("filter_log_events", **members)
            count += len(answer["events"])
            if "nextToken" not in answer:
                break
            members["nextToken"] = answer["nextToken"]
        assert count == 100_000
        assert loop.time() - before < 10


class TestDoctor:
    async def test_who_and_which_role(self, aws):
        identity = await aws.call("sts", "get_caller_identity")
        assert identity["Account"] == ACCOUNT
        assumed = await aws.call(
            "sts", "assume_role", RoleArn=f"arn:aws:iam::{ACCOUNT}:role/jobs", RoleSessionName="me"
        )
        assert assumed["Credentials"]["SessionToken"]
        role = await aws.call("iam", "get_role", RoleName="jobs")
        assert role["Role"]["Arn"].endswith(":role/jobs")
        missing = await aws.refused("iam", "get_role", RoleName="none")
        assert code(missing) == "NoSuchEntity"

    async def test_the_network(self, aws):
        known = aws.emulator.knobs.subnets
        subnets = await aws.call("ec2", "describe_subnets", SubnetIds=[known[0]])
        assert [one["SubnetId"] for one in subnets["Subnets"]] == [known[0]]
        vpc = subnets["Subnets"][0]["VpcId"]
        groups = await aws.call(
            "ec2", "describe_security_groups", Filters=[{"Name": "vpc-id", "Values": [vpc]}]
        )
        assert len(groups["SecurityGroups"]) == 1
        regions = await aws.call("ec2", "describe_regions")
        assert REGION in [one["RegionName"] for one in regions["Regions"]]
        dry = await aws.refused("ec2", "describe_regions", DryRun=True)
        assert code(dry) == "DryRunOperation"
        missing = await aws.refused("ec2", "describe_subnets", SubnetIds=["subnet-none"])
        assert code(missing) == "InvalidSubnetID.NotFound"

    async def test_references(self, aws):
        secret = await aws.call("secretsmanager", "describe_secret", SecretId="database")
        assert await aws.call("secretsmanager", "describe_secret", SecretId=secret["ARN"])
        missing = await aws.refused("secretsmanager", "describe_secret", SecretId="none")
        assert code(missing) == "ResourceNotFoundException"
        answer = await aws.call("ssm", "get_parameters", Names=["/jobs/token", "/none"])
        assert [one["Name"] for one in answer["Parameters"]] == ["/jobs/token"]
        assert answer["InvalidParameters"] == ["/none"]
        filters = [{"Key": "Name", "Option": "Equals", "Values": ["/jobs/token"]}]
        listed = await aws.call("ssm", "describe_parameters", ParameterFilters=filters)
        assert len(listed["Parameters"]) == 1


async def test_a_process_of_its_own():
    root = Path(__file__).parents[2]
    knobs = json.dumps({"clusters": ["mine"], "rates": {"StopTask": [1, 0.1]}})
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.emulators.aws", "--port", "0", "--knobs", knobs),
        cwd=root,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        async with aiohttp.ClientSession() as session:
            changes = {"faults": [{"kind": "expired", "operation": "ListTasks"}]}
            async with session.post(f"{url}/_emulator/knobs", json=changes) as response:
                read = await response.json()
            assert (read["clusters"], read["faults"][0]["kind"]) == (["mine"], "expired")
            target = "AmazonEC2ContainerServiceV20141113.ListTasks"
            _, answer = await raw(url, target, {"cluster": "mine"})
            assert answer["__type"] == "ExpiredTokenException"
            for name, expected in (
                ("calls", {"ecs.ListTasks": 1}),
                ("violations", []),
                ("requests", []),
                ("tasks", []),
            ):
                async with session.get(f"{url}/_emulator/{name}") as response:
                    assert await response.json() == expected
            async with session.post(f"{url}/_emulator/knobs", json={"none": 1}) as response:
                assert response.status == 400
            async with session.post(f"{url}/_emulator/reset", json={"clusters": ["a"]}) as response:
                read = await response.json()
            assert (read["clusters"], read["faults"], read["rates"]) == (["a"], [], {})
            async with session.get(f"{url}/_emulator/calls") as response:
                assert await response.json() == {}
    finally:
        process.terminate()
        assert await process.wait() == 0


async def test_the_moments_of_a_task():
    async with opened() as aws:
        ended = await aws.end(emulate(exit_code=2), startedBy="me")
        moments = aws.emulator.tasks()[0]
        assert moments["startedBy"] == "me"
        assert moments["exits"][0]["code"] == 2
        assert moments["stopped"] == pytest.approx(ended["stoppedAt"].timestamp(), abs=0.01)
