"""The emulator does what it says, to a real client over real sockets."""

from __future__ import annotations

import asyncio
import json
import shlex
import ssl
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from tests.emulators.aws.script import emulate
from tests.emulators.digitalocean import PUBLISHED_RATES, Emulator, Fault, Knobs, Rate
from tests.emulators.digitalocean.calls import _PATHS
from tests.emulators.digitalocean.conformance import Exchange
from tests.emulators.digitalocean.definition import operations
from tests.emulators.digitalocean.deviations import DEVIATIONS
from tests.emulators.digitalocean.executors.docker import LABEL
from tests.emulators.digitalocean.operations import OPERATIONS
from tests.emulators.digitalocean.variables import Vault, environment
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

IMAGE = {"registry_type": "DOCKER_HUB", "registry": "library", "repository": "busybox"}


def job(name: str = "job", kind: str = "PRE_DEPLOY", **behaviour: Any) -> dict[str, Any]:
    """A component whose script is ``behaviour``."""
    found: dict[str, Any] = {"name": name, "kind": kind, "image": {**IMAGE, "tag": "1"}}
    found["run_command"] = shlex.join(emulate(**behaviour))
    return found


class Platform:
    """An emulator and a client of it."""

    def __init__(self, emulator: Emulator, client: httpx.AsyncClient, tls: ssl.SSLContext) -> None:
        self.emulator = emulator
        self.client = client
        self.tls = tls

    async def call(
        self, method: str, path: str, json: Any = None, status: int = 200, **query: Any
    ) -> dict[str, Any]:
        answer = await self.client.request(method, f"/v2{path}", json=json, params=query)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def create(self, *jobs: dict[str, Any], name: str = "one", **spec: Any) -> dict[str, Any]:
        body = {"spec": {"name": name, "jobs": list(jobs), **spec}}
        answer = await self.call("POST", "/apps", body)
        found: dict[str, Any] = answer["app"]
        return found

    async def app(self, app: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = (await self.call("GET", f"/apps/{app['id']}"))["app"]
        return found

    async def put(self, app: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
        answer = await self.call("PUT", f"/apps/{app['id']}", {"spec": spec})
        found: dict[str, Any] = answer["app"]
        return found

    async def redeploy(self, app: dict[str, Any], status: int = 200) -> str:
        body = {"force_build": False}
        answer = await self.call("POST", f"/apps/{app['id']}/deployments", body, status=status)
        return str(answer["deployment"]["id"])

    async def deployment(self, app: dict[str, Any], id_: str = "") -> dict[str, Any]:
        id_ = id_ or app["pending_deployment"]["id"]
        answer = await self.call("GET", f"/apps/{app['id']}/deployments/{id_}")
        found: dict[str, Any] = answer["deployment"]
        return found

    async def until(self, app: dict[str, Any], *phases: str, id_: str = "") -> dict[str, Any]:
        async with asyncio.timeout(20):
            while True:
                found = await self.deployment(app, id_)
                if found["phase"] in phases:
                    return found
                await asyncio.sleep(0.005)

    async def invocations(self, app: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
        answer = await self.call("GET", f"/apps/{app['id']}/job-invocations", **query)
        found: list[dict[str, Any]] = answer["job_invocations"]
        return found

    async def running(self, app: dict[str, Any]) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while True:
                for one in await self.invocations(app):
                    if one["phase"] == "RUNNING":
                        return one
                await asyncio.sleep(0.005)

    async def logs(
        self, app: dict[str, Any], kind: str = "RUN", status: int = 200, **query: Any
    ) -> dict[str, Any]:
        id_ = app["pending_deployment"]["id"]
        path = f"/apps/{app['id']}/deployments/{id_}/components/job/logs"
        return await self.call("GET", path, status=status, type=kind, **query)

    async def archived(self, app: dict[str, Any]) -> list[str]:
        found = []
        async with httpx.AsyncClient(verify=self.tls) as bare:
            for url in (await self.logs(app))["historic_urls"]:
                answer = await bare.get(url)
                assert answer.status_code == 200, answer.text
                found.append(answer.text)
        return found

    async def live(self, app: dict[str, Any], *, follow: str = "true") -> tuple[str, int]:
        """All text of the live stream, and the code that it was closed with."""
        url = (await self.logs(app, follow=follow))["live_url"].replace("https", "wss", 1)
        text = ""
        async with connect(url, ssl=self.tls) as socket:
            try:
                while True:
                    text += json.loads(await socket.recv())["data"]
            except ConnectionClosed as error:
                return text, error.rcvd.code if error.rcvd else 0


@asynccontextmanager
async def opened(*, clean: bool = True, **knobs: Any) -> AsyncIterator[Platform]:
    async with Emulator(Knobs().changed({"log_prefix": False, **knobs})) as emulator:
        tls = ssl.create_default_context(cafile=emulator.ca_file)
        headers = {"Authorization": "Bearer token"}
        async with httpx.AsyncClient(base_url=emulator.url, verify=tls, headers=headers) as client:
            yield Platform(emulator, client, tls)
        assert not clean or emulator.violations == []


async def test_a_jobs_only_app_becomes_active_and_shows_how() -> None:
    async with opened() as there:
        app = await there.create(job(run_seconds=0.5, lines=3))
        assert app["pending_deployment"]["phase"] == "PENDING_BUILD"
        during = await there.until(app, "DEPLOYING")
        assert (await there.app(app))["in_progress_deployment"]["id"] == during["id"]
        done = await there.until(app, "ACTIVE", "ERROR")
        assert done["phase"] == "ACTIVE"
        app_now = await there.app(app)
        assert app_now["active_deployment"]["id"] == done["id"]
        assert "in_progress_deployment" not in app_now
        assert "pending_deployment" not in app_now
        phases = [phase for phase, _ in there.emulator.apps[app["id"]].deployments[0].phases]
        assert phases == ["PENDING_BUILD", "PENDING_DEPLOY", "DEPLOYING", "ACTIVE"]
        (one,) = await there.invocations(app, job_names=["job"], deployment_id=done["id"])
        assert one["phase"] == "SUCCEEDED"
        assert await there.archived(app) == ["line 0\nline 1\nline 2\n"]
        assert await there.call("DELETE", f"/apps/{app['id']}") == {"id": app["id"]}
        await there.call("GET", f"/apps/{app['id']}", status=404)
        assert there.emulator.apps == {}


def job_step(deployment: dict[str, Any]) -> dict[str, Any]:
    components = deployment["progress"]["steps"][1]["steps"][1]["steps"]
    found: dict[str, Any] = next(one for one in components if one["component_name"] == "job")
    return found


@pytest.mark.parametrize(
    ("behaviour", "knobs", "code"),
    [
        ({"exit_code": 3}, {}, "DeployContainerExitNonZero"),
        ({"exit_code": 3}, {"nonzero_code": "Other"}, "Other"),
        ({"oom": True}, {}, "DeployContainerOOMKilled"),
        ({"fail_to_start": {"code": "ImageDoesNotExist"}}, {}, "ImageDoesNotExist"),
        ({"never_ends": True}, {"job_timeout_seconds": 0.1}, "PreDeployJobTimedOut"),
        ({}, {"missing_images": ["library/busybox"]}, "DeployImagePullError"),
    ],
)
async def test_a_job_that_fails_makes_an_error_with_its_reason(
    behaviour: dict[str, Any], knobs: dict[str, Any], code: str
) -> None:
    async with opened(**knobs) as there:
        app = await there.create(job(**behaviour))
        done = await there.until(app, "ACTIVE", "ERROR")
        assert done["phase"] == "ERROR"
        assert job_step(done)["reason"]["code"] == code
        assert job_step(done)["steps"][0]["reason"]["code"] == code
        (one,) = await there.invocations(app)
        assert one["phase"] == "FAILED"


@pytest.mark.parametrize(("seconds", "there_later"), [(0.0, False), (None, True)])
async def test_a_failed_deployment_leaves_all_slots_or_stays(
    seconds: float | None, there_later: bool
) -> None:
    async with opened(slots_forget_seconds=seconds) as there:
        app = await there.create(job(exit_code=1))
        done = await there.until(app, "ERROR")
        await asyncio.sleep(0.02)
        now = await there.app(app)
        assert ("in_progress_deployment" in now) is there_later
        assert "active_deployment" not in now
        assert (await there.deployment(app))["id"] == done["id"]


@pytest.mark.parametrize("effect", ["CANCELED", "SUPERSEDED"])
async def test_a_second_deployment_ends_the_first(effect: str) -> None:
    async with opened(second_deployment_effect=effect) as there:
        app = await there.create(job(never_ends=True, term_seconds=0.05))
        await there.running(app)
        again = await there.redeploy(app)
        assert (await there.until(app, "ERROR", "CANCELED", "SUPERSEDED"))["phase"] == effect
        assert (await there.deployment(app, again))["phase"] != effect
        rows = await there.call("GET", f"/apps/{app['id']}/deployments")
        assert rows["deployments"][0]["id"] == again


async def test_a_build_has_a_phase_of_its_own() -> None:
    async with opened(building_seconds=0.5) as there:
        app = await there.create(job())
        assert (await there.until(app, "BUILDING"))["progress"]["pending_steps"] > 0
        assert (await there.until(app, "ACTIVE"))["progress"]["pending_steps"] == 0


async def test_a_deployment_is_cancelled_before_its_jobs_have_stopped() -> None:
    async with opened(cancel_waits=False) as there:
        app = await there.create(job(never_ends=True, term_seconds=0.5))
        await there.running(app)
        id_ = app["pending_deployment"]["id"]
        path = f"/apps/{app['id']}/deployments/{id_}/cancel"
        assert (await there.call("POST", path))["deployment"]["phase"] == "CANCELED"
        assert (await there.running(app))["phase"] == "RUNNING"


async def test_somebody_else_deploys_the_app() -> None:
    async with opened(second_deployment=0.2) as there:
        app = await there.create(job(never_ends=True))
        assert (await there.until(app, "CANCELED"))["phase"] == "CANCELED"
        assert len(there.emulator.apps[app["id"]].deployments) == 2


async def test_each_deployment_runs_every_deploy_time_job_again() -> None:
    async with opened() as there:
        app = await there.create(
            job("job"), job("other"), job("after", "POST_DEPLOY"), job("never", "FAILED_DEPLOY")
        )
        first = await there.until(app, "ACTIVE")
        spec = first["spec"] | {"jobs": [*first["spec"]["jobs"], job("added")]}
        changed = await there.put(app, spec)
        await there.until(changed, "ACTIVE")
        for deployment in there.emulator.apps[app["id"]].deployments:
            await deployment.done.wait()
        names = [one["job_name"] for one in await there.invocations(app)]
        assert sorted(names) == ["added", "after", "after", "job", "job", "other", "other"]
        assert (await there.deployment(app))["phase"] == "SUPERSEDED"


async def test_services_come_after_jobs_and_can_fail() -> None:
    async with opened(failing_services=["web"]) as there:
        service = {"name": "web", "image": {**IMAGE, "tag": "1"}, "http_port": 80}
        app = await there.create(job(), services=[service])
        done = await there.until(app, "ERROR")
        assert job_step(done)["status"] == "SUCCESS"
        (one,) = await there.invocations(app)
        assert one["phase"] == "SUCCEEDED"


async def test_a_deployment_is_cancelled_with_the_grace_of_its_job() -> None:
    async with opened() as there:
        stubborn = job(never_ends=True, ignores_term=True)
        app = await there.create({**stubborn, "termination": {"grace_period_seconds": 1}})
        await there.running(app)
        begun = asyncio.get_running_loop().time()
        id_ = app["pending_deployment"]["id"]
        await there.call("POST", f"/apps/{app['id']}/deployments/{id_}/cancel")
        assert (await there.until(app, "CANCELED", "ERROR"))["phase"] == "CANCELED"
        assert 0.9 < asyncio.get_running_loop().time() - begun < 5
        (one,) = await there.invocations(app)
        assert one["phase"] == "CANCELED"
        path = f"/apps/{app['id']}/deployments/{id_}/cancel"
        await there.call("POST", path, status=400)


@pytest.mark.parametrize("phase", ["ERROR", "CANCELED"])
async def test_an_invocation_is_cancelled_itself(phase: str) -> None:
    async with opened(invocation_cancelled_phase=phase) as there:
        app = await there.create(job(never_ends=True))
        one = await there.running(app)
        path = f"/apps/{app['id']}/job-invocations/{one['id']}"
        await there.call("POST", f"{path}/cancel", job_name="job")
        assert (await there.until(app, "ERROR", "CANCELED", "ACTIVE"))["phase"] == phase
        assert (await there.call("GET", path))["phase"] == "CANCELED"


async def test_an_invocation_that_cannot_be_cancelled() -> None:
    async with opened(invocation_cancel=False, invocation_cancel_status=422) as there:
        app = await there.create(job(never_ends=True))
        one = await there.running(app)
        path = f"/apps/{app['id']}/job-invocations/{one['id']}/cancel"
        await there.call("POST", path, status=422)
        assert (await there.deployment(app))["phase"] == "DEPLOYING"


async def test_no_invocation_or_a_late_one() -> None:
    async with opened(invocations=False) as there:
        app = await there.create(job())
        await there.until(app, "ACTIVE")
        assert await there.invocations(app) == []
    async with opened(invocation_lag_seconds=1.0) as there:
        app = await there.create(job())
        await there.until(app, "ACTIVE")
        assert await there.invocations(app) == []
        await asyncio.sleep(1.05)
        assert len(await there.invocations(app)) == 1


async def test_a_new_app_is_in_no_answer_for_a_while() -> None:
    async with opened(missing_seconds=1.0, pending_in_answer=False) as there:
        app = await there.create(job())
        assert "pending_deployment" not in app
        await there.call("GET", f"/apps/{app['id']}", status=404)
        await there.call("GET", f"/apps/{app['id']}/deployments", status=404)
        assert (await there.call("GET", "/apps"))["apps"] == []
        await asyncio.sleep(1.05)
        assert (await there.app(app))["id"] == app["id"]


@pytest.mark.parametrize("status", [409, 422])
async def test_a_name_is_taken_once(status: int) -> None:
    async with opened(name_taken_status=status) as there:
        await there.create(job())
        body = {"spec": {"name": "one", "jobs": [job()]}}
        assert "exists" in (await there.call("POST", "/apps", body, status=status))["message"]
        assert len(there.emulator.apps) == 1


async def test_an_app_of_jobs_alone_is_refused_on_demand() -> None:
    async with opened(jobs_only=False) as there:
        await there.call("POST", "/apps", {"spec": {"name": "one", "jobs": [job()]}}, status=400)
        service = {"name": "web", "image": {**IMAGE, "tag": "1"}}
        await there.create(job(), services=[service])


async def test_pages_have_links_and_the_total() -> None:
    async with opened(check=False) as there:
        for number in range(5):
            await there.create(job(), name=f"app-{number}")
        first = await there.call("GET", "/apps", page=1, per_page=2)
        assert [app["spec"]["name"] for app in first["apps"]] == ["app-4", "app-3"]
        assert first["meta"] == {"total": 5}
        assert first["links"]["pages"]["next"].endswith("/v2/apps?page=2&per_page=2")
        last = await there.call("GET", "/apps", page=3, per_page=2)
        assert [app["spec"]["name"] for app in last["apps"]] == ["app-0"]
        assert "next" not in last["links"]["pages"]
        await there.call("GET", "/apps", per_page=201, status=400)


async def test_secrets_come_back_sealed_and_are_taken_so() -> None:
    async with opened() as there:
        secret = {"key": "A", "value": "hush", "type": "SECRET", "scope": "RUN_TIME"}
        image = {**IMAGE, "tag": "1", "registry_credentials": "user:password"}
        app = await there.create({**job(), "envs": [secret], "image": image})
        await there.until(app, "ACTIVE")
        (shown,) = (await there.app(app))["spec"]["jobs"]
        sealed = shown["envs"][0]["value"]
        assert sealed.startswith("EV[1:")
        assert shown["image"]["registry_credentials"].startswith("EV[1:")
        changed = await there.put(app, (await there.app(app))["spec"])
        assert changed["spec"]["jobs"][0]["envs"][0]["value"] == sealed
        assert "hush" not in json.dumps(changed)
        other = {**job(), "envs": [{**secret, "value": sealed}]}
        body = {"spec": {"name": "two", "jobs": [other]}}
        await there.call("POST", "/apps", body, status=400)


def test_references_are_resolved_where_something_has_their_name() -> None:
    envs = [
        {"key": "KNOWN", "value": "${db.PORT} ${OTHER} ${APP_ID}"},
        {"key": "OTHER", "value": "x"},
        {"key": "UNKNOWN", "value": "${nobody.PORT}"},
        {"key": "GIVEN", "value": "${db.CA_CERT}"},
    ]
    spec = {"name": "one", "databases": [{"name": "db"}], "envs": [{"key": "WHOLE", "value": "1"}]}
    knobs = Knobs(bindables={"db.CA_CERT": "cert"})
    assert environment(Vault(), knobs, "id", spec, {"name": "job", "envs": envs}) == {
        "WHOLE": "1",
        "KNOWN": "25060 x id",
        "OTHER": "x",
        "UNKNOWN": "${nobody.PORT}",
        "GIVEN": "cert",
    }


async def test_a_command_that_cannot_be_split_is_refused() -> None:
    async with opened() as there:
        body = {"spec": {"name": "one", "jobs": [{**job(), "run_command": "echo 'open"}]}}
        await there.call("POST", "/apps", body, status=400)


async def test_regions_sizes_and_the_account() -> None:
    async with opened(disabled_regions=["ams"]) as there:
        rows = (await there.call("GET", "/apps/regions"))["regions"]
        assert [row["slug"] for row in rows if row.get("disabled")] == ["ams"]
        sizes = (await there.call("GET", "/apps/tiers/instance_sizes"))["instance_sizes"]
        slug = sizes[0]["slug"]
        path = f"/apps/tiers/instance_sizes/{slug}"
        assert (await there.call("GET", path))["instance_size"] == sizes[0]
        await there.call("GET", "/apps/tiers/instance_sizes/large", status=404)
        assert (await there.call("GET", "/account"))["account"]["status"] == "active"


async def test_live_output_comes_as_it_is_printed_and_ends_with_1000() -> None:
    async with opened() as there:
        app = await there.create(job(run_seconds=0.5, lines=5))
        await there.running(app)
        text, code = await there.live(app)
        assert (text, code) == ("".join(f"line {i}\n" for i in range(5)), 1000)
        assert "live_url" not in await there.logs(app)


async def test_live_output_without_following_ends_with_what_is_there() -> None:
    async with opened() as there:
        app = await there.create(job(never_ends=True, lines=2, lines_per_second=1000))
        await there.running(app)
        await asyncio.sleep(0.1)
        assert await there.live(app, follow="false") == ("line 0\nline 1\n", 1000)


async def test_a_phase_that_was_not_reached_has_no_output() -> None:
    async with opened(pending_build_seconds=1.0) as there:
        app = await there.create(job())
        await there.logs(app, status=400)
        await there.until(app, "ACTIVE")
        await there.logs(app)
        await there.logs(app, "DEPLOY", status=400)
        await there.logs(app, "BUILD", status=400)


async def test_a_live_stream_is_cut_once_and_not_again() -> None:
    knobs = {"live_cut_after_bytes": 10, "archive_lag_seconds": 30}
    whole = "".join(f"line {i}\n" for i in range(5))
    async with opened(**knobs) as there:
        app = await there.create(job(lines=5))
        await there.until(app, "ACTIVE")
        assert await there.live(app) == (whole[:10], 0)
        assert await there.live(app) == (whole, 1000)
    async with opened(**knobs, live_cut_code=1001) as there:
        app = await there.create(job(lines=5))
        await there.until(app, "ACTIVE")
        assert await there.live(app) == (whole[:10], 1001)


async def test_archives_come_late_grow_and_are_cut_into_files() -> None:
    knobs = {"archive_lag_seconds": 0.5, "archive_settle_seconds": 1.0, "archive_file_bytes": 20}
    async with opened(**knobs) as there:
        app = await there.create(job(lines=8))
        await there.until(app, "ACTIVE")
        assert "historic_urls" not in await there.logs(app)
        await asyncio.sleep(0.6)
        lines = [f"line {i}\n" for i in range(8)]
        assert "".join(await there.archived(app)) == "".join(lines[:4])
        await asyncio.sleep(1.0)
        files = await there.archived(app)
        assert files == ["".join(lines[i : i + 2]) for i in range(0, 8, 2)]


async def test_addresses_of_output_expire_and_carry_a_token() -> None:
    async with opened(log_url_seconds=1.0, live_with_archive=True) as there:
        app = await there.create(job(lines=1))
        await there.until(app, "ACTIVE")
        found = await there.logs(app)
        url = found["historic_urls"][0]
        async with httpx.AsyncClient(verify=there.tls) as bare:
            assert (await bare.get(url)).status_code == 200
            assert (await bare.get(url.replace("token=", "token=0"))).status_code == 403
            await asyncio.sleep(1.05)
            assert (await bare.get(url)).status_code == 403
        with pytest.raises(InvalidStatus):
            async with connect(found["live_url"].replace("https", "wss"), ssl=there.tls):
                pass


async def test_the_token_of_the_api_does_not_belong_to_an_archive() -> None:
    async with opened(clean=False) as there:
        app = await there.create(job(lines=1))
        await there.until(app, "ACTIVE")
        await there.client.get((await there.logs(app))["historic_urls"][0])
        (said,) = there.emulator.violations
        assert "token" in said


async def test_lines_have_a_prefix_on_demand() -> None:
    async with opened(log_prefix=True) as there:
        app = await there.create(job(lines=2))
        await there.until(app, "ACTIVE")
        lines = "".join(await there.archived(app)).splitlines()
        assert [line.split(" ", 2)[0] for line in lines] == ["job", "job"]
        assert [line.split(" ", 2)[2] for line in lines] == ["line 0", "line 1"]


async def test_a_job_without_output_has_an_empty_file_or_none() -> None:
    for knob, files in ((True, [""]), (False, [])):
        async with opened(archive_of_nothing=knob) as there:
            app = await there.create(job())
            await there.until(app, "ACTIVE")
            assert await there.archived(app) == files


async def test_times_are_whole_seconds_or_the_year_1() -> None:
    async with opened(zero_times=True, whole_seconds=False) as there:
        app = await there.create(job(never_ends=True))
        assert "." in app["created_at"]
        one = await there.running(app)
        assert one["completed_at"].startswith("0001-01-01")
    async with opened() as there:
        app = await there.create(job(never_ends=True))
        assert "." not in app["created_at"]
        assert "completed_at" not in await there.running(app)


@pytest.mark.parametrize(
    ("kind", "status", "done"),
    [
        ("throttled", 429, 0),
        ("server_error", 503, 0),
        ("unauthorized", 401, 0),
        ("denied", 403, 0),
        ("conflict", 409, 0),
        ("reset_before", 0, 0),
        ("reset_after", 0, 1),
        ("hang", 0, 1),
    ],
)
async def test_faults(kind: str, status: int, done: int) -> None:
    fault = Fault(kind=kind, operation="apps_create", first=1, status=503, seconds=2)
    async with opened(faults=[fault]) as there:
        body = {"spec": {"name": "one", "jobs": [job()]}}
        if status:
            answer = await there.client.post("/v2/apps", json=body)
            assert answer.status_code == status
            assert kind != "throttled" or answer.headers["retry-after"] == "2"
        else:
            with pytest.raises(httpx.TransportError):
                await there.client.post("/v2/apps", json=body, timeout=1)
        assert len(there.emulator.apps) == done
        await there.create(job(), name="two")
        assert there.emulator.calls["apps_create"] == 2


@pytest.mark.parametrize("kind", ["server_error", "reset_before"])
async def test_faults_of_what_is_beside_the_api(kind: str) -> None:
    faults = [Fault(kind=kind, operation=name, first=1) for name in ("archive", "manifest")]
    async with opened(faults=faults) as there, httpx.AsyncClient(verify=there.tls) as bare:
        app = await there.create(job(lines=1))
        await there.until(app, "ACTIVE")
        archive = (await there.logs(app))["historic_urls"][0]
        manifest = f"{there.emulator.registries['ghcr.io']}/v2/owner/tool/manifests/1"
        for url, fine in ((archive, 200), (manifest, 401)):
            if kind == "server_error":
                assert (await bare.get(url)).status_code == 500
            else:
                with pytest.raises(httpx.TransportError):
                    await bare.get(url)
            assert (await bare.get(url)).status_code == fine


async def test_quotas_are_kept_and_told() -> None:
    assert [rate.burst for rate in PUBLISHED_RATES] == [250, 5000]
    async with opened(rates=[Rate(2, 1), Rate(100, 1)]) as there:
        answer = await there.client.get("/v2/apps")
        assert answer.headers["ratelimit-limit"] == "5000"
        assert int(answer.headers["ratelimit-remaining"]) == 1
        await there.call("GET", "/apps")
        answer = await there.client.get("/v2/apps")
        assert answer.status_code == 429
        assert answer.headers["retry-after"] == "1"


async def test_tokens() -> None:
    async with opened(tokens=["right"]) as there:
        for token, status in (("right", 200), ("wrong", 401), ("", 401)):
            headers = {"Authorization": f"Bearer {token}".strip()}
            answer = await there.client.get("/v2/apps", headers=headers)
            assert answer.status_code == status


async def test_a_registry_gives_digests_for_a_token() -> None:
    digest = f"sha256:{'1' * 64}"
    knobs = {
        "digests": {"docker.io/library/busybox:1": digest},
        "private_images": {"ghcr.io/owner/tool": "user:password"},
        "any_tag": False,
    }
    async with opened(**knobs) as there, httpx.AsyncClient(verify=there.tls) as bare:
        url = f"{there.emulator.registries['docker.io']}/v2/library/busybox/manifests/"
        answer = await bare.head(f"{url}1")
        assert answer.status_code == 401
        realm = answer.headers["www-authenticate"].split('"')[1]
        scope = {"scope": "repository:library/busybox:pull", "service": "docker.io"}
        token = (await bare.get(realm, params=scope)).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = await bare.head(f"{url}1", headers=headers)
        assert answer.headers["docker-content-digest"] == digest
        assert (await bare.head(f"{url}2", headers=headers)).status_code == 404
        realm = realm.replace("docker.io", "ghcr.io")
        scope = {"scope": "repository:owner/tool:pull"}
        assert (await bare.get(realm, params=scope)).status_code == 401
        right = httpx.BasicAuth("user", "password")
        assert (await bare.get(realm, params=scope, auth=right)).status_code == 200


async def test_every_known_deviation_is_met_and_no_other() -> None:
    async with opened() as there:
        await there.call("GET", "/account")
        await there.call("GET", "/registry/owner/repositories/tool%2Fpart/tags", per_page=200)
        timed = {**job(), "timeout": "10m"}
        later = {**job("later"), "kind": "SCHEDULED", "schedule": {"cron": "0 0 * * *"}}
        app = await there.create(timed, later, envs=[{"key": "A", "value": "b"}])
        await there.until(app, "ACTIVE")
        assert len(await there.invocations(app)) == 1
        assert set(there.emulator.deviations) == {one.name for one in DEVIATIONS}


@pytest.mark.parametrize(
    ("query", "change", "said"),
    [
        ({"pages": 1}, {}, "pages: unknown parameter"),
        ({}, {"nmae": "x"}, "jobs.0.nmae: unknown member"),
        ({}, {"kind": "NEVER"}, "jobs.0.kind: 'NEVER' is not one of"),
        ({}, {"termination": {"grace_period_seconds": 601}}, "greater than the maximum of 600"),
        ({}, {"name": "Job"}, "does not match"),
    ],
)
async def test_requests_that_break_the_definition_are_remembered(
    query: dict[str, Any], change: dict[str, Any], said: str
) -> None:
    async with opened(clean=False) as there:
        body = {"spec": {"name": "one", "jobs": [{**job(), **change}]}}
        await there.call("POST", "/apps", body, status=400, **query)
        assert any(said in one for one in there.emulator.violations), there.emulator.violations
        assert there.emulator.apps == {}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"app": {"spec": {"name": "one"}, "active_deployment": {"phase": "DONE"}}}, "'DONE'"),
        ({"app": {"spec": {"name": "one"}, "more": 1}}, "app.more: unknown member"),
        ({"app": {}}, "'spec' is a required property"),
    ],
)
def test_answers_that_break_the_definition_are_found(answer: dict[str, Any], said: str) -> None:
    (found,) = Exchange("apps_get", "GET", "/v2/apps/1", [], b"").response(200, answer)
    assert said in found


