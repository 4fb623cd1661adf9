"""`rest-kit serve` as a process: what it prints, what it leaves alone, and how it ends."""

from __future__ import annotations

import re
import shutil
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.support import DATA, TIMEOUT, Process, ask, free_port, run, serving, sights


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working directory with real files."""
    for name in ("airports.csv", "cars.json"):
        shutil.copy(DATA / name, tmp_path)
    with sqlite3.connect(tmp_path / "shop.db") as connection:
        connection.execute("CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL)")
        connection.execute("INSERT INTO books (title) VALUES ('Momo')")
    connection.close()
    return tmp_path


def test_it_prints_the_url_of_every_resource_and_serves_it(folder: Path) -> None:
    with serving("airports.csv", "shop.db", folder=folder) as process:
        url = process.url
        assert f"  {url}/airports/\n      50 rows, key iata; list: GET POST PUT PATCH DELETE" in process.out
        assert f"  {url}/books/\n      1 rows, key id; list: GET" in process.out
        assert ask(f"{url}/books/", "POST", {"title": "Eddi"}).status == 201
        changed = ask(f"{url}/airports/00M/", "PATCH", {"name": "Field"})
        assert (changed.status, changed.data["name"]) == (200, "Field")
        assert ask(f"{url}/readyz").data["status"] == "ready"
    assert b"00M,Field,Bay Springs,MS" in (folder / "airports.csv").read_bytes()
    assert process.err == ""


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(folder: Path, sign: signal.Signals) -> None:
    with serving("airports.csv", folder=folder) as process:
        assert ask(f"{process.url}/healthz").status == 200
        started = time.monotonic()
        assert process.end(sign) == 0
        assert time.monotonic() - started < 8


def test_read_only_touches_nothing(folder: Path) -> None:
    before = sights(folder)
    with serving("airports.csv", "shop.db", "cars.json", "--read-only", folder=folder) as process:
        url = process.url
        for path in ("/airports/", "/books/", "/cars/"):
            assert ask(f"{url}{path}?count=1").data["meta"]["total_count"] > 0
            refused = ask(url + path, "POST", {"title": "x"})
            assert (refused.status, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
        assert sights(folder) == before
    assert sights(folder) == before


def test_read_only_leaves_a_file_with_write_ahead_logging_as_it_is(folder: Path) -> None:
    with sqlite3.connect(folder / "shop.db") as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    before = sights(folder)
    with serving("shop.db", "--read-only", folder=folder) as process:
        assert ask(f"{process.url}/books/1/").data["title"] == "Momo"
    after = sights(folder)
    assert {name: after[name] for name in before} == before
    assert after.keys() - before.keys() <= {"shop.db-wal", "shop.db-shm"}, "SQLite itself needs no more to read it"


def test_data_in_memory_get_one_worker_and_it_says_why(folder: Path) -> None:
    with serving("cars.json", "--workers", "4", folder=folder) as process:
        url = process.url
        assert process.err == "rest-kit: one worker, not several: these data live in the memory of one process\n"
        assert "one worker with threads" in process.out
        assert "changes to cars.json are kept in memory and end with the server" in process.out
        assert ask(f"{url}/cars/", "POST", ask(f"{url}/cars/?fields=Name&count=1").data).status == 400
        assert ask(f"{url}/cars/1/", "DELETE").status == 204
        assert ask(f"{url}/cars/1/").status == 404


def test_several_workers_share_a_file(folder: Path) -> None:
    with serving("airports.csv", "--workers", "2", "--threads", "2", folder=folder) as process:
        url = process.url
        for number in range(10):
            assert ask(f"{url}/airports/00M/", "PATCH", {"name": f"Field {number}"}).status == 200
            assert ask(f"{url}/airports/00M/").data["name"] == f"Field {number}"
    assert process.out.count("is serving at") == 1
    assert process.err == ""


def test_the_access_log_is_off_unless_asked_for(folder: Path) -> None:
    with serving("airports.csv", folder=folder) as quiet:
        ask(f"{quiet.url}/airports/00M/")
    assert "/airports/00M/ HTTP" not in quiet.out
    with serving("airports.csv", "--access-log", folder=folder) as telling:
        ask(f"{telling.url}/airports/00M/")
        telling.until(r'"GET /airports/00M/ HTTP/1.1" 200')


def test_options_of_a_csv_file_reach_it(folder: Path) -> None:
    (folder / "orte.txt").write_bytes("% Orte\nM;München\nK;Köln\nX;?\n".encode("cp1252"))
    options = ["--comment", "%", "--columns", "kz,ort", "--key", "kz", "--encoding", "cp1252", "--delimiter", ";"]
    with serving("orte.txt", *options, "--null", "?", folder=folder) as process:
        assert ask(f"{process.url}/orte/K/").data["ort"] == "Köln"
        assert ask(f"{process.url}/orte/X/").data["ort"] is None


def test_reload_serves_what_was_written_since(folder: Path) -> None:
    module = folder / "my_lists.py"
    module.write_text('people = [{"name": "Ada"}]\n')
    with serving("my_lists:people", "--reload", folder=folder) as process:
        url = process.url
        assert ask(f"{url}/people/Ada/").status == 200
        with saving(module, 'people = [{"name": "Grace Hopper"}]\n'):
            assert eventually_found(process, f"{url}/people/Grace%20Hopper/")


@pytest.mark.parametrize("slip", ['people = [{"name": \n', "people = nobody\n"])
def test_reload_survives_a_slip_and_serves_what_mends_it(folder: Path, slip: str) -> None:
    module = folder / "my_slips.py"
    module.write_text('people = [{"name": "Ada"}]\n')
    with serving("my_slips:people", "--reload", folder=folder) as process:
        url = process.url
        with saving(module, slip):
            process.until(r"my_slips:people: the module 'my_slips' cannot be imported: .*my_slips\.py:1\)", "stderr")
            assert "Traceback (most recent call last)" in process.err
            assert eventually_found(process, url, 503)
        with saving(module, 'people = [{"name": "Grace Hopper"}]\n'):
            assert eventually_found(process, f"{url}/people/Grace%20Hopper/")


def test_reload_of_what_cannot_be_loaded_at_first_ends(folder: Path) -> None:
    (folder / "my_slip.py").write_text("people = nobody\n")
    ended = run("serve", "my_slip:people", "--reload", "--port", "0", folder=folder)
    assert ended.process.returncode == 4
    assert "Traceback (most recent call last)" in ended.err
    assert ended.err.splitlines()[-1].startswith("rest-kit: my_slip:people: the module 'my_slip' cannot be imported: ")


@contextmanager
def saving(module: Path, text: str) -> Iterator[None]:
    """A module saved with this text, and saved again every few seconds.

    gunicorn's reloader does not notice what was written before it has looked at the file for the first time.
    """
    done = threading.Event()

    def save() -> None:
        while True:
            new = module.with_suffix(".new")
            new.write_text(text)
            new.replace(module)
            if done.wait(4):
                return

    thread = threading.Thread(target=save)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def eventually_found(process: Process, url: str, status: int = 200) -> bool:
    """Whether the URL answers with this status in time; while the server starts again, it may not answer at all."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        try:
            if ask(url).status == status:
                return True
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError(process.out + process.err)


def test_an_application_starts_without_the_api_that_it_needs(folder: Path) -> None:
    (folder / "my_api.py").write_text(
        "from datastores import PythonListDataStore, RemoteDataStore\n"
        "from rest_kit.controllers import Controller, WSGIDispatcher\n"
        "class Away(Controller):\n"
        "    resource = {'resource_name': 'away', 'datastore': RemoteDataStore,\n"
        f"                'resource': {{'url': 'http://127.0.0.1:{free_port()}/x/', 'dialect': 'json-server'}}}}\n"
        "class Here(Controller):\n"
        "    resource = {'resource_name': 'here', 'datastore': PythonListDataStore, 'resource': [{'id': 1}]}\n"
        "app = WSGIDispatcher([Away, Here])\n"
    )
    with serving("my_api:app", folder=folder) as process:
        assert ask(f"{process.url}/here/1/").status == 200
        assert ask(f"{process.url}/away/1/").status in (502, 503)
        assert re.search(r"/away/\n      cannot be read at the moment: .", process.out)
