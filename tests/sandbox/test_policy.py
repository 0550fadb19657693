"""What an agent admits, clamps and refuses; and who it listens to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dayfly.contract.errors import DayflyError, FailedPrecondition, InvalidField, PermissionDenied
from dayfly.contract.jobs import JobState, Reason
from dayfly.contract.wire.sandbox_pb2 import SandboxExecRequest
from dayfly.sandbox import Command
from dayfly.sandbox.agent.bearer import Bearer
from dayfly.sandbox.agent.policy import Policy, check_pattern
from dayfly.sandbox.agent.server import Setup, check
from dayfly.sandbox.wire import Trailer, trailer_from_wire, trailer_to_wire

POLICY = Policy(images=("ci/*", "alpine:3"), highest="standard", secret_prefixes=("ci/",))
ASKED = SandboxExecRequest(profile="strict", image="ci/a:1", command=["x", "y"], workdir="/w")


def asked(**fields: object) -> SandboxExecRequest:
    request = SandboxExecRequest()
    request.CopyFrom(ASKED)
    env = fields.pop("env", {})
    request.MergeFrom(SandboxExecRequest(**fields))  # type: ignore[arg-type]
    request.env.update(env)  # type: ignore[arg-type]
    return request


def test_a_request_becomes_a_command():
    request = asked(env={"A": "1", "B": "secret://ci/b"})
    assert POLICY.admit(request) == Command(
        argv=("x", "y"),
        image="ci/a:1",
        profile="strict",
        env={"A": "1", "B": "secret://ci/b"},
        working_dir="/w",
    )
    elsewhere = replace(POLICY, provider="prod").admit(request)
    assert (elsewhere.exec_env, elsewhere.provider) == ("provider-ephemeral", "prod")


@pytest.mark.parametrize(
    ("highest", "given"),
    [
        ("strict", {"strict": "strict", "standard": "strict", "permissive": "strict"}),
        ("standard", {"strict": "strict", "standard": "standard", "permissive": "standard"}),
        ("permissive", {"strict": "strict", "standard": "standard", "permissive": "permissive"}),
    ],
)
def test_a_profile_is_clamped_to_the_highest_and_never_loosened(highest, given):
    policy = replace(POLICY, highest=highest)
    assert {name: policy.clamped(name) for name in given} == given
    assert policy.clamped("") == "strict"


@pytest.mark.parametrize("profile", ["STRICT", "default", "root"])
def test_an_unknown_profile_is_refused(profile):
    with pytest.raises(InvalidField):
        POLICY.admit(asked(profile=profile))


@pytest.mark.parametrize(
    ("pattern", "image", "runs"),
    [
        ("ci/*", "ci/a:1", True),
        ("ci/*", "ci/a/b", False),
        ("ci/**", "ci/a/b@sha256:0", True),
        ("ci/*", "evil.example/ci/a", False),
        ("ci/*", "ci/a\nb", False),
        ("alpine*", "alpine.evil.example/x", False),
        ("alpine:3", "alpine:33", False),
        ("alpine.3", "alpine-3", False),
        ("**", "anything/at:all", True),
    ],
)
def test_an_image_is_matched_whole(pattern, image, runs):
    policy = Policy(images=(check_pattern(pattern),))
    request = SandboxExecRequest(image=image, command=["x"])
    if runs:
        assert policy.admit(request).image == image
    else:
        with pytest.raises(PermissionDenied):
            policy.admit(request)


@pytest.mark.parametrize("pattern", ["", " ", "a b"])
def test_a_pattern_that_is_none_is_refused(pattern):
    with pytest.raises(InvalidField):
        check_pattern(pattern)


@pytest.mark.parametrize(
    "reference",
    ["secret://prod/a", "secret://ci", "secret://", "secret://ci/../prod/a", "secret://ci/./a"],
)
def test_a_secret_beyond_the_prefixes_is_refused(reference):
    with pytest.raises(PermissionDenied) as refused:
        POLICY.admit(asked(env={"A": reference}))
    assert refused.value.field == "env.A"
    assert "prod" not in str(refused.value)
    with pytest.raises(PermissionDenied):
        replace(POLICY, secret_prefixes=()).admit(asked(env={"A": "secret://ci/a"}))


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (SandboxExecRequest(image="ci/a"), "command"),
        (SandboxExecRequest(command=["x"]), "image"),
        (SandboxExecRequest(image="ci/a", command=["x"], env={"A": "\0"}), "env.A"),
        (SandboxExecRequest(image="ci/a", command=["x"] * 100_001), "command"),
        (
            SandboxExecRequest(
                image="ci/a", command=["x"], env={f"A{n}": "" for n in range(10_001)}
            ),
            "env",
        ),
    ],
)
def test_what_can_never_run_is_refused(request_, field):
    with pytest.raises(InvalidField) as refused:
        POLICY.admit(request_)
    assert refused.value.field == field


GOOD = Setup(name="a", listen="127.0.0.1:0", token="t" * 32, cert=b"c", key=b"k", policy=POLICY)


@pytest.mark.parametrize(
    ("change", "kind", "field"),
    [
        ({"cert": b""}, FailedPrecondition, "tls_cert"),
        ({"key": b""}, FailedPrecondition, "tls_cert"),
        ({"token": ""}, FailedPrecondition, "token"),
        ({"token": "short"}, InvalidField, "token"),
        ({"token": "t" * 32 + "\n"}, InvalidField, "token"),
        ({"policy": replace(POLICY, images=())}, InvalidField, "allow_image"),
        ({"policy": replace(POLICY, highest="none")}, InvalidField, "profile"),
    ],
)
def test_an_agent_does_not_start_without_tls_a_token_and_a_policy(change, kind, field):
    check(GOOD)
    with pytest.raises(DayflyError) as refused:
        check(replace(GOOD, **change))
    assert (type(refused.value), refused.value.field) == (kind, field)


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("Bearer right-token", True),
        ("Bearer wrong-token", False),
        ("Bearer right-tokenX", False),
        ("Bearer ", False),
        ("Basic right-token", False),
        ("bearer right-token", False),
        ("right-token", False),
        ("", False),
        (b"Bearer right-token", False),
        ("Bearer \u00e9", False),
    ],
)
def test_a_token_is_known_whole_or_not(header, known):
    assert Bearer("right-token").knows(header) is known


def test_what_the_chunks_cannot_say_goes_beside_them_and_comes_back():
    trailer = Trailer(
        state=JobState.FAILED,
        reason=Reason.OUT_OF_MEMORY,
        profile="strict",
        message="ended by é",
        notes=("one", "two"),
        output_lost="gone",
    )
    assert trailer_from_wire(trailer_to_wire(trailer)) == trailer
    assert trailer_from_wire(()) == Trailer()
    assert trailer_from_wire([("dayfly-state", "ASLEEP"), ("x", b"\xff")]) == Trailer()
    large = Trailer(message="x" * 10**6, notes=("y" * 10**6,) * 100)
    assert sum(len(value) for _, value in trailer_to_wire(large)) < 8192
