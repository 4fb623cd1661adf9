"""One list of customers, served in two versions: the same rows, in two shapes, one of them on its way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.support import ask
from tests.examples.support import copy_of, load, under_gunicorn
from tests.http.support import Client

ADA = {"id": 1, "first_name": "Ada", "last_name": "Lovelace", "city": "London", "resource_uri": "/v2/customers/1/"}


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(load(copy_of("versions.py", tmp_path)).app)


def test_a_name_is_one_in_the_first_version_and_two_in_the_second(client: Client) -> None:
    assert client.get("/v2/customers/1/").json == ADA
    assert client.get("/v1/customers/1/").json == {
        "id": 1, "city": "London", "name": "Ada Lovelace", "resource_uri": "/v1/customers/1/",
    }  # fmt: skip
    assert client.values("/v1/customers/?ordering=-last_name", "name") == ["Emmy Noether", "Ada Lovelace"]
    assert client.get("/v1/customers/2/?fields=last_name").json["name"] == "Noether"
    assert client.get("/").json["versions"] == {"v1": "/v1/", "v2": "/v2/"}


def test_both_serve_the_same_rows(client: Client) -> None:
    made = client.post("/v2/customers/", {"first_name": "Grace", "last_name": "Hopper"})
    assert made.headers["Location"] == "/v2/customers/3/"
    assert client.get("/v1/customers/3/").json["name"] == "Grace Hopper"
    client.patch("/v2/customers/3/", {"last_name": "Murray"})
    assert client.get("/v1/customers/3/").json["name"] == "Grace Murray"
    assert client.delete("/v1/customers/3/").status_int == 204
    assert client.get("/v2/customers/3/").status_int == 404
    assert client.post("/v1/customers/", {"first_name": "Grace", "last_name": "Hopper"}).status_int == 405


@pytest.mark.parametrize("path", ["/v1/customers/", "/v1/customers/1/", "/v1/customers/9/", "/v1/nothing/"])
def test_the_first_version_says_in_every_reply_that_it_will_go(client: Client, path: str) -> None:
    told = client.get(path).headers
    assert told["Deprecation"] == "@1767225600"
    assert told["Sunset"] == "Fri, 01 Jan 2027 00:00:00 GMT"
    assert '<https://example.org/moving-to-v2>; rel="deprecation"' in told["Link"]
    assert not {"Deprecation", "Sunset"} & set(client.get(path.replace("v1", "v2")).headers)


def test_several_workers_serve_the_list_for_reading(tmp_path: Path) -> None:
    with under_gunicorn("examples.versions:app", tmp_path, "--workers", "2") as api:
        assert ask(f"{api}/v2/customers/1/").data == ADA
        refused = ask(f"{api}/v2/customers/1/", "PATCH", {"city": "Ockham"})
        assert (refused.status, "one process" in refused.data["detail"]) == (503, True), refused.data
