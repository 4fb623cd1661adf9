"""`python examples/x.py` as a process of its own; only the port that it listens on is another one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.examples.support import EXAMPLES

ROOT = EXAMPLES.parent
SECRET = "a secret of the tests, long enough"
RUN_ON_A_FREE_PORT = """
import runpy, sys
import werkzeug.serving

run_simple = werkzeug.serving.run_simple

def on_a_free_port(host, port, application, **options):
    assert (host, port, options) == ("127.0.0.1", 5000, {"use_debugger": True, "use_reloader": True})
    run_simple(host, 0, application, use_debugger=True)

werkzeug.serving.run_simple = on_a_free_port
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@contextmanager
def running(script: Path) -> Iterator[str]:
    """The example as a process; the URL that it says it runs on."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN_ON_A_FREE_PORT, str(script)],
        cwd=script.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT), "WERKZEUG_DEBUG_PIN": "off", "REST_KIT_SECRET": SECRET},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield url_in(process)
    finally:
        process.terminate()
        process.wait(10)
        assert process.stderr is not None
        process.stderr.close()


def url_in(process: subprocess.Popen[str]) -> str:
    """The URL in werkzeug's first lines."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        found = re.search(r"Running on (http://[0-9.:]+)", line)
        if found:
            return found[1]
    raise AssertionError("".join(said))


@pytest.mark.parametrize(
    ("name", "path", "total"),
    [
        ("quickstart", "/people/", 100),
        ("tweets", "/tweets/", 0),
        ("legacy_csv", "/customers/", 5),
        ("versions", "/v2/customers/", 2),
    ],
)
def test_it_serves_its_resource(tmp_path: Path, name: str, path: str, total: int) -> None:
    for source in (EXAMPLES / f"{name}.py", EXAMPLES / "kunden.csv"):
        shutil.copy(source, tmp_path)
    with running(tmp_path / f"{name}.py") as url, urllib.request.urlopen(url + path, timeout=10) as reply:
        assert json.load(reply)["meta"]["total_count"] == total


@pytest.mark.parametrize(("name", "title"), [("projects", "Projects"), ("login", "Login")])
def test_it_says_hello(tmp_path: Path, name: str, title: str) -> None:
    shutil.copy(EXAMPLES / f"{name}.py", tmp_path)
    with running(tmp_path / f"{name}.py") as url, urllib.request.urlopen(f"{url}/api/", timeout=10) as reply:
        assert json.load(reply)["name"] == title
