"""What is a CSV file's own: values as cells, keys, foreign edits, several processes at one file."""

from __future__ import annotations

import datetime
import errno
import os
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from datastores.csv.journal import Journal
from datastores.csv.store import CSVDataStore
from rest_kit.errors import (
    ConfigurationError,
    Conflict,
    CursorGone,
    InvalidQuery,
    ReadOnly,
    RecordNotFound,
    StoreCorrupt,
    StoreFull,
    StoreUnavailable,
    ValidationError,
)
from rest_kit.models import (
    BooleanField,
    DateField,
    DecimalField,
    DictField,
    FloatField,
    IntegerField,
    Model,
    PkField,
    StringField,
    StringPkField,
)
from rest_kit.query import Filter, Page, Query
from rest_kit.types import INT64_MAX
from tests.datastores.csv_samples import (
    Person,
    delete,
    ended,
    events_of,
    everything,
    in_child,
    insert,
    opened,
    people_at,
    replayed,
    started,
    update,
)

AIRPORTS = """iata,name,city,state,country,latitude,longitude
00M,Thigpen,Bay Springs,MS,USA,31.95376472,-89.23450472
01G,Perry-Warsaw,Perry,NY,USA,42.74134667,-78.05208056
06D,Rolla Municipal,Rolla,ND,USA,48.88434111,-99.62087694
"""
WEATHER = """date,precipitation,temp_max,temp_min,wind,weather
2012/01/01,0.0,12.8,5.0,4.7,drizzle
2012/01/02,10.9,10.6,2.8,4.5,rain
"""
COUNTRIES = """# ISO 3166 alpha-2 country codes
#
#country-
#code\tname of country, territory, area, or subdivision
AD\tAndorra
AG\tAntigua & Barbuda
CI\tCôte d'Ivoire
"""
ZONES = """#codes\tcoordinates\tTZ\tcomments
AD\t+4230+00131\tEurope/Andorra
AE,OM,RE,SC,TF\t+2518+05518\tAsia/Dubai\tCrozet
AQ\t-6617+11031\tAntarctica/Casey\tCasey
#@AQ\tAntarctica/
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


def given(path: Path, text: str, model: Model | None = None, **options: Any) -> CSVDataStore:
    path.write_text(text, newline="")
    return opened(path, model, **options)


def kinds(store: CSVDataStore) -> dict[str, str]:
    return {field.name: field.kind.value for field in store.model.fields}


# --- files as they are found ------------------------------------------------------------------------------------------


def test_airports(path: Path) -> None:
    store = given(path, AIRPORTS)
    assert store.model.pk is not None
    assert (store.model.pk.name, kinds(store)["latitude"], kinds(store)["iata"]) == ("iata", "float", "string")
    assert store.get("01G")["longitude"] == -78.05208056
    update(store, "01G", {"city": "Perry, New York", "latitude": 42.75})
    delete(store, "06D")
    insert(store, {"iata": "0", "name": "", "city": "", "state": "", "country": "", "latitude": 0.1, "longitude": 1.0})
    lines = AIRPORTS.splitlines(keepends=True)
    changed = '01G,Perry-Warsaw,"Perry, New York",NY,USA,42.75,-78.05208056\n'
    assert path.read_text() == "".join([*lines[:2], changed, "0,,,,,0.1,1.0\n"])


def test_weather_whose_key_is_a_date_with_slashes(path: Path) -> None:
    store = given(path, WEATHER)
    assert (kinds(store)["date"], kinds(store)["wind"]) == ("string", "float")
    assert store.find(Query(where=Filter("wind", "lt", 4.6))).records[0]["date"] == "2012/01/02"
    update(store, "2012/01/01", {"temp_max": 12.8, "wind": 5.0})
    assert path.read_text() == WEATHER.replace("4.7", "5.0")


def test_a_table_with_comments_and_no_header(path: Path) -> None:
    store = given(path, COUNTRIES, columns=["code", "name"], comment="#")
    assert everything(store)[2] == {"code": "CI", "name": "Côte d'Ivoire"}
    insert(store, {"code": "#A", "name": "a\tb"})
    update(store, "AD", {"name": "Principality of Andorra"})
    expected = COUNTRIES.replace("\tAndorra", "\tPrincipality of Andorra") + '"#A"\t"a\tb"\n'
    assert path.read_text() == expected
    assert everything(store)[0] == {"code": "#A", "name": "a\tb"}


def test_trailing_cells_may_be_missing_where_the_columns_are_named(path: Path) -> None:
    store = given(path, ZONES, columns=["codes", "coordinates", "tz", "comments"], comment="#", key="tz")
    assert store.get("Europe/Andorra")["comments"] == ""
    update(store, "Europe/Andorra", {"codes": "AD,ES"})
    assert path.read_text() == ZONES.replace("AD\t+", "AD,ES\t+")
    update(store, "Europe/Andorra", {"comments": "all of it"})
    assert path.read_text() == ZONES.replace("AD\t+", "AD,ES\t+").replace("Andorra\n", "Andorra\tall of it\n")
    path.write_text(ZONES + "A\tB\tC\tD\tE\n")
    with pytest.raises(StoreCorrupt, match=r"t\.csv:6: 5 cells"):
        store.ping()


def test_a_file_is_made_from_the_model_at_first_use(path: Path) -> None:
    store = people_at(path)
    assert not path.exists()
    assert everything(store) == []
    assert path.read_text() == "id,name,age\n"
    with pytest.raises(StoreUnavailable, match="no such file"):
        opened(path.with_name("other.csv")).ping()
    with pytest.raises(StoreUnavailable, match="no such file"):
        people_at(path.with_name("other.csv"), read_only=True).ping()
    with pytest.raises(StoreUnavailable, match=r"[Nn]o such file"):
        people_at(path.parent / "nowhere" / "other.csv").ping()
    with pytest.raises(StoreUnavailable, match="not a file"):
        people_at(path.parent).ping()


def test_a_file_that_vanishes_is_not_made_again(path: Path) -> None:
    store = people_at(path)
    insert(store, {"name": "x", "age": 1})
    data = path.read_bytes()
    path.unlink()
    for reader in (store, opened(path, Person(), timeout=1)):
        with pytest.raises(StoreUnavailable, match=r"gone|no such file"):
            everything(reader)
    assert not path.exists()
    path.write_bytes(data)
    assert len(everything(store)) == 1


# --- values -----------------------------------------------------------------------------------------------------------


class Things(Model):
    fields = (
        StringPkField("code"),
        StringField("text"),
        StringField("must", required=True),
        BooleanField("flag"),
        DecimalField("price", digits=6, places=2),
        FloatField("size"),
        DateField("day"),
    )


THINGS = "code,text,must,flag,price,size,day,unknown\na,x,,TRUE,1.5,1.50,2020-01-02,?\nb,,y,,,,,\n"


def test_cells_become_values_and_stay_as_they_were_written(path: Path) -> None:
    store = given(path, THINGS, Things())
    assert everything(store) == [
        {
            "code": "a",
            "text": "x",
            "must": "",
            "flag": True,
            "price": Decimal("1.50"),
            "size": 1.5,
            "day": datetime.date(2020, 1, 2),
        },
        {"code": "b", "text": None, "must": "y", "flag": None, "price": None, "size": None, "day": None},
    ]
    update(store, "a", {**store.get("a"), "must": "now"})
    assert path.read_text() == THINGS.replace("a,x,,TRUE", "a,x,now,TRUE")
    update(store, "b", {"flag": False, "price": Decimal("2.00")})
    assert path.read_text().splitlines()[2] == "b,,y,FALSE,2.00,,,"


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("text", "", "stands for null"),
        ("must", None, "may not be null"),
        ("must", "a\0b", "reads back"),
        ("must", "\ud800", "does not have"),
    ],
)
def test_what_a_cell_cannot_hold_is_refused(path: Path, field: str, value: Any, why: str) -> None:
    store = given(path, THINGS, Things())
    writes = {
        (field,): lambda: update(store, "a", {field: value}),
        (0, field): lambda: insert(store, _thing(**{field: value})),
    }
    for place, write in writes.items():
        with pytest.raises(ValidationError, match=why) as caught:
            write()
        assert [fault.path for fault in caught.value.faults] == [place]
    assert path.read_text() == THINGS


def _thing(**values: Any) -> dict[str, Any]:
    return {"code": "c", "text": "t", "must": "m", "flag": None, "price": None, "size": None, "day": None} | values


def test_an_encoding_that_lacks_a_character(path: Path) -> None:
    path.write_bytes("code,name\na,é\n".encode("latin-1"))
    with pytest.raises(StoreCorrupt, match=r"t\.csv:2: byte 0xe9 is not utf-8; name .* `encoding`"):
        opened(path).ping()
    store = opened(path, encoding="latin-1")
    assert store.get("a") == {"code": "a", "name": "é"}
    with pytest.raises(ValidationError, match=r"'€', which .* \(iso8859-1\) does not have"):
        update(store, "a", {"name": "5 €"})
    update(store, "a", {"name": "ü"})
    assert path.read_bytes() == "code,name\na,ü\n".encode("latin-1")


def test_another_marker_for_null(path: Path) -> None:
    store = given(path, "code,text,n\na,NA,NA\nb,,2\n", null="NA")
    assert everything(store) == [{"code": "a", "text": None, "n": None}, {"code": "b", "text": "", "n": 2}]
    update(store, "b", {"text": None, "n": None})
    with pytest.raises(ValidationError, match="'NA' stands for null"):
        update(store, "a", {"text": "NA"})
    update(store, "a", {"text": ""})
    assert path.read_text() == "code,text,n\na,,NA\nb,NA,NA\n"


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("a,x,m,maybe,1,1,2020-01-01,", "flag: 'maybe' is neither true nor false"),
        ("a,x,m,,1.555,1,2020-01-01,", "price: '1.555' is"),
        ("a,x,m,,12345678901234567.89,1,2020-01-01,", "price: '12345678901234567.89' is a number of more digits"),
        ("a,x,m,,1,nan,2020-01-01,", "size: 'nan' is not a number"),
        ("a,x,m,,1,1,2020-02-30,", "day: '2020-02-30' is no such date"),
    ],
)
def test_a_cell_that_does_not_fit_is_named(path: Path, row: str, what: str) -> None:
    store = given(path, THINGS + "\n" + row.replace("a,", "c,", 1) + "\n", Things())
    with pytest.raises(StoreCorrupt, match=rf"t\.csv:5: {what}"):
        store.ping()


def test_an_empty_cell_in_a_field_that_is_not_nullable(path: Path) -> None:
    model = Model.of("N", [StringPkField("code"), IntegerField("n", required=True)])
    with pytest.raises(StoreCorrupt, match=r"t\.csv:3: n: an empty cell"):
        given(path, "code,n\na,1\nb,\n", model).ping()


def test_a_value_that_no_cell_can_hold_is_named_with_its_place_in_the_batch(path: Path) -> None:
    store = given(path, "id,name,age\n", Model.of("P", [PkField("id"), StringField("name"), IntegerField("age")]))
    batch = [{"name": "a", "age": 1}, {"name": "", "age": 2}]
    with pytest.raises(ValidationError) as refused:
        store.atomic(lambda tx: tx.insert(batch))
    assert [fault.path for fault in refused.value.faults] == [(1, "name")]
    assert path.read_text() == "id,name,age\n"


def test_a_field_without_a_column_is_named(path: Path) -> None:
    with pytest.raises(StoreCorrupt, match=r"t\.csv:2: there is no column for the field 'age'; there are id, name"):
        given(path, "\nid,name\n", Person()).ping()


def test_the_model_found_in_a_file_stays(path: Path) -> None:
    store = given(path, "id,n\n1,2\n")
    assert kinds(store) == {"id": "integer", "n": "integer"}
    path.write_text("id,n\n1,2\n2,x\n")
    with pytest.raises(StoreCorrupt, match=r"t\.csv:3: n: 'x' is not an integer"):
        store.ping()
    path.write_text("n,id\n3,1\n4,2\n")
    assert everything(store) == [{"id": 1, "n": 3}, {"id": 2, "n": 4}]


# --- keys -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("second", "what"), [("a", "is 'a' here, and in line 5"), ("", "is empty")])
def test_a_key_that_is_none_is_named_with_its_lines(path: Path, second: str, what: str) -> None:
    store = given(path, f'code,n\nb,"1\n2"\na,1\n{second},2\n', key="code")
    with pytest.raises(StoreCorrupt, match=r"t\.csv:(4|5): the key code " + what):
        store.ping()


def test_without_a_key_rows_are_served_by_number_and_not_written(path: Path) -> None:
    text = "n,row\n1,x\n1,x\n"
    store = given(path, text)
    assert everything(store) == [{"_row": 1, "n": 1, "row": "x"}, {"_row": 2, "n": 1, "row": "x"}]
    assert store.get(2)["n"] == 1
    assert not store.capabilities.writable
    assert "option `key`" in store.capabilities.why_not
    with pytest.raises(ReadOnly, match="`key`"):
        insert(store, {"n": 1, "row": "y"})
    bound = given(path, "n\n1\n1\n", Model.of("N", [IntegerField("n")]))
    assert [row["row"] for row in everything(bound)] == [1, 2]
    assert not bound.capabilities.writable


def test_a_header_with_an_id_and_no_rows_can_be_written(path: Path) -> None:
    store = given(path, "id,a,b\n")
    assert everything(store) == []
    assert store.capabilities.writable
    assert insert(store, {"a": "x"}) == [{"id": 1, "a": "x", "b": None}]
    assert insert(store, {"a": "y", "b": "5"}) == [{"id": 2, "a": "y", "b": "5"}]
    assert path.read_text() == "id,a,b\n1,x,\n2,y,5\n"


def test_a_header_without_rows_and_its_key(path: Path) -> None:
    named = given(path, "id,code\n", key="code")
    assert insert(named, {"code": "x", "id": None}) == [{"id": None, "code": "x"}]
    path.unlink()
    numbered = given(path, "a,b\n")
    assert everything(numbered) == []
    assert "option `key`" in numbered.capabilities.why_not


def test_numbers_that_no_float_holds_stay_exact(path: Path) -> None:
    text = "id,n\n1,1.12345678901234567890\n2,-7\n3,2.5\n"
    store = given(path, text)
    assert [row["n"] for row in everything(store)] == [Decimal("1.12345678901234567890"), Decimal(-7), Decimal("2.5")]
    assert insert(store, {"n": Decimal("0.10000000000000000001")})[0]["id"] == 4
    assert path.read_text() == text + "4,0.10000000000000000001\n"


def test_the_key_option(path: Path) -> None:
    store = given(path, "a,b,day\n1,x,2020-01-01\n2,y,2020-01-02\n", key="b")
    assert store.get("y") == {"a": 2, "b": "y", "day": datetime.date(2020, 1, 2)}
    assert opened(path, key="day").get("2020-01-02")["a"] == 2
    with pytest.raises(StoreCorrupt, match=r"names no field 'c'"):
        opened(path, key="c").ping()
    with pytest.raises(ConfigurationError, match="primary key is 'id'"):
        people_at(path, key="name")


def test_generated_keys_are_never_given_twice(path: Path) -> None:
    store = given(path, "id,name,age\n5,five,\n", Person())
    assert insert(store, {"name": "x"})[0]["id"] == 6
    delete(store, 6)
    store.close()
    del store
    again = people_at(path, events=False)
    assert insert(again, {"name": "y"})[0]["id"] == 7
    insert(again, {"id": INT64_MAX, "name": "z"})
    with pytest.raises(StoreFull):
        insert(again, {"name": "none left"})
    with pytest.raises(Conflict):
        insert(again, {"id": 5, "name": "taken"})


# --- others at the same file ------------------------------------------------------------------------------------------


def test_foreign_edits_are_seen_and_a_broken_file_is_not_written_to(path: Path) -> None:
    store = people_at(path)
    insert(store, {"name": "one", "age": 1}, {"name": "two", "age": 2})
    path.write_text(path.read_text().replace("two", "TWO"))
    assert store.get(2)["name"] == "TWO"
    path.write_text(path.read_text().replace("TWO", "two"))
    assert store.get(2)["name"] == "two"
    broken = path.read_text() + '3,"half'
    path.write_text(broken)
    for use in (everything, lambda s: insert(s, {"name": "x"}), lambda s: update(s, 1, {"age": 3}), events_of):
        with pytest.raises(StoreCorrupt, match=r"t\.csv:4: a quote"):
            use(store)
    assert path.read_text() == broken
    path.write_text(broken + ' a row",7\n')
    assert store.get(3)["name"] == "half a row"
    assert insert(store, {"name": "four"})[0]["id"] == 4
    path.write_text("id,name,age\n")
    assert everything(store) == []
    assert insert(store, {"name": "five"})[0]["id"] == 5


def test_an_edit_while_a_write_is_under_way_is_not_overwritten(path: Path) -> None:
    store = people_at(path)
    insert(store, {"name": "one", "age": 1}, {"name": "two", "age": 2})
    runs = []

    def work(tx: Any) -> None:
        runs.append(tx.get(1)["age"])
        if len(runs) == 1:
            path.write_text(path.read_text().replace("one,1", "one,100"))
        tx.update(1, {"age": tx.get(1)["age"] + 1})

    store.atomic(work)
    assert runs == [1, 100]
    assert store.get(1)["age"] == 101
    assert [event.action for event in events_of(store)] == ["created", "created", "updated"]


def test_an_edit_at_every_attempt_gives_up_in_the_end(path: Path) -> None:
    store = people_at(path)
    insert(store, {"name": "one", "age": 1})

    def work(tx: Any) -> None:
        with path.open("a") as stream:
            stream.write("\n")
        tx.insert([{"name": "x", "age": 1}])

    with pytest.raises(StoreUnavailable, match="another program"):
        store.atomic(work)
    assert path.read_text() == "id,name,age\n1,one,1\n" + "\n" * 5


def test_two_stores_follow_each_other_without_reading_all_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = people_at(path, timeout=5), people_at(path, timeout=6)
    insert(one, {"name": "one", "age": 1}, {"name": "two", "age": 2})
    assert len(everything(two)) == 2
    monkeypatch.setattr("datastores.csv.opening.Opening.load", None)
    for number in range(5):
        update(two, 1, {"name": "one" * number, "age": number})
        assert one.get(1)["age"] == number
        (row,) = insert(one, {"name": "x\ny", "age": 0})
        delete(two, row["id"])
        assert everything(one) == everything(two)
    one.atomic(lambda tx: (tx.insert([{"name": "a"}]), tx.update(2, {"age": 9}), tx.insert([{"name": "b"}])))
    assert everything(one) == everything(two)
    assert [event.seq for event in events_of(one)] == [event.seq for event in events_of(two)]
    monkeypatch.undo()
    assert everything(one) == everything(opened(path, Person(), timeout=7))


def test_processes_that_read_and_write_lose_no_update(path: Path) -> None:
    store = people_at(path, timeout=20)
    insert(store, {"name": "counter", "age": 0})

    def work() -> None:
        mine = [threading.Thread(target=_count_up, args=(store,)) for _ in range(2)]
        for thread in mine:
            thread.start()
        for thread in mine:
            thread.join()

    children = [started(work) for _ in range(3)]
    work()
    assert [ended(child) for child in children] == [0, 0, 0]
    assert store.get(1)["age"] == 4 * 2 * 15
    assert replayed(events_of(store)) == everything(store)


def _count_up(store: CSVDataStore) -> None:
    for _ in range(15):
        store.atomic(lambda tx: tx.update(1, {"age": tx.get(1)["age"] + 1}))


def test_a_child_goes_on_where_its_parent_is(path: Path) -> None:
    store = people_at(path)
    insert(store, {"name": "parent", "age": 1})

    def work() -> None:
        assert len(everything(store)) == 1
        insert(store, {"name": "child", "age": 2})

    assert in_child(work) == 0
    assert [row["name"] for row in everything(store)] == ["parent", "child"]
    assert [event.pk for event in events_of(store)] == [1, 2]


def test_a_lock_that_is_not_given_back_is_waited_for_only_so_long(path: Path) -> None:
    one, two = people_at(path, timeout=5), people_at(path, timeout=0.05)
    insert(one, {"name": "one", "age": 1})
    everything(two)
    holding, done = threading.Event(), threading.Event()

    def hold(tx: Any) -> None:
        holding.set()
        done.wait(10)

    thread = threading.Thread(target=lambda: one.atomic(hold))
    thread.start()
    holding.wait(10)
    try:
        assert len(everything(two)) == 1
        with pytest.raises(StoreUnavailable, match="locked by another"):
            insert(two, {"name": "two", "age": 2})
    finally:
        done.set()
        thread.join()
    insert(two, {"name": "two", "age": 2})


# --- what lies around it ----------------------------------------------------------------------------------------------


def test_mode_and_link_stay(path: Path) -> None:
    real = path.with_name("real.csv")
    people_at(real).ping()
    real.chmod(0o640)
    path.symlink_to(real.name)
    store = people_at(path)
    insert(store, {"name": "x", "age": 1})
    update(store, 1, {"age": 2})
    assert path.is_symlink()
    assert real.read_text() == "id,name,age\n1,x,2\n"
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(path.parent)) == sorted(
        ["t.csv", "real.csv", ".real.csv.rest_kit-lock", ".real.csv.rest_kit-journal"]
    )
    assert people_at(real)._open() is store._open()


def test_a_file_that_is_a_mount_of_its_own_takes_additions_only(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = people_at(path)
    insert(store, {"name": "one", "age": 1})

    def busy(source: str, target: str) -> None:
        raise OSError(errno.EBUSY, "busy")

    monkeypatch.setattr(os, "replace", busy)
    with pytest.raises(ReadOnly, match="mount its directory"):
        update(store, 1, {"age": 2})
    insert(store, {"name": "two", "age": 2})
    assert [row["age"] for row in everything(store)] == [1, 2]
    assert replayed(events_of(store)) == everything(store)


def test_values_that_python_calls_equal_are_told_apart(path: Path) -> None:
    model = Model.of("Loose", [StringPkField("code"), DecimalField("price"), DictField("more")])
    store = opened(path, model)
    insert(store, {"code": "a", "price": Decimal("1.1"), "more": {"x": 1}})
    stored = update(store, "a", {"price": Decimal("1.10"), "more": {"x": True}})
    assert repr(stored) == repr(store.get("a")) == "{'code': 'a', 'price': Decimal('1.10'), 'more': {'x': True}}"
    assert path.read_text() == 'code,price,more\na,1.10,"{""x"":true}"\n'


def test_what_no_cell_can_hold_is_not_found(path: Path) -> None:
    store = people_at(path)
    for pk in ("x", "\ud800", None, True, 2**70):
        with pytest.raises(RecordNotFound):
            store.get(pk)  # type: ignore[arg-type]
    with pytest.raises(RecordNotFound):
        given(path, AIRPORTS).get("\ud800")
    with pytest.raises(InvalidQuery, match="surrogate"):
        opened(path).find(Query(where=Filter("name", "icontains", "\ud800")))


def test_no_room_for_the_mirror(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datastores.csv.mirror.CACHE_KIB", 8)
    store = given(path, "id,name,age\n" + "".join(f"{n},{'x' * 80},1\n" for n in range(9000)), Person())
    monkeypatch.setattr("datastores.csv.mirror.Mirror._index", _run_out_of_room)
    with pytest.raises(StoreFull, match="TMPDIR"):
        store.ping()
    monkeypatch.undo()
    assert store.find(Query(total=True, page=Page(1))).total == 9000


def _run_out_of_room(mirror: Any) -> None:
    mirror._connection.execute("PRAGMA max_page_count = 1")
    mirror._connection.execute("CREATE TABLE more AS SELECT * FROM mirrored")


def test_more_columns_than_the_mirror_can_have(path: Path) -> None:
    names = ",".join(f"c{n}" for n in range(2100))
    with pytest.raises(StoreUnavailable, match="too many columns"):
        given(path, names + "\n" + ",".join(["1"] * 2100) + "\n").ping()


def test_an_index_is_used(path: Path) -> None:
    store = given(path, AIRPORTS, indexes=["state"])
    assert store.find(Query(where=Filter("state", "eq", "NY"))).records[0]["iata"] == "01G"
    with pytest.raises(StoreCorrupt, match="no field 'sate'; did you mean 'state'"):
        opened(path, indexes=["sate"]).ping()
    with pytest.raises(ConfigurationError, match="no field 'nme'; did you mean 'name'"):
        people_at(path, indexes=["nme"])


def test_reading_leaves_nothing_behind(path: Path) -> None:
    store = given(path, AIRPORTS)
    everything(store)
    assert events_of(store) == []
    read_only = opened(path, read_only=True)
    with pytest.raises(ReadOnly, match="read_only"):
        delete(read_only, "00M")
    assert os.listdir(path.parent) == ["t.csv"]


def test_where_nothing_may_be_written_one_can_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = given(path, AIRPORTS)
    real = os.open

    def denied(name: str, flags: int, *mode: int) -> int:
        if flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR):
            raise PermissionError(errno.EACCES, "denied")
        return real(name, flags, *mode)

    monkeypatch.setattr(os, "open", denied)
    assert len(everything(store)) == 3
    for write in (lambda: delete(store, "00M"), lambda: insert(store, {**store.get("00M"), "iata": "1"})):
        with pytest.raises(ReadOnly, match="cannot be written"):
            write()
    assert path.read_text() == AIRPORTS


def test_work_that_fails_leaves_the_file_alone(path: Path) -> None:
    store = people_at(path)
    insert(store, {"name": "one", "age": 1})
    before, old = path.stat(), path.read_bytes()

    def work(tx: Any) -> None:
        tx.insert([{"name": "two", "age": 2}])
        tx.update(1, {"age": 5})
        tx.delete(2)
        raise RecordNotFound(3)

    with pytest.raises(RecordNotFound):
        store.atomic(work)
    assert (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns) == (old, before.st_ino, before.st_mtime_ns)
    assert len(events_of(store)) == 1
    with pytest.raises(RuntimeError, match="within atomic"):
        store.atomic(lambda tx: store.atomic(lambda inner: None))


def test_many_changes_are_one_rewrite_and_additions_none(path: Path) -> None:
    store = people_at(path)
    insert(store, *({"name": f"n{number}", "age": number} for number in range(20)))
    inode = path.stat().st_ino
    insert(store, {"name": "more", "age": 1})
    assert path.stat().st_ino == inode

    def work(tx: Any) -> None:
        for pk in range(1, 11):
            tx.update(pk, {"age": tx.get(pk)["age"] + 100})
            tx.update(pk, {"name": "twice"})
        (row,) = tx.insert([{"name": "gone", "age": 1}])
        tx.update(row["id"], {"name": "still gone"})
        tx.delete(row["id"])
        tx.delete(20)

    store.atomic(work)
    assert path.stat().st_ino != inode
    assert path.read_text().splitlines()[1] == "1,twice,100"
    assert len(path.read_text().splitlines()) == 21
    assert everything(store) == everything(people_at(path, timeout=1)) == replayed(events_of(store))


def test_a_write_that_the_file_shows_has_its_event(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = people_at(path)
    insert(store, {"name": "x", "age": 0})

    def broken(path: str) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("datastores.csv.files.sync_directory", broken)
        with pytest.raises(StoreUnavailable):
            update(store, 1, {"age": 1})
    assert path.read_text().splitlines()[1:] == ["1,x,1"]
    assert everything(store) == everything(people_at(path, timeout=1)) == replayed(events_of(store))


def test_a_write_is_done_once_although_the_journal_cannot_be_shortened(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = people_at(path)
    insert(store, {"name": "x", "age": 0})
    journal = path.with_name(".t.csv.rest_kit-journal")

    def taken_away(self: Journal) -> bool:
        journal.unlink(missing_ok=True)
        return True

    monkeypatch.setattr(Journal, "is_long", taken_away)
    insert(store, {"name": "y", "age": 1})
    assert path.read_text().splitlines()[1:] == ["1,x,0", "2,y,1"]


def test_old_events_go_and_the_journal_stays_short(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datastores.csv.journal._SLACK", 20)
    store, follower = people_at(path, retention=10), people_at(path, retention=10, timeout=1)
    insert(store, {"name": "x", "age": 0})
    everything(follower)
    start = events_of(store)[0].seq
    sizes = set()
    for number in range(100):
        update(store, 1, {"age": number + 1})
        sizes.add(path.with_name(".t.csv.rest_kit-journal").stat().st_size)
    assert max(sizes) < 40 * 400
    for reader in (store, follower):
        log = reader.changes()
        assert log is not None
        assert log.last() == start + 100
        assert [event.seq for event in log.read(start + 90, 100)] == list(range(start + 91, start + 101))
        assert [event.seq for event in log.read(start + 95, 2)] == [start + 96, start + 97]
        for gone in (start + 89, start + 101, 0):
            with pytest.raises(CursorGone):
                log.read(gone)
        assert reader.get(1)["age"] == 100


def test_a_wrong_declaration_is_explained(path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        CSVDataStore({"path": str(path)}, {"delimeter": ";", "retention": "x"})
    assert "did you mean 'delimiter'" in str(caught.value)
    wrong: list[dict[str, Any]] = [
        {"delimiter": ";;"},
        {"quotechar": ","},
        {"encoding": "utf-16"},
        {"columns": ["a", "a"]},
        {"timeout": -1},
    ]
    for options in wrong:
        with pytest.raises(ConfigurationError):
            CSVDataStore({"path": str(path)}, options)
    for resource in ("people.csv", {}, {"path": 3}):
        with pytest.raises(ConfigurationError):
            CSVDataStore(resource)  # type: ignore[arg-type]


def test_every_wrong_option_is_told_at_once(path: Path) -> None:
    options = {
        "delimeter": ";",
        "read_only": "yes",
        "retention": 0,
        "timeout": -1,
        "indexes": ["a", "a"],
        "delimiter": ";;",
        "encoding": "utf-16",
        "comment": "",
        "columns": [],
        "null": "\0",
    }
    with pytest.raises(ConfigurationError) as caught:
        CSVDataStore({"path": str(path), "pfad": 1}, options)
    told = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == len(options) + 1, told
    for name in options:
        assert repr(name) in told


@pytest.mark.parametrize("comment", ["", "a\nb", "\r", "\0", "§"])
def test_a_comment_that_no_line_can_begin_with(path: Path, comment: str) -> None:
    with pytest.raises(ConfigurationError, match="'comment'"):
        CSVDataStore({"path": str(path)}, {"comment": comment, "encoding": "ascii"})


def test_every_option_that_names_no_field_is_told_at_once(path: Path) -> None:
    options = {"key": "nmae", "indexes": ["agee", "name", "x"]}
    store = CSVDataStore({"path": str(path)}, options)
    with pytest.raises(ConfigurationError) as caught:
        store.bind(Model.of("P", [StringField("name", required=True), IntegerField("age")]))
    assert len(caught.value.problems) == 3
    assert "options['key'] names no field 'nmae'; did you mean 'name'?" in caught.value.problems
    path.write_text("name,age\nx,1\n")
    with pytest.raises(StoreCorrupt) as unreadable:
        CSVDataStore({"path": str(path)}, options).ping()
    assert all(f"names no field {name!r}" in str(unreadable.value) for name in ("nmae", "agee", "x"))


def test_pk_field_is_generated(path: Path) -> None:
    assert isinstance(given(path, "id,x\n1,a\n").model.pk, PkField)
