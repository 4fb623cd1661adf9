"""Everything that the README and the manual show is run here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.docs.pages import run_page

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__", ".*"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    blocks = page.read_text(encoding="utf-8").count("```python") + page.read_text(encoding="utf-8").count("```console")
    assert run_page(page) >= blocks