def test_every_operation_has_the_path_of_the_definition() -> None:
    assert set(_PATHS) == set(OPERATIONS)
    assert set(OPERATIONS) - set(operations()) == {"account_get", "registry_tags"}


async def test_what_is_not_emulated_is_a_violation() -> None:
    async with opened(clean=False) as there:
        await there.call("GET", "/droplets", status=404)
        assert there.emulator.violations == ["GET /v2/droplets is not emulated"]


async def test_a_process_of_its_own_with_its_controls() -> None:
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.emulators.digitalocean"),
        *("--port", "0", "--knobs", '{"name_taken_status": 422}'),
        stdout=asyncio.subprocess.PIPE,
        cwd=root,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            told = json.loads(await process.stdout.readline())
        tls = ssl.create_default_context(cafile=told["ca_file"])
        async with httpx.AsyncClient(
            base_url=told["url"], verify=tls, headers={"Authorization": "Bearer token"}
        ) as client:
            knobs = (await client.get("/_emulator/knobs")).json()
            assert knobs["name_taken_status"] == 422
            body = {"spec": {"name": "one", "jobs": [job()]}}
            await client.post("/v2/apps", json=body)
            (app,) = (await client.get("/_emulator/apps")).json()
            assert app["name"] == "one"
            assert (await client.get("/_emulator/calls")).json() == {"apps_create": 1}
            assert (await client.get("/_emulator/violations")).json() == []
            changed = await client.post("/_emulator/knobs", json={"tokens": ["t"]})
            assert changed.json()["tokens"] == ["t"]
            assert (await client.get("/v2/apps")).status_code == 401
            wrong = await client.post("/_emulator/knobs", json={"nothing": 1})
            assert wrong.status_code == 400
            faults = [{"kind": "denied", "operation": "apps_list"}]
            await client.post("/_emulator/reset", json={"faults": faults})
            assert (await client.get("/_emulator/apps")).json() == []
            assert (await client.get("/v2/apps")).status_code == 403
    finally:
        process.terminate()
        assert await process.wait() == 0
    with pytest.raises(FileNotFoundError):
        ssl.create_default_context(cafile=told["ca_file"])


