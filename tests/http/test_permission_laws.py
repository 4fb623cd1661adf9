"""Permissions composed at random answer as the words and, or and not say, for every user, verb and record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rest_kit import models
from rest_kit.errors import ConfigurationError
from rest_kit.permissions import (
    SAFE_METHODS,
    AllowAny,
    HasScope,
    IsAdminUser,
    IsAuthenticated,
    IsAuthenticatedOrReadOnly,
    IsOwner,
    IsOwnerOrReadOnly,
    Permission,
)
from rest_kit.query import Any as AnyOf
from rest_kit.query import Filter, Where
from rest_kit.request import Request
from rest_kit.types import Record
from rest_kit.users import ANONYMOUS, User
from tests.http.access_samples import USERS, As, ByHeader
from tests.http.support import over_list, serve

NAMES = ("ada", "bob", "root", None)
ROWS = [
    {"id": 1, "text": "x", "owner": "ada", "open": True},
    {"id": 2, "text": "x", "owner": "ada", "open": False},
    {"id": 3, "text": "x", "owner": "bob", "open": False},
    {"id": 4, "text": "x", "owner": None, "open": True},
]


class Note(models.Model):
    """A note of somebody's, perhaps open to all."""

    fields = (
        models.PkField("id"),
        models.StringField("text"),
        models.StringField("owner"),
        models.BooleanField("open"),
    )


class IsOpen(Permission):
    """What is not open is not there."""

    def scope(self, request: Request) -> Where | None:
        return Filter("open", "eq", True)


class OpenToWrite(Permission):
    """Everything is there, to read; what is open can be written."""

    def scope(self, request: Request) -> Where | None:
        return None if request.method in SAFE_METHODS else Filter("open", "eq", True)


class OddOnly(Permission):
    """Asks each record, and hides none."""

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        return bool(obj.id % 2)


class Nowhere(Permission):
    """Hides everything."""

    def scope(self, request: Request) -> Where | None:
        return AnyOf()


Asks = Callable[[User, str], bool]
AsksRecord = Callable[[User, str, Record], bool]


class Truth(NamedTuple):
    """A permission, and what it means: who may ask, what is there for them, and what they may do with it."""

    permission: Permission
    may: Asks
    sees: AsksRecord
    full: AsksRecord
    asks: bool = False
    hides: bool = False
    opposite: Callable[[], Any] | None = None
    """What is not so; nothing, where it hides records."""


def anybody(user: User, verb: str) -> bool:
    return True


def leaf(
    permission: Permission,
    may: Asks = anybody,
    sees: AsksRecord | None = None,
    fine: AsksRecord | None = None,
) -> Truth:
    """The meaning of a permission that is not composed of others."""

    def full(user: User, verb: str, row: Record) -> bool:
        seen = sees is None or sees(user, verb, row)
        return may(user, verb) and seen and (fine is None or fine(user, verb, row))

    def opposite() -> Truth:
        """Each question that it answers turned round; where it answers none of records, that of requests."""
        asked = may is not anybody or fine is None

        def may_not(user: User, verb: str) -> bool:
            return not (asked and may(user, verb))

        def full_not(user: User, verb: str, row: Record) -> bool:
            return may_not(user, verb) and not (fine is not None and fine(user, verb, row))

        return Truth(~permission, may_not, lambda *_: True, full_not, fine is not None, False, lambda: this)

    this = Truth(permission, may, sees or (lambda *_: True), full, fine is not None, sees is not None, opposite)
    return this


def reads(verb: str) -> bool:
    return verb == "GET"


def owns(user: User, row: Record) -> bool:
    return user.is_authenticated and row["owner"] == user.pk


LEAVES = [
    leaf(AllowAny()),
    leaf(IsAuthenticated(), lambda user, verb: user.is_authenticated),
    leaf(IsAuthenticatedOrReadOnly(), lambda user, verb: user.is_authenticated or reads(verb)),
    leaf(IsAdminUser(), lambda user, verb: user.is_admin),
    leaf(HasScope(write="notes:write"), lambda user, verb: reads(verb) or "notes:write" in user.scopes),
    leaf(IsOwner(), lambda user, verb: user.is_authenticated, lambda user, verb, row: owns(user, row)),
    leaf(
        IsOwnerOrReadOnly(),
        lambda user, verb: user.is_authenticated or reads(verb),
        None,
        lambda user, verb, row: reads(verb) or owns(user, row),
    ),
    leaf(IsOpen(), sees=lambda user, verb, row: row["open"]),
    leaf(OpenToWrite(), sees=lambda user, verb, row: row["open"] or reads(verb)),
    leaf(OddOnly(), fine=lambda user, verb, row: bool(row["id"] % 2)),
    leaf(Nowhere(), sees=lambda user, verb, row: False),
]


