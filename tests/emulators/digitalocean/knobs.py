"""What a test may set: durations, beliefs, faults and what the account contains."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from tests.emulators.fault import Fault as AnyFault
from tests.emulators.rates import Rate
from tests.emulators.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What DigitalOcean publishes: 250 requests a minute and 5,000 an hour.
#: Source: docs.digitalocean.com/reference/api, "Rate limit".
PUBLISHED_RATES = (Rate(250, 250 / 60), Rate(5000, 5000 / 3600))

__all__ = ["PUBLISHED_RATES", "Fault", "Knobs", "Rate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault(AnyFault):
    """What DigitalOcean adds to any fault.

    ``throttled`` answers 429 and asks for ``seconds`` of patience; ``unauthorized`` 401,
    ``denied`` 403 and ``conflict`` 409, with nothing done. An operation is one of the definition
    such as ``apps_create``; ``account_get`` and ``registry_tags`` of the same API; ``manifest``
    and ``registry_token`` of a registry; ``live`` and ``archive`` of output; ``apps``,
    ``registry`` or ``logs`` for all of each, or ``*``.
    """

    KINDS: ClassVar = (*AnyFault.KINDS, "throttled", "unauthorized", "denied", "conflict")


@dataclass(frozen=True, slots=True, kw_only=True)
class Knobs(Settings):
    """All settings. A deployment keeps those that were set when it was made.

    Attributes:
        check: Check requests and answers against the definition; off for load.
        rates: Token buckets; a call takes from each of them.
        faults: What goes wrong.
        tokens: API tokens that are accepted; empty accepts any.

        executor: ``scripted`` (no container) or ``docker``.
        local_images: Repository, such as ``library/busybox``, to what the engine has of it;
            ``*`` stands for all others.
        missing_images: Repositories that no registry has.
        run_command_shell: ``run_command`` goes to ``/bin/sh -c`` instead of being split into
            words as a shell would [?].
        default_run_seconds: How long a command runs that is no job script.
        job_timeout_seconds: Ends a deploy-time job that has no ``timeout`` of its own.

        pending_build_seconds: PENDING_BUILD, in ``pending_deployment``, lasts that long,
        building_seconds: then BUILDING, if at all,
        pending_deploy_seconds: then PENDING_DEPLOY. DEPLOYING lasts as its jobs do,
        service_seconds: and that long for services after them.
        failing_services: Services that never get healthy, so their deployment fails.
        missing_seconds: So long a new app is in no list, and 404 by its id [?].
        pending_in_answer: The answer to a create or update has ``pending_deployment`` [?].
        slots_forget_seconds: So long a deployment that failed or was cancelled stays in
            ``in_progress_deployment``; None keeps it there until the next one [?].
        second_deployment_effect: A second deployment of an app ends the first as ``CANCELED``
            or as ``SUPERSEDED`` [?].
        second_deployment: So many seconds after the first deployment of each app, somebody else
            deploys it again; None leaves it alone.
        cancel_waits: A deployment is CANCELED when its jobs have stopped, not before [?].
        name_taken_status: 409 or 422, to a create with a name that is in use [?].
        jobs_only: An app that has nothing but jobs is accepted [?].
        whole_seconds: Apps and deployments have times without a fraction, as documented.
        zero_times: A time that is yet to come is given as the year 1 instead of left out [?].

        invocations: A deploy-time job makes an invocation [?],
        invocation_lag_seconds: which shows so long after its deployment began to deploy.
        invocation_cancel: An invocation can be cancelled itself [?],
        invocation_cancel_status: or this is the answer.
        invocation_cancelled_phase: The deployment of a job that was cancelled so: ``ERROR``
            or ``CANCELED`` [?].
        nonzero_code: The step's reason code of a job that exits otherwise than with 0 [?].
        oom_code: The same, of one that was killed for its memory [?].

        log_types: Where a job's output is found: ``JOB_INVOCATION``, ``RUN``, ``DEPLOY`` [?].
        log_prefix: Every line of output has its component's name and its time in front, and
            each is a frame of its own, as doctl's ``--no-prefix`` expects of both [?].
        log_url_seconds: Addresses of output are good for that long.
        live_ends_without_follow: Without ``follow=true`` a live stream is closed when all that
            is there was sent, also while the job runs [?].
        live_with_archive: ``live_url`` is given beside ``historic_urls`` as well [?].
        live_frame_bytes: A frame of the live stream holds that much at most.
        live_cut_after_bytes: Live streams break after so many bytes; 0 leaves them whole.
        live_cuts: How many streams of a job break so.
        live_cut_code: They are closed with this code; 0 resets the connection.
        archive_lag_seconds: So long after a job's end its output is archived.
        archive_settle_seconds: For so long after that, archives hold the first half only [?].
        archive_file_bytes: The most in one archived file.
        archive_of_nothing: A job without output has an empty file, instead of none [?].
        archive_raw: Archives hold bytes that are no text as they were; live streams, which are
            JSON, hold U+FFFD in their place in any case [?].

        bindables: Values such as ``{"db.DATABASE_URL": "postgresql://..."}``; what is not
            named here is made up for components that the app has.
        account_status: ``active``, ``warning`` or ``locked``.
        disabled_regions: Regions that take no new apps.
        digests: ``docker.io/library/busybox:1.36`` to its digest; a tag that is not named has
            a digest made from its name,
        any_tag: unless only those that are named exist.
        private_images: ``ghcr.io/owner/tool`` to the ``USER:PASSWORD`` that it needs.
    """

    FAULT: ClassVar = Fault

    check: bool = True
    rates: tuple[Rate, ...] = ()
    faults: tuple[Fault, ...] = ()
    tokens: tuple[str, ...] = ()

    executor: str = "scripted"
    local_images: Mapping[str, str] = field(default_factory=lambda: {"*": "dayfly-test:latest"})
    missing_images: tuple[str, ...] = ()
    run_command_shell: bool = False
    default_run_seconds: float = 0.05
    job_timeout_seconds: float = 1800.0

    pending_build_seconds: float = 0.02
    building_seconds: float = 0.0
    pending_deploy_seconds: float = 0.02
    service_seconds: float = 0.02
    failing_services: tuple[str, ...] = ()
    missing_seconds: float = 0.0
    pending_in_answer: bool = True
    slots_forget_seconds: float | None = 0.0
    second_deployment_effect: str = "CANCELED"
    second_deployment: float | None = None
    cancel_waits: bool = True
    name_taken_status: int = 409
    jobs_only: bool = True
    whole_seconds: bool = True
    zero_times: bool = False

    invocations: bool = True
    invocation_lag_seconds: float = 0.0
    invocation_cancel: bool = True
    invocation_cancel_status: int = 400
    invocation_cancelled_phase: str = "ERROR"
    nonzero_code: str = "DeployContainerExitNonZero"
    oom_code: str = "DeployContainerOOMKilled"

    log_types: tuple[str, ...] = ("JOB_INVOCATION", "RUN")
    log_prefix: bool = True
    log_url_seconds: float = 900.0
    live_ends_without_follow: bool = True
    live_with_archive: bool = False
    live_frame_bytes: int = 16384
    live_cut_after_bytes: int = 0
    live_cuts: int = 1
    live_cut_code: int = 0
    archive_lag_seconds: float = 0.0
    archive_settle_seconds: float = 0.0
    archive_file_bytes: int = 1 << 20
    archive_of_nothing: bool = True
    archive_raw: bool = False

    bindables: Mapping[str, str] = field(default_factory=dict)
    account_status: str = "active"
    disabled_regions: tuple[str, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    any_tag: bool = True
    private_images: Mapping[str, str] = field(default_factory=dict)
