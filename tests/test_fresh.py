"""From a clean checkout to a served file, as somebody does it who has nothing but Python, git and make.

What is tested is what is committed. pip fetches the dependencies, so this needs a package index.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.support import ROOT, Process, ask, free_port

MINUTES = 600


def do(*command: str | Path, folder: Path) -> str:
    """Run a command to its end; what it printed."""
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, text=True, timeout=MINUTES, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def environment() -> dict[str, str]:
    """The caller's environment without what leads to this checkout or its virtual environment."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS")}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of what is committed."""
    folder = tmp_path_factory.mktemp("fresh")
    do("git", "-c", "safe.directory=*", "clone", "--quiet", ROOT, "checkout", folder=folder)
    return folder / "checkout"


@pytest.fixture(scope="module")
def wheel(checkout: Path) -> Path:
    """The wheel, built from the source distribution."""
    do(sys.executable, "-m", "build", "--outdir", "../dist", ".", folder=checkout)
    return next((checkout.parent / "dist").glob("*.whl"))


def test_the_wheel_holds_all_of_two_packages_and_nothing_else(wheel: Path, checkout: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    packages = (checkout / "rest_kit", checkout / "datastores")
    sources = [path for package in packages for path in package.rglob("*") if path.suffix in (".py", ".typed")]
    assert held == {path.relative_to(checkout).as_posix() for path in sources}


def test_the_wheel_alone_serves_a_csv_file(wheel: Path, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id,name\n1,Ada\n")
    do(sys.executable, "-m", "venv", "venv", folder=tmp_path)
    binaries = tmp_path / "venv" / "bin"
    do(binaries / "python", "-m", "pip", "install", "--quiet", wheel, folder=tmp_path)
    command = [str(binaries / "rest-kit"), "serve", "people.csv", "--port", "0"]
    process = Process(command, tmp_path, environment())
    try:
        url = process.url
        assert ask(f"{url}/people/1/").data["name"] == "Ada"
        assert ask(f"{url}/people/", "POST", {"name": "Grace"}).headers["Location"] == "/people/2/"
    finally:
        status = process.end()
    assert status == 0
    assert (tmp_path / "people.csv").read_text() == "id,name\n1,Ada\n2,Grace\n"


def test_make_serve_is_all_it_takes(checkout: Path) -> None:
    port = free_port()
    process = Process(["make", "serve", f"PORT={port}", f"PYTHON={sys.executable}"], checkout, environment())
    try:
        process.until("/readyz", seconds=MINUTES)
        assert process.url == f"http://127.0.0.1:{port}"
        assert ask(f"{process.url}/countries/CH/").data["name"] == "Switzerland"
        assert ask(f"{process.url}/zones/?countries__contains=CH&fields=tz").data["meta"]["total_count"] == 1
    finally:
        process.end()
    with pytest.raises(OSError, match="refused"):
        ask(f"http://127.0.0.1:{port}/")
