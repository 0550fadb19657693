"""References become values in the plugin's process, and values never leave it."""

from __future__ import annotations

import base64
import json
import logging
import os

import grpc
import pytest

from dayfly.contract.errors import InvalidField, NotFound
from dayfly.contract.jobs import Reason
from dayfly.contract.wire import dayfly_v1_pb2 as v1
from dayfly.contract.wire import iac_pb2 as iac
from dayfly.sdk.log import HclogHandler
from dayfly.sdk.redaction import hide, redact
from dayfly.sdk.secrets import SecretResolver

CANARY = 'canary-7f3a "quoted"/slash'


async def test_the_environment_a_file_and_a_portable_name(monkeypatch, tmp_path):
    monkeypatch.setenv("DB", "from-env")
    file = tmp_path / "secret"
    file.write_bytes(b"from-file\n\n")
    bundle = tmp_path / "bundle"
    bundle.write_text(json.dumps({"user": "u", "password": "from-bundle"}))
    resolver = SecretResolver({"db": "env:DB", "bundle": f"file:{bundle}"})
    assert await resolver.resolve(
        {
            "A": "env:DB",
            "B": f"file:{file}",
            "C": "secret://db",
            "D": "secret://bundle#password",
        }
    ) == {"A": "from-env", "B": "from-file\n", "C": "from-env", "D": "from-bundle"}


@pytest.mark.parametrize(
    "reference",
    ["hunter2-the-value", "file:relative", "keyring:no-user", "vault:x", "", "keyring:/"],
)
async def test_what_is_no_reference_is_refused_and_not_shown(reference):
    with pytest.raises(InvalidField) as caught:
        await SecretResolver().resolve({"A": reference})
    assert caught.value.field == "secrets.A"
    assert not reference or reference not in str(caught.value)


async def test_what_is_not_there_is_unavailable(tmp_path):
    large = tmp_path / "large"
    large.write_bytes(b"x" * (64 * 1024 + 1))
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe canary")
    zero = tmp_path / "zero"
    zero.write_bytes(b"a\0b")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    plain = tmp_path / "plain"
    plain.write_text("not json")
    resolver = SecretResolver({"plain": f"file:{plain}"})
    for reference in (
        "env:NO_SUCH_VARIABLE",
        "file:/no/such/file",
        f"file:{tmp_path}",
        f"file:{large}",
        f"file:{binary}",
        f"file:{zero}",
        f"file:{pipe}",
        "secret://unmapped",
        "secret://plain#key",
    ):
        with pytest.raises(NotFound) as caught:
            await resolver.resolve({"A": reference})
        assert caught.value.reason is Reason.SECRET_UNAVAILABLE
        assert caught.value.field == "secrets.A"
        assert caught.value.advice


def test_a_table_of_portable_names_is_checked():
    for mapping in ({"a": "secret://b"}, {"a": "nonsense"}, {"a": 5}):
        with pytest.raises(InvalidField) as caught:
            SecretResolver(mapping)
        assert caught.value.field == "secrets.a"


def test_a_hidden_value_is_hidden_in_every_guise():
    value = 'pass/word "1"\nsecond-line'
    hide(value)
    packed = base64.b64encode(value.encode()).decode()
    shown = redact(
        f"{value} {value!r} {json.dumps(value)} {packed} second-line pass%2Fword%20%221%22"
    )
    for part in ("word", "second", packed.rstrip("=")):
        assert part not in shown


def test_what_is_too_short_to_be_a_secret_does_not_shred_the_log():
    hide("abc")
    assert redact("abcdef") == "abcdef"


async def test_no_value_leaves_the_plugin_in_an_error_or_a_log(start):
    async with start(CANARY=CANARY) as plugin:
        request = v1.Submission(
            spec=iac.JobSpec(env_vars_secret={"A": "secret://canary"}),
            idempotency_key="k",
            command=["leak"],
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await plugin.submit.Plan(request)
        assert "cannot log in with" in caught.value.details()
        everything = repr(caught.value) + repr(caught.value.trailing_metadata())
        _, _, log = await plugin.shut_down()
        assert "connecting with" in log
        assert "Traceback" in log
        for text in (everything, log):
            assert "canary-7f3a" not in text
            assert "quoted" not in text


def test_the_log_is_hclog_with_text_in_every_field():
    reading, writing = os.pipe()
    logger = logging.getLogger("a.module")
    handler = HclogHandler(writing)
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        raise ValueError("x" * 100_000)
    except ValueError:
        logger.exception("two\nlines of %s", 1)
    logger.debug("ünï" * 30_000)
    logger.removeHandler(handler)
    os.close(writing)
    with os.fdopen(reading) as log:
        lines = log.read().splitlines()
    first, second = map(json.loads, lines)
    assert all(isinstance(value, str) for value in first.values())
    assert (first["@level"], first["@message"]) == ("error", "two\nlines of 1")
    assert first["@module"] == "a.module"
    assert second["@level"] == "debug"
    assert max(map(len, lines)) < 64 * 1024
