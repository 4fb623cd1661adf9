"""Copying between stores: nothing is lost or changed on the way, all or nothing, and what cannot be is said first."""

from __future__ import annotations

import datetime
import itertools
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from datastores import CSVDataStore, PythonListDataStore, RemoteDataStore, SQLDataStore, SQLiteDataStore
from datastores.remote import WSGITransport
from rest_kit.copying import NotCopied, Pair, Rows, carries, copy, models_for
from rest_kit.errors import ConfigurationError
from rest_kit.models import (
    BooleanField,
    DateField,
    DateTimeField,
    DecimalField,
    DictField,
    Field,
    FloatField,
    IntegerField,
    IntForeign,
    ListField,
    Model,
    PkField,
    StringField,
    StringPkField,
    TextField,
    UUIDField,
)
from rest_kit.query import Query
from rest_kit.store import DataStore
from rest_kit.testing.store_samples import every_model, every_rows
from rest_kit.types import INT64_MAX, INT64_MIN, Record
from tests.remote.support import application
from tests.servers import Place, places

NASTY: list[dict[str, Any]] = [
    {
        "id": INT64_MAX - 1,
        "title": " \t'\"`;,|\\%_$1{}\r\nİıſß\U0001f600 ",
        "text": "null",
        "long": "NULL\n\n\\N" * 50,
        "integer": INT64_MIN,
        "float": -1.7976931348623157e308,
        "decimal": Decimal("-9999999999.99"),
        "boolean": False,
        "date": datetime.date(1, 1, 1),
        "moment": datetime.datetime(9999, 12, 31, 23, 59, 59, 999999, datetime.UTC),
        "uuid": uuid.UUID(int=2**128 - 1),
        "list": [None, True, 1, 1.5, "\U0001f600", [[]], {"": None}],
        "dict": {"b": 1, "a": {"ä": "%s ?1 $1 :x"}, "": []},
    },
    {**dict.fromkeys(every_model().names), "id": 0, "title": "%"},
    {**dict.fromkeys(every_model().names), "id": 7, "title": "0", "float": 5e-324, "list": [], "dict": {}},
]


@pytest.fixture
def postgresql() -> Iterator[Place]:
    yield from places("postgresql")


@pytest.fixture
def mariadb() -> Iterator[Place]:
    yield from places("mariadb")


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """What makes a store over a table of a database of that kind."""
    if request.param == "sqlite":
        yield lambda name, **options: SQLiteDataStore({"name": tmp_path / "x.db", "table": name}, options)
        return
    for place in places(request.param):
        yield lambda name, **options: SQLDataStore(
            {"url": place.url, "table": f"{place.prefix}_{name}"},  # noqa: B023 - used within the loop alone
            options,
        )


def bound(store: DataStore, model: Model) -> DataStore:
    store.bind(model)
    return store


def rows_of(store: DataStore) -> list[Record]:
    return store.find(Query()).records


def written(rows: list[Record], model: Model) -> list[str]:
    """Rows so that types and digits are compared too."""
    return [repr({name: row[name] for name in model.names}) for row in rows]


def test_from_store_to_store_and_back_nothing_changes(tmp_path: Path, postgresql: Place, mariadb: Place) -> None:
    model, rows = every_model(), [*every_rows(1500)[10:], *NASTY]
    rows.sort(key=lambda row: row["id"])
    first, last = tmp_path / "first.csv", tmp_path / "last.csv"
    chain = [
        PythonListDataStore([dict(row) for row in rows]),
        CSVDataStore({"path": first}, {"null": "\\N"}),
        SQLiteDataStore({"name": tmp_path / "x.db", "table": "every"}),
        SQLDataStore({"url": postgresql.url, "table": postgresql.table()}),
        SQLDataStore({"url": mariadb.url, "table": mariadb.table()}),
        CSVDataStore({"path": last}, {"null": "\\N"}),
        PythonListDataStore([]),
    ]
    for store in chain:
        store.bind(model)
    for source, target in itertools.pairwise(chain):
        assert copy([Pair("every", source, target)]) == {"every": len(rows)}
        assert written(rows_of(target), model) == written(rows, model), type(target)
    assert first.read_bytes() == last.read_bytes()


