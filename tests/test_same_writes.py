"""The same writes, sent to any store and to a list, get the same replies and leave the same records.

A script of writes is drawn from a fixed seed: objects and arrays, whole and in part, right and wrong, with tags that
are current, stale or strange. Each is sent to both; then both are read. Where clients bring the keys, replies agree to
the byte, tags included. Where the store makes them, a failed insert may leave a gap in one store and none in another:
there, keys are replaced by the order in which they were made, and tags, which follow from them, by their mere presence.

The one thing that a remote API cannot do is several writes as one step. It refuses that with a 501, and nothing has
changed then; the list is not asked for it.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from webtest import TestResponse

from rest_kit import models
from rest_kit.models import Field, Model, UniqueTogether
from rest_kit.pagination import Pagination
from tests.http.support import Client
from tests.same import OTHERS, POOLS, application, hurting_fields, hurting_rows, opened

WRITES = 120
NOWHERE = 1_000_000
"""A key that nobody has."""
SAME = {"HTTP_X_REQUEST_ID": "the-same"}
SEVERAL = frozenset({"put many", "patch all of", "patch all clash", "delete all of"})
"""The writes that may be several in one step."""
ROWS = 12
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"


def written_model(key: Field) -> Model:
    """The fields that hurt, and rules to break: what must be unique, alone and together, and what is bounded."""
    rules = [
        models.StringField("mail", unique=True, max_length=50),
        models.StringField("first", max_length=20),
        models.IntegerField("second", min=0, max=9),
        models.ChoiceField("colour", choices=("red", "grün", "")),
        models.StringField("fixed", read_only=True, default="as it was", max_length=20),
    ]
    return Model.of("Written", [*hurting_fields(key), *rules], [UniqueTogether("first", "second")])


# --- what is sent -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Write:
    """A request; `target` is the place of a record among those that are there, -1 for none, None for the list."""

    name: str
    method: str
    target: int | None = None
    query: str = ""
    data: Any = None
    type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    tag: str = ""
    """Which If-Match goes along: the current one, a stale one, one of another's, any."""


def as_json(value: Any, field: Field) -> Any:
    """A value as a client writes it."""
    shown = value if value is None or isinstance(value, int | float | str | list | dict) else field.format(value)
    return str(value) if isinstance(value, Decimal) else shown


