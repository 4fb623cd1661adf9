"""What others have makes no difference: every reply is, byte for byte, that of an application without their records.

Two worlds are served side by side: in one, Ada and Bob have records; in the other, only the one who asks. Whatever
is asked, and in whatever order, the replies must agree in status, headers and body, and what belongs to the other must
be as it was. What cannot be hidden, that a value which must be unique is taken, is asked for nowhere here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rest_kit import models
from rest_kit.controllers import Controller, WSGIDispatcher
from rest_kit.pagination import CursorPagination, Pagination
from rest_kit.permissions import IsAdminUser, IsOwner
from rest_kit.query import OPERATORS
from rest_kit.types import Record
from tests.http.access_samples import As, ByHeader, told
from tests.http.support import ABSENT, Client
from tests.same import opened

KINDS = ("list", "csv", "sqlite", "postgresql", "mariadb", "remote")
ME_AND_THEM = (("ada", "bob"), ("bob", "ada"))
NUMBERS = {"ada": 1111000, "bob": 2222000, "root": 9999000}
"""Where everybody's keys begin, so that they are known wherever they turn up."""
OTHER = {"ada": "bob", "bob": "ada", "root": "root"}
EACH = 4
ACROSS = 2
"""Which note of everybody's lies in a folder of the other's: a key that leads nowhere, for who may not see it."""


class Folder(models.Model):
    """A folder of somebody's."""

    fields = (
        models.PkField("id"),
        models.StringField("name", required=True, max_length=60),
        models.StringField("owner", max_length=20),
    )


class Note(models.Model):
    """A note of somebody's, in a folder."""

    fields = (
        models.PkField("id"),
        models.StringField("text", required=True, max_length=60),
        models.StringField("owner", max_length=20),
        models.IntegerField("stars"),
        models.FloatField("weight"),
        models.DecimalField("price", digits=9, places=2),
        models.DateField("day"),
        models.DateTimeField("moment"),
        models.BooleanField("done"),
        models.IntForeign("folder_id", resource="folders", related_name="notes"),
    )


class Page(models.Model):
    """Something that is read by cursor, with a key that its owner has chosen."""

    fields = (
        models.StringPkField("slug", max_length=40),
        models.StringField("title", max_length=60),
        models.StringField("owner", max_length=20),
        models.IntForeign("folder_id", resource="folders", related_name="pages", on_delete="set_null"),
    )


def secret(owner: str, number: int) -> str:
    """A text that is somebody's own."""
    return f"secret-{owner}-{number}"


def rows_of(name: str, owner: str) -> list[Record]:
    """What somebody has of a resource."""
    start = NUMBERS[owner]
    if name == "folders":
        return [{"id": start + n, "name": secret(owner, n), "owner": owner} for n in range(EACH)]
    if name == "pages":
        return [
            {"slug": secret(owner, n), "title": f"{owner} {n}", "owner": owner, "folder_id": start + n % 2}
            for n in range(EACH)
        ]
    return [_note(owner, n) for n in range(EACH)]


def _note(owner: str, number: int) -> Record:
    field = Note().by_name
    start = NUMBERS[owner]
    return {
        "id": start + number,
        "text": secret(owner, number),
        "owner": owner,
        "stars": start + number % 3,
        "weight": start + number / 4,
        "price": field["price"].coerce(f"{start}.{number}0"),
        "day": field["day"].parse(f"20{str(start)[:2]}-01-0{number + 1}"),
        "moment": field["moment"].parse(f"20{str(start)[:2]}-01-01T00:00:0{number}Z"),
        "done": number % 2 == 0,
        "folder_id": start + number % 2 if number != ACROSS else NUMBERS[OTHER[owner]] + ACROSS,
    }


RESOURCES: dict[str, tuple[type[models.Model], Any]] = {
    "folders": (Folder, Pagination(3)),
    "notes": (Note, Pagination(3)),
    "pages": (Page, CursorPagination(2)),
}


def bare(model: type[models.Model]) -> models.Model:
    """The model as whatever holds the data has it, which knows nothing of other resources."""
    fields = [
        models.IntegerField(field.name) if isinstance(field, models.IntForeign) else field for field in model.fields
    ]
    return models.Model.of(model.__name__, fields)


