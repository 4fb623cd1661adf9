"""For tests of applications and of stores; what needs pytest is imported when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rest_kit.testing.conformance import DataStoreConformance

__all__ = ["DataStoreConformance"]


def __getattr__(name: str) -> Any:
    if name != "DataStoreConformance":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from rest_kit.testing.conformance import DataStoreConformance

    return DataStoreConformance