class Script:
    """Writes drawn from a seed; `brought` says that clients bring the keys."""

    def __init__(self, seed: int, brought: bool) -> None:
        self.dice = random.Random(seed)
        self.brought = brought
        self.fields = written_model(models.PkField("id")).by_name
        self.brings = ROWS

    def writes(self) -> Iterator[Write]:
        """The script, in which every kind of write comes about as often as the others."""
        kinds = [getattr(self, name) for name in sorted(dir(self)) if name.startswith("w_")]
        for number in range(WRITES):
            yield kinds[number % len(kinds)]()

    # the parts of requests

    def target(self) -> int:
        return self.dice.randrange(100)

    def some(self, count: int) -> dict[str, Any]:
        names = self.dice.sample(list(POOLS), count)
        return {name: as_json(self.dice.choice(POOLS[name]), self.fields[name]) for name in names}

    def whole(self) -> dict[str, Any]:
        made = {
            **self.some(9),
            "title": self.dice.choice(POOLS["title"]),
            "colour": self.dice.choice(("red", "", None)),
        }
        return {**self.key(), **made}

    def key(self) -> dict[str, Any]:
        self.brings += 1
        return {"code": self.brings} if self.brought else {}

    def wrong(self) -> dict[str, Any]:
        bad = (
            *({"integer": 2**63}, {"integer": "5"}, {"integer": True}, {"float": "1"}, {"decimal": "1.005"}),
            *({"decimal": "1e30"}, {"exact": "0.000000000000001"}, {"date": "2020-02-30"}, {"moment": "yesterday"}),
            *({"uuid": "x"}, {"list": {}}, {"dict": []}, {"colour": "blue"}, {"second": 10}, {"title": None}),
            *({"title": "x" * 201}, {"fixed": "changed"}, {"titel": "x"}, {"boolean": 0}, {"resource_uri": "/x/"}),
        )
        return {**self.dice.choice(bad), **self.dice.choice(bad)}

    # the kinds of writes, by name

    def w_create(self) -> Write:
        return Write("create", "POST", data=self.whole())

    def w_create_minimal(self) -> Write:
        return Write("create minimal", "POST", data=self.whole(), headers=(("Prefer", "return=minimal"),))

    def w_create_unique(self) -> Write:
        """Often a conflict: there are few values."""
        data = {**self.whole(), "mail": self.dice.choice("abcdeABC"), "first": self.dice.choice("xyß"), "second": 1}
        return Write("create unique", "POST", data=data)

    def w_create_many(self) -> Write:
        return Write("create many", "POST", data=[self.whole() for _ in range(3)])

    def w_create_many_clash(self) -> Write:
        data = [self.whole(), {**self.whole(), "mail": "twice"}, {**self.whole(), "mail": "twice"}]
        return Write("create many clash", "POST", data=data)

    def w_create_wrong(self) -> Write:
        data = {**self.whole(), **self.wrong()}
        return Write("create wrong", "POST", data=data)

    def w_create_many_wrong(self) -> Write:
        data = [self.whole(), {**self.whole(), **self.wrong()}, {**self.whole(), **self.wrong()}]
        return Write("create many wrong", "POST", data=data)

    def w_create_taken(self) -> Write:
        """A key that is there; where the store makes them, one that may not be brought."""
        name = "code" if self.brought else "id"
        return Write("create taken", "POST", data={"title": "taken", "mail": self.dice.choice("abc"), name: 1})

    def w_put(self) -> Write:
        return Write("put", "PUT", self.target(), data=self.body())

    def body(self) -> dict[str, Any]:
        return {**self.some(10), "title": self.dice.choice(POOLS["title"])}

    def w_put_tagged(self) -> Write:
        return Write("put tagged", "PUT", self.target(), data=self.body(), tag="current")

    def w_put_stale(self) -> Write:
        return Write("put stale", "PUT", self.target(), data=self.body(), tag="stale")

    def w_put_wrong(self) -> Write:
        return Write("put wrong", "PUT", self.target(), data={**self.body(), **self.wrong()})

    def w_put_nowhere(self) -> Write:
        return Write("put nowhere", "PUT", -1, data=self.body())

    def w_merge(self) -> Write:
        return Write("merge", "PATCH", self.target(), data=self.some(3), type=MERGE)

    def w_merge_tagged(self) -> Write:
        return Write("merge tagged", "PATCH", self.target(), data=self.some(2), tag="current")

    def w_merge_stale(self) -> Write:
        return Write("merge stale", "PATCH", self.target(), data=self.some(2), tag="stale")

    def w_merge_of_another(self) -> Write:
        return Write("merge of another", "PATCH", self.target(), data=self.some(2), tag="another")

    def w_merge_nothing(self) -> Write:
        return Write("merge nothing", "PATCH", self.target(), data={}, tag="any")

    def w_merge_dict(self) -> Write:
        data = {"dict": {"a": None, "new": {"é": [1.0, "😀", -0.0]}}, "float": -0.0}
        return Write("merge dict", "PATCH", self.target(), data=data)

    def w_merge_unique(self) -> Write:
        data = {"mail": self.dice.choice("abcdeABC"), "first": self.dice.choice("xyß"), "second": 1}
        return Write("merge unique", "PATCH", self.target(), data=data)

    def w_merge_wrong(self) -> Write:
        return Write("merge wrong", "PATCH", self.target(), data=self.wrong())

    def w_json_patch(self) -> Write:
        steps = [
            {"op": "replace", "path": "/title", "value": self.dice.choice(POOLS["title"])},
            {"op": "add", "path": "/list", "value": [1]},
            {"op": "add", "path": "/list/-", "value": {"b": -0.0}},
            {"op": "copy", "from": "/title", "path": "/text"},
            {"op": "remove", "path": "/decimal"},
        ]
        return Write("json patch", "PATCH", self.target(), data=steps, type=JSON_PATCH)

    def w_json_patch_fails(self) -> Write:
        steps = [{"op": "replace", "path": "/title", "value": "no"}, {"op": "test", "path": "/boolean", "value": 5}]
        return Write("json patch fails", "PATCH", self.target(), data=steps, type=JSON_PATCH)

    def w_delete(self) -> Write:
        return Write("delete", "DELETE", self.target(), tag=self.dice.choice(("", "current")))

    def w_delete_stale(self) -> Write:
        return Write("delete stale", "DELETE", self.target(), tag="stale")

    def w_delete_all_of(self) -> Write:
        chosen = ",".join(map(str, self.dice.sample(POOLS["integer"], 2)))
        return Write("delete all of", "DELETE", query=f"?integer__in={chosen}")

    def w_patch_all_of(self) -> Write:
        query = self.dice.choice(("?boolean=true", "?text__icontains=s", "?exact__gt=0", "?title__startswith=ghost"))
        return Write("patch all of", "PATCH", query=query, data=self.some(2))

    def w_patch_all_clash(self) -> Write:
        return Write("patch all clash", "PATCH", query="?title__ne=nothing", data={"mail": "all of them"})

    def w_patch_all_wrong(self) -> Write:
        return Write("patch all wrong", "PATCH", query="?boolean=false", data=self.wrong())

    def w_patch_without_filter(self) -> Write:
        return Write("patch without filter", "PATCH", data=self.some(1))

    def w_put_many(self) -> Write:
        start = self.target()
        return Write("put many", "PUT", data=[{"#": start + place, **self.body()} for place in range(3)])


