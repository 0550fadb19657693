"""A plugin's lines: cut where they never end, and its last words."""

from __future__ import annotations

import pytest

from dayfly.host.output import MAX_LINE_BYTES, LineSplitter, PluginLog

TRACE = ["goroutine 1 [running]:", *(f"main.f{n}(...)" for n in range(60))]


@pytest.fixture
def lines(caplog):
    caplog.set_level("INFO", logger="dayfly.plugin")
    return lambda: [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("pieces", [1, 3, 1000])
def test_a_line_that_never_ends_is_cut(lines, pieces):
    splitter = LineSplitter(PluginLog("raw"), "stdout: ")
    whole = b"0123456789" * 20_000
    size = len(whole) // pieces
    for start in range(0, len(whole), size):
        splitter.feed(whole[start : start + size])
    splitter.end()
    said = [line.removeprefix("stdout: ") for line in lines()]
    assert "".join(said).encode() == whole
    assert all(len(line) <= MAX_LINE_BYTES for line in said)


def tail(*lines: str) -> list[str]:
    log = PluginLog("raw")
    for line in lines:
        log.line(line.encode())
    return log.tail().splitlines()


def test_the_tail_is_the_last_twenty_lines():
    assert tail(*map(str, range(30))) == list(map(str, range(10, 30)))


@pytest.mark.parametrize("death", ["panic: out of luck", "fatal error: all goroutines are asleep"])
def test_a_go_programs_panic_is_shown_from_its_beginning(death):
    shown = tail("up", death, *TRACE)
    assert shown[:2] == [death, TRACE[0]]
    assert len(shown) == 20


def test_of_two_panics_the_last_one_is_shown():
    assert tail("panic: one", *TRACE, "panic: two", *TRACE)[0] == "panic: two"


def test_a_line_about_a_panic_is_not_one():
    assert tail("panic: is a word", *map(str, range(30)))[0] == "10"
