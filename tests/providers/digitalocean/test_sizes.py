"""Which instance size a job gets for what was asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.contract.errors import InvalidField
from dayfly.contract.jobs import Resources
from dayfly.providers.digitalocean.sizes import SLUGS, choose, measures

#: As the slugs say: vCPU and GiB.
NAMED = {
    "apps-s-1vcpu-0.5gb": (1, 512),
    "apps-s-1vcpu-1gb": (1, 1024),
    "apps-s-1vcpu-2gb": (1, 2048),
    "apps-s-2vcpu-4gb": (2, 4096),
    "apps-d-1vcpu-0.5gb": (1, 512),
    "apps-d-1vcpu-1gb": (1, 1024),
    "apps-d-1vcpu-2gb": (1, 2048),
    "apps-d-1vcpu-4gb": (1, 4096),
    "apps-d-2vcpu-4gb": (2, 4096),
    "apps-d-2vcpu-8gb": (2, 8192),
    "apps-d-4vcpu-8gb": (4, 8192),
    "apps-d-4vcpu-16gb": (4, 16384),
    "apps-d-8vcpu-32gb": (8, 32768),
}


def test_what_each_slug_says() -> None:
    assert {slug: measures(slug)[1:3] for slug in SLUGS} == NAMED


def test_another_slug() -> None:
    with pytest.raises(InvalidField) as caught:
        measures("basic-xxs")
    assert caught.value.field == "size"


@pytest.mark.parametrize(
    ("cpus", "memory", "cpu", "slug", "note"),
    [
        (None, None, "shared", "apps-s-1vcpu-0.5gb", ""),
        (None, None, "dedicated", "apps-d-1vcpu-0.5gb", ""),
        (1, 512, "shared", "apps-s-1vcpu-0.5gb", ""),
        (None, 1024, "shared", "apps-s-1vcpu-1gb", ""),
        (2, None, "shared", "apps-s-2vcpu-4gb", ""),
        (0.25, None, "shared", "apps-s-1vcpu-0.5gb", "rounded up 0.25 vCPU to 1."),
        (None, 600, "shared", "apps-s-1vcpu-1gb", "rounded up 600 MiB to 1024."),
        (1.5, 3000, "shared", "apps-s-2vcpu-4gb", "1.5 vCPU to 2 and 3000 MiB to 4096."),
        (1, 4096, "shared", "apps-s-2vcpu-4gb", "rounded up 1 vCPU to 2."),
        (1, 4096, "dedicated", "apps-d-1vcpu-4gb", ""),
        (
            None,
            8192,
            "shared",
            "apps-d-2vcpu-8gb",
            "apps-d-2vcpu-8gb, with dedicated CPUs: no shared size is so large.",
        ),
        (3, 1, "shared", "apps-d-4vcpu-8gb", "3 vCPU to 4 and 1 MiB to 8192, with dedicated CPUs"),
        (8, 32768, "dedicated", "apps-d-8vcpu-32gb", ""),
    ],
)
def test_the_smallest_that_holds_it(
    cpus: float | None, memory: int | None, cpu: str, slug: str, note: str
) -> None:
    size = choose(Resources(cpus=cpus, memory_mib=memory), cpu=cpu)
    assert size.slug == slug
    assert note in size.note
    assert bool(note) == bool(size.note)


def test_the_configured_size_is_of_jobs_that_ask_for_nothing() -> None:
    assert choose(Resources(), size="apps-d-1vcpu-2gb").slug == "apps-d-1vcpu-2gb"
    assert choose(Resources(cpus=1), size="apps-d-1vcpu-2gb").slug == "apps-s-1vcpu-0.5gb"


@pytest.mark.parametrize(
    ("cpus", "memory", "field"),
    [
        (8.1, None, "resources.cpus"),
        (16, 40000, "resources.cpus"),
        (None, 32769, "resources.memory_mib"),
        (1, 40000, "resources.memory_mib"),
    ],
)
@pytest.mark.parametrize("cpu", ["shared", "dedicated"])
def test_more_than_there_is(cpus: float | None, memory: int | None, field: str, cpu: str) -> None:
    with pytest.raises(InvalidField) as caught:
        choose(Resources(cpus=cpus, memory_mib=memory), cpu=cpu)
    assert caught.value.field == field
    assert field in caught.value.message
    assert "apps-d-8vcpu-32gb, has 8 vCPU and 32768 MiB" in caught.value.message


@given(
    cpus=st.none() | st.floats(min_value=0.001, max_value=8),
    memory=st.none() | st.integers(min_value=6, max_value=32768),
    cpu=st.sampled_from(["shared", "dedicated"]),
)
def test_it_has_all_that_was_asked(cpus: float | None, memory: int | None, cpu: str) -> None:
    size = choose(Resources(cpus=cpus, memory_mib=memory), cpu=cpu)
    assert size.slug in SLUGS
    assert size.cpus >= (cpus or 0)
    assert size.memory_mib >= (memory or 0)
    assert cpu == "shared" or size.slug.startswith("apps-d-")
    # What was raised is said.
    assert ("vCPU to" in size.note) == (cpus is not None and cpus < size.cpus)
    assert ("MiB to" in size.note) == (memory is not None and memory < size.memory_mib)
