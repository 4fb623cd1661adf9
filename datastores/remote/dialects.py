"""The dialects by name, and one made of an explicit mapping: everything that a user may say about an API.

{"url": "https://api.example.org/v2/users", "dialect": {
    "results": "data", "total": "header:X-Total", "link": "header:Link", "limit": "per_page",
    "operators": {"eq": "{field}", "gte": "min_{field}"}, "names": {"id": "user_id"}}}
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import NoneType
from typing import Any, Final

from datastores.remote.dialect import Dialect
from datastores.remote.json_server import JSON_SERVER
from datastores.remote.postgrest import POSTGREST
from datastores.remote.rest_kit_api import REST_KIT
from rest_kit.errors import did_you_mean
from rest_kit.query import OPERATORS
from rest_kit.store import check_keys

# Django REST framework ignores the parameters that it does not know, and what it knows is up to each view: so it is
# asked for pages alone, unless the mapping says which fields can be filtered, ordered and searched.
DRF: Final = Dialect(
    operators={"eq": "{field}", **{op: "{field}__" + op for op in OPERATORS if op not in ("eq", "ne", "notin")}},
    filters={},
    orderings=(),
    ordering="ordering",
    search="search",
    limit="limit",
    offset="offset",
    results="results",
    total="count",
    link="next",
)

DIALECTS: Final[Mapping[str, Dialect]] = {
    "rest_kit": REST_KIT,
    "drf": DRF,
    "json-server": JSON_SERVER,
    "postgrest": POSTGREST,
}

_NAMED: Final = ("ordering", "search", "fields", "limit", "offset", "page", "results", "total", "link")
MAPPING_KEYS: Final[dict[str, type | tuple[type, ...]]] = {
    "like": str,
    **dict.fromkeys(_NAMED, (str, NoneType)),
    "operators": Mapping,
    "filters": (Mapping, NoneType),
    "orderings": (list, tuple, NoneType),
    "searched": (list, tuple, NoneType),
    "names": Mapping,
    "page_size": int,
    "most": int,
    "update": str,
    **dict.fromkeys(("conditional", "bulk", "brings_keys", "own_fields"), bool),
}


def dialect_of(given: Any) -> tuple[Dialect, list[str]]:
    """The dialect that a name or a mapping means, and a sentence for everything wrong with it."""
    if isinstance(given, str):
        known = [] if given in DIALECTS else [f"there is no dialect {given!r}{did_you_mean(given, DIALECTS)}"]
        return DIALECTS.get(given, REST_KIT), known
    if not isinstance(given, Mapping):
        return REST_KIT, [f"resource['dialect'] must be a name or a mapping, not {given!r}"]
    problems = check_keys(given, MAPPING_KEYS, "resource['dialect']")
    base, more = dialect_of(given["like"]) if isinstance(given.get("like"), str) else (Dialect(), [])
    if problems or more:
        return base, problems + more
    values: dict[str, Any] = {
        key: "" if value is None and key in ("results", "total", "link") else value for key, value in given.items()
    }
    made = replace(base, **{key: value for key, value in values.items() if key != "like"})
    return made, _problems(made)


def _problems(dialect: Dialect) -> list[str]:
    """What contradicts itself in a mapping."""
    problems = [
        f"resource['dialect']['operators'] has {op!r}{did_you_mean(op, OPERATORS)}"
        for op in dialect.operators
        if op not in OPERATORS
    ]
    if dialect.update not in ("PATCH", "PUT"):
        problems.append(f"resource['dialect']['update'] must be 'PATCH' or 'PUT', not {dialect.update!r}")
    if dialect.page is not None and (dialect.page_size or 0) < 1:
        problems.append("resource['dialect']: pages by number need 'page_size', how many rows a page has")
    if dialect.most < 1:
        problems.append("resource['dialect']['most'] must be at least 1")
    return problems
