"""The store that the manual shows keeps the contract of stores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.docs.pages import BLOCK

PAGE = Path(__file__).parents[2] / "docs" / "writing-a-store.md"


def python_of(page: Path) -> dict[str, Any]:
    """What the page's Python blocks define."""
    namespace: dict[str, Any] = {"__name__": __name__}
    for language, block in BLOCK.findall(page.read_text(encoding="utf-8")):
        if language == "python":
            exec(compile(block, str(page), "exec"), namespace)  # noqa: S102 - the page's own code is what is tested
    return namespace


TestJSONFileStore = python_of(PAGE)["TestJSONFileStore"]
