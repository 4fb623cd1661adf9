"""The floors of the house: imports point down, stores know no HTTP, HTTP knows no SQL, functions stay small.

Every import counts, those within functions and under TYPE_CHECKING too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FLOORS: dict[str, int] = {
    "rest_kit": 0,  # the package itself, which holds the version and nothing else
    "rest_kit.errors": 0,
    "rest_kit.forks": 0,
    "rest_kit.query": 0,
    "rest_kit.types": 0,
    "rest_kit.models": 1,
    "rest_kit.rows": 1,
    "rest_kit.passwords": 1,
    "rest_kit.jsonio": 1,
    "rest_kit.breaker": 2,
    "rest_kit.store": 2,
    "rest_kit.events": 2,
    "rest_kit.events.log": 2,
    "rest_kit.storage": 2,
    "rest_kit.authentication": 3,
    "rest_kit.background": 3,
    "rest_kit.calling": 3,
    "rest_kit.copying": 3,
    "rest_kit.cors": 3,
    "rest_kit.deprecation": 3,
    "rest_kit.events.wait": 3,
    "rest_kit.https": 3,
    "rest_kit.idempotency": 3,
    "rest_kit.pagination": 3,
    "rest_kit.params": 3,
    "rest_kit.patches": 3,
    "rest_kit.permissions": 3,
    "rest_kit.policies": 3,
    "rest_kit.preconditions": 3,
    "rest_kit.problems": 3,
    "rest_kit.processes": 3,
    "rest_kit.proxies": 3,
    "rest_kit.relations": 3,
    "rest_kit.request": 3,
    "rest_kit.response": 3,
    "rest_kit.routes": 3,
    "rest_kit.signing": 3,
    "rest_kit.throttling": 3,
    "rest_kit.uploads": 3,
    "rest_kit.users": 3,
    "rest_kit.views": 3,
    "rest_kit.spooling": 3,
    "rest_kit.options": 4,
    "rest_kit.spec": 4,
    "rest_kit.docs": 5,
    "rest_kit.events.endpoints": 5,
    "rest_kit.controllers": 6,
    "rest_kit.cli": 7,
    "rest_kit.testing": 7,
}
STORES_STAND_ON = 2
BROAD = frozenset({"Exception", "BaseException"})
MOST_BROAD_EXCEPTS = 3
MOST_POSITIONAL_PARAMETERS = 5
MOST_LINES = 450


@cache
def parsed(path: Path) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def module_name(path: Path) -> str:
    """The import name of a file."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files(package: str) -> list[Path]:
    """Every module of a package."""
    return sorted((ROOT / package).rglob("*.py"))


OURS = files("rest_kit")
STORES = files("datastores")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """The line and the name of everything that a module imports, names within packages included."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from imported_from(path, node)
        elif isinstance(node, ast.Call) and called(node) in ("import_module", "__import__"):
            yield from ((node.lineno, one.value) for one in node.args if is_text(one))


def imported_from(path: Path, node: ast.ImportFrom) -> Iterator[tuple[int, str]]:
    """What `from x import y` imports: `x.y` where that is a module, `x` otherwise."""
    assert node.level == 0, f"{named(path)}:{node.lineno}: a relative import"
    base = node.module or ""
    for alias in node.names:
        inner = ROOT / (base + "." + alias.name).replace(".", "/")
        yield node.lineno, f"{base}.{alias.name}" if inner.with_suffix(".py").exists() or inner.is_dir() else base


def called(node: ast.Call) -> str:
    """The last part of what a call calls."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def floor(name: str) -> int | None:
    """The floor of a module of ours: that of the longest name in the table that it lies under."""
    while name:
        if name in FLOORS and (name != "rest_kit"):
            return FLOORS[name]
        name = name.rpartition(".")[0]
    return None


def floor_of(path: Path) -> int:
    name = module_name(path)
    found = FLOORS[name] if name == "rest_kit" else floor(name)
    assert found is not None, f"{named(path)} has no floor: add it to the table"
    return found


