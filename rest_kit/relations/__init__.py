"""Resources that refer to each other: declared, checked on write, shown, expanded, and kept in order by deletions."""

from __future__ import annotations

from rest_kit.relations.expand import Expander
from rest_kit.relations.graph import NOTHING, Graph, Member, Ready, Related, Relation
from rest_kit.relations.guard import Guard
from rest_kit.relations.links import Links
from rest_kit.relations.parameters import LinkedParameters

__all__ = [
    "NOTHING",
    "Expander",
    "Graph",
    "Guard",
    "LinkedParameters",
    "Links",
    "Member",
    "Ready",
    "Related",
    "Relation",
]
