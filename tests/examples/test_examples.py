"""Each example in process, as far as its readers will go with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.examples.support import copy_of, load
from tests.http.support import Client


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the example."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


# --- quickstart -------------------------------------------------------------------------------------------------------


def test_quickstart_serves_people_twenty_a_page(folder: Path) -> None:
    client = Client(load(copy_of("quickstart.py", folder)).app)
    page = client.get("/people/?age__gte=30&search=ada&ordering=-age,name&fields=name&offset=20&count=20").json
    assert page["meta"]["total_count"] == 70
    assert page["object_list"][0] == {"id": 79, "name": "Ada", "resource_uri": "/people/79/"}
    assert len(page["object_list"]) == 20


def test_quickstart_can_be_written_but_not_deleted_as_a_whole(folder: Path) -> None:
    client = Client(load(copy_of("quickstart.py", folder)).app)
    made = client.ask("POST", "/people/", {"name": "Grace", "age": 36})
    assert made.status_int == 201
    assert made.headers["Location"] == "/people/100/"
    assert client.ask("PATCH", "/people/100/", {"age": 37}).json["age"] == 37
    assert client.ask("DELETE", "/people/100/").status_int == 204
    assert client.get("/people/100/").status_int == 404
    assert client.ask("DELETE", "/people/?age=1").status_int == 405


# --- tweets -----------------------------------------------------------------------------------------------------------


def test_tweets_make_their_database_at_the_first_request(folder: Path) -> None:
    app = load(copy_of("tweets.py", folder)).app
    assert not (folder / "twitter.db").exists()
    client = Client(app)
    assert client.ask("POST", "/tweets/", {"message": "Hello", "user": "ada"}).status_int == 201
    assert (folder / "twitter.db").exists()
    again = Client(load(folder / "tweets.py").app)
    assert again.get("/tweets/1/").json == {"message": "Hello", "user": "ada", "id": 1, "resource_uri": "/tweets/1/"}


def test_a_tweet_is_at_most_280_characters_long(folder: Path) -> None:
    client = Client(load(copy_of("tweets.py", folder)).app)
    assert client.ask("POST", "/tweets/", {"message": "é" * 280, "user": "ada"}).status_int == 201
    refused = client.ask("POST", "/tweets/", {"message": "é" * 281, "user": "ada"})
    assert [(fault["pointer"], fault["code"]) for fault in refused.json["errors"]] == [("#/message", "max_length")]


def test_a_tweet_cannot_be_patched_as_its_verbs_say(folder: Path) -> None:
    client = Client(load(copy_of("tweets.py", folder)).app)
    client.ask("POST", "/tweets/", {"message": "Hello", "user": "ada"})
    refused = client.ask("PATCH", "/tweets/1/", {"message": "Bye"})
    assert refused.status_int == 405
    assert refused.headers["Allow"] == "GET, HEAD, PUT, DELETE, OPTIONS"
    assert client.ask("PUT", "/tweets/1/", {"message": "Bye", "user": "ada"}).json["message"] == "Bye"


# --- countries --------------------------------------------------------------------------------------------------------


@pytest.fixture
def countries(folder: Path) -> Client:
    for name in ("iso3166.tab", "zone1970.tab"):
        copy_of(name, folder)
    return Client(load(copy_of("countries.py", folder)).app)


def test_countries_are_found_by_their_codes(countries: Client) -> None:
    assert countries.get("/countries/CH/").json == {
        "code": "CH",
        "name": "Switzerland",
        "resource_uri": "/countries/CH/",
    }
    assert countries.get("/countries/?count=0").json["meta"]["total_count"] == 249
    named = countries.get("/countries/?name__istartswith=å").json["object_list"]
    assert [country["code"] for country in named] == ["AX"]


def test_zones_have_keys_with_slashes_and_cells_that_are_left_out(countries: Client) -> None:
    uri = "/zones/Europe%2FZurich/"
    zone = countries.get(uri, environ={"RAW_URI": uri}).json
    assert (zone["tz"], zone["countries"], zone["resource_uri"]) == ("Europe/Zurich", "CH,DE,LI", uri)
    short = countries.get("/zones/?tz=Europe/Andorra").json["object_list"]
    assert [zone["comments"] for zone in short] == [""]


def test_the_files_of_the_iana_cannot_be_written_by_accident(countries: Client, folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    refused = countries.ask("POST", "/countries/", {"code": "ZZ", "name": "Nowhere"})
    assert refused.status_int == 405
    assert refused.headers["Allow"] == "GET, HEAD, OPTIONS"
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


# --- legacy CSV -------------------------------------------------------------------------------------------------------


@pytest.fixture
def customers(folder: Path) -> Path:
    """The old program's file."""
    return copy_of("kunden.csv", folder)


@pytest.fixture
def client(customers: Path, folder: Path) -> Client:
    return Client(load(copy_of("legacy_csv.py", folder)).app)


def test_old_text_is_read_as_it_was_meant(client: Client) -> None:
    assert client.get("/customers/000021/").json == {
        "Kundennr": "000021",
        "Name": 'Bäckerei "Zum Löwen"',
        "Straße": "Marktplatz 3",
        "PLZ": "70173",
        "Ort": "Stuttgart",
        "Kunde seit": "2001-11-02",
        "resource_uri": "/customers/000021/",
    }
    assert client.get("/customers/000034/").json["Kunde seit"] is None


def test_a_patch_changes_one_cell_and_no_other_byte(client: Client, customers: Path) -> None:
    before = customers.read_bytes()
    assert client.ask("PATCH", "/customers/000034/", {"Ort": "Dresden; Neustadt"}).status_int == 200
    old, new = (
        b"01067;Dresden;;0,00;R\xfcckruf \x80 kl\xe4ren\r\n",
        b'01067;"Dresden; Neustadt";;0,00;R\xfcckruf \x80 kl\xe4ren\r\n',
    )
    assert before.count(old) == 1
    assert customers.read_bytes() == before.replace(old, new)


def test_a_new_customer_is_a_line_at_the_end(client: Client, customers: Path) -> None:
    before = customers.read_bytes()
    new = {"Kundennr": "000200", "Name": "10 € Laden", "PLZ": "01067", "Kunde seit": "2026-01-31"}
    assert client.ask("POST", "/customers/", new).status_int == 201
    assert customers.read_bytes() == before + b"000200;10 \x80 Laden;;01067;;2026-01-31;;\r\n"


def test_a_deleted_customer_takes_no_other_line_along(client: Client, customers: Path) -> None:
    before = customers.read_bytes().split(b"\r\n")
    assert client.ask("DELETE", "/customers/000017/").status_int == 204
    assert customers.read_bytes().split(b"\r\n") == [before[0], *before[2:]]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"Name": "日本"}, "#/Name"),
        ({"PLZ": "1234"}, "#/PLZ"),
        ({"Kunde seit": "31.01.2026"}, "#/Kunde seit"),
        ({"Saldo": "0,00"}, "#/Saldo"),
    ],
)
def test_what_the_file_cannot_hold_is_refused(
    client: Client, customers: Path, change: dict[str, str], pointer: str
) -> None:
    before = customers.read_bytes()
    refused = client.ask("PATCH", "/customers/000034/", change)
    assert (refused.status_int, [fault["pointer"] for fault in refused.json["errors"]]) == (400, [pointer])
    assert customers.read_bytes() == before


def test_a_number_that_is_taken_is_a_conflict(client: Client) -> None:
    taken = client.ask("POST", "/customers/", {"Kundennr": "000017", "Name": "Doppelt"})
    assert (taken.status_int, taken.json["errors"][0]["pointer"]) == (409, "#/Kundennr")
