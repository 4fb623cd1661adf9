"""Users in a list and in SQLite, for every test of logging in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.auth.support import Home


@pytest.fixture(params=["list", "sqlite"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Home:
    """An application's users, in each kind of store in turn."""
    return Home(request.param, tmp_path)
