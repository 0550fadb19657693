"""Attempts to get out of ``strict``, on the real engine; beside each, that it works without."""

from __future__ import annotations

import errno
import io
import os
import platform
import socket
import struct
import subprocess
import tarfile
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from dayfly.contract.jobs import JobState, Reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dayfly.sandbox import ExecResult, Sandbox

pytestmark = pytest.mark.docker

on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the programs are x86-64 code")

#: Programs of one system call each: number, arguments, and the error that strict answers with.
CALLS: dict[str, tuple[int, tuple[int, ...], int]] = {
    # PTRACE_ATTACH to this very test: there is no such process in there.
    "ptrace": (101, (16, os.getpid()), errno.ESRCH),
    "mount": (165, (0, 0, 0, 0x20, 0), errno.EPERM),
    "unshare-user": (272, (0x10000000,), errno.EPERM),
    "unshare-mount": (272, (0x00020000,), errno.EPERM),
    "raw-packets": (41, (17, 3, 0), errno.EPERM),
    "raw-ip": (41, (2, 3, 1), errno.EPERM),
    "bpf": (321, (0, 0, 0), errno.EPERM),
    "kernel-module": (175, (0, 0, 0), errno.EPERM),
    "set-the-clock": (227, (0, 0), errno.EPERM),
    "setuid-to-another": (105, (1000,), errno.EPERM),
}
_REGISTERS = (b"\xbf", b"\xbe", b"\xba")  # mov edi, esi, edx


def program(call: int, arguments: tuple[int, ...]) -> bytes:
    """An ELF executable: one system call, then an exit with its error, or 0."""
    code = b"\x45\x31\xd2\x45\x31\xc0\x45\x31\xc9"  # xor r10d, r8d, r9d
    padded = (*arguments, 0, 0, 0)
    for register, value in zip(_REGISTERS, padded, strict=False):
        code += register + struct.pack("<I", value)
    if len(arguments) > 3:
        code += b"\x41\xba" + struct.pack("<I", arguments[3])  # mov r10d
    code += b"\xb8" + struct.pack("<I", call) + b"\x0f\x05"  # mov eax; syscall
    # A result from -4095 on is an error: neg eax; anything else is none.
    code += b"\x31\xff\x85\xc0\x79\x04\xf7\xd8\x89\xc7"  # xor edi; test; jns +4; neg; mov edi
    return _elf(code + b"\xb8\x3c\x00\x00\x00\x0f\x05")


def effective_user() -> bytes:
    """An ELF executable: exits with the lower byte of its effective user."""
    return _elf(b"\xb8\x6b\x00\x00\x00\x0f\x05\x89\xc7\xb8\x3c\x00\x00\x00\x0f\x05")


def _elf(code: bytes) -> bytes:
    base, size = 0x400000, 120 + len(code)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01", 2, 62, 1, base + 120, 64, 0, 0, 64, 56, 1, 0, 0, 0,
    )  # fmt: skip
    return header + struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 4096) + code


@pytest.fixture(scope="module")
def armed(image: str) -> Iterator[str]:
    """An image with these programs in it, one of them with the setuid bit of root."""
    name = f"{image}-armed"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        programs = {call: program(number, args) for call, (number, args, _) in CALLS.items()}
        for path, data in {**programs, "suid": effective_user()}.items():
            entry = tarfile.TarInfo(f"escape/{path}")
            entry.size, entry.mode = len(data), 0o4755 if path == "suid" else 0o755
            tar.addfile(entry, io.BytesIO(data))
    made = _docker("create", image, "true").strip()
    _docker("cp", "-", f"{made}:/", stdin=packed.getvalue())
    _docker("commit", made, name)
    _docker("rm", made)
    yield name
    _docker("rmi", name)


def _docker(*words: str, stdin: bytes = b"") -> str:
    done = subprocess.run(["docker", *words], input=stdin, capture_output=True, check=True)
    return done.stdout.decode()


@pytest.fixture
def attempt(sandbox_with: Callable[[dict[str, Any]], Sandbox], image: str) -> Any:
    """Runs a command under a profile."""
    sandbox = sandbox_with({})

    async def run(*argv: str, profile: str = "strict", **options: Any) -> ExecResult:
        return await sandbox.exec(argv, profile=profile, **({"image": image} | options))

    return run


def script(line: str) -> tuple[str, ...]:
    return ("sh", "-c", line)


@contextmanager
def listener() -> Iterator[tuple[str, int]]:
    """Something on this machine that containers of the default network can reach."""
    gateway = _docker(
        "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}"
    ).strip()
    with socket.create_server((gateway or "172.17.0.1", 0)) as server:
        server.settimeout(30)

        def greet() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:
                    return
                with client:
                    client.sendall(b"reached\n")

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        yield server.getsockname()[:2]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


async def test_the_network_is_out_of_reach(attempt):
    with listener() as (host, port):
        line = f"nc -w 3 {host} {port} </dev/null"
        assert (await attempt(*script(line), profile="permissive")).stdout == b"reached\n"
        contained = await attempt(*script(line))
    assert contained.stdout == b""
    assert contained.exit_code != 0
    assert (await attempt("ls", "/sys/class/net")).stdout == b"lo\n"