@contextmanager
def world(kind: str, folder: Path, owners: tuple[str, ...]) -> Iterator[Client]:
    """An application in which these have records, behind those of root, who keeps the last keys to himself."""
    with ExitStack() as stack:
        controllers = []
        for name, (model, pagination) in RESOURCES.items():
            place = folder / name / "-".join(owners)
            place.mkdir(parents=True)
            rows = [row for owner in (*owners, "root") for row in rows_of(name, owner)]
            cls, data, options = stack.enter_context(opened(kind, place, bare(model), rows))
            resource = {"resource_name": name, "resource": data, "datastore": cls, "model": model, "options": options}
            permissions = [IsOwner("owner") | IsAdminUser()]
            chosen = {"options": {"pagination": pagination, "permissions": permissions}}
            controllers.append(type("App", (Controller,), {"resource": resource, "controller": chosen}))
        yield Client(WSGIDispatcher(controllers, secret="one for both worlds", authentication=ByHeader()))


# --- what is asked ----------------------------------------------------------------------------------------------------


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    json: Any = ABSENT
    headers: tuple[tuple[str, str], ...] = ()


def literal(value: Any) -> str:
    """A value as a query string has it."""
    return str(value).lower() if isinstance(value, bool) else str(value).replace("+00:00", "Z").replace(" ", "T")


def filters(me: str, them: str) -> Iterator[str]:
    """Every field with every operator that fits it, and values of both; those of nobody between."""
    for mine, other in zip(rows_of("notes", me), rows_of("notes", them), strict=True):
        for field in Note().fields:
            for operator in OPERATORS.values():
                if operator.fits(field.kind):
                    yield from _filter(field.name, operator.name, literal(mine[field.name]), literal(other[field.name]))


def _filter(name: str, op: str, mine: str, other: str) -> Iterator[str]:
    if op == "isnull":
        yield f"{name}__isnull=false"
    elif op in ("in", "notin", "range"):
        yield f"{name}__{op}={quote(min(mine, other))},{quote(max(mine, other))}"
    else:
        yield f"{name}__{op}={quote(other)}"


def lists(me: str, them: str) -> Iterator[Asked]:
    """Lists in every order, with every filter, searched, expanded, paged."""
    some = list(dict.fromkeys(filters(me, them)))
    yield from (Asked("GET", f"/notes/?{one}") for one in some)
    names = [field.name for field in Note().fields]
    yield from (Asked("GET", f"/notes/?ordering={sign}{name}") for name in names for sign in ("", "-"))
    yield from (Asked("GET", f"/notes/?fields={name}&count=1&offset={place}") for place, name in enumerate(names))
    for word in (secret(them, 1), them, me, "secret", "-"):
        yield from (Asked("GET", f"/{name}/?search={word}") for name in RESOURCES)
    for name in RESOURCES:
        for query in ("", "?count=0", "?count=1", "?offset=2", "?offset=99", "?ordering=-owner", "?fields=owner"):
            yield Asked("GET", f"/{name}/{query}")
            yield Asked("HEAD", f"/{name}/{query}")
        yield Asked("OPTIONS", f"/{name}/")
    for query in ("notes", "pages", "notes,pages", "notes.folder", "notes.folder.pages", "owner"):
        yield Asked("GET", f"/folders/?expand={query}")
    yield Asked("GET", "/notes/?expand=folder.notes&ordering=-folder_id")
    yield Asked("GET", "/notes/?nonsense=1&owner__lik=x")


def keys(me: str, them: str) -> Iterator[str]:
    """Keys of mine, of theirs, of nobody, and what is no key."""
    for owner in (me, them):
        yield from (str(NUMBERS[owner] + place) for place in (1, EACH - 1, 500))
    yield from ("007", "x", "9" * 30)


def items(me: str, them: str) -> Iterator[Asked]:
    """Every verb on every item, below it and about it."""
    conditions: list[tuple[tuple[str, str], ...]] = [(), (("If_Match", "*"),), (("If_None_Match", "*"),)]
    conditions += [(("If_Match", '"0123"'),), (("Accept", "text/x-none"),)]
    for key, condition in itertools.product(keys(me, them), conditions):
        for name in ("folders", "notes"):
            yield Asked("GET", f"/{name}/{key}/", headers=condition)
            yield Asked("HEAD", f"/{name}/{key}/", headers=condition)
            yield Asked("PATCH", f"/{name}/{key}/", {"owner": me}, condition)
    for key in keys(me, them):
        yield Asked("GET", f"/notes/{key}/?expand=folder&fields=text")
        yield Asked("GET", f"/folders/{key}/?expand=notes.folder,pages")
        for below in ("notes", "pages", "folder", "owner"):
            yield from (Asked(verb, f"/folders/{key}/{below}/") for verb in ("GET", "HEAD", "OPTIONS", "PUT"))
            yield Asked("GET", f"/notes/{key}/{below}/")
    for key in (str(NUMBERS[owner] + ACROSS) for owner in (me, them)):
        yield from (Asked("GET", f"/{name}/{key}/") for name in ("folders", "notes"))
        yield from (Asked("GET", f"/notes/{key}/{below}") for below in ("folder/", "?expand=folder.notes"))
        yield from (Asked("GET", f"/folders/{key}/{below}") for below in ("notes/", "?expand=notes"))
        yield Asked("PATCH", f"/notes/{key}/", {"stars": 1})
    for key in keys(me, them):
        yield Asked("GET", f"/folders/{key}/notes/?ordering=-stars&search=secret")
        yield Asked("POST", f"/folders/{key}/notes/", {"text": "below"})
        yield Asked("POST", f"/notes/{key}/", {"text": "nowhere"})
    yield from (Asked(verb, f"/pages/{secret(them, 1)}/") for verb in ("GET", "HEAD", "DELETE", "OPTIONS"))
    yield from (Asked(verb, f"/pages/{secret(me, 9)}/") for verb in ("GET", "HEAD", "DELETE", "OPTIONS"))


