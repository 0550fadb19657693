"""A profile is what the Go project's is; a provider honours all of it, or says what it lacks."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.sandbox.places import ABLE, ISOLATION, RESOURCES

from dayfly.contract.errors import InvalidField
from dayfly.contract.honour import refuse_unhonoured
from dayfly.contract.jobs import Isolation, JobSpec, Resources
from dayfly.contract.validate import validate_spec
from dayfly.sandbox import PROFILES, Command
from dayfly.sandbox.command import DEFAULT_IMAGE
from dayfly.sandbox.fit import fit

RUN = Command(argv=("true",), image="i")
STANDARD_DROPS = ("NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE", "SETUID", "SETGID")

AS_JOBS = {
    "strict": JobSpec(
        image="i",
        command=("true",),
        resources=Resources(cpus=0.5, memory_mib=256),
        timeout_seconds=300,
        isolation=Isolation(
            no_network=True,
            read_only_root=True,
            no_new_privileges=True,
            drop_capabilities=("ALL",),
            pids_limit=64,
            tmpfs={"/tmp": 64},
        ),
    ),
    "standard": JobSpec(
        image="i",
        command=("true",),
        resources=Resources(cpus=0.5, memory_mib=256),
        timeout_seconds=300,
        isolation=Isolation(
            no_new_privileges=True, drop_capabilities=STANDARD_DROPS, pids_limit=64
        ),
    ),
    "permissive": JobSpec(image="i", command=("true",)),
}


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_is_these_fields_of_a_job(profile):
    fitted = fit(replace(RUN, profile=profile), ABLE, cancels=True)
    assert fitted[:2] == (AS_JOBS[profile], ())
    validate_spec(fitted.spec)
    refuse_unhonoured(fitted.spec, ABLE)


@pytest.mark.parametrize("profile", ["", "STRICT", "none", "default"])
def test_an_unknown_profile_is_refused(profile):
    with pytest.raises(InvalidField, match="strict, standard, permissive") as refused:
        fit(replace(RUN, profile=profile, best_effort=True), ABLE, cancels=True)
    assert refused.value.field == "profile"


@pytest.mark.parametrize("field", sorted(ISOLATION | RESOURCES))
def test_a_provider_that_lacks_a_part_refuses_or_leaves_out_that_part(field):
    lacking = replace(ABLE, honours=ABLE.honours - {field})
    with pytest.raises(InvalidField) as refused:
        fit(RUN, lacking, cancels=True)
    assert refused.value.field == "profile"
    assert "--profile-best-effort" in refused.value.advice
    fitted = fit(replace(RUN, best_effort=True), lacking, cancels=True)
    part, _, name = field.partition(".")
    plain = getattr(JobSpec(), part)
    whole = AS_JOBS["strict"]
    kept = replace(getattr(whole, part), **{name: getattr(plain, name)})
    assert fitted.spec == replace(whole, **{part: kept})
    (note,) = fitted.notes
    assert "without this of profile 'strict'" in note
    refuse_unhonoured(fitted.spec, lacking)


def test_a_timeout_is_kept_by_whoever_can_stop_jobs():
    careless = replace(ABLE, honours=ABLE.honours - {"timeout_seconds"})
    assert fit(RUN, careless, cancels=True).spec.timeout_seconds == 300
    with pytest.raises(InvalidField, match="a timeout"):
        fit(RUN, careless, cancels=False)
    assert fit(replace(RUN, best_effort=True), careless, cancels=False).spec.timeout_seconds is None


def test_a_limit_of_output_is_kept_by_whoever_can_stop_jobs():
    assert fit(RUN, ABLE, cancels=True).most_printed == 1 << 30
    assert fit(replace(RUN, profile="permissive"), ABLE, cancels=True).most_printed is None
    with pytest.raises(InvalidField, match="no way to give a limit of output"):
        fit(RUN, ABLE, cancels=False)
    lax = fit(replace(RUN, best_effort=True), ABLE, cancels=False)
    assert lax.most_printed is None
    assert "a limit of output" in lax.notes[0]


def test_what_a_command_asks_for_itself_is_not_left_out():
    modest = replace(ABLE, honours=ABLE.honours - RESOURCES)
    asking = replace(RUN, best_effort=True, memory_mib=64)
    spec = fit(asking, modest, cancels=True).spec
    assert spec.resources == Resources(memory_mib=64)
    with pytest.raises(InvalidField) as refused:
        refuse_unhonoured(spec, modest)
    assert refused.value.field == "resources.memory_mib"


def test_a_network_that_is_asked_for_takes_the_place_of_the_profiles():
    spec = fit(replace(RUN, network="ci"), ABLE, cancels=True).spec
    assert (spec.network, spec.isolation.no_network) == ("ci", False)
    spec = fit(replace(RUN, network="none", profile="permissive"), ABLE, cancels=True).spec
    assert (spec.network, spec.isolation.no_network) == ("", True)


def test_no_image_is_the_default_where_there_are_images():
    bare = replace(RUN, image="", profile="permissive")
    assert fit(bare, ABLE, cancels=True).spec.image == DEFAULT_IMAGE
    processes = replace(ABLE, honours=ABLE.honours - {"image"})
    fitted = fit(bare, processes, cancels=True)
    assert fitted.spec.image == ""
    assert "runs no images" in fitted.notes[0]


def test_a_secret_reference_in_env_is_a_secret():
    command = replace(RUN, env={"A": "1", "B": "secret://ci/b#k"}, secrets={"C": "env:C"})
    spec = fit(command, ABLE, cancels=True).spec
    assert spec.env == {"A": "1"}
    assert spec.secrets == {"B": "secret://ci/b#k", "C": "env:C"}
    validate_spec(spec)
    with pytest.raises(InvalidField, match="both env and secrets"):
        fit(replace(RUN, env={"A": "1"}, secrets={"A": "env:A"}), ABLE, cancels=True)