# --- where it is sent -------------------------------------------------------------------------------------------------


@dataclass
class Side:
    """One application, and the keys of its records."""

    client: Client
    key: str
    living: Sequence[int] = ()
    made: dict[int, int] = field(default_factory=dict)
    """Key → its number, in the order in which they were made."""

    def key_of(self, target: int) -> int:
        """The key of a record by its place, which is the same record on both sides."""
        return NOWHERE if target < 0 or not self.living else self.living[target % len(self.living)]

    def path(self, target: int | None) -> str:
        return "/things/" if target is None else f"/things/{self.key_of(target)}/"

    def read(self) -> TestResponse:
        """The whole list."""
        reply = self.client.get("/things/", environ=SAME)
        self.living = [row[self.key] for row in reply.json["object_list"]]
        for key in self.living:
            self.made.setdefault(key, len(self.made) + 1)
        return reply

    def send(self, write: Write) -> TestResponse:
        headers = {name.replace("-", "_"): value for name, value in write.headers}
        if write.tag:
            headers["If_Match"] = self.tag(write)
        body = {} if write.data is None else {"json": self.with_keys(write.data)}
        path = self.path(write.target) + write.query
        return self.client.ask(write.method, path, type=write.type, environ=SAME, **body, **headers)

    def tag(self, write: Write) -> str:
        """The value of If-Match."""
        if write.tag in ("any", "stale"):
            return "*" if write.tag == "any" else '"stale", "of no version"'
        target = write.target if write.tag == "current" else 0
        return str(self.client.get(self.path(target), environ=SAME).headers["ETag"])

    def with_keys(self, data: Any) -> Any:
        """Data in which each record that is named by its place has its key."""
        if not isinstance(data, list) or "#" not in data[0]:
            return data
        return [{self.key: self.key_of(row["#"]), **{n: row[n] for n in row if n != "#"}} for row in data]

    def shown(self, reply: TestResponse, brought: bool) -> Any:
        """What a client gets; where keys are made, with their numbers for them."""
        headers = sorted(reply.headerlist)
        if brought:
            return reply.status, headers, reply.body
        plain = [(name, self.numbered(value)) for name, value in headers if name not in ("Content-Length", "ETag")]
        return reply.status, "ETag" in reply.headers, plain, self.numbered(reply.text)

    def numbered(self, text: str) -> str:
        return re.sub(r'(/things/|"id":)([0-9]+)([/,])', self._number, text)

    def _number(self, found: re.Match[str]) -> str:
        key = int(found[2])
        return f"{found[1]}{self.made.get(key, 'gone' if key == NOWHERE else 'never made')}{found[3]}"