def writes(me: str, them: str) -> Iterator[Asked]:
    """Writes that name what is mine, theirs and nobody's."""
    for key in [*keys(me, them)][:-1]:
        number = int(key) if key.isdecimal() else key
        whole = {"text": "put", "owner": me, "folder_id": number}
        yield Asked("PUT", f"/notes/{key}/", whole)
        yield Asked("PUT", f"/notes/{key}/", {"text": "put"})
        yield Asked("PUT", "/notes/", [{"id": number, **whole}])
        yield Asked("PUT", "/notes/", [{"id": NUMBERS[me], **whole}, {"id": number, "text": "both"}])
        yield Asked("PATCH", f"/notes/{key}/", {"owner": them})
        yield Asked("PATCH", f"/notes/{key}/", {"stars": "many"})
        yield Asked("PATCH", f"/notes/?id={key}", {"stars": 7})
        yield Asked("PATCH", f"/notes/?folder_id={key}", {"stars": 8})
        yield Asked("PATCH", f"/notes/{NUMBERS[me]}/", {"folder_id": number})
        yield Asked("PATCH", f"/notes/{NUMBERS[me]}/", {"folder_id": f"/folders/{key}/"})
        yield Asked("POST", "/notes/", {"text": "new", "folder_id": number})
        yield Asked("POST", "/notes/", [{"text": "one", "owner": me}, {"text": "two", "folder_id": number}])
        yield Asked("GET", f"/notes/?folder_id=/folders/{key}/")
    yield Asked("POST", "/notes/", {"text": "theirs", "owner": them})
    yield Asked("POST", "/notes/", {"text": "mine"})
    yield Asked("POST", "/pages/", {"slug": f"new-{me}", "folder_id": NUMBERS[me]})
    yield Asked("PATCH", "/notes/?search=secret", {"text": "all"})
    yield Asked("PATCH", f"/notes/?owner={them}", {"text": "theirs"})
    yield Asked("PATCH", f"/notes/?owner__ne={them}", {"owner": them})
    yield Asked("PATCH", "/notes/", {"text": "no filter"})


def deletions(me: str, them: str) -> Iterator[Asked]:
    """Deletions of everything that there is, of mine last."""
    for key in keys(me, them):
        yield Asked("DELETE", f"/folders/{key}/")
        yield Asked("DELETE", f"/notes/?folder_id={key}")
        yield Asked("DELETE", f"/notes/{key}/")
    yield Asked("DELETE", f"/notes/?owner={them}")
    yield Asked("DELETE", f"/pages/?owner__ne={me}")
    yield Asked("DELETE", "/notes/?id__gt=0")
    yield Asked("DELETE", f"/folders/?name={secret(me, 0)}")
    yield Asked("GET", "/pages/?expand=folder")


# --- the two worlds ---------------------------------------------------------------------------------------------------