async def leftovers(there: Any) -> set[str]:
    """Runs of this emulator that still have a container; others use the engine too."""
    shown = '{{.Label "dayfly.emulator.run"}}'
    process = await asyncio.create_subprocess_exec(
        *("docker", "ps", "--all", "--filter", f"label={LABEL}", "--format", shown),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    assert there.emulator.account.runs
    return set(said.decode().split()) & there.emulator.account.runs.keys()


def shell(script: str, **more: Any) -> dict[str, Any]:
    return {**job(), "run_command": shlex.join(["/bin/sh", "-c", script]), **more}


@pytest.mark.docker
async def test_a_container_gets_its_environment_and_prints() -> None:
    async with opened(executor="docker") as there:
        envs = [
            {"key": "PLAIN", "value": 'it\'s $HOME "so"'},
            {"key": "URL", "value": "${db.DATABASE_URL}"},
            {"key": "SECRET", "value": "hush", "type": "SECRET"},
            {"key": "BUILD", "value": "no", "scope": "BUILD_TIME"},
        ]
        script = 'printf "%s|" "$PLAIN" "$URL" "$SECRET" "$BUILD"; exit 3'
        database = {"name": "db", "engine": "PG"}
        app = await there.create(shell(script, envs=envs), databases=[database])
        done = await there.until(app, "ACTIVE", "ERROR")
        assert job_step(done)["reason"]["code"] == "DeployContainerExitNonZero"
        (text,) = await there.archived(app)
        plain, url, secret, build, _ = text.split("|")
        assert (plain, secret, build) == ('it\'s $HOME "so"', "hush", "")
        assert url == "postgresql://doadmin:emulated@db.emulated:25060/defaultdb"
    assert await leftovers(there) == set()


@pytest.mark.docker
async def test_a_container_is_streamed_stopped_with_its_grace_and_removed() -> None:
    async with opened(executor="docker") as there:
        script = "trap 'echo stopping; exit 0' TERM; echo begun; while :; do sleep 0.1; done"
        app = await there.create(shell(script, termination={"grace_period_seconds": 5}))
        await there.running(app)
        reading = asyncio.create_task(there.live(app))
        async with asyncio.timeout(10):
            run = next(iter(there.emulator.account.runs.values()))
            await run.output.beyond(0)
        id_ = app["pending_deployment"]["id"]
        await there.call("POST", f"/apps/{app['id']}/deployments/{id_}/cancel")
        assert (await there.until(app, "CANCELED"))["phase"] == "CANCELED"
        assert await reading == ("begun\nstopping\n", 1000)
    assert await leftovers(there) == set()


@pytest.mark.docker
@pytest.mark.parametrize("raw", [True, False])
async def test_bytes_that_are_no_text(raw: bool) -> None:
    async with opened(executor="docker", archive_raw=raw, live_with_archive=True) as there:
        app = await there.create(shell(r"printf 'a\377b\n'"))
        await there.until(app, "ACTIVE")
        async with httpx.AsyncClient(verify=there.tls) as bare:
            answer = await bare.get((await there.logs(app))["historic_urls"][0])
        assert answer.content == (b"a\xffb\n" if raw else "a\ufffdb\n".encode())
        assert await there.live(app) == ("a\ufffdb\n", 1000)


@pytest.mark.docker
async def test_an_image_the_engine_lacks_and_an_emulator_that_ends_early() -> None:
    async with opened(executor="docker", local_images={"*": "dayfly-none:latest"}) as there:
        app = await there.create(shell("true"))
        assert job_step(await there.until(app, "ERROR"))["reason"]["code"] == "DeployImagePullError"
    async with opened(executor="docker", run_command_shell=True) as there:
        app = await there.create({**job(), "run_command": "echo $((1 + 1)); sleep 60"})
        await there.running(app)
        run = next(iter(there.emulator.account.runs.values()))
        async with asyncio.timeout(10):
            await run.output.beyond(1)
        assert run.output.data == b"2\n"
    assert await leftovers(there) == set()
