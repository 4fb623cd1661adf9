"""Every public name, option, operator and code stands in the manual, on the page where one would look for it.

The names come from the code's own tables, so that whatever is added there is missed here until it is documented.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import click
import msgspec
import pytest

import datastores
import rest_kit
from datastores.remote.dialects import DIALECTS, MAPPING_KEYS
from datastores.remote.options import BREAKER_KEYS
from rest_kit import (
    authentication,
    controllers,
    cors,
    deprecation,
    errors,
    https,
    models,
    options,
    pagination,
    permissions,
    problems,
    proxies,
    query,
    spec,
    storage,
    store,
    throttling,
    uploads,
    views,
)
from rest_kit.cli.main import main
from rest_kit.controllers import hooks
from rest_kit.docs.errors import EXPLANATIONS
from rest_kit.events import log
from rest_kit.models.fields import __all__ as field_names
from rest_kit.routes import Route
from rest_kit.throttling.rates import UNITS

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"^```.*?^```$|`[^`]+`", re.MULTILINE | re.DOTALL)
WORD = re.compile(r"\w[\w-]*")


@cache
def words_of(page: str) -> frozenset[str]:
    """The words in a page's code, inline or in blocks."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return frozenset(word for code in CODE.findall(text) for word in WORD.findall(code))


def field_classes() -> list[type[models.Field]]:
    return [getattr(models, name) for name in field_names]


def classes_of(module: object) -> Iterator[str]:
    """The public classes that a module defines."""
    for name, value in vars(module).items():
        own = inspect.isclass(value) and value.__module__ == getattr(module, "__name__", "")
        if own and not name.startswith("_"):
            yield name


def fault_codes() -> Iterator[str]:
    """Every code that the sources give to a fault or a conflict, in whatever way they write it."""
    for path in [*Path(rest_kit.__file__).parent.rglob("*.py"), *(ROOT / "datastores").rglob("*.py")]:
        if "testing" not in path.parts:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                yield from _codes_in(node)
    for cls in field_classes():
        for known in cls.__mro__:
            yield from (key for key in vars(known).get("texts", {}) if key != "validator_failed")


def _codes_in(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    called = getattr(node.func, "id", getattr(node.func, "attr", ""))
    given = [node.args[0]] if called in ("Fault", "_fault") and node.args else []
    given += [keyword.value for keyword in node.keywords if keyword.arg == "code"]
    yield from (one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str))


def arguments_of(function: object) -> Iterable[str]:
    """The parameters of a class's or function's call."""
    assert callable(function)
    return [name for name in inspect.signature(function).parameters if name != "self"]


def options_of(cls: type) -> Iterable[str]:
    """The named parameters of a throttle or a storage, less what is for tests."""
    return [name for name in arguments_of(cls) if name not in ("rates", "options", "clock", "self")]


def stores() -> list[type[store.DataStore]]:
    return [getattr(datastores, name) for name in datastores.__all__]


def authentication_classes() -> list[type]:
    """What users are kept in, and what they log in with."""
    known = [getattr(authentication, name) for name in authentication.__all__]
    return [
        one for one in known if inspect.isclass(one) and one.__name__.endswith(("Authentication", "Users", "Tokens"))
    ]


def public_methods(cls: type) -> Iterator[str]:
    """The methods that a class has for its users; what its colleagues alone call is no part of it."""
    internal = {"find", "named", "named_active", "checked", "user", "stamp", "key_of", "owner", "keys"}
    for name, value in vars(cls).items():
        if inspect.isfunction(value) and not name.startswith("_") and name not in internal:
            yield name


def page_keys() -> Iterator[str]:
    for policy in (pagination.Pagination, pagination.PageNumberPagination, pagination.CursorPagination):
        yield from (policy.__name__, *arguments_of(policy), *policy(1).parameters)