# --- all or nothing ---------------------------------------------------------------------------------------------------


def people(*names: str | None) -> PythonListDataStore:
    rows = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
    store = PythonListDataStore(rows)
    store.bind(Model.of("Person", [PkField("id"), StringField("name", nullable=True, max_length=50)]))
    return store


def named(name: str = "name", **options: Any) -> Model:
    return Model.of("Person", [PkField("id"), StringField(name, **{"max_length": 50, **options})])


def test_one_row_that_is_refused_leaves_nothing(database: Any) -> None:
    target = bound(database("people"), named(nullable=False))
    many = ["x"] * 2500
    with pytest.raises(NotCopied) as refused:
        copy([Pair("people", people(*many, None, *many), target)])
    assert str(refused.value) == "people: the row 2501: 'name': may not be null"
    assert rows_of(target) == []
    assert copy([Pair("people", people(*many), target)]) == {"people": 2500}


def test_a_unique_field_taken_names_the_row(database: Any) -> None:
    target = bound(database("people"), named(unique=True))
    with pytest.raises(NotCopied, match=r"^people: the row 3: name must be unique, and this value is taken$"):
        copy([Pair("people", people("a", "b", "a"), target)])
    assert rows_of(target) == []


@pytest.mark.parametrize("exception", [KeyboardInterrupt, RuntimeError])
def test_what_breaks_off_in_the_middle_leaves_nothing(database: Any, exception: type[BaseException]) -> None:
    target = bound(database("people"), named())

    def progress(name: str, count: int) -> None:
        if count >= 2000:
            raise exception

    with pytest.raises(exception):
        copy([Pair("people", people(*["x"] * 5000), target)], progress=progress)
    assert rows_of(target) == []


def test_rows_that_are_there_are_refused_or_stay_or_go(database: Any) -> None:
    target = bound(database("people"), named())
    pair = Pair("people", people("a", "b"), target)
    copy([pair])
    with pytest.raises(NotCopied, match="there are rows already in people"):
        copy([pair])
    more = PythonListDataStore([{"id": 7, "name": "g"}])
    more.bind(named())
    assert copy([pair._replace(source=more)], rows=Rows.STAY) == {"people": 1}
    assert [row["id"] for row in rows_of(target)] == [1, 2, 7]
    with pytest.raises(NotCopied, match="people: the row 7: id must be unique, and this value is taken"):
        copy([pair._replace(source=more)], rows=Rows.STAY)
    assert copy([pair], rows=Rows.GO) == {"people": 2}
    assert [row["name"] for row in rows_of(target)] == ["a", "b"]


def test_generated_keys_go_on_above_the_highest(database: Any, tmp_path: Path) -> None:
    for target in (database("people"), CSVDataStore({"path": tmp_path / "x.csv"})):
        source = PythonListDataStore([{"id": number, "name": "x"} for number in (5, 3, 4000)])
        source.bind(named())
        copy([Pair("people", source, bound(target, named()))])
        [made] = target.atomic(lambda tx: tx.insert([{"name": "next"}]))
        assert made["id"] > 4000


def test_progress_is_told_batch_by_batch(database: Any) -> None:
    told: list[tuple[str, int]] = []
    copy(
        [Pair("people", people(*["x"] * 2500), bound(database("people"), named()))],
        progress=lambda *one: told.append(one),
    )
    assert told == [("people", 1000), ("people", 2000), ("people", 2500)]


def test_a_table_that_is_filled_anew_has_events_only_where_it_keeps_them(database: Any) -> None:
    quiet, telling = bound(database("quiet", events=False), named()), bound(database("telling"), named())
    for target in (quiet, telling):
        copy([Pair("people", people("a", "b"), target)])
    assert quiet.changes() is None
    log = telling.changes()
    assert log is not None
    assert [(event.action, event.pk) for event in log.read(0)] == [("created", 1), ("created", 2)]