@dataclass
class Pair:
    """A list and another store, which are told the same."""

    reference: Side
    other: Side
    is_remote: bool
    brought: bool
    replies: Counter[tuple[str, int]] = field(default_factory=Counter)

    def tell(self, write: Write) -> None:
        """Send a write to both, the other store first, and compare the replies and what is there then."""
        answer = self.other.send(write)
        if self.is_remote and answer.status_int == 501:
            self.check_refusal(write, answer)
            self.compare(write, None, None)
        else:
            self.compare(write, self.reference.send(write), answer)
        self.replies[write.name, answer.status_int] += 1

    def check_refusal(self, write: Write, answer: TestResponse) -> None:
        assert write.name in SEVERAL
        assert "only one object is written at a time" in answer.json["detail"]

    def compare(self, write: Write, expected: TestResponse | None, answer: TestResponse | None) -> None:
        lists = self.reference.read(), self.other.read()
        if expected is not None:
            one, two = self.reference.shown(expected, self.brought), self.other.shown(answer, self.brought)
            assert two == one, (write, one, two)
        assert self.other.shown(lists[1], self.brought) == self.reference.shown(lists[0], self.brought), write


def play(kind: str, folder: Path, brought: bool, seed: int = 7) -> Counter[tuple[str, int]]:
    """The whole script, sent to a list and to a store of that kind: how often each kind of write was answered how."""
    declared = models.IntegerField("code", required=True).named("code", primary_key=True)
    key = declared if brought else models.PkField("id")
    model = written_model(key)
    blank = {**dict.fromkeys(("mail", "first", "second", "colour")), "fixed": "as it was"}
    rows = [{**row, **blank} for row in hurting_rows(ROWS, key.name)]
    with opened("list", folder, model, rows) as one, opened(kind, folder, model, rows) as two:
        sides = [Side(Client(application(where, model, {"things": Pagination(500)})), key.name) for where in (one, two)]
        pair = Pair(*sides, kind == "remote", brought)
        for side in sides:
            side.read()
        for write in Script(seed, brought).writes():
            pair.tell(write)
    return pair.replies


@pytest.mark.parametrize("brought", [True, False], ids=["keys-brought", "keys-made"])
@pytest.mark.parametrize("kind", OTHERS)
def test_writes(kind: str, brought: bool, tmp_path: Path) -> None:
    replies = play(kind, tmp_path, brought)
    assert sum(replies.values()) == WRITES
    assert {name for name, status in replies if status == 501} == (SEVERAL if kind == "remote" else set())


def test_the_script_succeeds_and_fails_in_every_way(tmp_path: Path) -> None:
    """Were most writes refused, that stores agree would show little."""
    replies = play("sqlite", tmp_path, True)
    assert sum(count for (_, status), count in replies.items() if status < 300) > WRITES / 3
    assert {status for _, status in replies} == {200, 201, 204, 400, 404, 409, 412}


# --- where stores differ ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", OTHERS)
def test_an_exact_number_of_any_number_of_places_keeps_its_zeros_but_in_mariadb(kind: str, tmp_path: Path) -> None:
    """MariaDB has no type for it: 1.10 and 1.1 are one value there, as they are everywhere where they are compared."""
    model = Model.of("Loose", [models.PkField("id"), models.DecimalField("loose")])
    with opened(kind, tmp_path, model, []) as where:
        client = Client(application(where, model, {"things": Pagination(5)}))
        assert client.post("/things/", {"loose": "1.10"}).json["loose"] == ("1.1" if kind == "mariadb" else "1.10")
        assert client.values("/things/?loose=1.1") == client.values("/things/?loose=1.100") == [1]