def both(one: Truth, two: Truth) -> Truth:
    return Truth(
        one.permission & two.permission,
        lambda user, verb: one.may(user, verb) and two.may(user, verb),
        lambda *case: one.sees(*case) and two.sees(*case),
        lambda *case: one.full(*case) and two.full(*case),
        one.asks or two.asks,
        one.hides or two.hides,
        lambda: either(turned(one), turned(two)),
    )


def either(one: Truth, two: Truth) -> Truth:
    return Truth(
        one.permission | two.permission,
        lambda user, verb: one.may(user, verb) or two.may(user, verb),
        lambda user, verb, row: any(part.may(user, verb) and part.sees(user, verb, row) for part in (one, two)),
        lambda *case: one.full(*case) or two.full(*case),
        one.asks or two.asks,
        one.hides or two.hides,
        lambda: both(turned(one), turned(two)),
    )


def turned(one: Truth) -> Truth:
    """What is not so; what hides records cannot be turned round, and stays as it is."""
    if one.hides or one.opposite is None:
        return one
    opposite: Truth = one.opposite()
    return opposite._replace(permission=~one.permission)


composed = st.recursive(
    st.sampled_from(LEAVES),
    lambda parts: st.one_of(st.builds(both, parts, parts), st.builds(either, parts, parts), st.builds(turned, parts)),
    max_leaves=5,
)


def expected(truth: Truth, user: User, verb: str, row: Record) -> int:
    """The status of a request for one record."""
    refused = 403 if user.is_authenticated else 401
    if not truth.may(user, verb):
        return refused
    looking = "GET" if truth.may(user, "GET") else verb
    if not truth.sees(user, looking, row):
        return 404
    return 200 if truth.full(user, verb, row) else refused


@settings(deadline=None, max_examples=150)
@given(truth=composed)
def test_permissions_compose_as_their_words_say(truth: Truth) -> None:
    options = {"options": {"permissions": truth.permission, "authentication": ByHeader()}}
    app = serve(over_list([dict(row) for row in ROWS], model=Note, controller=options))
    for name in NAMES:
        asking, user = As(app, name), USERS[name] if name else ANONYMOUS
        for row in ROWS:
            path = f"/things/{row['id']}/"
            found = {"GET": asking.get(path), "PATCH": asking.patch(path, {"text": "x"})}
            for verb, reply in found.items():
                assert reply.status_int == expected(truth, user, verb, row), (truth.permission, name, verb, row)
        allowed = [row["id"] for row in ROWS if truth.full(user, "GET", row)]
        listed = asking.get("/things/")
        if listed.status_int == 200:
            assert [obj["id"] for obj in listed.json["object_list"]] == allowed
            assert listed.json["meta"]["total_count"] == len(allowed)
        else:
            seen = [row for row in ROWS if truth.sees(user, "GET", row)]
            assert not truth.may(user, "GET") or len(allowed) < len(seen)


@settings(deadline=None, max_examples=60)
@given(truth=composed, other=st.sampled_from(NAMES))
def test_nothing_new_is_left_where_its_maker_may_not_work_on_it(truth: Truth, other: str | None) -> None:
    options = {"options": {"permissions": truth.permission, "authentication": ByHeader()}}
    made = {"id": 5, "text": "new", "owner": other or "zoe", "open": False}
    for name in NAMES:
        rows = [dict(row) for row in ROWS]
        app = serve(over_list(rows, model=Note, controller=options))
        reply = As(app, name).post("/things/", {key: made[key] for key in ("text", "owner", "open")})
        if truth.full(USERS[name] if name else ANONYMOUS, "POST", made):
            assert reply.status_int == 201
            assert rows == [*ROWS, made]
        else:
            assert reply.status_int == (403 if name else 401)
            assert rows == ROWS


@given(truth=composed)
def test_what_hides_records_cannot_be_turned_round(truth: Truth) -> None:
    if truth.hides:
        with pytest.raises(ConfigurationError, match="cannot be turned round"):
            _ = ~truth.permission
    else:
        assert (~truth.permission).asks_objects is truth.asks
