"""The parameters of a resource with relations: foreign keys as URIs too, which depend on where we are mounted."""

from __future__ import annotations

from typing import Any

from rest_kit.params import Asked, Parameters

MOUNTS_KEPT = 16
"""For how many script names the tables of parameters are kept."""


class LinkedParameters(Parameters):
    """As `Parameters`, with one table for each script name; `mount` is the resource's own URL path below it."""

    def __init__(self, mount: str, links: Any, *given: Any, **options: Any) -> None:
        super().__init__(*given, parsers=links.parsers(""), **options)
        self._mount = mount
        self._links, self._given, self._options = links, given, options
        self._tables: dict[str, Parameters] = {}

    def read(self, query_string: str, *, lenient: bool = False, paged: bool = True, mount: str = "") -> Asked:
        script = mount.removesuffix(self._mount)
        if not script or not query_string:
            return super().read(query_string, lenient=lenient, paged=paged)
        return self._table_for(script).read(query_string, lenient=lenient, paged=paged)

    def _table_for(self, script: str) -> Parameters:
        table = self._tables.get(script)
        if table is None:
            if len(self._tables) >= MOUNTS_KEPT:
                self._tables.clear()
            table = self._tables[script] = Parameters(
                *self._given, parsers=self._links.parsers(script), **self._options
            )
        return table
