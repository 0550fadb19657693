"""From a job to the component that runs it, and to the app made for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dayfly.contract.errors import InvalidField
from dayfly.providers.digitalocean.command import run_command
from dayfly.providers.digitalocean.handles import COMPONENT
from dayfly.providers.digitalocean.images import parse_image
from dayfly.providers.digitalocean.own import own_name, sentinel_of
from dayfly.providers.digitalocean.sizes import choose
from dayfly.providers.digitalocean.variables import check_variables, to_resolve, variables
from dayfly.providers.digitalocean.verdicts import PRE_DEPLOY
from dayfly.sdk.redaction import hide

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.contract.jobs import JobSpec, Submission
    from dayfly.providers.digitalocean.config import Config
    from dayfly.providers.digitalocean.images import Image

#: Source: DigitalOcean's OpenAPI definition, app_job_spec_termination.
_GRACE: Final = range(1, 601)
_HOSTS: Final = {"DOCKER_HUB": "docker.io", "GHCR": "ghcr.io"}
REGISTRY: Final = "registry_credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What is put into a request beside the job: values to send, references to show.

    Attributes:
        secrets: Variable names to values.
        registry: ``USER:PASSWORD`` of the image's registry; empty for a public image.
    """

    secrets: Mapping[str, str]
    registry: str = ""


def sentinel_for(submission: Submission, config: Config) -> str:
    """What stands before the exit code that a job prints; empty where it prints none."""
    return sentinel_of(submission.key) if config.self_reported_exit else ""


def check(spec: JobSpec, config: Config) -> Image:
    """Refuse what can never work, before anything is created; the image, taken apart.

    Raises:
        InvalidField: Naming the field.
    """
    image = parse_image(spec.image)
    if config.tags == "refuse" and not image.digest:
        raise InvalidField(
            f"image {spec.image!r} is named by a tag, and tags is 'refuse'",
            field="image",
            advice="Name it by its digest: IMAGE@sha256:...",
        )
    check_variables(spec)
    grace = spec.grace_period_seconds
    if grace is not None and grace not in _GRACE:
        raise InvalidField(
            f"grace_period_seconds is {grace}; allowed: {_GRACE[0]} to {_GRACE[-1]}",
            field="grace_period_seconds",
        )
    choose(spec.resources, size=config.size, cpu=config.cpu)
    run_command(spec, sentinel="..." if config.self_reported_exit else "")
    return image


def credentials_of(image: Image, config: Config) -> dict[str, str]:
    """The reference to the credentials of the image's registry, if there is one."""
    host = _HOSTS.get(image.kind, "")
    reference = config.registry_credentials.get(host, "")
    return {REGISTRY: reference} if reference else {}


def check_credentials(value: str) -> None:
    """Refuse what App Platform takes for no credentials, and show none of it from now on.

    Raises:
        InvalidField: It is not ``USER:PASSWORD``.
    """
    user, colon, password = value.partition(":")
    hide(password)
    if not (user and colon and password):
        raise InvalidField(
            "registry_credentials: what the reference names is not USER:PASSWORD",
            field=REGISTRY,
            advice="Store the user's name, a colon, and the password or token.",
        )


def references(spec: JobSpec, image: Image, config: Config) -> Values:
    """References, in the places of their values."""
    registry = credentials_of(image, config).get(REGISTRY, "")
    return Values(secrets=to_resolve(spec), registry=registry)


def component(
    submission: Submission, config: Config, image: Image, values: Values, *, name: str = COMPONENT
) -> dict[str, Any]:
    """The job's component.

    Args:
        submission: The job and its key.
        config: Default size.
        image: By digest where tags are resolved.
        values: What stands for the secrets.
        name: The component's name.
    """
    spec = submission.spec
    source = image.source()
    if values.registry:
        source["registry_credentials"] = values.registry
    made: dict[str, Any] = {
        "name": name,
        "kind": PRE_DEPLOY,
        "image": source,
        "instance_count": 1,
        "instance_size_slug": choose(spec.resources, size=config.size, cpu=config.cpu).slug,
        "envs": variables(submission, values.secrets),
    }
    command = run_command(spec, sentinel=sentinel_for(submission, config))
    if command:
        made["run_command"] = command
    if spec.grace_period_seconds is not None:
        made["termination"] = {"grace_period_seconds": spec.grace_period_seconds}
    return made


def app_body(
    submission: Submission, config: Config, image: Image, values: Values
) -> dict[str, Any]:
    """The request that makes the app of a job."""
    spec: dict[str, Any] = {"name": own_name(submission.key)}
    if config.region:
        spec["region"] = config.region
    spec["jobs"] = [component(submission, config, image, values)]
    body: dict[str, Any] = {"spec": spec}
    if config.project_id:
        body["project_id"] = config.project_id
    return body


def notes(spec: JobSpec, config: Config, named: Image, sent: Image) -> tuple[str, ...]:
    """What was rounded or chosen, a sentence each."""
    said = [choose(spec.resources, size=config.size, cpu=config.cpu).note]
    if sent.digest and not named.digest:
        said.append(f"{named.path}:{named.tag} is {sent.digest} now.")
    elif not sent.digest:
        said.append(f"{named.path}:{named.tag} is pulled by its tag, whatever it names then.")
    return tuple(filter(None, said))
