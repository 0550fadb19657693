"""Moto's server: AWS Batch whose jobs are containers of the local engine."""

from __future__ import annotations

import subprocess
import urllib.request
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.conformance.stand_ins import free_port, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dayfly.providers.aws.client import Aws

ROLE: Final = "arn:aws:iam::123456789012:role/jobs"
#: It puts the output of every job here, whatever the definition says.
GROUP: Final = "/aws/batch/job"


@dataclass(frozen=True)
class Server:
    """One moto server.

    Attributes:
        url: Where it is.
        marker: Part of the name of every job, and so of every container, of these tests.
    """

    url: str
    marker: str

    def post(self, path: str, body: bytes = b"") -> None:
        request = urllib.request.Request(f"{self.url}{path}", data=body, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200


@contextmanager
def moto_server(log: Path, port: int = 0, marker: str = "") -> Iterator[Server]:
    """A server for as long as the context lasts; the containers it leaves are removed.

    Args:
        log: Where its output goes.
        port: Where it listens; 0 takes a free one.
        marker: Part of the names of its jobs.
    """
    port = port or free_port()
    moto = Server(f"http://127.0.0.1:{port}", marker or f"moto-{uuid.uuid4().hex[:8]}")
    argv = ["moto/bin/moto_server", "-H", "127.0.0.1", "-p", str(port)]
    try:
        with serving(argv, f"{moto.url}/moto-api/data.json", {}, log):
            yield moto
            moto.post("/moto-api/reset")
    finally:
        _remove_containers(moto.marker)


def _remove_containers(marker: str) -> None:
    listing = ["docker", "ps", "-aq", "--filter", f"name={marker}"]
    ids = subprocess.run(listing, capture_output=True, text=True, check=True).stdout.split()
    if ids:
        subprocess.run(["docker", "rm", "-f", *ids], capture_output=True, check=False)


async def make_queue(aws: Aws, queue: str) -> None:
    """A queue over a compute environment of its own, with the role that moto asks for."""
    subnets = (await aws.call("ec2", "DescribeSubnets"))["Subnets"]
    groups = (await aws.call("ec2", "DescribeSecurityGroups"))["SecurityGroups"]
    role = await aws.call(
        "iam", "CreateRole", RoleName=f"role-{queue}", AssumeRolePolicyDocument="{}"
    )
    environment = await aws.call(
        "batch", "CreateComputeEnvironment",
        computeEnvironmentName=f"ce-{queue}", type="MANAGED", state="ENABLED",
        serviceRole=role["Role"]["Arn"],
        computeResources={
            "type": "FARGATE",
            "maxvCpus": 4,
            "subnets": [subnets[0]["SubnetId"]],
            "securityGroupIds": [groups[0]["GroupId"]],
        },
    )  # fmt: skip
    order = [{"order": 1, "computeEnvironment": environment["computeEnvironmentArn"]}]
    await aws.call(
        "batch", "CreateJobQueue",
        jobQueueName=queue, state="ENABLED", priority=1, computeEnvironmentOrder=order,
    )  # fmt: skip
