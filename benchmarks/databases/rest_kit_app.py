"""rest_kit's SQLDataStore over each database, with its defaults on."""

from __future__ import annotations

from benchmarks.contenders.rest_kit_app import controller
from benchmarks.databases import Places
from benchmarks.databases.calling import WsgiApplication
from datastores import SQLDataStore
from rest_kit.controllers import WSGIDispatcher


def make(places: Places) -> WsgiApplication:
    """rest_kit."""
    served = [
        controller(name, {"url": url.render_as_string(hide_password=False), "table": "books"}, SQLDataStore)
        for name, url in places.items()
    ]

    def close() -> None:
        for one in served:
            assert one.spec_ is not None
            one.spec_.store.close()

    return WsgiApplication(WSGIDispatcher(served, secret="a secret for the benchmark alone"), close)