# --- what cannot be ---------------------------------------------------------------------------------------------------


def model(*fields: Field) -> Model:
    return Model.of("Thing", [PkField("id"), *fields])


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        (model(TextField("nmae")), model(TextField("name")), "the target has no field 'nmae'; did you mean 'name'?"),
        (model(), model(TextField("name", required=True)), "the target needs 'name', which the source has not"),
        (model(ListField("x")), model(TextField("x")), "'x' is list, and cannot be carried over into string"),
        (model(BooleanField("x")), model(IntegerField("x")), "'x' is boolean, and cannot be carried over into integer"),
        (model(DateField("x")), model(DateTimeField("x")), "'x' is date, and cannot be carried over into datetime"),
        (model(DictField("x")), model(ListField("x")), "'x' is dict, and cannot be carried over into list"),
        (model(), Model.of("Thing", [StringPkField("code")]), "the target has no field 'id'; valid: code"),
    ],
)
def test_what_cannot_be_carried_over_is_known_beforehand(source: Model, target: Model, told: str) -> None:
    assert told in carries(source, target).problems


def test_everything_that_is_wrong_is_told_at_once_and_nothing_written(tmp_path: Path) -> None:
    source = PythonListDataStore([{"id": 1, "a": 1, "b": [1]}])
    path = tmp_path / "x.csv"
    path.write_text("id,b\n")
    views = CSVDataStore({"path": path}, {"read_only": True})
    with pytest.raises(ConfigurationError) as refused:
        copy(
            [
                Pair("one", source, views),
                Pair(
                    "two",
                    source,
                    bound(SQLiteDataStore({"name": tmp_path / "x.db", "table": "t"}), model(TextField("b"))),
                ),
            ]
        )
    assert refused.value.problems == [
        "one: the target cannot be written: the option read_only is set",
        "one: the target has no field 'a'; valid: b, id",
        "one: 'b' is list, and cannot be carried over into string",
        "two: the target has no field 'a'; valid: b, id",
        "two: 'b' is list, and cannot be carried over into string",
    ]
    assert not (tmp_path / "x.db").exists()


@pytest.mark.parametrize(
    ("source", "target", "given", "made"),
    [
        (TextField("x"), IntegerField("x"), "-12", -12),
        (TextField("x"), IntegerField("x"), "012", None),
        (TextField("x"), DecimalField("x", digits=9, places=2), "1.5", Decimal("1.5")),
        (TextField("x"), DateField("x"), "2024-02-29", datetime.date(2024, 2, 29)),
        (TextField("x"), DateField("x"), "29.2.2024", None),
        (TextField("x"), BooleanField("x"), "true", True),
        (TextField("x"), UUIDField("x"), str(uuid.UUID(int=5)), uuid.UUID(int=5)),
        (IntegerField("x"), TextField("x"), 12, "12"),
        (IntegerField("x"), FloatField("x"), 2**53, float(2**53)),
        (IntegerField("x"), FloatField("x"), 2**53 + 1, None),
        (IntegerField("x"), DecimalField("x"), 12, Decimal(12)),
        (FloatField("x"), DecimalField("x"), 0.1, Decimal("0.1")),
        (DecimalField("x"), FloatField("x"), Decimal("0.1"), 0.1),
        (DecimalField("x"), FloatField("x"), Decimal("0.10000000000000000001"), None),
        (BooleanField("x"), TextField("x"), True, "true"),
        (ListField("x"), ListField("x", DateField("day")), ["2024-02-29"], [datetime.date(2024, 2, 29)]),
        (ListField("x", DateField("day")), ListField("x"), [datetime.date(2024, 2, 29)], ["2024-02-29"]),
    ],
)
def test_values_are_carried_over_or_refused_but_never_changed(
    source: Field, target: Field, given: Any, made: Any
) -> None:
    found = carries(model(source), model(target))
    assert found.problems == []
    carry = found.fields["x"]
    assert carry is not None
    if made is None:
        with pytest.raises(ValueError):
            carry(given)
    else:
        assert (type(carry(given)), carry(given)) == (type(made), made)


