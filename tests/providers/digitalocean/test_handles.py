"""A handle says all, to any machine, and only to this provider."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.providers.digitalocean.samples import APP, DEPLOYMENT, KEY, PLACE, place

from dayfly.contract.errors import NotFound
from dayfly.contract.identity import key_digest
from dayfly.contract.jobs import JobHandle
from dayfly.providers.digitalocean.answers import made_at, name_of, parse_time, slot_id
from dayfly.providers.digitalocean.handles import Mode, Place, place_of
from dayfly.providers.digitalocean.own import own_name, sentinel_of

CREATED = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
PLACES = [
    PLACE,
    place(deployment=DEPLOYMENT, account="an-account", created=CREATED),
    place(sentinel=sentinel_of(KEY)),
    place(name="shop", mode=Mode.CLONE, component=own_name(KEY), mark=own_name(KEY)),
    place(
        name="shop",
        mode=Mode.RUN,
        component="migrate",
        mark=f"run-{key_digest(KEY)}",
        before=DEPLOYMENT,
        created=CREATED,
    ),
]


@pytest.mark.parametrize("given", PLACES)
def test_a_round_trip(given: Place) -> None:
    handle = given.handle()
    assert place_of(handle) == given
    assert handle.provider == "digitalocean"
    # What goes over a wire is text.
    told = json.loads(json.dumps(dict(handle.metadata)))
    assert place_of(JobHandle(id=handle.id, name=handle.name, metadata=told)) == given


def test_jobs_of_one_app_have_ids_of_their_own() -> None:
    assert len({given.handle().id for given in PLACES}) == 3
    assert PLACE.handle().id == APP


OWNED = PLACES[1].handle()
CLONE = PLACES[3].handle()


@pytest.mark.parametrize(
    "handle",
    [
        JobHandle(id=APP),
        JobHandle(id="c" * 64, provider="docker", metadata={"version": "1"}),
        replace(OWNED, id="another-app"),
        replace(OWNED, id=f"{APP}/more"),
        replace(CLONE, id=APP),
        replace(CLONE, id=f"{APP}/{own_name('other')}"),
        replace(OWNED, metadata=OWNED.metadata | {"version": "2"}),
        replace(OWNED, metadata=OWNED.metadata | {"mode": "rented"}),
        replace(OWNED, metadata=OWNED.metadata | {"mode": "run"}),
        replace(OWNED, metadata=OWNED.metadata | {"component": "other"}),
        replace(OWNED, metadata=OWNED.metadata | {"component": "../x"}),
        replace(OWNED, metadata=OWNED.metadata | {"deployment": "a/b"}),
        replace(OWNED, metadata=OWNED.metadata | {"before": "a?b"}),
        replace(OWNED, metadata=OWNED.metadata | {"sentinel": "a b"}),
        replace(OWNED, metadata={k: v for k, v in OWNED.metadata.items() if k != "app"}),
        replace(OWNED, id="a/../b", metadata=OWNED.metadata | {"app": "a/../b"}),
    ],
)
def test_a_foreign_or_damaged_handle_is_refused(handle: JobHandle) -> None:
    with pytest.raises(NotFound) as caught:
        place_of(handle)
    assert caught.value.field == "handle.metadata"
    assert "digitalocean" in caught.value.message


@given(st.dictionaries(st.sampled_from([*OWNED.metadata, "more"]), st.text(), max_size=4))
def test_whatever_it_says_it_is_read_or_refused(told: dict[str, str]) -> None:
    try:
        found = place_of(replace(OWNED, metadata=OWNED.metadata | told))
    except NotFound:
        return
    assert found.app == APP


def test_what_may_not_be_visible_yet() -> None:
    now = datetime.now(UTC)
    assert place(created=now).fresh
    assert not place(created=now - timedelta(seconds=61)).fresh
    assert not place(created=None).fresh


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        ("None", None),
        ("2026-13-02T03:04:05Z", None),
        ("9999-12-31T23:59:59-23:00", None),
        ("2026-01-02T03:04:05.678901234Z", CREATED),
        ("2026-01-02T03:04:05Z", CREATED.replace(microsecond=0)),
        ("2026-01-02T05:04:05.5+02:00", CREATED.replace(microsecond=500_000)),
    ],
)
def test_times(text: str, time: datetime | None) -> None:
    assert parse_time(text) == time


def test_the_first_is_not_the_first_by_its_text() -> None:
    rows = [
        {"created_at": "2026-01-02T03:04:05.5Z"},
        {"created_at": "2026-01-02T03:04:05Z"},
        {"created_at": "0001-01-01T00:00:00Z"},
        {},
    ]
    assert sorted(rows, key=made_at) == [rows[2], rows[3], rows[1], rows[0]]


def test_answers_without_what_is_looked_for() -> None:
    assert name_of({}) == ""
    assert name_of({"spec": None}) == ""
    assert slot_id({}, "pending_deployment") == ""
    assert slot_id({"pending_deployment": None}, "pending_deployment") == ""
    assert slot_id({"pending_deployment": {"id": "d"}}, "pending_deployment") == "d"
