"""What a Fargate task gets for what was asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.contract.errors import InvalidField
from dayfly.contract.jobs import Resources
from dayfly.providers.aws.sizes import PAIRS, fargate_size, shared_size

#: As the table of AWS's documentation has it: vCPU, then memory in GB.
DOCUMENTED = [
    (0.25, [0.5, 1, 2]),
    (0.5, [1, 2, 3, 4]),
    (1, [2, 3, 4, 5, 6, 7, 8]),
    (2, list(range(4, 17))),
    (4, list(range(8, 31))),
    (8, list(range(16, 61, 4))),
    (16, list(range(32, 121, 8))),
]
EVERY_PAIR = [(cpus, int(gib * 1024)) for cpus, memories in DOCUMENTED for gib in memories]


def test_the_pairs_are_the_documented_ones() -> None:
    ours = [(cpu / 1024, memory) for cpu, memories in PAIRS.items() for memory in memories]
    assert ours == EVERY_PAIR


@pytest.mark.parametrize(("cpus", "memory"), EVERY_PAIR)
def test_a_pair_is_had_as_it_is_and_one_more_rounds_up(cpus: float, memory: int) -> None:
    size = fargate_size(Resources(cpus=cpus, memory_mib=memory))
    assert (size.vcpus, size.memory, size.note) == (cpus, memory, "")
    if (cpus, memory) == EVERY_PAIR[-1]:
        return
    more = fargate_size(Resources(cpus=cpus, memory_mib=memory + 1))
    assert more.memory > memory
    assert more.vcpus >= cpus
    assert f"{memory + 1} MiB to {more.memory}" in more.note


@pytest.mark.parametrize(
    ("cpus", "memory", "expected", "note"),
    [
        (None, None, (256, 512), ""),
        (None, 512, (256, 512), ""),
        (None, 4096, (512, 4096), ""),
        (0.25, None, (256, 512), ""),
        (1, None, (1024, 2048), ""),
        (1, 512, (1024, 2048), "Fargate sizes: rounded up 512 MiB to 2048."),
        (0.1, None, (256, 512), "Fargate sizes: rounded up 0.1 vCPU to 0.25."),
        (3, None, (4096, 8192), "Fargate sizes: rounded up 3 vCPU to 4."),
        (
            0.3,
            1500,
            (512, 2048),
            "Fargate sizes: rounded up 0.3 vCPU to 0.5 and 1500 MiB to 2048.",
        ),
        (
            0.25,
            5000,
            (1024, 5120),
            "Fargate sizes: rounded up 0.25 vCPU to 1 and 5000 MiB to 5120.",
        ),
        (8, 17000, (8192, 20480), "Fargate sizes: rounded up 17000 MiB to 20480."),
        (16, 122880, (16384, 122880), ""),
    ],
)
def test_rounding_up(
    cpus: float | None, memory: int | None, expected: tuple[int, int], note: str
) -> None:
    size = fargate_size(Resources(cpus=cpus, memory_mib=memory))
    assert (size.cpu, size.memory) == expected
    assert size.note == note


@pytest.mark.parametrize(
    ("cpus", "memory", "field", "nearest"),
    [
        (16.001, None, "resources.cpus", "16 vCPU"),
        (32, 1024, "resources.cpus", "16 vCPU"),
        (None, 122881, "resources.memory_mib", "122880 MiB"),
        (0.25, 200000, "resources.memory_mib", "61440 MiB with 8 vCPU"),
        (17, 200000, "resources.cpus", "16 vCPU"),
    ],
)
def test_more_than_there_is(
    cpus: float | None, memory: int | None, field: str, nearest: str
) -> None:
    with pytest.raises(InvalidField) as caught:
        fargate_size(Resources(cpus=cpus, memory_mib=memory))
    assert caught.value.field == field
    assert nearest in caught.value.message
    assert "EC2" in caught.value.advice


@given(
    cpus=st.none() | st.floats(min_value=0.001, max_value=16, exclude_min=True),
    memory=st.none() | st.integers(min_value=6, max_value=122880),
)
def test_it_is_a_pair_with_all_that_was_asked(cpus: float | None, memory: int | None) -> None:
    size = fargate_size(Resources(cpus=cpus, memory_mib=memory))
    assert size.memory in PAIRS[size.cpu]
    assert size.vcpus >= (cpus or 0)
    assert size.memory >= (memory or 0)
    # Nothing smaller would do.
    smaller = [
        pair
        for pair in EVERY_PAIR
        if pair[0] >= (cpus or 0) and pair[1] >= (memory or 0) and pair < (size.vcpus, size.memory)
    ]
    assert not smaller
    said = {word for word, asked in (("vCPU", cpus), ("MiB", memory)) if _raised(size, word, asked)}
    assert {word for word in ("vCPU", "MiB") if word in size.note} == said


def _raised(size: object, word: str, asked: float | None) -> bool:
    got = {"vCPU": size.vcpus, "MiB": size.memory}[word]  # type: ignore[attr-defined]
    return asked is not None and asked < got


@pytest.mark.parametrize(
    ("cpus", "memory", "expected"),
    [(None, None, (0, 512)), (0.1, 6, (103, 6)), (64, 500_000, (65536, 500_000))],
)
def test_on_machines_of_ones_own_nothing_is_rounded(
    cpus: float | None, memory: int | None, expected: tuple[int, int]
) -> None:
    assert tuple(shared_size(Resources(cpus=cpus, memory_mib=memory))) == (*expected, "")