def test_a_row_that_cannot_be_carried_over_is_named(tmp_path: Path) -> None:
    source = PythonListDataStore([{"id": 1, "x": "1"}, {"id": 2, "x": "a"}])
    source.bind(model(TextField("x")))
    target = bound(SQLiteDataStore({"name": tmp_path / "x.db", "table": "t"}), model(IntegerField("x")))
    with pytest.raises(NotCopied, match=r"^t: the row 2: 'x': not an integer$"):
        copy([Pair("t", source, target)])
    assert rows_of(target) == []


def test_a_key_that_means_nothing_is_made_anew_where_the_target_makes_its_own(tmp_path: Path) -> None:
    source = PythonListDataStore([{"row": 5, "x": "a"}])
    source.bind(Model.of("T", [PkField("row"), TextField("x")]))
    target = bound(SQLiteDataStore({"name": tmp_path / "x.db", "table": "t"}), model(TextField("x")))
    copy([Pair("t", source, target)])
    assert rows_of(target) == [{"id": 1, "x": "a"}]


# --- references -------------------------------------------------------------------------------------------------------


def staff(model: Model, *rows: tuple[int, int | None]) -> DataStore:
    return bound(PythonListDataStore([{"id": number, "boss": boss} for number, boss in rows]), model)


def own_model(target: DataStore, *, nullable: bool) -> Model:
    """A model that refers to the table of a target itself."""
    table = target.resource["table"] if target.resource else ""
    return Model.of("Staff", [PkField("id"), IntForeign("boss", references=f"{table}.id", nullable=nullable)])


@pytest.mark.parametrize(
    "rows",
    [
        [(1, 3), (2, 1), (3, 3), (4, 2), (5, None)],
        [(1, 2), (2, 1)],
        [(number, number + 1 if number < 3000 else None) for number in range(1, 3001)],
    ],
    ids=["mixed", "circle", "long"],
)
def test_rows_may_refer_to_later_ones(database: Any, rows: list[tuple[int, int | None]]) -> None:
    target = database("staff")
    model = own_model(target, nullable=True)
    target.bind(model)
    pair = Pair("staff", staff(model, *rows), target)
    copy([pair])
    assert [(row["id"], row["boss"]) for row in rows_of(target)] == rows
    copy([pair], rows=Rows.GO)
    assert [(row["id"], row["boss"]) for row in rows_of(target)] == rows


def test_rows_wait_for_what_they_cannot_be_without(database: Any) -> None:
    target = database("staff")
    model = own_model(target, nullable=False)
    target.bind(model)
    rows = [(1, 3), (2, 1), (3, 4), (4, 4), (5, 2)]
    copy([Pair("staff", staff(model, *rows), target)])
    assert [(row["id"], row["boss"]) for row in rows_of(target)] == rows
    with pytest.raises(NotCopied, match="refer to each other in a circle: 6, 7"):
        copy([Pair("staff", staff(model, (6, 7), (7, 6)), target)], rows=Rows.STAY)
    assert len(rows_of(target)) == 5


def test_what_leads_nowhere_is_refused(database: Any) -> None:
    target = database("staff")
    model = own_model(target, nullable=True)
    target.bind(model)
    with pytest.raises(NotCopied, match="staff: the row 1: boss names a record that does not exist"):
        copy([Pair("staff", staff(model, (1, 9)), target)])
    assert rows_of(target) == []