def is_ours(name: str) -> bool:
    return name == "rest_kit" or name.startswith("rest_kit.")


@pytest.mark.parametrize("path", OURS, ids=named)
def test_imports_point_down(path: Path) -> None:
    own = floor_of(path)
    for line, name in imports(path):
        if is_ours(name):
            target = 0 if name == "rest_kit" else floor(name)
            assert target is not None, f"{named(path)}:{line}: {name} has no floor"
            assert target <= own, f"{named(path)}:{line}: floor {own} imports {name} of floor {target}"


@pytest.mark.parametrize("path", STORES, ids=named)
def test_stores_stand_on_the_contracts_alone(path: Path) -> None:
    for line, name in imports(path):
        place = f"{named(path)}:{line}: {name}"
        assert name.partition(".")[0] not in ("werkzeug", "marshmallow", "gunicorn", "click"), place
        if is_ours(name):
            target = floor(name)
            assert target is not None, place
            assert target <= STORES_STAND_ON, place


@pytest.mark.parametrize("path", OURS, ids=named)
def test_rest_kit_does_not_know_the_stores(path: Path) -> None:
    if module_name(path).startswith("rest_kit.cli"):
        top = [node for node in parsed(path).body if isinstance(node, ast.Import | ast.ImportFrom)]
        names = [getattr(node, "module", None) or node.names[0].name for node in top]
    else:
        names = [name for _, name in imports(path)]
    assert not [name for name in names if name.partition(".")[0] == "datastores"], named(path)


@pytest.mark.parametrize("path", OURS, ids=named)
def test_only_the_room_for_storage_knows_sql(path: Path) -> None:
    if not module_name(path).startswith("rest_kit.storage"):
        known = {name.partition(".")[0] for _, name in imports(path)}
        assert not known & {"sqlite3", "sqlalchemy", "psycopg", "pymysql"}, named(path)


def broad_excepts(path: Path) -> Iterator[str]:
    """Where a module catches everything."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = {one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)} if node.type else BROAD
            if caught & BROAD and not raises_again(node):
                yield f"{named(path)}:{node.lineno}"


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Whether a handler ends by raising what it caught, so that it only tidies up."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_hardly_anything_catches_everything() -> None:
    found = [place for path in [*OURS, *STORES] for place in broad_excepts(path)]
    assert len(found) <= MOST_BROAD_EXCEPTS, found


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", [*OURS, *STORES], ids=named)
def test_no_function_has_many_positional_parameters(path: Path) -> None:
    for function in functions(path):
        names = [argument.arg for argument in [*function.args.posonlyargs, *function.args.args]]
        count = len([name for name in names if name not in ("self", "cls")])
        assert count <= MOST_POSITIONAL_PARAMETERS, f"{named(path)}:{function.lineno}: {names}"


@pytest.mark.parametrize("path", [*OURS, *STORES], ids=named)
def test_a_module_opens_with_a_docstring_and_stays_a_room(path: Path) -> None:
    tree = parsed(path)
    assert not tree.body or ast.get_docstring(tree), f"{named(path)} has no docstring"
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= MOST_LINES, f"{named(path)} has {lines} lines: it asks to be two"


def test_functions_are_small() -> None:
    lengths = sorted(
        (function.end_lineno or function.lineno) - function.lineno + 1
        for path in [*OURS, *STORES]
        for function in functions(path)
    )
    assert lengths[len(lengths) // 2] <= 10
    assert sum(length > 35 for length in lengths) <= len(lengths) // 50


def test_the_table_finds_what_goes_up(tmp_path: Path) -> None:
    assert floor("rest_kit.models.field") == 1
    assert floor("rest_kit.controllers") == 6
    assert floor("rest_kit.events.endpoints") == 5
    hidden = ROOT / "rest_kit" / "query.py"
    assert floor_of(hidden) == 0
    module = tmp_path / "m.py"
    module.write_text("def f():\n    from rest_kit.controllers import Controller\n    import werkzeug.http\n")
    assert [name for _, name in imports(module)] == ["rest_kit.controllers", "werkzeug.http"]
