"""The digitalocean provider keeps the promises, with real containers behind the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.emulators.digitalocean.process import Running, running

from dayfly.testing import ProviderUnderTest, RunnerConformance

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.cloud, pytest.mark.timeout(300)]

#: Filled in once the emulator runs.
CONFIG: dict[str, Any] = {
    "region": "fra",
    "log_drain_seconds": 1,
    "self_reported_exit": True,
}

_TIMES = "App Platform is not known to tell the time of a line"

DEVIATIONS = {
    "binary-output": "a live stream is JSON: what is no UTF-8 is replaced",
    "lines-have-their-times": _TIMES,
    "since-leaves-out-what-was-before": _TIMES,
    "timestamps-change-no-byte": _TIMES,
}
NOT_TRIED = {
    "out-of-memory-is-told": "the emulator sets no limit, and the job would eat the machine's "
    "memory",
}


@pytest.fixture(scope="module", autouse=True)
def emulator() -> Iterator[Running]:
    with (
        pytest.MonkeyPatch.context() as patch,
        running(executor="docker", missing_images=("dayfly/no-such-image",)) as there,
    ):
        patch.setenv("DIGITALOCEAN_TOKEN", "dop_v1_of_the_emulator")
        CONFIG.update(
            endpoint_url=there.url, ca_file=there.ca_file, registry_mirrors=there.registries
        )
        yield there
        assert there.ask("violations") == []


class TestDigitalOcean(RunnerConformance):
    provider = ProviderUnderTest(
        plugin="digitalocean",
        config=CONFIG,
        image="busybox:1.36",
        missing_image="docker.io/dayfly/no-such-image:none",
        deviations=DEVIATIONS,
        not_tried=NOT_TRIED,
        clock_seconds=1.0,
        own_place=True,
    )
