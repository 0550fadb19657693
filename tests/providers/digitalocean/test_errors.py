"""What DigitalOcean and the way to it answer, in dayfly's errors."""

from __future__ import annotations

import json
import time

import httpx
import pytest
from websockets.datastructures import Headers
from websockets.exceptions import InvalidStatus, InvalidURI
from websockets.http11 import Response

from dayfly.contract.errors import (
    AlreadyExists,
    Conflict,
    DayflyError,
    DeadlinePassed,
    FailedPrecondition,
    InvalidField,
    NotFound,
    PermissionDenied,
    ProviderFailed,
    Throttled,
    Transient,
    Unauthenticated,
    Unavailable,
)
from dayfly.providers.digitalocean.errors import from_status, is_name_taken, retry_after, words_of
from dayfly.providers.digitalocean.way import from_transport, from_websocket, shown

KINDS: dict[int, type[DayflyError]] = {
    400: InvalidField,
    401: Unauthenticated,
    402: FailedPrecondition,
    403: PermissionDenied,
    404: NotFound,
    405: ProviderFailed,
    408: DeadlinePassed,
    409: Conflict,
    412: FailedPrecondition,
    418: ProviderFailed,
    422: InvalidField,
    423: Conflict,
    429: Throttled,
    500: Unavailable,
    501: Unavailable,
    502: Unavailable,
    503: Unavailable,
    504: Unavailable,
    301: ProviderFailed,
}


@pytest.mark.parametrize(("status", "kind"), KINDS.items())
def test_every_status(status: int, kind: type[DayflyError]) -> None:
    error = from_status(status, "in its own words", "creating the app dayfly-1")
    assert type(error) is kind
    said = f"creating the app dayfly-1: DigitalOcean answered {status}: in its own words"
    assert error.message.startswith(said)
    # Whoever tries again after these must look first.
    assert ("may have been carried out" in error.message) == (status >= 500)


@pytest.mark.parametrize(("status", "advice"), [(401, "DIGITALOCEAN_TOKEN"), (403, "app:create")])
def test_what_to_do_about_it(status: int, advice: str) -> None:
    assert advice in from_status(status, "no", "x").advice


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("error validating app spec field jobs[0].instance_size_slug: unknown", "resources"),
        ("jobs[0].image.registry_credentials: malformed", "registry_credentials"),
        ("image tag not found in the repository", "image"),
        ("digest is no digest", "image"),
        ("run_command is too long", "command"),
        ("termination.grace_period_seconds is over 600", "grace_period_seconds"),
        ("jobs[0].envs: duplicate key", "env"),
        ("region is not available", "region"),
        ("project not found", "project_id"),
        ("app name must match", "name"),
        ("something else", ""),
    ],
)
def test_the_field_that_is_meant(words: str, field: str) -> None:
    assert from_status(400, words, "x").field == field
    assert from_status(422, words, "x").field == field
    # Of other refusals nobody says that a field is wrong.
    assert from_status(403, words, "x").field == ""


def test_how_long_to_wait() -> None:
    now = time.time()
    assert retry_after({}) is None
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after": "7", "ratelimit-reset": str(int(now) + 99)}) == 7
    # It comes with each answer, also with a 503 that has nothing to do with rates.
    assert retry_after({"ratelimit-reset": str(int(now) + 100)}) is None
    used_up = {"ratelimit-remaining": "0"}
    assert retry_after({**used_up, "ratelimit-reset": str(int(now) + 100)}) == pytest.approx(
        100, abs=5
    )
    assert retry_after({**used_up, "ratelimit-reset": str(int(now) - 100)}) == 0
    # An hour at most, whatever it says; and a date is none of the documented forms.
    assert retry_after({"retry-after": "999999"}) == 3600
    assert retry_after({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}) is None
    assert retry_after({"retry-after": "-1"}) is None


@pytest.mark.parametrize(("status", "wait"), [(429, 7), (503, 7), (500, None), (400, None)])
def test_who_says_how_long_to_wait(status: int, wait: float | None) -> None:
    error = from_status(status, "no", "x", httpx.Headers({"Retry-After": "7"}))
    assert error.retry_after_seconds == wait


@pytest.mark.parametrize(
    ("status", "words", "taken"),
    [
        (409, "conflict", True),
        (422, "app name dayfly-1 is already in use", True),
        (400, "an app with this name already exists", True),
        (400, "name is not available", True),
        (400, "image name is not available", False),
        (422, "registry_credentials already exists", False),
        (400, "malformed", False),
        (403, "name already exists", False),
        (500, "already exists", False),
    ],
)
def test_a_name_that_is_taken(status: int, words: str, *, taken: bool) -> None:
    assert is_name_taken(from_status(status, words, "creating the app dayfly-1")) is taken
    assert is_name_taken(AlreadyExists("x"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (json.dumps({"id": "not_found", "message": "no app"}), "not_found: no app"),
        (json.dumps({"message": "no app"}), "no app"),
        (json.dumps({"id": 1, "message": 2}), '{"id": 1, "message": 2}'),
        ("<html>busy</html>", "<html>busy</html>"),
        ("x" * 1000, "x" * 300),
        ("", "nothing"),
    ],
)
def test_its_own_words(body: str, words: str) -> None:
    assert words_of(httpx.Response(500, text=body)) == words


REQUEST = httpx.Request("GET", "https://logs.example/x?token=canary")
LOST = "may have been carried out"


@pytest.mark.parametrize(
    ("error", "said", "advice"),
    [
        (httpx.ConnectError("refused", request=REQUEST), "cannot be reached: refused", "network"),
        (httpx.ConnectTimeout("", request=REQUEST), "cannot be reached: ConnectTimeout", "network"),
        (httpx.ConnectError("CERTIFICATE_VERIFY_FAILED"), "cannot be reached", "ca_file"),
        (httpx.ReadTimeout("slow", request=REQUEST), LOST, ""),
        (TimeoutError(), LOST, ""),
        (httpx.RemoteProtocolError("gone", request=REQUEST), "broke: gone (the request", ""),
        (ConnectionResetError("reset"), "broke: reset", ""),
        (httpx.ReadError("at https://h/x?token=canary"), "broke: at https://h/x ", ""),
    ],
)
def test_the_way(error: Exception, said: str, advice: str) -> None:
    translated = from_transport(error, "https://api.example", "reading the app a")
    assert type(translated) is Unavailable
    assert translated.message.startswith("reading the app a: ")
    assert "https://api.example" in translated.message
    assert said in translated.message
    assert advice in translated.advice
    assert "canary" not in str(translated)
    never_sent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
    assert (LOST in translated.message) is not never_sent


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InvalidStatus(Response(403, "Forbidden", Headers())), "answered 403"),
        (InvalidURI("wss://h/x?token=canary", "no host"), "broke: wss://h/x"),
        (ConnectionResetError("reset"), "broke: reset"),
        (TimeoutError(), "broke: TimeoutError"),
    ],
)
def test_a_live_stream(error: Exception, said: str) -> None:
    translated = from_websocket(error, "wss://h/x", "reading live output")
    # A new address may be had, whatever it was.
    assert isinstance(translated, Transient)
    assert said in translated.message
    assert "canary" not in str(translated)


@pytest.mark.parametrize(
    ("url", "seen"),
    [
        ("https://h/x?token=canary", "https://h/x"),
        ("https://me:canary@h:1/x#canary", "https://h:1/x"),
        ("https://[::1", "an address that is none"),
    ],
)
def test_an_address_is_shown_without_what_is_secret(url: str, seen: str) -> None:
    assert shown(url) == seen
