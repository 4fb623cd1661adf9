"""How a source is written: names, tables, and what is never shown of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from datastores.remote.dialects import DIALECTS
from rest_kit.cli import apis
from rest_kit.cli.apis import headers_of
from rest_kit.cli.source import Source, SourceError, masked, parse, password_of


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("x.csv", Source("x.csv")),
        ("shop.db#books, authors", Source("shop.db", ("books", "authors"))),
        ("shop.db#odd%20name,a%2Cb", Source("shop.db", ("odd name", "a,b"))),
        ("loans=lent.csv", Source("lent.csv", (), "loans")),
        ("postgresql://h/d?a=b", Source("postgresql://h/d?a=b")),
        ("other=postgresql://h/d#t", Source("postgresql://h/d", ("t",), "other")),
        ("postgresql://ada:p#w@h/d", Source("postgresql://ada:p#w@h/d")),
        ("postgresql://ada:p#w@h/d#t", Source("postgresql://ada:p#w@h/d", ("t",))),
        ("module:people", Source("module:people")),
    ],
)
def test_what_a_text_means(text: str, source: Source) -> None:
    assert parse(text) == source


def test_a_file_of_that_very_name_is_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a=b.csv", "a#b.csv"):
        Path(name).touch()
        assert parse(name) == Source(name)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("shop.db#", "behind '#' come the names of tables"),
        ("shop.db#a,,b", "behind '#' come the names of tables"),
        ("shop.db#a,b,a", "the table a is named twice"),
        ("module:people#a", "what a module holds has no tables"),
    ],
)
def test_what_means_nothing(text: str, told: str) -> None:
    with pytest.raises(SourceError, match=told):
        parse(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://ada:secret@h/d", "postgresql://ada:***@h/d"),
        ("postgresql://ada:se@cr/et:@h:5432/d#t", "postgresql://ada:***@h:5432/d#t"),
        ("postgresql://ada@h/d?password=secret&x=y", "postgresql://ada@h/d?..."),
        ("https://h/people/?token=secret", "https://h/people/?..."),
        ("postgresql://ada@h/d", "postgresql://ada@h/d"),
        ("what?.csv", "what?.csv"),
    ],
)
def test_no_password_is_shown(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_the_password_is_known_so_that_it_can_be_hidden() -> None:
    assert password_of("postgresql://ada:se@cr/et@h/d") == "se@cr/et"
    assert password_of("postgresql://ada@h/d") == ""


def test_the_dialects_are_those_that_there_are() -> None:
    assert set(apis.DIALECTS) == set(DIALECTS)


def test_headers_go_to_one_host_alone() -> None:
    here, there = Source("https://a.example/x/"), Source("https://b.example/x/")
    assert headers_of(["Authorization: Token t:1"], [here, Source("x.csv")]) == {"Authorization": "Token t:1"}
    for sources in ([here, there], [Source("x.csv")]):
        with pytest.raises(SourceError, match="--header is for the APIs of one host") as refused:
            headers_of(["Authorization: 9f1c"], sources)
        assert "9f1c" not in str(refused.value)
    with pytest.raises(SourceError, match="'Name: value'"):
        headers_of(["secret"], [here])