@pytest.mark.parametrize(
    "line",
    [
        "touch /x",
        "echo x >/etc/passwd",
        "mkdir /etc/x",
        "rm -f /bin/busybox",
        # Opened to be written to, and nothing is: where that works, no harm is done.
        ": >/proc/sys/kernel/panic",
        ": >/proc/sysrq-trigger",
        ": >/sys/power/state",
        "mknod /tmp/sda b 8 0",
        "mount -t tmpfs none /tmp",
        "mount -o remount,rw /",
        "mount -t proc proc /tmp",
        "chroot /proc/1/root true",
        "hostname elsewhere",
        "ls /var/run/docker.sock",
        "kill -0 {this_test}",
        "cat /proc/kcore",
        "chown 1000 /tmp",
        "cp /bin/busybox /tmp/busybox && chmod 755 /tmp/busybox && /tmp/busybox true",
    ],
)
async def test_what_is_not_its_own_stays_as_it_is(attempt, line):
    result = await attempt(*script(line.replace("{this_test}", str(os.getpid()))))
    assert result.state is JobState.FAILED, line
    assert result.reason is Reason.EXITED_NONZERO
    assert result.stderr
    assert result.stdout == b""


async def test_the_root_can_be_written_to_without_it_and_tmp_within_it(attempt):
    assert (await attempt(*script("touch /x"), profile="permissive")).ok
    assert (await attempt(*script("echo x >/tmp/x && cat /tmp/x"))).stdout == b"x\n"


async def test_tmp_ends_at_its_size(attempt):
    result = await attempt("dd", "if=/dev/zero", "of=/tmp/x", "bs=1M", "count=100")
    assert b"No space left" in result.stderr
    assert result.exit_code == 1


@on_x86
@pytest.mark.parametrize("call", CALLS)
async def test_a_system_call_that_reaches_out_is_refused(attempt, armed, call):
    result = await attempt(f"/escape/{call}", image=armed)
    assert result.exit_code == CALLS[call][2], errno.errorcode.get(result.exit_code or 0)


@on_x86
@pytest.mark.parametrize("call", ["raw-packets", "raw-ip", "setuid-to-another"])
async def test_the_same_call_works_without_the_profile(attempt, armed, call):
    assert (await attempt(f"/escape/{call}", image=armed, profile="permissive")).exit_code == 0


@on_x86
async def test_a_setuid_program_gives_nothing(attempt, armed):
    freely = await attempt("/escape/suid", image=armed, profile="permissive", user="1000")
    assert freely.exit_code == 0, "without the profile it makes its caller root"
    for profile in ("strict", "standard"):
        kept = await attempt("/escape/suid", image=armed, profile=profile, user="1000")
        assert kept.exit_code == 1000 % 256


async def test_there_are_no_capabilities_and_none_to_gain(attempt):
    result = await attempt("grep", "-E", "^(Cap|NoNewPrivs|Seccomp:)", "/proc/self/status")
    rows = dict(line.split(":\t") for line in result.stdout.decode().splitlines())
    assert rows.pop("NoNewPrivs") == "1"
    assert rows.pop("Seccomp") == "2"
    assert set(rows.values()) == {"0" * 16}
    assert len(rows) == 5


#: Counts without a process of its own: there may be none left.
BOMB = (
    "trap 'set -- /proc/[0-9]*; echo $#' EXIT; "
    "i=0; while [ $i -lt 150 ]; do sleep 20 & i=$((i+1)); done"
)


async def test_a_fork_bomb_is_held_at_its_limit(attempt):
    assert int((await attempt(*script(BOMB), profile="permissive")).stdout) > 150
    for profile in ("strict", "standard"):
        result = await attempt(*script(BOMB), profile=profile)
        assert 32 < int(result.stdout) <= 64
        assert b"can't fork" in result.stderr


async def test_a_bomb_that_grows_by_itself_ends_with_its_time(attempt):
    result = await attempt(*script("b() { b | b & }; b; sleep 30"), timeout_seconds=3)
    assert result.state is JobState.FAILED
    assert result.reason in {Reason.TIMED_OUT, Reason.EXITED_NONZERO}
    assert (await attempt("true")).ok, "the machine still starts processes"


async def test_memory_ends_at_its_limit(attempt):
    result = await attempt("tail", "/dev/zero")
    assert (result.exit_code, result.reason) == (137, Reason.OUT_OF_MEMORY)


async def test_a_processor_is_shared(attempt):
    """Half a processor: two loops together get no more."""
    loop = "timeout 2 sh -c 'while :; do :; done'"
    line = f"{loop} & {loop} & wait; cat /proc/1/stat"
    result = await attempt(*script(line))
    fields = result.stdout.decode().splitlines()[-1].split()
    ticks = int(fields[15]) + int(fields[16])  # cutime and cstime of process 1, proc(5)
    assert 0 < ticks / os.sysconf("SC_CLK_TCK") < 1.6