class Worlds:
    """Both worlds, asked by one of the two; `them` is the one whose records make the difference."""

    def __init__(self, both: Client, alone: Client, me: str | None, them: str) -> None:
        self.both, self.alone = As(both, me), As(alone, me)
        self.theirs = As(both, them)
        self.own = [secret(them, n) for n in range(EACH)] + [str(NUMBERS[them] + n) for n in range(EACH) if n != ACROSS]

    def ask(self, asked: Asked) -> None:
        """Both give the same answer, and nothing in it is theirs but what the request has named."""
        replies = [self._send(one, asked) for one in (self.both, self.alone)]
        assert told(replies[0]) == told(replies[1]), asked
        everything = f"{replies[0].status} {replies[0].headers} {replies[0].text}"
        assert not [word for word in self.own if word in everything and word not in repr(asked)], asked

    def follow(self, path: str) -> list[Any]:
        """The objects of all pages, by the links from one to the next."""
        found = []
        link: str | None = path
        while link is not None:
            self.ask(Asked("GET", link))
            page = self.both.get(link).json
            found += page["object_list"]
            link = page["meta"]["next"]
        return found

    def dump(self) -> list[str]:
        """All that they have, as they see it."""
        return [self.theirs.get(f"/{name}/?count=100").text for name in RESOURCES]

    def _send(self, client: Client, asked: Asked) -> Any:
        return client.ask(asked.method, asked.path, asked.json, **dict(asked.headers))


@contextmanager
def worlds(kind: str, folder: Path, me: str | None, them: str) -> Iterator[Worlds]:
    owners = () if me is None else (me,)
    with world(kind, folder / "both", (*owners, them)) as both, world(kind, folder / "alone", owners) as alone:
        yield Worlds(both, alone, me, them)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("me", "them"), ME_AND_THEM)
def test_what_others_have_makes_no_difference(kind: str, me: str, them: str, tmp_path: Path) -> None:
    with worlds(kind, tmp_path, me, them) as pair:
        before = pair.dump()
        for ask in (lists, items, writes, lists, deletions):
            for asked in ask(me, them):
                pair.ask(asked)
        assert pair.dump() == before


@pytest.mark.parametrize("kind", KINDS)
def test_pages_and_their_links_hold_nothing_of_others(kind: str, tmp_path: Path) -> None:
    with worlds(kind, tmp_path, "bob", "ada") as pair:
        assert [page["slug"] for page in pair.follow("/pages/?ordering=-title")] == [
            secret("bob", n) for n in reversed(range(EACH))
        ]
        assert [note["id"] for note in pair.follow("/notes/?count=1")] == [2222000 + n for n in range(EACH)]
        # a cursor is good for whom it was made
        link = pair.theirs.get("/pages/").json["meta"]["next"]
        assert pair.theirs.get(link).status_int == 200
        assert pair.both.get(link).status_int == 400


@pytest.mark.parametrize("kind", ["list", "sqlite"])
def test_nobody_is_told_nothing(kind: str, tmp_path: Path) -> None:
    with worlds(kind, tmp_path, None, "ada") as pair:
        before = pair.dump()
        for ask in (lists, items, writes, deletions):
            for asked in ask("bob", "ada"):
                pair.ask(asked)
                if asked.method in ("GET", "POST") and "/folder" not in asked.path:
                    assert pair.both.ask(asked.method, asked.path, asked.json).status_int in (401, 404, 405)
        assert pair.dump() == before


def test_an_admin_sees_the_difference(tmp_path: Path) -> None:
    with worlds("list", tmp_path, "bob", "ada") as pair:
        for client in (pair.both, pair.alone):
            client.name = "root"
        with pytest.raises(AssertionError):
            pair.ask(Asked("GET", "/notes/"))
        assert len(pair.both.objects("/folders/?count=3")) == 3
        assert pair.both.get("/folders/").json["meta"]["total_count"] == 3 * EACH


parameters = st.lists(
    st.one_of(
        st.sampled_from(list(dict.fromkeys(filters("ada", "bob")))),
        st.sampled_from([f"ordering={sign}{field.name}" for field in Note().fields for sign in ("", "-")]),
        st.sampled_from(["search=secret", "search=bob", "search=ada 1", "expand=folder", "expand=folder.notes"]),
        st.sampled_from(["count=0", "count=2", "offset=1", "offset=5", "fields=text", "fields=owner,stars"]),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda text: text.partition("=")[0],
)
verbs = st.sampled_from(["GET", "GET", "GET", "HEAD", "PATCH", "DELETE"])


@pytest.mark.parametrize("kind", ["list", "sqlite"])
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.lists(st.tuples(verbs, parameters, st.sampled_from(["/notes/", "/folders/1111001/notes/"])), max_size=8)
)
def test_nor_does_it_for_anything_else(kind: str, asked: Any, tmp_path_factory: pytest.TempPathFactory) -> None:
    with worlds(kind, tmp_path_factory.mktemp("worlds"), "ada", "bob") as pair:
        before = pair.dump()
        for method, query, path in asked:
            pair.ask(Asked(method, f"{path}?{'&'.join(query)}", {"stars": 5} if method == "PATCH" else ABSENT))
        assert pair.dump() == before
