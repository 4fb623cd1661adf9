"""What the command line takes, and what it says where it cannot go on."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import rest_kit
from rest_kit.cli.main import csv_options_of, main
from tests.cli.support import run


def invoke(*arguments: str) -> Result:
    """The command in this very process, for what ends before anything is served."""
    return CliRunner().invoke(main, arguments)


def test_help_and_version() -> None:
    for flag in ("--help", "-h"):
        assert invoke(flag).exit_code == 0
    said = invoke("serve", "--help").output
    assert "rest-kit serve airports.csv" in said
    assert invoke("--version").output == f"rest-kit, version {rest_kit.__version__}\n"


def test_the_options_of_a_csv_file() -> None:
    arguments = [
        *("x.tab", "--key", "code", "--delimiter", "tab", "--comment", "#"),
        *("--columns", "code, name", "--encoding", "cp1252", "--null", "NA"),
    ]
    params = main.commands["serve"].make_context("serve", arguments).params
    assert csv_options_of(params) == {
        "key": "code",
        "delimiter": "\t",
        "comment": "#",
        "columns": ["code", "name"],
        "encoding": "cp1252",
        "null": "NA",
    }


@pytest.mark.parametrize("written", ["tab", r"\t", "\t"])
def test_a_tab_can_be_written_in_three_ways(written: str) -> None:
    params = main.commands["serve"].make_context("serve", ["x.csv", "--delimiter", written]).params
    assert csv_options_of(params) == {"delimiter": "\t"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Missing argument 'SOURCE...'"),
        (["x.csv", "--port", "70000"], "70000 is not in the range"),
        (["x.csv", "--workers", "0"], "0 is not in the range"),
        (["x.csv", "--threads", "many"], "'many' is not a valid integer"),
        (["x.csv", "--prot", "9000"], "No such option"),
    ],
)
def test_a_wrong_option_is_status_2(arguments: list[str], told: str) -> None:
    ended = invoke("serve", *arguments)
    assert ended.exit_code == 2
    assert told in ended.output


@pytest.mark.parametrize("source", ["nothing.csv", "some.xls", "folder"])
def test_a_source_that_is_not_there_is_status_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.chdir(tmp_path)
    ended = invoke("serve", source)
    assert ended.exit_code == 1
    assert ended.output.startswith(f"rest-kit: {source}")
    assert ended.output.count("\n") == 1


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,n\n1,2\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("serve", "x.csv", "--port", str(port), folder=tmp_path)
    assert ended.process.returncode == 1
    assert ended.err == f"rest-kit: cannot listen on 127.0.0.1:{port}: Address already in use; choose another --port\n"


def test_an_address_that_is_not_there_is_said(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,n\n1,2\n")
    ended = invoke("serve", str(tmp_path / "x.csv"), "--host", "no.such.host.invalid", "--port", "0")
    assert ended.exit_code == 1
    assert ended.output.startswith("rest-kit: cannot listen on no.such.host.invalid:0: ")


@pytest.mark.parametrize(
    ("name", "content", "more", "told"),
    [
        ("short.csv", "a,b\n1\n", [], "short.csv:2: 1 cells, where the file has 2 columns"),
        ("empty.csv", "", [], "empty.csv:1: there is no header line"),
        ("key.csv", "id,name\n1,a\n", ["--key", "nmae"], "did you mean 'name'?"),
        ("code.csv", "id,name\n1,a\n", ["--encoding", "utf-16"], "must be an encoding that extends ASCII"),
        ("no.db", "this is no database", [], "no.db is damaged, or not an SQLite database"),
    ],
)
def test_data_that_cannot_be_read_are_status_4(
    tmp_path: Path, name: str, content: str, more: list[str], told: str
) -> None:
    (tmp_path / name).write_text(content)
    ended = run("serve", name, "--port", "0", *more, folder=tmp_path)
    assert ended.process.returncode == 4
    assert ended.err.startswith("rest-kit: ")
    assert told in ended.err
    assert ended.err.count("\n") == 1


def test_several_workers_give_up_in_sentences_too(tmp_path: Path) -> None:
    (tmp_path / "short.csv").write_text("a,b\n1\n")
    ended = run("serve", "short.csv", "--port", "0", "--workers", "4", folder=tmp_path)
    assert ended.process.returncode == 4
    assert {line.partition(": ")[2].rpartition("/")[2] for line in ended.err.splitlines()} == {
        "short.csv:2: 1 cells, where the file has 2 columns; name the columns (option `columns`) if the first line is "
        "no header, or say what comments begin with (option `comment`) if this is one"
    }


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_module_that_cannot_be_imported_is_status_4(tmp_path: Path, workers: str) -> None:
    (tmp_path / "broken_module.py").write_text("people = [\n  {]\n")
    ended = run("serve", "broken_module:people", "--port", "0", "--workers", workers, folder=tmp_path)
    assert ended.process.returncode == 4
    assert ended.err.startswith("rest-kit: broken_module:people: the module 'broken_module' cannot be imported: Syntax")
    assert ended.err.endswith("broken_module.py:2)\n")
    assert ended.err.count("\n") == 1


def test_sources_are_looked_at_before_any_module_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "careless_module.py").write_text("open('imported', 'w').close()\n")
    monkeypatch.chdir(tmp_path)
    ended = invoke("serve", "careless_module:people", "nothing.csv", "--workers", "2")
    assert ended.exit_code == 1
    assert "nothing.csv: there is no such file" in ended.output
    assert not (tmp_path / "imported").exists()
