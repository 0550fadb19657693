from __future__ import annotations

import contextlib

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayfly.cli.quantities import MEMORY, SECONDS


@pytest.mark.parametrize(
    ("text", "mib"),
    [
        ("512m", 512),
        ("512M", 512),
        ("512MiB", 512),
        ("512mb", 512),
        ("2g", 2048),
        ("1.5g", 1536),
        ("1t", 1024 * 1024),
        ("2048k", 2),
        ("1048576b", 1),
    ],
)
def test_sizes_are_powers_of_1024(text, mib):
    assert MEMORY.convert(text, None, None) == mib


@pytest.mark.parametrize("text", ["", "m", "12", "-1m", "1.5", "1e3m", "1x", "1bb", "٣m", "1 m"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(click.BadParameter, match="is no size; allowed"):
        MEMORY.convert(text, None, None)


@pytest.mark.parametrize("text", ["1k", "0.3m", "1500000b"])
def test_a_size_that_is_no_whole_mib_is_refused_not_rounded(text):
    with pytest.raises(click.BadParameter, match="whole number of MiB"):
        MEMORY.convert(text, None, None)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("30s", 30), ("5m", 300), ("1h", 3600), ("1h30m", 5400), ("2d1s", 172801)],
)
def test_durations(text, seconds):
    assert SECONDS.convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "s", "1.5h", "-1", "1w", "1m1h", "1 h", "٣"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(click.BadParameter, match="is no duration; allowed"):
        SECONDS.convert(text, None, None)


@given(st.text())
def test_no_text_breaks_them(text):
    for kind in (MEMORY, SECONDS):
        with contextlib.suppress(click.BadParameter):
            assert kind.convert(text, None, None) >= 0