def test_tables_come_in_the_order_of_their_references(database: Any, tmp_path: Path) -> None:
    origin = tmp_path / "origin.db"
    shops = SQLiteDataStore({"name": origin, "table": "shops"})
    books = SQLiteDataStore({"name": origin, "table": "books"})
    bound(shops, Model.of("Shop", [PkField("id"), TextField("name")])).ping()
    bound(books, Model.of("Book", [PkField("id"), IntForeign("shop", references="shops.id")])).ping()
    shops.atomic(lambda tx: tx.insert([{"id": 9, "name": "a"}]))
    books.atomic(lambda tx: tx.insert([{"id": 1, "shop": 9}]))
    targets = {"books": database("books"), "shops": database("shops")}
    names = {name: target.resource["table"] if target.resource else name for name, target in targets.items()}
    made = models_for({names["books"]: books, names["shops"]: shops})
    assert list(made) == [names["shops"], names["books"]]
    for name in ("shops", "books"):
        bound(targets[name], made[names[name]]).ping()
    pairs = [Pair("books", books, targets["books"]), Pair("shops", shops, targets["shops"])]
    assert copy(pairs, together=True) == {"shops": 1, "books": 1}
    assert copy(pairs, rows=Rows.GO, together=True) == {"shops": 1, "books": 1}
    books.atomic(lambda tx: tx.insert([{"id": 2, "shop": 9}]))
    told: list[str] = []

    def progress(name: str, count: int) -> None:
        told.append(name)
        if name == "books":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy(pairs, rows=Rows.GO, together=True, progress=progress)
    assert told == ["shops", "books"]
    assert rows_of(targets["books"]) == [{"id": 1, "shop": 9}], "the whole is one step"


# --- a target without transactions ------------------------------------------------------------------------------------


def remote(rows: list[Record], model: Model) -> RemoteDataStore:
    app = application(PythonListDataStore, rows, model)
    store = RemoteDataStore({"url": "http://test/things/", "dialect": "rest_kit"}, {"transport": WSGITransport(app)})
    store.bind(model)
    return store


def code_model() -> Model:
    return Model.of("Thing", [StringPkField("code"), StringField("name", nullable=False, unique=True)])


def test_into_another_api_row_by_row() -> None:
    there: list[Record] = []
    source = bound(PythonListDataStore([{"code": f"c{n:02}", "name": f"n{n}"} for n in range(20)]), code_model())
    assert copy([Pair("things", source, remote(there, code_model()))]) == {"things": 20}
    assert there == rows_of(source)
    with pytest.raises(NotCopied, match="there are rows already"):
        copy([Pair("things", source, remote(there, code_model()))])
    assert copy([Pair("things", source, remote(there, code_model()))], rows=Rows.GO) == {"things": 20}


def test_what_another_api_has_already_stays_and_is_counted() -> None:
    there: list[Record] = [{"code": "x", "name": "n2"}]
    source = bound(PythonListDataStore([{"code": f"c{n}", "name": f"n{n}"} for n in range(4)]), code_model())
    with pytest.raises(NotCopied) as refused:
        copy([Pair("things", source, remote(there, code_model()))], rows=Rows.STAY)
    assert str(refused.value).startswith("things: the row 'c2': name must be unique")
    assert str(refused.value).endswith("; 2 rows before it are written, and stay")
    assert [row["code"] for row in there] == ["x", "c0", "c1"]


def test_an_api_that_makes_its_own_keys_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="things: the target makes 'id' itself, and takes none"):
        copy([Pair("things", people("a"), remote([], named()))])


def test_out_of_another_api(tmp_path: Path) -> None:
    source = remote([{"code": f"c{n:04}", "name": f"n{n}"} for n in range(2345)], code_model())
    target = bound(SQLiteDataStore({"name": tmp_path / "x.db", "table": "t"}), code_model())
    assert copy([Pair("t", source, target)]) == {"t": 2345}
    assert rows_of(target) == rows_of(
        bound(PythonListDataStore([{"code": f"c{n:04}", "name": f"n{n}"} for n in range(2345)]), code_model())
    )
