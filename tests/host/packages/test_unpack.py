"""Hostile archives, each by what is wrong with it; nothing ever lands outside."""

from __future__ import annotations

import gzip
import io
import resource
import stat
import tarfile
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.host.packages.shelf import PROGRAM, folder, good_members, member, tar_gz

from dayfly.contract.errors import FailedPrecondition, InvalidField
from dayfly.host.packages.unpack import Limits, unpack

SMALL = Limits(files=10, bytes=100_000)


@pytest.fixture
def into(tmp_path):
    directory = tmp_path / "into"
    directory.mkdir()
    return directory


def put(tmp_path, data: bytes):
    path = tmp_path / "x.tar.gz"
    path.write_bytes(data)
    return path


def test_a_good_one(tmp_path, into):
    top = unpack(put(tmp_path, tar_gz(good_members())), into)
    assert top == into / "raw"
    assert (top / "raw").read_text() == PROGRAM
    assert stat.S_IMODE((top / "raw").stat().st_mode) == 0o755
    assert (top / "data" / "note.txt").read_text() == "a note\n"


@pytest.mark.parametrize("at", ["", "./"])
def test_files_at_the_top_are_where_the_archive_is(tmp_path, into, at):
    """As release tools make them by default."""
    members = [folder("."), member(f"{at}raw"), member(f"{at}data/note.txt")]
    assert unpack(put(tmp_path, tar_gz(members)), into) == into
    assert sorted(path.name for path in into.iterdir()) == ["data", "raw"]


def link(name: str, to: str, kind: bytes = tarfile.SYMTYPE):
    return member(name, type=kind, linkname=to)


HOSTILE = {
    "dots": ([member("raw/../../evil", b"x")], "leads out"),
    "dots at the front": ([member("../evil", b"x")], "leads out"),
    "absolute": ([member("/tmp/evil", b"x")], "absolute"),
    "backslash": ([member("raw\\..\\evil", b"x")], "leads out"),
    "symlink out": ([link("raw/etc", "../../..")], "is a link, to '../../..'"),
    "symlink to root": ([link("raw/etc", "/etc")], "is a link"),
    "symlink within": ([link("raw/also", "raw")], "is a link"),
    "write through a link": (
        [link("raw/out", "/tmp"), member("raw/out/evil", b"x")],
        "is a link",
    ),
    "hardlink": ([link("raw/pw", "/etc/passwd", tarfile.LNKTYPE)], "is a link"),
    "character device": ([member("raw/null", type=tarfile.CHRTYPE)], "neither a file"),
    "block device": ([member("raw/disk", type=tarfile.BLKTYPE)], "neither a file"),
    "fifo": ([member("raw/pipe", type=tarfile.FIFOTYPE)], "neither a file"),
    "a file without a name": ([member(".", b"x")], "has no name"),
    "twice": ([member("raw/a", b"x"), member("raw/A", b"y")], "twice"),
    "nothing": ([], "nothing in it"),
    "too many": ([folder("raw"), *(member(f"raw/{n}") for n in range(10))], "over 10 files"),
    "too large": ([member("raw/big", bytes(100_001))], "over 100000 bytes"),
    "too large together": (
        [member(f"raw/{n}", bytes(50_000)) for n in range(5)],
        "more in it than",
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_one_is_refused_by_what_is_wrong(tmp_path, into, kind):
    members, said = HOSTILE[kind]
    with pytest.raises(InvalidField) as caught:
        unpack(put(tmp_path, tar_gz(members)), into, limits=SMALL)
    assert said in caught.value.message
    assert caught.value.message.startswith("x.tar.gz: ")
    assert caught.value.field == "archive"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["into", "x.tar.gz"]


def test_a_bomb_is_not_read_to_its_end(tmp_path, into):
    """A gigabyte of zeros behind the end of the tar, in a megabyte of gzip."""
    small = io.BytesIO(tar_gz(good_members()))
    with gzip.open(tmp_path / "x.tar.gz", "wb", compresslevel=9) as bomb:
        bomb.write(gzip.decompress(small.getvalue()))
        for _ in range(32):
            bomb.write(bytes(1 << 20))
    with pytest.raises(InvalidField, match="more in it than a plugin may have"):
        unpack(tmp_path / "x.tar.gz", into, limits=SMALL)


def test_a_sparse_file_is_no_way_around_the_limit(tmp_path, into):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("raw/hole")
        info.pax_headers = {
            "GNU.sparse.size": str(1 << 40),
            "GNU.sparse.map": f"0,1,{1 << 39},0",
        }
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(InvalidField):
        unpack(put(tmp_path, gzip.compress(raw.getvalue())), into, limits=SMALL)
    assert not list(into.rglob("hole"))


@pytest.mark.parametrize("keep", [0, 1, 10, 40, 200, -9, -1])
def test_a_truncated_one_is_refused(tmp_path, into, keep):
    whole = tar_gz(good_members())
    with pytest.raises(InvalidField, match=r"cannot be unpacked|nothing in it"):
        unpack(put(tmp_path, whole[:keep]), into)


def test_a_full_disk_is_not_the_archives_fault(tmp_path, into):
    members = [folder("raw"), member("raw/big", bytes(50_000))]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    archive = put(tmp_path, tar_gz(members))
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(
            FailedPrecondition, match=r"into cannot hold what is in x\.tar\.gz: File"
        ):
            unpack(archive, into)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_damaged_one_is_refused(tmp_path, into):
    whole = bytearray(tar_gz(good_members()))
    whole[-6] ^= 1
    with pytest.raises(InvalidField, match="cannot be unpacked"):
        unpack(put(tmp_path, bytes(whole)), into)


def test_rights_are_those_of_a_plugin(tmp_path, into):
    members = [folder("raw"), member("raw/raw", b"x", mode=0o6777, uid=0, gid=0)]
    top = unpack(put(tmp_path, tar_gz(members)), into)
    assert stat.S_IMODE((top / "raw").stat().st_mode) == 0o755


@given(data=st.binary(max_size=400), at=st.integers(0, 1500))
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_comes_it_is_unpacked_or_refused(tmp_path_factory, data, at):
    directory = tmp_path_factory.mktemp("any")
    raw = bytearray(gzip.decompress(tar_gz(good_members())))
    raw[at : at + len(data)] = data
    (directory / "into").mkdir()
    path = put(directory, gzip.compress(bytes(raw)))
    with suppress(InvalidField):
        unpack(path, directory / "into", limits=SMALL)
    assert sorted(p.name for p in directory.iterdir()) == ["into", "x.tar.gz"]
