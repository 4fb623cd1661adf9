"""Another API behind a real socket, served under our name and related to a local file."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.support import ask, free_port, run
from tests.examples.support import EXAMPLES, under_gunicorn
from tests.examples.test_scripts import url_in

BESIDE = """
import runpy, sys
import werkzeug.serving as serving

make, run = serving.make_server, serving.run_simple

def on_a_port_of_ours(host, port, app, **options):
    serving.make_server = make
    assert (host, port) == ("127.0.0.1", 5001)
    return make(host, int(sys.argv[2]), app, **options)

serving.make_server = on_a_port_of_ours
serving.run_simple = lambda host, port, app, **options: run(host, 0, app, **options)
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("zones")
    with (
        under_gunicorn("examples.zones:elsewhere", folder) as other,
        under_gunicorn("examples.zones:app", folder, "--workers", "2", ZONES_URL=f"{other}/timezones/") as ours,
    ):
        yield ours


ZURICH = {"tz": "Europe/Zurich", "country": "CH", "resource_uri": "/zones/Europe%2FZurich/"}
SWITZERLAND = {"code": "CH", "name": "Switzerland", "resource_uri": "/countries/CH/"}


def test_the_other_apis_objects_are_ours_by_name_and_model(api: str) -> None:
    assert ask(f"{api}/zones/Europe%2FZurich/").data == ZURICH
    found = ask(f"{api}/zones/?country=IS&search=reykjav").data
    assert (found["meta"]["total_count"], found["object_list"]) == (0, [])
    assert ask(f"{api}/zones/?tz__startswith=Europe/&count=0").data["meta"]["total_count"] > 30
    assert ask(f"{api}/zones/", "POST", {"tz": "Moon/Base", "country": "CH"}).status == 405


def test_they_are_expanded_from_and_within_the_local_file(api: str) -> None:
    assert ask(f"{api}/zones/Europe%2FZurich/?expand=country").data == {**ZURICH, "country": SWITZERLAND}
    assert ask(f"{api}/countries/CH/?expand=zones").data == {**SWITZERLAND, "zones": [ZURICH]}
    assert ask(f"{api}/countries/CH/zones/").data["object_list"] == [ZURICH]
    page = ask(f"{api}/zones/?expand=country&count=50&ordering=tz").data["object_list"]
    assert len(page) == 50
    assert all(zone["country"]["name"] for zone in page)


def test_a_snapshot_is_a_copy(api: str, tmp_path: Path) -> None:
    assert run("copy", f"{api}/zones/", "snapshot.csv", folder=tmp_path).out == "zones -> snapshot: 312 rows copied\n"
    lines = (tmp_path / "snapshot.csv").read_text().splitlines()
    assert lines[0] == "tz,country"
    assert "Europe/Zurich,CH" in lines


def test_without_the_other_api_the_local_file_is_served(tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/timezones/"
    with under_gunicorn("examples.zones:app", tmp_path, ZONES_URL=nobody, quiet=False) as api:
        assert ask(f"{api}/countries/CH/").data == SWITZERLAND
        assert ask(f"{api}/zones/").status in (502, 503)


def test_as_a_script_it_brings_the_other_api_along(tmp_path: Path) -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-c", BESIDE, str(EXAMPLES / "zones.py"), str(port)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(EXAMPLES.parent), "ZONES_URL": f"http://127.0.0.1:{port}/timezones/"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with urllib.request.urlopen(url_in(process) + "/zones/?expand=country&count=1", timeout=10) as reply:
            assert json.load(reply)["object_list"][0]["country"]["name"] == "Côte d’Ivoire"
    finally:
        process.terminate()
        process.wait(10)
        assert process.stderr is not None
        process.stderr.close()
