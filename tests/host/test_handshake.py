"""Every bad start is a sentence that names the plugin, in time, and leaves no process."""

from __future__ import annotations

import os
import time

import pytest

from dayfly.contract.errors import FailedPrecondition, ProviderFailed
from dayfly.host import Deadlines, connect, spawn

SH = "#!/bin/sh\n"

BAD_STARTS = {
    "no line": ("echo oops >&2; exec sleep 60", "printed no handshake line within 1 s"),
    "half a line": ("printf '1|1|unix|/tmp/x'; exec sleep 60", "printed no handshake line"),
    "half a line and the end": ("printf '1|1|un'; echo oops >&2", "exited with code 0 before"),
    "another core version": ("echo '2|1|unix|/tmp/x|grpc|'; sleep 60", "core version is '2'"),
    "another protocol": ("echo '1|9|unix|/tmp/x|grpc|'; sleep 60", "protocol version is '9'"),
    "tcp": ("echo '1|1|tcp|127.0.0.1:1|grpc|'; sleep 60", "network is 'tcp'"),
    "a certificate": ("echo '1|1|unix|/tmp/x|grpc|MIIB'; sleep 60", "certificate"),
    "netrpc": ("echo '1|1|unix|/tmp/x|netrpc|'; sleep 60", "protocol is 'netrpc'"),
    "words before it": ("echo hello; echo '1|1|unix|/tmp/x|grpc|'; sleep 60", "'hello'"),
    "a long path": (f"echo '1|1|unix|/{'x' * 120}|grpc|'; sleep 60", "at most 103 bytes"),
    "no newline": ("yes | tr -d '\\n'", "4096 bytes on stdout"),
    "closes stdout": ("echo oops >&2; exec >&-; sleep 60", "closed its stdout"),
    "exits at once": ("echo oops >&2; exit 3", "exited with code 3 before its handshake"),
    "killed": ("echo oops >&2; kill -9 $$", "was killed by SIGKILL before its handshake"),
    "not utf-8": ("printf '\\377\\376\\n'; sleep 60", "at least four parts"),
    "nobody listens": (
        "echo '1|1|unix|/tmp/nobody-listens|grpc|'; sleep 60",
        "UNAVAILABLE|connect",
    ),
}


@pytest.mark.parametrize("name", BAD_STARTS)
async def test_a_bad_start_is_a_sentence(make_plugin, name, gone):
    script, said = BAD_STARTS[name]
    process = spawn(make_plugin(SH + script))
    began = time.monotonic()
    with pytest.raises(Exception, match="plugin 'raw'") as caught:
        async with connect(process, deadlines=Deadlines(start=1)):
            pytest.fail("it was loaded")
    assert any(part in str(caught.value) for part in said.split("|")), str(caught.value)
    assert time.monotonic() - began < 20, "each of them goes on for a minute"
    if "oops" in script:
        assert "oops" in str(caught.value)
    gone(process)


async def test_stderr_is_shown_readable_and_bounded(make_plugin):
    script = """
    echo '{"@level":"error","@message":"no credentials","@module":"aws","region":"eu"}' >&2
    printf 'steer \\033[31mred\\n' >&2
    exit 1
    """
    process = spawn(make_plugin(SH + script))
    with pytest.raises(ProviderFailed) as caught:
        async with connect(process):
            pass
    assert "no credentials region=eu" in str(caught.value)
    assert "\033" not in str(caught.value)
    assert "[31mred" in str(caught.value)


async def test_endless_stderr_neither_hangs_nor_fills_the_memory(make_plugin, gone):
    process = spawn(make_plugin(SH + "yes 'a line of noise' >&2 & wait"))
    with pytest.raises(ProviderFailed, match="no handshake line") as caught:
        async with connect(process, deadlines=Deadlines(start=0.5)):
            pass
    assert len(str(caught.value)) < 4000
    gone(process)


async def test_a_group_that_ignores_term_is_killed_with_its_children(make_plugin, tmp_path, gone):
    pid_file = tmp_path / "child"
    script = f"trap '' TERM INT HUP; sleep 60 & echo $! > {pid_file}; wait"
    process = spawn(make_plugin(SH + script))
    with pytest.raises(ProviderFailed):
        async with connect(process, deadlines=Deadlines(start=0.5)):
            pass
    gone(process)
    assert pid_file.read_text().strip().isdigit()


def test_a_program_that_cannot_be_executed(make_plugin):
    plugin = make_plugin("#!/no/such/interpreter\n")
    with pytest.raises(FailedPrecondition, match="plugin 'raw' could not be started"):
        spawn(plugin)


def test_an_unused_process_is_closed_and_its_directory_removed(make_plugin, gone):
    process = spawn(make_plugin(SH + "exec sleep 60"))
    assert process.socket_dir.stat().st_mode & 0o777 == 0o700
    assert os.getsid(process.popen.pid) == process.popen.pid
    process.close()
    process.close()
    gone(process)
