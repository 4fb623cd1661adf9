"""Everything that the README and the manual show is run here."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import run_page
from tests.servers import REQUIRED, answers, empty_database

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """An empty database of the best server there is."""
    if not answers("postgresql") and not REQUIRED:
        yield f"sqlite:///{tmp_path / 'server.db'}"
        return
    with empty_database("postgresql") as url:
        yield url


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    if "DATABASE_URL" in page.read_text(encoding="utf-8"):
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("database_url"))
    blocks = page.read_text(encoding="utf-8").count("```python") + page.read_text(encoding="utf-8").count("```console")
    assert run_page(page) >= blocks