def options_of_command(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        yield from (option.lstrip("-") for option in parameter.opts if option.startswith("--"))


NAMES: dict[str, Iterable[str]] = {
    "docs/queries.md": [*query.OPERATORS, *page_keys(), "search", "ordering", "fields", "search_fields"],
    "docs/models.md": [
        *models.__all__,
        *(option for cls in field_classes() for option in cls.option_names),
        *(name for cls in (models.ListField, models.NestedField) for name in arguments_of(cls) if name != "options"),
    ],
    "docs/stores.md": [
        *datastores.__all__,
        *(key for cls in stores() for key in (*cls.option_keys, *cls.resource_keys)),
        *(field.name for field in msgspec.structs.fields(log.Event)),
        *("changes", "refresh", *classes_of(log)),
    ],
    "docs/remote.md": [*DIALECTS, *MAPPING_KEYS, *datastores.RemoteDataStore.option_keys, *BREAKER_KEYS],
    "docs/configuration.md": [
        *(*options.RESOURCE_KEYS, *options.CONTROLLER_KEYS, *options.VIEW_KEYS),
        *(*options.CONTROLLER_OPTIONS, *options.VIEW_OPTIONS, *options.OWN_OPTIONS),
        *arguments_of(controllers.WSGIDispatcher),
        *(*spec.RESERVED_RESOURCES, *controllers.__all__),
        *(name for name in views.__all__ if name != "Formatter"),
        *("REST_KIT_SECRET", "SCRIPT_NAME", "healthz", "readyz"),
    ],
    "docs/permissions.md": [
        *(*permissions.__all__, *permissions.RIGHTS),
        *(
            name
            for name, member in vars(permissions.Permission).items()
            if name[0] != "_" and not isinstance(member, property)  # those follow from which methods a class has
        ),
        *(name for name in vars(permissions.Grants) if not name.startswith("_")),
        *(key for cls in (permissions.IsOwner, permissions.HasScope, permissions.Grants) for key in arguments_of(cls)),
        *(field.name for field in msgspec.structs.fields(permissions.Grant)),
        *("creator", "users", "groups", "permissions", "field_permissions", "read", "write"),
    ],
    "docs/errors.md": [
        *(known.slug for known in problems.PROBLEM_TYPES.values()),
        *(*problems.HTTP_SLUGS.values(), *EXPLANATIONS, *fault_codes(), *classes_of(errors)),
        *("pointer", "parameter", "header", "request_id"),
    ],
    "docs/command-line.md": [option for command in main.commands.values() for option in options_of_command(command)],
    "docs/writing-a-store.md": [
        *classes_of(store),
        *(name for cls in (store.DataStore, store.Tx) for name in cls.__abstractmethods__),
        *(field.name for cls in (store.Capabilities, query.Page) for field in msgspec.structs.fields(cls)),
        *(name for name in classes_of(query) if not name.startswith(("Operator", "Arity"))),
    ],
    "docs/authentication.md": [
        *authentication.__all__,
        *(name for one in authentication_classes() for name in arguments_of(one)),
        *(name for one in authentication_classes() for name in public_methods(one)),
        *(field.name for field in authentication.TokenModel.fields),
        *(field.name for field in authentication.UserModel.fields),
        *("PasswordField", "X-CSRF-Token", "REST_KIT_SECRET", "guessable", "varies_by"),
    ],
    "docs/throttling.md": [
        *(name for name in throttling.__all__ if name != "Throttling"),
        *(*storage.__all__, *storage.Storage.__abstractmethods__, *UNITS),
        *(name for cls in (storage.Window, storage.Count) for name in cls.__struct_fields__ if name != "window"),
        *(name for cls in (throttling.RateThrottle, throttling.RateLimit) for name in options_of(cls)),
        *(name for cls in (storage.MemoryStorage, storage.SQLiteStorage) for name in options_of(cls)),
        *(name for name in vars(throttling.Throttle) if not name.startswith("_")),
    ],
    "docs/files.md": [
        *uploads.__all__,
        *uploads.FileStorage.__abstractmethods__,
        *(name for made in (uploads.receive, uploads.DirectoryStorage) for name in arguments_of(made)),
        *(*arguments_of(uploads.UploadedFile), *arguments_of(uploads.Form), *arguments_of(uploads.OpenedFile)),
        *(*arguments_of(models.StoredFile), *arguments_of(controllers.sweep_files)),
        *models.FileField.option_names,
    ],
    "docs/cors.md": [*cors.CORS_KEYS, *cors.METHODS, *cors.SENT, *cors.EXPOSED],
    "docs/versions.md": ["versions", "deprecated", "Deprecation", "Sunset", *arguments_of(deprecation.Deprecation)],
    "docs/deploying.md": [*proxies.PROXY_KEYS, *https.HTTPS_KEYS, "proxies", "https", "healthz", "readyz"],
    "docs/actions.md": [
        *(
            *arguments_of(controllers.action),
            *hooks.NAMES,
            *("save", "delete", "refresh", "keys"),
        ),
        *("get_object", "find", "page", "save_all", "data", "background", "add_task", "wait"),
        *(name for name in arguments_of(controllers.Controller.find) if name != "self"),
    ],
    "docs/routing.md": [*arguments_of(Route), "fallback", "prefix", "versions"],
    "docs/writing.md": [
        "bulk_max",
        "max_body",
        "require_if_match",
        "Prefer",
        "ETag",
        "If-Match",
        "If-None-Match",
        "Idempotency-Key",
        "Idempotent-Replayed",
        "idempotency",
        "require_idempotency_key",
    ],
}


def missing(page: str) -> list[str]:
    """The names that the page should hold and does not; dots and dashes part words."""
    held = words_of(page)
    return sorted({name for name in NAMES[page] if not all(part in held for part in name.split("."))})


@pytest.mark.parametrize("page", NAMES)
def test_every_name_stands_in_the_manual(page: str) -> None:
    assert missing(page) == []


def test_the_codes_are_really_found() -> None:
    assert {"unique", "stale", "unknown", "max_length", "json_patch", "utf8", "cursor"} <= set(fault_codes())


def test_every_option_of_a_typed_dict_is_checked_too() -> None:
    for typed, table in (
        (options.ResourceDict, options.RESOURCE_KEYS),
        (options.ControllerDict, options.CONTROLLER_KEYS),
        (options.ControllerOptions, options.CONTROLLER_OPTIONS),
        (options.ViewDict, options.VIEW_KEYS),
        (options.ViewOptions, options.VIEW_OPTIONS),
    ):
        assert typed.__annotations__.keys() == table.keys()


def test_the_pages_are_on_the_map() -> None:
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"}
    for place in ("README.md", "docs/index.md"):
        linked = set(re.findall(r"\]\((?:docs/)?([\w-]+\.md)", (ROOT / place).read_text(encoding="utf-8")))
        assert pages <= linked, place


@pytest.mark.parametrize(
    ("topic", "page"),
    [
        ("ViewSets", "actions.md"),
        ("Serializers: validation, transformation", "models.md"),
        ("Actions", "actions.md"),
        ("Permissions", "permissions.md"),
        ("Authentication: user login and tokens", "authentication.md"),
        ("Routing: routers, URL configuration", "routing.md"),
        ("Throttling: rate limiting", "throttling.md"),
    ],
)
def test_a_topic_is_found_under_its_usual_name(topic: str, page: str) -> None:
    rows = re.findall(rf"^\| {topic}.*$", (ROOT / "docs/index.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert any(f"]({page}" in row for row in rows)


def measured(page: str) -> dict[tuple[str, str, str], str]:
    """The cells of a page's tables of microseconds, by what they measure, row and column."""
    text = (ROOT / page).read_text(encoding="utf-8")
    tables = re.findall(r"^\| µs.*(?:\n\|.*)+", text, re.MULTILINE)
    assert len(tables) >= 2, page
    return {key: cell for table in tables for key, cell in _cells(table)}


def _cells(table: str) -> Iterator[tuple[tuple[str, str, str], str]]:
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    for row in rows:
        yield from (((head[0], row[0], name), cell) for name, cell in zip(head[1:], row[1:], strict=True))


def test_the_readme_says_what_was_measured_last() -> None:
    assert measured("README.md").items() <= measured("benchmarks/README.md").items()


def test_no_link_leads_nowhere() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text(encoding="utf-8")):
            path, _, anchor = target.partition("#")
            found = (page.parent / path) if path else page
            assert found.exists(), (page.name, target)
            assert not anchor or anchor in anchors_of(found), (page.name, target)


def anchors_of(page: Path) -> set[str]:
    """The anchors that a page's headings get."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
