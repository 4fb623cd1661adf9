"""An application whose requests leave ten tasks behind, which wait for a file before they are done."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from rest_kit.controllers import WSGIDispatcher
from rest_kit.request import Request
from rest_kit.routes import Route


def serve(folder: str) -> WSGIDispatcher:
    """The application; the file `go` lets the tasks go on, and each leaves a file of its own."""
    place = Path(folder)

    def work(number: int) -> None:
        while not (place / "go").exists():
            time.sleep(0.01)
        (place / f"done-{number}").touch()

    def add(request: Request) -> Any:
        for number in range(10):
            request.background.add_task(work, number)
        return {"message": "will be done"}

    return WSGIDispatcher([], routes=[Route("/add", add, methods=["POST"])], background_workers=2)
